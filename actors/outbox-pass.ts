/**
 * One pass of the outbox: read what is pending, publish it, write back what came of it.
 *
 * Input: the backlog (where the last pass stood, which lanes wait), the settings. Output: a report;
 * the backlog moves only after the write-back, so whatever breaks in between is sent again, with the
 * same ids and the same bytes. Never rejects.
 *
 * Rules: [OB-5] publish before write-back, one write-back a pass; [OB-6] a pass is bounded; [OB-10] who
 * publishes has claimed the outbox.
 */

import type { OutboxSettings } from '../machines/model/messages.js';
import { fail, ok, type Result } from '../machines/model/result.js';
import type { Buried, Lost, PassReport } from '../machines/outbox.js';
import type { Clock } from '../src/ports/clock.js';
import type { Failpoints } from '../src/ports/failpoints.js';
import type { Metrics } from '../src/ports/metrics.js';
import type { Sink } from '../src/ports/sink.js';
import type { OutboxClaim, OutboxOutcome, OutboxRow, Store } from '../src/ports/store.js';
import { bringArtifact } from './outbox-artifacts.js';
import { type Chains, createChains } from './outbox-chains.js';
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
  readonly store: Pick<
    Store,
    | 'artifactGet'
    | 'outboxAmend'
    | 'outboxClaim'
    | 'outboxCounts'
    | 'outboxPending'
    | 'outboxWriteBack'
  >;
  readonly sink: Sink;
  readonly failpoints: Failpoints;
  readonly metrics?: Metrics;
  /** Who publishes: one at a time may. */
  readonly publisher: Publisher;
  /** Told what the actor works with, for `finish`. */
  readonly onBacklog?: (backlog: Backlog) => void;
}

export type Publisher = Pick<OutboxClaim, 'thread' | 'incarnation' | 'epoch'>;

/** What a pass leaves for the next one. */
export interface Backlog {
  /** Rows up to here are done, or wait in a blocked lane. */
  doneSeq: number;
  readonly lanes: Map<string, Lane>;
  /** Monotonic: the claim is renewed before. */
  claimedUntilMs: number;
  /** The sink knows where the feed stands. */
  resumed: boolean;
  /** The feed had at least this; unknown until the outbox is claimed. */
  lastControlVersion?: number;
  lost?: Lost | undefined;
  /** Rows before `doneSeq` may be pending again. */
  rescan: boolean;
  /** Passes in a row that left something. */
  fullPasses: number;
  /** The next page, asked for while the last pass was sent. */
  ahead?: Ahead | undefined;
  /** Of the last pass. */
  settings?: OutboxSettings;
  running: Promise<unknown>;
}

interface Ahead {
  readonly afterSeq: number;
  readonly max: number;
  readonly page: ReturnType<Store['outboxPending']>;
  /** Of keys that the last pass published: newer than what the page says. */
  heads: ReadonlyMap<string, string>;
}

export function emptyBacklog(): Backlog {
  return {
    ...{ doneSeq: 0, lanes: new Map(), running: Promise.resolve() },
    ...{ claimedUntilMs: Number.NEGATIVE_INFINITY, resumed: false, rescan: false },
    fullPasses: 0,
  };
}

export const passLimits = {
  /** Full passes of the configured size before they grow, and how large they may become. */
  plainPasses: 4,
  batchMax: 1_024,
  /** Pages read in one pass while all their rows wait in blocked lanes. */
  pagesMax: 16,
  /** So many lanes failing at once is not the fault of their events: the sink is taken for down. */
  lanesMax: 1_000,
  /** A claim lasts so long, and is renewed when half of it is over. */
  claimMs: 60_000,
  /** What a stop leaves for the last passes. */
  finishMs: 3_000,
} as const;

interface Picked {
  readonly rows: readonly OutboxRow[];
  /** Last row looked at. */
  readonly lookedSeq: number;
  readonly more: boolean;
}

export interface Rule {
  readonly settings: OutboxSettings;
  readonly clock: Clock;
}

