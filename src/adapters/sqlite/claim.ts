/**
 * The claim on the outbox: one publisher at a time. A claim of the whole, not of rows: two publishers
 * with rows of one key each would get them out of order.
 *
 * Rule: [ST-29] a claim stands until its time is over, its thread is fenced or a higher epoch claims; in
 * between nobody else is granted one. It survives the store's thread.
 */
import type { OutboxClaim } from '../../ports/store.js';
import type { Fences, Meta } from './registers.js';

const KEY = 'outbox.claim';

interface Standing {
  readonly thread: string;
  readonly incarnation: number;
  readonly epoch: number;
  readonly untilMs: number;
}

export interface Granted {
  readonly granted: boolean;
  readonly forMs: number;
}

export function createClaim(
  meta: Meta,
  fences: Fences,
): (claim: OutboxClaim, nowMs: number) => Granted {
  return (claim, nowMs) => {
    const { epoch, incarnation, leaseMs, thread } = claim;
    const standing = read(meta);
    const isOver =
      standing === undefined || nowMs >= standing.untilMs || leaseMs < standing.untilMs - nowMs;
    const isOurs = standing?.thread === thread && standing.incarnation === incarnation;
    const isGone =
      standing !== undefined &&
      (epoch > standing.epoch || standing.incarnation < fences.of(standing.thread));
    if (!isOver && !isOurs && !isGone) return { granted: false, forMs: standing.untilMs - nowMs };
    if (standing !== undefined && epoch < standing.epoch) return { granted: false, forMs: leaseMs };
    const untilMs = nowMs + leaseMs;
    meta.set(KEY, JSON.stringify({ thread, incarnation, epoch, untilMs } satisfies Standing));
    return { granted: true, forMs: leaseMs };
  };
}

function read(meta: Meta): Standing | undefined {
  const text = meta.get(KEY);
  return text === undefined ? undefined : (JSON.parse(text) as Standing);
}
