/**
 * When to probe a backend next.
 *
 * Input:  its check, its count, a chance in [0, 1). Output: milliseconds from now.
 * Semantics follow HAProxy: relaxed when fully up, slow when fully down, fast in between, where the
 * verdict is still open. Jitter keeps probes of one restart from staying in step.
 *
 * Rules: [HE-5] the wait is the interval of the count, within the jitter; [HE-6] the first probe of
 * a fresh backend comes within one fast interval.
 */
import type { HealthCheckSpec } from '../../machines/model/desired.js';
import { counterMax, type HealthCount } from './health.js';

export type IntervalRule = Pick<
  HealthCheckSpec,
  'intervalMs' | 'fastIntervalMs' | 'downIntervalMs' | 'jitter' | 'rise' | 'fall' | 'snap'
>;

export function probeDelayMs(rule: IntervalRule, count: HealthCount, random: number): number {
  const factor = 1 + rule.jitter * (2 * random - 1);
  return Math.round(baseIntervalMs(rule, count) * factor);
}

/** Spread over one fast interval: quick enough for boot, and no thundering herd of first probes. */
export function firstProbeDelayMs(rule: IntervalRule, random: number): number {
  return Math.floor(rule.fastIntervalMs * random);
}

function baseIntervalMs(rule: IntervalRule, count: HealthCount): number {
  if (count.state === 'unknown') return rule.fastIntervalMs;
  if (count.counter === counterMax(rule)) return rule.intervalMs;
  if (count.counter === 0) return rule.downIntervalMs;
  return rule.fastIntervalMs;
}
