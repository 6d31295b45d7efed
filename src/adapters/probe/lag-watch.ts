/**
 * How late our own event loop ran lately. A timeout seen by a loop that was busy elsewhere says nothing
 * about the backend.
 *
 * One heartbeat for all probes, beating while a probe is out; late beats are remembered, at most
 * `LATE_BEATS_MAX`, the oldest forgotten first.
 */
import type { Clock } from '../../ports/clock.js';

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
  let beating = false;
  let dueMs = 0;
  const late: { readonly atMs: number; readonly lagMs: number }[] = [];

  const arm = (): void => {
    beating = true;
    dueMs = clock.monotonic() + BEAT_MS;
    clock.after(BEAT_MS, beat);
  };
  // Stops a beat after the last probe: probes come and go a thousand times between two beats.
  const beat = (): void => {
    beating = false;
    const atMs = clock.monotonic();
    const lagMs = atMs - dueMs;
    if (lagMs > LATE_MS) late.push({ atMs, lagMs });
    if (late.length > LATE_BEATS_MAX) late.shift();
    if (outstanding > 0) arm();
  };

  const end = (): void => {
    outstanding -= 1;
  };

  return {
    begin: () => {
      outstanding += 1;
      if (!beating) arm();
      return end;
    },
    worstSince: (sinceMs) => {
      let worstMs = beating ? Math.max(0, clock.monotonic() - dueMs) : 0;
      // The newest first: a probe is short, and what was late before it is of no interest.
      for (let index = late.length - 1; index >= 0; index -= 1) {
        const beat = late[index];
        if (beat === undefined || beat.atMs < sinceMs) break;
        worstMs = Math.max(worstMs, beat.lagMs);
      }
      return worstMs;
    },
  };
}
