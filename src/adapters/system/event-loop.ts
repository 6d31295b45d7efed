/** How late this thread's event loop ran, at worst, since it was last asked. */
import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 20;

/** Answers seconds. */
export function watchEventLoop(): () => number {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  return () => {
    const worstMs = delays.max / 1e6 - RESOLUTION_MS;
    delays.reset();
    return Math.max(0, worstMs) / 1_000;
  };
}
