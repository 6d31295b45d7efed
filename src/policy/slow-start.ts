/**
 * Slow start: a member that comes back, or is new, gets its weight step by step.
 *
 * Input: the steps of the frontend, since when the member climbs, the wall clock. Output: the share of its
 * weight it has now, in percent, and when the next step is due.
 *
 * Rules: [FE-50] the steps come one after the other, each for its whole time, and end at the full weight;
 * [FE-51] who is unknown, kept, or served all along does not climb.
 */
import type { FrontendSpec } from '../../machines/model/desired.js';
import type { HealthState } from '../../machines/model/messages.js';

export type SlowStart = NonNullable<FrontendSpec['slowStart']>;

export const FULL_PERCENT = 100;

export function stepPercent(rule: SlowStart, sinceMs: number, nowMs: number): number {
  const index = Math.floor(Math.max(0, nowMs - sinceMs) / rule.everyMs);
  return rule.steps[index] ?? FULL_PERCENT;
}

/** `undefined`: it has all of its weight. */
export function nextStepMs(rule: SlowStart, sinceMs: number, nowMs: number): number | undefined {
  const index = Math.floor(Math.max(0, nowMs - sinceMs) / rule.everyMs);
  return index < rule.steps.length ? sinceMs + (index + 1) * rule.everyMs : undefined;
}

/** Whether a turn to up begins a climb: from down, or of one that was never an AS here. */
export function climbsAt(from: HealthState, given: number | null): boolean {
  return from === 'down' || given === null;
}