export async function runPass(
  ports: OutboxPorts,
  backlog: Backlog,
  rule: Rule,
): Promise<PassReport> {
  const { clock, settings } = rule;
  const hindrance = (await claim(ports, backlog, rule)) ?? (await resume(ports, backlog));
  if (hindrance !== undefined) return hindrance;
  release(backlog, clock.now());
  if (backlog.lanes.size > passLimits.lanesMax) return stopped('sink', TOO_MANY_LANES);
  const picked = await pick(ports.store, backlog, batchOf(backlog, settings));
  if (!picked.ok) return stopped('store', picked.failure.message);
  backlog.fullPasses = picked.value.more ? backlog.fullPasses + 1 : 0;
  askAhead(ports.store, backlog, picked.value, batchOf(backlog, settings));
  const sent = await publish(ports, picked.value.rows, rule);
  const written = await writeBack(ports, sent.outcomes);
  if (!written.ok) {
    backlog.ahead = undefined;
    return stopped('store', written.failure.message);
  }
  if (sent.isFenced) backlog.resumed = false;
  settle(backlog, picked.value, sent);
  return report(ports, backlog, { picked: picked.value, sent, clock });
}

/**
 * The end: what was sent is written back, and what is there yet is sent, within a time. Whatever is not
 * done by then is pending, and sent by the next life.
 */
export async function finish(ports: OutboxPorts, backlog: Backlog, clock: Clock): Promise<void> {
  const { settings } = backlog;
  let isOver = false;
  const last = async (): Promise<void> => {
    await backlog.running;
    while (settings !== undefined && !isOver) {
      const { more, stopped } = await runPass(ports, backlog, { settings, clock });
      if (!more || stopped !== undefined) return;
    }
  };
  await new Promise<void>((resolve) => {
    const cancel = clock.after(passLimits.finishMs, () => {
      isOver = true;
      resolve();
    });
    void last()
      .catch(() => undefined)
      .finally(() => {
        cancel();
        resolve();
      });
  });
}

/** One publisher at a time; another one's claim is waited for as a store that is away. */
async function claim(
  { store, publisher }: OutboxPorts,
  backlog: Backlog,
  { clock, settings }: Rule,
): Promise<PassReport | undefined> {
  const nowMs = clock.monotonic();
  if (nowMs < backlog.claimedUntilMs - passLimits.claimMs / 2) return undefined;
  const { coalesceWindowMs } = settings;
  const terms = { ...publisher, coalesceWindowMs, leaseMs: passLimits.claimMs };
  const claimed = await store.outboxClaim(terms);
  if (!claimed.ok) return stopped('store', claimed.failure.message);
  const { granted, forMs, lastControlVersion } = claimed.value;
  if (!granted) return stopped('store', `another publisher has the outbox for ${forMs} ms more`);
  backlog.claimedUntilMs = nowMs + forMs;
  backlog.lastControlVersion ??= lastControlVersion;
  return undefined;
}

/** A feed that ends before what we know to be there has lost something. */
async function resume({ sink }: OutboxPorts, backlog: Backlog): Promise<PassReport | undefined> {
  if (backlog.resumed) return undefined;
  const stands = await sink.resume();
  if (!stands.ok) return stopped('sink', stands.failure.message);
  const { head } = stands.value;
  const expected = backlog.lastControlVersion ?? 0;
  backlog.resumed = true;
  backlog.lost = head < expected ? { head, expected } : undefined;
  return undefined;
}

