/**
 * The health counter: what one more probe result means for a backend.
 *
 * Input:  the rule of its check, the count so far, one probe result.
 * Output: the next count; its `state` is the verdict.
 *
 * One integer runs from 0 to rise + fall - 1: a pass adds one, a failure takes one, and the backend is
 * up from `rise` on. Semantics follow HAProxy's server checks; with `snap` (its behaviour, and our
 * default) the counter jumps to the top on becoming up and to 0 on becoming down.
 *
 * Rules: [HE-1] an unknown backend is decided by its first probe; [HE-2] the counter stays in range
 * and agrees with the state; [HE-3] with `snap`, nothing short of `fall` failures in a row takes an up
 * backend down; [HE-4] a timeout seen by a late event loop, and a check
 * that could not be made, count for nothing.
 */
import type { ProbeResult } from '../../machines/model/messages.js';

export interface CounterRule {
  readonly rise: number;
  readonly fall: number;
  readonly snap: boolean;
}

export interface HealthCount {
  readonly state: 'unknown' | 'up' | 'down';
  readonly counter: number;
}

/** Highest value of the counter: fully up. */
export function counterMax(rule: CounterRule): number {
  return rule.rise + rule.fall - 1;
}

/** One pass short of up, so that the first probe decides. */
export function unknownCount(rule: CounterRule): HealthCount {
  return { state: 'unknown', counter: rule.rise - 1 };
}

/** Positive death leaves nothing to count. */
export const DEAD_COUNT: HealthCount = { state: 'down', counter: 0 };

/** A backend without a check is as far up as it can be. */
export function assumedCount(rule: CounterRule): HealthCount {
  return { state: 'up', counter: counterMax(rule) };
}

export function countProbe(
  rule: CounterRule,
  before: HealthCount,
  result: ProbeResult,
): HealthCount {
  if (provesNothing(result)) return before;
  return result.passed ? countPass(rule, before) : countFailure(rule, before);
}

function countPass(rule: CounterRule, before: HealthCount): HealthCount {
  const counter = Math.min(before.counter + 1, counterMax(rule));
  if (counter < rule.rise) return { state: 'down', counter };
  const becameUp = before.state !== 'up';
  return { state: 'up', counter: becameUp && rule.snap ? counterMax(rule) : counter };
}

export function countFailure(rule: CounterRule, before: HealthCount): HealthCount {
  const counter = Math.max(before.counter - 1, 0);
  if (before.state === 'up' && counter >= rule.rise) return { state: 'up', counter };
  const becameDown = before.state !== 'down';
  return { state: 'down', counter: becameDown && rule.snap ? 0 : counter };
}

/** Nothing came back at all: it is as likely that we do not hear as that nobody speaks. */
export function isUnheard(result: ProbeResult): boolean {
  const { passed, positive, code } = result;
  if (passed || positive || provesNothing(result)) return false;
  return code.endsWith('TOUT') || code.endsWith('CON');
}

/** A check that could not be made, or that our own late event loop cut short, tells of us alone. */
export function provesNothing({ passed, code, late }: ProbeResult): boolean {
  if (passed) return false;
  return OUR_OWN_TROUBLE.includes(code) || (late && code.endsWith('TOUT'));
}

const OUR_OWN_TROUBLE: readonly string[] = ['SOCKERR', 'UNSUPPORTED'];
