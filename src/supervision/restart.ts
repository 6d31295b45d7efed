/**
 * Whether and when something that ended is started again. Semantics follow Erlang/OTP `supervisor`:
 * more than `intensity` restarts within `periodMs` is too many; what that means is the caller's
 * (quarantine). Times are of one monotonic clock.
 */
import { BACKOFF_DOUBLINGS_MAX, BACKOFF_JITTER } from './limits.js';
import type { Backoff, Restart, RestartLimit } from './spec.js';

export interface Judgement {
  readonly verdict: 'restart' | 'give-up';
  /** What to hand in next time: the restarts that still count, this one included. */
  readonly history: readonly number[];
}

/**
 * Counts this end among the recent ones. `history` is ascending and never outgrows intensity + 1.
 */
export function judgeRestart(
  limit: RestartLimit,
  history: readonly number[],
  now: number,
): Judgement {
  const recent = history.filter((at) => now - at <= limit.periodMs);
  const counted = [...recent, now].slice(-(limit.intensity + 1));
  return { verdict: counted.length > limit.intensity ? 'give-up' : 'restart', history: counted };
}

/** How something ended: by itself and well, because it was told to, or any other way. */
export type Exit = 'normal' | 'shutdown' | 'abnormal';

export function wantsRestart(restart: Restart, exit: Exit): boolean {
  return restart === 'permanent' || (restart === 'transient' && exit === 'abnormal');
}

/**
 * The wait before a restart. What ends once comes back at once; only what ends again backs off.
 *
 * @param ends recent ones, the latest included
 */
export function restartWaitMs(ends: number, backoff: Backoff, random: number): number {
  return ends <= 1 ? 0 : backoffMs(ends - 2, backoff, random);
}

/**
 * @param attempt 0 for the first restart; doubles with each
 * @param random uniform in [0, 1)
 * @returns whole milliseconds, at most `maxMs`
 */
export function backoffMs(attempt: number, backoff: Backoff, random: number): number {
  const doublings = Math.min(Math.max(attempt, 0), BACKOFF_DOUBLINGS_MAX);
  const waitMs = Math.min(backoff.baseMs * 2 ** doublings, backoff.maxMs);
  return Math.round(waitMs * (1 - (backoff.jitter ?? BACKOFF_JITTER) * random));
}
