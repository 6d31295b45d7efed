/**
 * Token bucket: how many things may begin now, and when the next one may.
 *
 * Input:  a rule, the bucket as it was left, the monotonic time. Output: the bucket after, and either a
 * permit or the wait until one. Time that runs backwards adds nothing and takes nothing.
 *
 * Rules: [PR-11] in any span of t seconds at most `burst + t * perSecond` permits are given; [PR-12] who
 * waits as long as told gets one.
 */

export interface RateRule {
  /** > 0 */
  readonly perSecond: number;
  /** Permits an idle bucket holds; at least 1. */
  readonly burst: number;
}

export interface Bucket {
  readonly permits: number;
  readonly atMs: number;
}

export type Taken =
  | { readonly granted: true; readonly bucket: Bucket }
  | { readonly granted: false; readonly bucket: Bucket; readonly waitMs: number };

export function fullBucket(rule: RateRule, nowMs: number): Bucket {
  return { permits: rule.burst, atMs: nowMs };
}

export function takePermit(rule: RateRule, bucket: Bucket, nowMs: number): Taken {
  const filled = refill(rule, bucket, nowMs);
  // Sums of fractions come out a hair short of a whole permit.
  const whole = filled.permits >= 1 - 1e-9;
  if (whole)
    return { granted: true, bucket: { ...filled, permits: Math.max(0, filled.permits - 1) } };
  const waitMs = Math.ceil(((1 - filled.permits) / rule.perSecond) * 1000);
  return { granted: false, bucket: filled, waitMs };
}

/** What it was taken for came to nothing. */
export function givePermitBack(rule: RateRule, bucket: Bucket): Bucket {
  return { ...bucket, permits: Math.min(rule.burst, bucket.permits + 1) };
}

function refill(rule: RateRule, bucket: Bucket, nowMs: number): Bucket {
  const elapsedMs = Math.max(0, nowMs - bucket.atMs);
  const permits = Math.min(rule.burst, bucket.permits + (elapsedMs / 1000) * rule.perSecond);
  return { permits, atMs: Math.max(nowMs, bucket.atMs) };
}
