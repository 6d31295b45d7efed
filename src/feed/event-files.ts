/**
 * The layout `per-event`: one file per event, named by its id. Inside are the event's own fields, and
 * the same under the names of the older system whose file source reads such folders too.
 *
 * Output: names, texts and events. A text that is no event is a failure value.
 */
import { readdir } from 'node:fs/promises';
import { fail, type Result } from '../../machines/model/result.js';
import type { FeedEvent } from '../ports/store.js';
import { eventOf } from './segments.js';

/** What most file systems take, less what an unfinished file adds. */
const NAME_BYTES_MAX = 240;

const SUFFIX = '.json';

/** Nothing outside the folder can be named, and nothing hidden in it. `undefined`: no file may be called so. */
export function eventFileName(eventId: string): string | undefined {
  const name = `${eventId.replace(/[/\\\0]/g, '_').replace(/^\./, '_')}${SUFFIX}`;
  return eventId === '' || Buffer.byteLength(name) > NAME_BYTES_MAX ? undefined : name;
}

/** In no order. A folder that does not exist holds none. */
export async function listEventFiles(dir: string): Promise<readonly string[]> {
  const names = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names.filter((name) => name.endsWith(SUFFIX) && !name.startsWith('.'));
}

/** Fields of the older system; `id` is one of its database, always 0 in a feed. */
interface Older {
  readonly id: number;
  readonly event_id: string;
  readonly tenant_id?: string;
  readonly version: number;
  readonly base_version?: number;
  readonly artifact_ref?: string;
  readonly created_at: string;
  readonly control_version: number;
}

const OLDER_KEYS: readonly (keyof Older)[] = [
  ...(['id', 'event_id', 'tenant_id', 'version', 'base_version'] as const),
  ...(['artifact_ref', 'created_at', 'control_version'] as const),
];

export function encodeEventFile(event: FeedEvent, controlVersion: number): string {
  const { aggregateVersion, artifactRef, eventId, occurredAt, tenantId } = event;
  const older: Older = {
    id: 0,
    event_id: eventId,
    ...(tenantId === undefined ? {} : { tenant_id: tenantId }),
    version: aggregateVersion,
    ...(aggregateVersion > 1 ? { base_version: aggregateVersion - 1 } : {}),
    ...(artifactRef === undefined ? {} : { artifact_ref: artifactRef }),
    created_at: occurredAt,
    control_version: controlVersion,
  };
  return JSON.stringify({ ...event, controlVersion, ...older });
}

export function decodeEventFile(text: string): Result<FeedEvent, string> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return fail('not JSON');
  }
  if (typeof value !== 'object' || value === null) return fail('not an object');
  const own = { ...(value as Record<string, unknown>) };
  for (const key of OLDER_KEYS) delete own[key];
  return eventOf(own);
}
