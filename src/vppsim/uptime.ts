/**
 * VPP's uptime in whole seconds, which a command may move forward, and the sweeps it makes due: one
 * at each full minute, however late the process looks.
 */
import { limits } from './limits.js';

export interface Uptime {
  nowS(): number;
  advance(seconds: number): void;
  /** The next sweep that is due, told once. */
  dueSweepS(): number | undefined;
}

export function startUptime(steadyMs: () => number): Uptime {
  const startedMs = steadyMs();
  let skewS = 0;
  let sweptS = 0;
  const nowS = () => Math.floor((steadyMs() - startedMs) / 1_000) + skewS;
  return {
    nowS,
    advance(seconds) {
      skewS += seconds;
    },
    dueSweepS() {
      if (sweptS + limits.sweepEveryS > nowS()) return undefined;
      sweptS += limits.sweepEveryS;
      return sweptS;
    },
  };
}
