/**
 * One pass of the outbox: read what is pending, publish it, write back what came of it.
 *
 * Input: the backlog (where the last pass stood, which lanes wait), the settings. Output: a report;
 * the backlog moves only after the write-back, so whatever breaks in between is sent again, with the
 * same ids and the same bytes. Never rejects.
 *
 * Rules: [OB-5] publish before write-back, one write-back a pass; [OB-6] a pass is bounded.
 */

import type { OutboxSettings } from '../machines/model/messages.js';
import { fail, ok, type Result } from '../machines/model/result.js';
import type { Buried, PassReport } from '../machines/outbox.js';
import type { Clock } from '../src/ports/clock.js';
import type { Failpoints } from '../src/ports/failpoints.js';
import type { Metrics } from '../src/ports/metrics.js';
import type { Sink } from '../src/ports/sink.js';
import type { OutboxOutcome, OutboxRow, Store } from '../src/ports/store.js';
import {
  dueLanes,
  isBlocked,
  type Judgement,
  judge,
  type Lane,
  type Refused,
  tombstoneOf,
} from './outbox-lanes.js';

export interface OutboxPorts {
  readonly store: Pick<Store, 'outboxPending' | 'outboxWriteBack' | 'outboxCounts'>;
  readonly sink: Sink;
  readonly failpoints: Failpoints;
  readonly metrics?: Metrics;
}

/** What a pass leaves for the next one. */
export interface Backlog {
  /** Rows up to here are done, or wait in a blocked lane. */
  doneSeq: number;
  readonly lanes: Map<string, Lane>;
  running: Promise<unknown>;
}

export function emptyBacklog(): Backlog {
  return { doneSeq: 0, lanes: new Map(), running: Promise.resolve() };
}

export const passLimits = {
  /** Pages read in one pass while all their rows wait in blocked lanes. */
  pagesMax: 16,
  /** So many lanes failing at once is not the fault of their events: the sink is taken for down. */
  lanesMax: 1_000,
} as const;

interface Picked {
  readonly rows: readonly OutboxRow[];
  /** Last row looked at. */
  readonly lookedSeq: number;
  readonly more: boolean;
}

export async function runPass(
  ports: OutboxPorts,
  backlog: Backlog,
  { settings, clock }: { readonly settings: OutboxSettings; readonly clock: Clock },
): Promise<PassReport> {
  release(backlog, clock.now());
  if (backlog.lanes.size > passLimits.lanesMax) return stopped('sink', TOO_MANY_LANES);
  const picked = await pick(ports.store, backlog, settings.batchSize);
  if (!picked.ok) return stopped('store', picked.failure.message);
  const sent = await publish(ports, picked.value.rows, { settings, clock });
  const written = await writeBack(ports, sent.outcomes);
  if (!written.ok) return stopped('store', written.failure.message);
  settle(backlog, picked.value, sent);
  return report(ports, backlog, { picked: picked.value, sent, clock });
}

/** Lanes whose wait is over are looked at again from their first row. */
function release(backlog: Backlog, nowMs: number): void {
  for (const [key, { headSeq }] of dueLanes(backlog.lanes, nowMs)) {
    backlog.lanes.delete(key);
    backlog.doneSeq = Math.min(backlog.doneSeq, headSeq - 1);
  }
}

async function pick(
  store: OutboxPorts['store'],
  { doneSeq, lanes }: Backlog,
  batchSize: number,
): Promise<Result<Picked, { readonly message: string }>> {
  const rows: OutboxRow[] = [];
  // With no lane blocked all that is pending may go, also what an operator has put back.
  let lookedSeq = lanes.size === 0 ? 0 : doneSeq;
  for (let page = 0; page < passLimits.pagesMax; page += 1) {
    const read = await store.outboxPending(lookedSeq, batchSize);
    if (!read.ok) return read;
    for (const row of read.value) {
      if (rows.length === batchSize) return ok({ rows, lookedSeq, more: true });
      lookedSeq = row.seq;
      if (!isBlocked(lanes, row)) rows.push(row);
    }
    if (read.value.length < batchSize) return ok({ rows, lookedSeq, more: false });
  }
  return ok({ rows, lookedSeq, more: true });
}

interface Sent {
  readonly outcomes: readonly OutboxOutcome[];
  readonly judgement: Judgement;
  readonly buried: readonly Refused[];
  readonly sinkDown: string | undefined;
  readonly resendFromSeq: number | undefined;
}