/** A backlog that does not end is sent in ever larger passes: what a disk is waited for is shared by more. */
function batchOf({ fullPasses }: Backlog, { batchSize }: OutboxSettings): number {
  const doublings = Math.max(0, fullPasses - passLimits.plainPasses);
  return Math.max(batchSize, Math.min(passLimits.batchMax, batchSize * 2 ** doublings));
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
  backlog: Backlog,
  batchSize: number,
): Promise<Result<Picked, { readonly message: string }>> {
  const { doneSeq, lanes, rescan } = backlog;
  const rows: OutboxRow[] = [];
  backlog.rescan = false;
  // With no lane blocked all that is pending may go, also what an operator has put back.
  let lookedSeq = rescan || (lanes.size === 0 && backlog.ahead === undefined) ? 0 : doneSeq;
  for (let page = 0; page < passLimits.pagesMax; page += 1) {
    const { read, heads } = await pageOf(store, backlog, { afterSeq: lookedSeq, max: batchSize });
    if (!read.ok) return read;
    for (const row of read.value) {
      if (rows.length === batchSize) return ok({ rows, lookedSeq, more: true });
      lookedSeq = row.seq;
      const headHash = heads.get(row.event.orderingKey);
      if (!isBlocked(lanes, row)) rows.push(headHash === undefined ? row : { ...row, headHash });
    }
    if (read.value.length < batchSize) return ok({ rows, lookedSeq, more: false });
  }
  return ok({ rows, lookedSeq, more: true });
}

interface Page {
  readonly afterSeq: number;
  readonly max: number;
}

/** Rows behind the last pass do not change: a page that was asked for ahead is as good as a new one. */
async function pageOf(
  store: OutboxPorts['store'],
  backlog: Backlog,
  { afterSeq, max }: Page,
): Promise<{
  readonly read: Awaited<Ahead['page']>;
  readonly heads: Ahead['heads'];
}> {
  const { ahead } = backlog;
  backlog.ahead = undefined;
  return ahead?.afterSeq === afterSeq && ahead.max === max
    ? { read: await ahead.page, heads: ahead.heads }
    : { read: await store.outboxPending(afterSeq, max), heads: new Map() };
}

/** While there is a backlog the store reads on as the sink writes. */
function askAhead(
  store: OutboxPorts['store'],
  backlog: Backlog,
  picked: Picked,
  max: number,
): void {
  if (!picked.more || backlog.lanes.size > 0) return;
  const afterSeq = picked.lookedSeq;
  backlog.ahead = {
    ...{ afterSeq, max, heads: new Map() },
    page: store.outboxPending(afterSeq, max),
  };
}

interface Sent {
  readonly heads: ReadonlyMap<string, string>;
  readonly outcomes: readonly OutboxOutcome[];
  readonly judgement: Judgement;
  readonly buried: readonly Refused[];
  readonly sinkDown: string | undefined;
  readonly isFenced: boolean;
  readonly resendFromSeq: number | undefined;
}

async function publish(
  ports: OutboxPorts,
  rows: readonly OutboxRow[],
  { settings, clock }: Rule,
): Promise<Sent> {
  const { sink, failpoints, metrics } = ports;
  const startedMs = clock.monotonic();
  const chains = createChains();
  if (rows.length > 0) failpoints.hit('publish.before');
  const results = rows.length === 0 ? [] : await appendAll(ports, rows, chains);
  const { maxAttempts } = settings;
  const judgement = judge(rows, results, { maxAttempts, nowMs: clock.now() });
  const graves = await bury(sink, judgement.dead, chains);
  if (rows.length > 0) failpoints.hit('publish.after');
  metrics?.observe('outbox_publish_seconds', (clock.monotonic() - startedMs) / 1000);
  const dead = graves.buried.map(({ row, error }) => ({
    ...{ seq: row.seq, error, dead: true as const },
  }));
  const again = [judgement.resendFromSeq, graves.resendFromSeq].filter((seq) => seq !== undefined);
  const refusals = results.map((result) => (result.ok ? undefined : result.failure.code));
  return {
    ...chains.close([...judgement.outcomes, ...dead]),
    judgement,
    buried: graves.buried,
    sinkDown: judgement.sinkDown ?? graves.sinkDown,
    isFenced: refusals.includes('fenced') || graves.isFenced,
    resendFromSeq: again.length === 0 ? undefined : Math.min(...again),
  };
}

type Answers = Awaited<ReturnType<Sink['append']>>;

