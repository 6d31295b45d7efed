/**
 * One pass of the outbox: read what is pending, publish it, write back what came of it.
 *
 * Input: the backlog (where the last pass stood, which lanes wait), the settings. Output: a report;
 * the backlog moves only after the write-back, so whatever breaks in between is sent again, with the
 * same ids and the same bytes. Never rejects.
 *
 * While there is a backlog and nothing is wrong, a pass does not wait for its write-back: the next one is
 * sent meanwhile, and looks at what came of it before it writes anything itself.
 *
 * Rules: [OB-5] publish before write-back, one write-back a pass; [OB-6] a pass is bounded; [OB-10] who
 * publishes has claimed the outbox; [OB-18] at most one write-back is under way while a pass is sent.
 */

import { fail, ok } from '../machines/model/result.js';
import type { Buried, Lost, PassReport } from '../machines/outbox.js';
import type { Clock } from '../src/ports/clock.js';
import type { OutboxOutcome } from '../src/ports/store.js';
import {
  type Backlog,
  type OutboxPorts,
  passLimits,
  type Rule,
  type Written,
} from './outbox-backlog.js';
import type { Refused } from './outbox-lanes.js';
import { askAhead, batchOf, type Picked, pick, release } from './outbox-pick.js';
import { publish, type Sent } from './outbox-publish.js';

export async function runPass(
  ports: OutboxPorts,
  backlog: Backlog,
  rule: Rule,
): Promise<PassReport> {
  const { clock, settings } = rule;
  const hindrance = (await claim(ports, backlog, rule)) ?? (await resume(ports, backlog));
  if (hindrance !== undefined) return hindrance;
  release(backlog, clock.monotonic());
  if (backlog.lanes.size > passLimits.lanesMax) return stopped('sink', TOO_MANY_LANES);
  const { rescan } = backlog;
  const picked = await pick(ports.store, backlog, batchOf(backlog, settings));
  if (!picked.ok) {
    backlog.rescan ||= rescan;
    return stopped('store', picked.failure.message);
  }
  backlog.fullPasses = picked.value.more ? backlog.fullPasses + 1 : 0;
  askAhead(ports.store, backlog, picked.value, batchOf(backlog, settings));
  const sent = await publish(ports, picked.value, rule);
  const earlier = await lastWritten(backlog);
  const written = earlier.ok ? await writeNow(ports, backlog, sent) : earlier;
  if (!written.ok) {
    backlog.ahead = undefined;
    backlog.rescan ||= rescan || !earlier.ok;
    return stopped('store', written.failure.message);
  }
  if (sent.isFenced) backlog.resumed = false;
  settle(backlog, picked.value, sent);
  backlog.lost ??= lostUnderWay(backlog, picked.value, sent);
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

/** What is new is numbered behind all that was acknowledged, unless some of that is gone. */
function lostUnderWay(
  { lastControlVersion: expected = 0 }: Backlog,
  { rows }: Picked,
  { outcomes }: Sent,
): Lost | undefined {
  const again = new Set(rows.filter(({ wasSent }) => wasSent).map(({ seq }) => seq));
  let first = Number.POSITIVE_INFINITY;
  for (const { seq, controlVersion } of outcomes) {
    if (controlVersion !== undefined && !again.has(seq)) first = Math.min(first, controlVersion);
  }
  return first <= expected ? { head: first - 1, expected } : undefined;
}

/** What came of the last pass's write-back. */
async function lastWritten(backlog: Backlog): Promise<Written> {
  const { writing } = backlog;
  backlog.writing = undefined;
  return writing?.written ?? ok(undefined);
}

/** Where the next page is on its way and all is well, the next pass is sent meanwhile. */
async function writeNow(ports: OutboxPorts, backlog: Backlog, sent: Sent): Promise<Written> {
  const written = writeBack(ports, sent.outcomes);
  const { judgement, resendFromSeq, sinkDown } = sent;
  const isWell = judgement.blocked.size === 0 && sinkDown === undefined;
  if (backlog.ahead === undefined || !isWell || resendFromSeq !== undefined) return written;
  // Whoever waits for it is told; until then nobody may be.
  written.catch(() => undefined);
  backlog.writing = { written, heads: sent.heads };
  return ok(undefined);
}

async function writeBack(
  { store, failpoints }: OutboxPorts,
  outcomes: readonly OutboxOutcome[],
): Promise<Written> {
  if (outcomes.length === 0) return ok(undefined);
  failpoints.hit('writeback.before');
  const written = await store.outboxWriteBack(outcomes);
  if (!written.ok) return fail(written.failure);
  failpoints.hit('writeback.after');
  return written;
}

function settle(backlog: Backlog, picked: Picked, sent: Sent): void {
  const { judgement, resendFromSeq, heads } = sent;
  if (backlog.ahead !== undefined)
    backlog.ahead.heads = new Map([...backlog.ahead.heads, ...heads]);
  for (const [key, lane] of judgement.blocked) backlog.lanes.set(key, lane);
  backlog.doneSeq = resendFromSeq === undefined ? picked.lookedSeq : resendFromSeq - 1;
}

async function report(
  { store, metrics }: OutboxPorts,
  backlog: Backlog,
  { picked, sent, clock }: { readonly picked: Picked; readonly sent: Sent; readonly clock: Clock },
): Promise<PassReport> {
  const { published, lastSeq, lastVersion } = totalOf(sent.outcomes);
  const more = picked.more || sent.resendFromSeq !== undefined;
  const counts = more ? undefined : await store.outboxCounts();
  const known = counts?.ok === true ? counts.value : undefined;
  const pending = known?.pending;
  backlog.lastControlVersion = Math.max(backlog.lastControlVersion ?? 0, lastVersion);
  metrics?.count('outbox_published_total', {}, published);
  const waitMs = leastOf(laneWaitMs(backlog, clock.monotonic()), known?.lookAgainInMs);
  return {
    published,
    lastSeq,
    buried: sent.buried.map(buriedOf),
    more,
    ...(sent.sinkDown === undefined ? {} : { stopped: { by: 'sink', message: sent.sinkDown } }),
    ...(waitMs === undefined ? {} : { waitMs }),
    ...(backlog.lost === undefined ? {} : { lost: backlog.lost }),
    ...(pending === undefined ? {} : { pending }),
    ...lastErrorOf(sent),
  };
}

function totalOf(outcomes: readonly OutboxOutcome[]) {
  let [published, lastSeq, lastVersion] = [0, 0, 0];
  for (const { seq, controlVersion } of outcomes) {
    if (controlVersion === undefined) continue;
    published += 1;
    lastSeq = Math.max(lastSeq, seq);
    lastVersion = Math.max(lastVersion, controlVersion);
  }
  return { published, lastSeq, lastVersion };
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