async function publish(
  { sink, failpoints, metrics }: OutboxPorts,
  rows: readonly OutboxRow[],
  { settings, clock }: { readonly settings: OutboxSettings; readonly clock: Clock },
): Promise<Sent> {
  const startedMs = clock.monotonic();
  if (rows.length > 0) failpoints.hit('publish.before');
  const results = rows.length === 0 ? [] : await sink.append(rows.map(({ event }) => event));
  const { maxAttempts } = settings;
  const judgement = judge(rows, results, { maxAttempts, nowMs: clock.now() });
  const graves = await bury(sink, judgement.dead);
  if (rows.length > 0) failpoints.hit('publish.after');
  metrics?.observe('outbox_publish_seconds', (clock.monotonic() - startedMs) / 1000);
  const dead = graves.buried.map(({ row, error }) => ({
    seq: row.seq,
    error,
    dead: true as const,
  }));
  const again = [judgement.resendFromSeq, graves.resendFromSeq].filter((seq) => seq !== undefined);
  return {
    outcomes: [...judgement.outcomes, ...dead],
    judgement,
    buried: graves.buried,
    sinkDown: judgement.sinkDown ?? graves.sinkDown,
    resendFromSeq: again.length === 0 ? undefined : Math.min(...again),
  };
}

/** A row is dead only when its tombstone is in the feed; one whose tombstone is refused too, anyway. */
async function bury(sink: Sink, dead: readonly Refused[]) {
  if (dead.length === 0) return { buried: [], sinkDown: undefined, resendFromSeq: undefined };
  const results = await sink.append(dead.map(({ row }) => tombstoneOf(row.event)));
  const failures = results.map((result) => (result.ok ? undefined : result.failure));
  const down = failures.findIndex((failure) => failure?.code === 'unavailable');
  const buried = down < 0 ? dead : dead.slice(0, down);
  return {
    buried,
    sinkDown: failures[down]?.message,
    resendFromSeq: dead[buried.length]?.row.seq,
  };
}

async function writeBack(
  { store, failpoints }: OutboxPorts,
  outcomes: readonly OutboxOutcome[],
): Promise<Result<void, { readonly message: string }>> {
  if (outcomes.length === 0) return ok(undefined);
  failpoints.hit('writeback.before');
  const written = await store.outboxWriteBack(outcomes);
  if (!written.ok) return fail(written.failure);
  failpoints.hit('writeback.after');
  return written;
}

function settle(backlog: Backlog, picked: Picked, { judgement, resendFromSeq }: Sent): void {
  for (const [key, lane] of judgement.blocked) backlog.lanes.set(key, lane);
  backlog.doneSeq = resendFromSeq === undefined ? picked.lookedSeq : resendFromSeq - 1;
}

async function report(
  { store, metrics }: OutboxPorts,
  backlog: Backlog,
  { picked, sent, clock }: { readonly picked: Picked; readonly sent: Sent; readonly clock: Clock },
): Promise<PassReport> {
  const published = sent.outcomes.filter(({ controlVersion }) => controlVersion !== undefined);
  const more = picked.more || sent.resendFromSeq !== undefined;
  const counts = more ? undefined : await store.outboxCounts();
  const pending = counts?.ok === true ? counts.value.pending : undefined;
  metrics?.count('outbox_published_total', {}, published.length);
  const waitMs = laneWaitMs(backlog, clock.now());
  return {
    published: published.length,
    lastSeq: Math.max(0, ...published.map(({ seq }) => seq)),
    buried: sent.buried.map(buriedOf),
    more,
    ...(sent.sinkDown === undefined ? {} : { stopped: { by: 'sink', message: sent.sinkDown } }),
    ...(waitMs === undefined ? {} : { laneWaitMs: waitMs }),
    ...(pending === undefined ? {} : { pending }),
    ...lastErrorOf(sent),
  };
}

function lastErrorOf({ outcomes }: Sent): { readonly refusal?: string } {
  const refusal = outcomes.findLast(({ error }) => error !== undefined)?.error;
  return refusal === undefined ? {} : { refusal };
}

/** Until the first blocked lane may go on. */
function laneWaitMs({ lanes }: Backlog, nowMs: number): number | undefined {
  if (lanes.size === 0) return undefined;
  const dueAtMs = Math.min(...[...lanes.values()].map((lane) => lane.dueAtMs));
  return Math.max(0, dueAtMs - nowMs);
}

function buriedOf({ row, error }: Refused): Buried {
  const { seq, event, attempts } = row;
  return { seq, eventId: event.eventId, type: event.type, attempts: attempts + 1, error };
}

const TOO_MANY_LANES = `more than ${passLimits.lanesMax} ordering keys are refused at once: the sink is taken for broken`;

function stopped(by: 'sink' | 'store', message: string): PassReport {
  return { published: 0, lastSeq: 0, buried: [], more: true, stopped: { by, message } };
}
