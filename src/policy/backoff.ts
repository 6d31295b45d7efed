/**
 * How long to wait before asking the world again.
 *
 * Input:  a retry rule, how many attempts have failed (from 1), a chance in [0, 1).
 * Output: milliseconds. Doubles from `baseMs`, stays at `maxMs`, and is lengthened by up to `jitter`, so
 * that many waiters do not come back together. After `attempts` failures the wait is parked at `maxMs`:
 * nothing is ever given up.
 *
 * Rules: [GR-1] the wait never shrinks with more failures and never exceeds `maxMs` plus its jitter.
 */
import type { RetrySpec } from '../../machines/model/desired.js';

export function backoffMs(retry: RetrySpec, failures: number, random: number): number {
  const doublings = Math.max(0, failures - 1);
  const parked = failures > retry.attempts;
  const waitMs = parked ? retry.maxMs : Math.min(retry.baseMs * 2 ** doublings, retry.maxMs);
  return Math.floor(waitMs * (1 + retry.jitter * random));
}
