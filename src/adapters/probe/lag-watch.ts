/**
 * How late our own event loop ran lately. A timeout seen by a loop that was busy elsewhere says nothing
 * about the backend.
 *
 * One heartbeat for all probes, beating only while a probe is out; late beats are remembered, at most
 * `LATE_BEATS_MAX`, the oldest forgotten first.
 */
import type { Cancel, Clock } from '../../ports/clock.js';

const BEAT_MS = 20;
/** Below this a beat is merely a beat. */
const LATE_MS = 10;
const LATE_BEATS_MAX = 100;

export interface LagWatch {
  /** Call when a probe leaves; the result, when it is back. */
  begin(): () => void;
  /** Worst lag, in ms, of a beat that was due since then (monotonic ms). */
  worstSince(sinceMs: number): number;
}

export function createLagWatch(clock: Clock): LagWatch {
  let outstanding = 0;
  let cancel: Cancel | undefined;
  let dueMs = 0;
  const late: { readonly atMs: number; readonly lagMs: number }[] = [];

  const arm = (): void => {
    dueMs = clock.monotonic() + BEAT_MS;
    cancel = clock.after(BEAT_MS, beat);
  };
  const beat = (): void => {
    const atMs = clock.monotonic();
    const lagMs = atMs - dueMs;
    if (lagMs > LATE_MS) late.push({ atMs, lagMs });
    if (late.length > LATE_BEATS_MAX) late.shift();
    arm();
  };

  return {
    begin: () => {
      outstanding += 1;
      if (outstanding === 1) arm();
      return () => {
        outstanding -= 1;
        if (outstanding === 0) cancel?.();
      };
    },
    worstSince: (sinceMs) => {
      const overdueMs = outstanding > 0 ? Math.max(0, clock.monotonic() - dueMs) : 0;
      return late
        .filter(({ atMs }) => atMs >= sinceMs)
        .reduce((worst, { lagMs }) => Math.max(worst, lagMs), overdueMs);
    },
  };
}