/** What events name has to be there before they are. What cannot be read is refused without asking. */
async function appendAll(
  { sink, store }: OutboxPorts,
  rows: readonly OutboxRow[],
  chains: Chains,
): Promise<Answers> {
  const legible = rows.filter(({ damaged }) => damaged === undefined);
  const events = legible.map((row) => chains.next(row, row.event));
  const refs = new Set(events.flatMap(({ artifactRef }) => artifactRef ?? []));
  for (const ref of refs) {
    const brought = await bringArtifact(store, sink, ref);
    if (!brought.ok) return rows.map(() => brought);
  }
  const answers = await sink.append(events);
  if (legible.length === rows.length) return answers;
  const inOrder = answers[Symbol.iterator]();
  return rows.map(({ damaged }) =>
    damaged === undefined
      ? (inOrder.next().value ?? fail(NO_ANSWER))
      : fail({ code: 'content' as const, message: damaged }),
  );
}

const NO_ANSWER = { code: 'unavailable', message: 'the sink gave no answer' } as const;

/** A row is dead only when its tombstone is in the feed; one whose tombstone is refused too, anyway. */
async function bury(sink: Sink, dead: readonly Refused[], chains: Chains) {
  if (dead.length === 0) {
    return { buried: [], sinkDown: undefined, isFenced: false, resendFromSeq: undefined };
  }
  // What was illegible has no aggregate: nothing stands in its place.
  const named = dead.filter(({ row }) => row.damaged === undefined);
  const stones = named.map(({ row }) => chains.next(row, tombstoneOf(row.event)));
  const results = stones.length === 0 ? [] : await sink.append(stones);
  const answers = results[Symbol.iterator]();
  const failures = dead.map(({ row }) => {
    const result = row.damaged === undefined ? answers.next().value : undefined;
    return result?.ok === false ? result.failure : undefined;
  });
  const down = failures.findIndex((failure) => failure !== undefined && failure.code !== 'content');
  const buried = down < 0 ? dead : dead.slice(0, down);
  return {
    buried,
    sinkDown: failures[down]?.message,
    isFenced: failures[down]?.code === 'fenced',
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

function settle(backlog: Backlog, picked: Picked, sent: Sent): void {
  const { judgement, resendFromSeq, heads } = sent;
  if (backlog.ahead !== undefined) backlog.ahead.heads = heads;
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
  const known = counts?.ok === true ? counts.value : undefined;
  const pending = known?.pending;
  const versions = published.map(({ controlVersion = 0 }) => controlVersion);
  backlog.lastControlVersion = Math.max(backlog.lastControlVersion ?? 0, ...versions);
  metrics?.count('outbox_published_total', {}, published.length);
  const waitMs = leastOf(laneWaitMs(backlog, clock.now()), known?.lookAgainInMs);
  return {
    published: published.length,
    lastSeq: Math.max(0, ...published.map(({ seq }) => seq)),
    buried: sent.buried.map(buriedOf),
    more,
    ...(sent.sinkDown === undefined ? {} : { stopped: { by: 'sink', message: sent.sinkDown } }),
    ...(waitMs === undefined ? {} : { waitMs }),
    ...(backlog.lost === undefined ? {} : { lost: backlog.lost }),
    ...(pending === undefined ? {} : { pending }),
    ...lastErrorOf(sent),
  };
}

function lastErrorOf({ outcomes }: Sent): { readonly refusal?: string } {
  const refusal = outcomes.findLast(({ error }) => error !== undefined)?.error;
  return refusal === undefined ? {} : { refusal };
}

function leastOf(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}

/** Until the first blocked lane may go on. */
function laneWaitMs({ lanes }: Backlog, nowMs: number): number | undefined {
  if (lanes.size === 0) return undefined;
  const dueAtMs = Math.min(...[...lanes.values()].map((lane) => lane.dueAtMs));
  return Math.max(0, dueAtMs - nowMs);
}

function buriedOf({ row, error }: Refused): Buried {
  const { seq, event, attempts } = row;
  const { eventId, type, orderingKey } = event;
  return { seq, eventId, type, orderingKey, attempts: attempts + 1, error };
}

const TOO_MANY_LANES = `more than ${passLimits.lanesMax} ordering keys are refused at once: the sink is taken for broken`;

function stopped(by: 'sink' | 'store', message: string): PassReport {
  return { published: 0, lastSeq: 0, buried: [], more: true, stopped: { by, message } };
}
