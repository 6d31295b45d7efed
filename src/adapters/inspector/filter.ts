/**
 * Which steps anybody wants to see: asked by each thread before it keeps one, so that kinds nobody
 * watches cost a comparison.
 *
 * Input: an address, a filter. Output: whether its steps are kept. `inspector.filter` in the
 * configuration; an id is a whole address or the part after the kind.
 */
import type { Address } from '../../../machines/model/ids.js';

export interface InspectorFilter {
  /** Actor kinds; empty: all. */
  readonly kinds: readonly string[];
  /** Addresses, or the part after the kind; empty: all. */
  readonly ids: readonly string[];
  /** Steps told per second. */
  readonly ratePerSecond: number;
}

export function passes(address: Address, { ids, kinds }: InspectorFilter): boolean {
  const slash = address.indexOf('/');
  return (
    (kinds.length === 0 || kinds.includes(address.slice(0, slash))) &&
    (ids.length === 0 || ids.includes(address) || ids.includes(address.slice(slash + 1)))
  );
}

export interface Bucket {
  fill(nowMs: number): void;
  /** False: the rate is used up. */
  take(): boolean;
}

/** One second's worth of steps may come at once. */
export function createBucket(ratePerSecond: number): Bucket {
  let tokens = ratePerSecond;
  let filledAtMs: number | undefined;
  return {
    fill: (nowMs) => {
      const elapsedMs = nowMs - (filledAtMs ?? nowMs);
      tokens = Math.min(ratePerSecond, tokens + (elapsedMs * ratePerSecond) / 1_000);
      filledAtMs = nowMs;
    },
    take: () => {
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
  };
}
