/**
 * Which thread has stopped living: its event loop has not turned for too long, seen by a judge that
 * itself ran on time. After a suspension of the whole process every heartbeat is old and nobody is
 * guilty: a late check only starts the clocks anew. Times are of one monotonic clock.
 *
 * Rules: [SU-12] only a thread without a beat for `timeoutMs` is named, at most one at a time, and never
 * by a check that came late.
 */
import { HEARTBEAT_LATE_INTERVALS } from './limits.js';

export interface HeartbeatRules {
  /** Between two beats of a thread, and between two checks. */
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

interface Pulse {
  readonly beat: number;
  /** When this beat was first seen. */
  readonly since: number;
}

export interface HeartbeatState {
  readonly checkedAt: number;
  readonly pulses: ReadonlyMap<number, Pulse>;
}

/** Before the first check; it counts as a late one, because nothing was seen before it. */
export const NEVER_CHECKED: HeartbeatState = {
  checkedAt: Number.NEGATIVE_INFINITY,
  pulses: new Map(),
};

export interface HeartbeatCheck {
  readonly now: number;
  /** The count each thread has reached, by its incarnation. */
  readonly beats: ReadonlyMap<number, number>;
}

/** @returns what to hand in next time, and the thread that was silent longest, if any for too long. */
export function judgeHeartbeats(
  rules: HeartbeatRules,
  state: HeartbeatState,
  { now, beats }: HeartbeatCheck,
): { readonly state: HeartbeatState; readonly silent: number | undefined } {
  const sinceCheckMs = now - state.checkedAt;
  const late = sinceCheckMs < 0 || sinceCheckMs > rules.intervalMs * HEARTBEAT_LATE_INTERVALS;
  const pulses = new Map<number, Pulse>();
  let silent: number | undefined;
  let longestMs = Number.NEGATIVE_INFINITY;
  for (const [thread, beat] of beats) {
    const known = late ? undefined : state.pulses.get(thread);
    const pulse = known?.beat === beat ? known : { beat, since: now };
    pulses.set(thread, pulse);
    const silentMs = now - pulse.since;
    if (silentMs < rules.timeoutMs || silentMs <= longestMs) continue;
    silent = thread;
    longestMs = silentMs;
  }
  return { state: { checkedAt: now, pulses }, silent };
}
