/**
 * Which pool of a frontend carries its traffic.
 *
 * Input:  the serving share of each pool (0..1 of its configured weight), what was active before,
 *         and since when a better pool has been waiting. Output: the same memory, one step on.
 *
 * A pool holds on while its share is at least `activeWhile`; then the first pool that qualifies takes
 * over at once. A higher pool comes back only after it has stood at `failBack.at` for `holdForMs`.
 *
 * Rules: [FE-6] an active pool is left only for a pool that serves; [FE-7] fail-back waits out its
 * hold without a break; [FE-8] with no pool serving the active one stays.
 */
import type { FrontendSpec } from '../../machines/model/desired.js';

export interface PoolChoice {
  /** Index of the active pool. */
  readonly active: number;
  /** A higher pool that is good enough, and since when. */
  readonly contender: { readonly pool: number; readonly sinceMs: number } | null;
}

export type PoolRule = Pick<FrontendSpec, 'activeWhile' | 'failBack'>;

export const FIRST_POOL: PoolChoice = { active: 0, contender: null };

export function choosePool(
  rule: PoolRule,
  shares: readonly number[],
  before: PoolChoice,
  nowMs: number,
): PoolChoice {
  const active = before.active < shares.length ? before.active : 0;
  if (!carries(shares[active], rule.activeWhile)) return failOver(rule, shares, active);
  const higher = shares.slice(0, active).findIndex((share) => carries(share, rule.failBack.at));
  if (higher === -1) return { active, contender: null };
  const waited = before.contender?.pool === higher;
  const sinceMs = waited && before.contender !== null ? before.contender.sinceMs : nowMs;
  if (nowMs - sinceMs >= rule.failBack.holdForMs) return { active: higher, contender: null };
  return { active, contender: { pool: higher, sinceMs } };
}

/** First pool that qualifies; else the one we have while anybody serves in it; else anybody at all. */
function failOver(rule: PoolRule, shares: readonly number[], active: number): PoolChoice {
  const qualified = shares.findIndex((share) => carries(share, rule.activeWhile));
  if (qualified !== -1) return { active: qualified, contender: null };
  const anybody = carries(shares[active], 0) ? active : shares.findIndex((share) => share > 0);
  return { active: anybody === -1 ? active : anybody, contender: null };
}

function carries(share: number | undefined, threshold: number): boolean {
  return share !== undefined && share > 0 && share >= threshold;
}
