/**
 * The host's clock. `monotonic` runs on CLOCK_MONOTONIC, which stands still while the machine is
 * suspended: nothing is overdue just because the lid was closed.
 */
import type { Clock } from '../../ports/clock.js';

const CLOCK: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (delayMs, run) => {
    // Node drops fractions of a ms, and would be early.
    const timer = setTimeout(run, Math.ceil(Math.max(0, delayMs)));
    return () => clearTimeout(timer);
  },
  soon: (run) => void setImmediate(run),
};

/** The only one of its thread: what was compiled for it in one host serves the next. */
export function systemClock(): Clock {
  return CLOCK;
}
