/**
 * Incidents: every time VPP had lost its state, as lbsync recorded it when it was built again, and the
 * one that is not over yet.
 *
 * Shape: {id, kind, lostAt, detectedAt, rebuiltAt?, ops, frontends, cause}. Rules: [LB-64].
 */
import { addressOf } from '../../machines/model/ids.js';
import type { Json, JsonObject } from '../../machines/model/json.js';
import type { JournalEntry, Store } from '../ports/store.js';
import type { Directory } from './directory.js';

/** Entries of lbsync's journal that are looked through, newest first. */
const LOOKED_AT_MAX = 1_000;

interface Sources {
  readonly directory: Pick<Directory, 'views'>;
  readonly store: Store;
}

export async function incidentsOf({ directory, store }: Sources): Promise<readonly JsonObject[]> {
  const entries = await store.journalOf(addressOf('lbsync', 'main'), LOOKED_AT_MAX);
  const over = entries.ok ? entries.value.filter(({ event }) => event === 'dataplane.rebuilt') : [];
  const views = await directory.views('lbsync');
  const open = views.flatMap(({ incident }) => (isObject(incident) ? [incident] : []));
  return [...over.map(incidentIn), ...open];
}

function incidentIn({ id, numbers, cause }: JournalEntry): JsonObject {
  const { lostAt, detectedAt, rebuiltAt, ops, frontends } = numbers;
  return {
    id,
    kind: 'dataplane-lost-state',
    lostAt: timeText(lostAt),
    detectedAt: timeText(detectedAt),
    rebuiltAt: timeText(rebuiltAt),
    ops: ops ?? 0,
    frontends: frontends ?? [],
    cause,
  };
}

function timeText(at: Json | undefined): string {
  return new Date(Number(at ?? 0)).toISOString();
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
