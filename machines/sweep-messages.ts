/**
 * What a sweep says: records of orphans found and gone, of their deletion, and the shape operators see.
 *
 * Input: its memory. Output: parameters of effects, a view with its conditions.
 */
import { newcomers, type Orphan, type Orphans } from '../src/policy/orphans.js';
import type { PublishParams, RecordParams } from './model/effects.js';
import type { Refusal } from './model/failures.js';
import type { JsonObject } from './model/json.js';
import type { SweepSettings } from './model/orphans.js';
import { timestamp } from './model/time.js';

export interface SweepMemory {
  readonly provider: string;
  readonly settings: SweepSettings | null;
  readonly orphans: Orphans;
  readonly listed: number;
  /** When the list was asked for that was last read to its end. */
  readonly sweptAtMs: number | null;
  readonly askedAtMs: number;
  /** Why the last list proved nothing, and since when none did. */
  readonly problem: { readonly message: string; readonly sinceMs: number } | null;
  /** Who waits for what the list says. */
  readonly askers: readonly string[];
}

export interface AnswersParams {
  readonly askers: readonly string[];
  readonly body: JsonObject;
}

/** What was found, or why that is not known. */
export function answersOf(memory: SweepMemory): AnswersParams {
  const { askers, problem, provider } = memory;
  if (problem === null) return { askers, body: { ok: true, ...sweepShape(memory) } };
  const message = `what provider "${provider}" has cannot be compared: ${problem.message}`;
  const refusal: Refusal = { code: 'refused', rule: 'OR-5', message };
  return { askers, body: { ok: false, refusal: { ...refusal } } };
}

/** Names told in one sentence or record; of the rest their number. */
const NAMED_MAX = 20;

export function isNews(memory: SweepMemory, after: Orphans): boolean {
  const changed = [...newcomers(memory.orphans, after), ...newcomers(after, memory.orphans)];
  return changed.length > 0;
}

export function changeRecord(
  memory: SweepMemory,
  after: Orphans,
  { listed, adopted }: { readonly listed: number; readonly adopted: number },
): RecordParams {
  const found = newcomers(memory.orphans, after);
  const gone = newcomers(after, memory.orphans);
  const numbers = { listed, adopted, orphans: Object.keys(after).length };
  return {
    event: found.length > 0 ? 'orphans.found' : 'orphans.gone',
    rule: 'OR-6',
    numbers: { ...numbers, ...namesIn('found', found), ...namesIn('gone', gone) },
    publish: publishOf(memory, after),
  };
}

export function deletionRecord(memory: SweepMemory, due: readonly Orphan[]): RecordParams {
  const numbers = {
    quarantineMs: memory.settings?.quarantineMs ?? null,
    ...namesIn('deleting', due),
  };
  const publish = publishOf(memory, memory.orphans);
  return { event: 'orphans.deleting', rule: 'OR-7', numbers, publish };
}

function publishOf({ provider }: SweepMemory, orphans: Orphans): PublishParams {
  const shown = Object.values(orphans).slice(0, NAMED_MAX).map(orphanShape);
  const data = { provider, count: Object.keys(orphans).length, orphans: shown };
  return { aggregateKind: 'orphans', aggregateId: provider, data };
}

function namesIn(name: string, orphans: readonly Orphan[]): JsonObject {
  if (orphans.length === 0) return {};
  return { [name]: orphans.slice(0, NAMED_MAX).map(orphanShape), [`${name}Count`]: orphans.length };
}

function orphanShape({ providerId, token, tenant, group, instance, ...rest }: Orphan): JsonObject {
  const { address, why, sinceMs, deleting } = rest;
  const since = timestamp(sinceMs);
  return { providerId, token, tenant, group, instance, address, why, since, deleting };
}

/** What the sweep of one provider knows. */
export function sweepShape(memory: SweepMemory): JsonObject {
  const { provider, settings, orphans, listed, sweptAtMs } = memory;
  return {
    name: provider,
    mode: settings?.mode ?? 'report',
    listed,
    ...(sweptAtMs === null ? {} : { sweptAt: timestamp(sweptAtMs) }),
    orphans: Object.values(orphans).map(orphanShape),
    conditions: [...orphanConditions(memory), ...problemConditions(memory)],
  };
}

function orphanConditions({ provider, orphans, settings }: SweepMemory): JsonObject[] {
  const all = Object.values(orphans);
  if (all.length === 0) return [];
  const names = all.slice(0, NAMED_MAX).map(nameOf);
  const more = all.length > names.length ? `, and ${all.length - names.length} more` : '';
  const first = Math.min(...all.map(({ sinceMs }) => sinceMs));
  const deleted = `deleted once it was nobody's for ${(settings?.quarantineMs ?? 0) / 60_000} min`;
  const reported = "delete it by hand, or set 'orphans: delete'";
  return [
    {
      type: 'orphans',
      object: `provider/${provider}`,
      severity: 'warning',
      since: timestamp(first),
      cause: 'OR-1',
      message: `provider "${provider}" has ${all.length} of ours that no instance knows: ${names.join(', ')}${more}`,
      next: settings?.mode === 'delete' ? deleted : reported,
    },
  ];
}

function nameOf({ providerId, instance, why }: Orphan): string {
  return `${providerId} (${why}, tagged ${instance})`;
}

function problemConditions({ provider, problem }: SweepMemory): JsonObject[] {
  if (problem === null) return [];
  return [
    {
      type: 'orphan-sweep-failing',
      object: `provider/${provider}`,
      severity: 'warning',
      since: timestamp(problem.sinceMs),
      cause: 'OR-5',
      message: `what provider "${provider}" has cannot be compared: ${problem.message}`,
      next: 'nothing follows from it; it is asked again at the next sweep',
    },
  ];
}
