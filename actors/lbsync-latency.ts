/**
 * How long a verdict on a backend takes to reach VPP.
 *
 * Input: when the verdict was given, and when all that follows from it is acknowledged. Output: the metrics
 * `verdict_to_dataplane_seconds`, the whole way, and `verdict_to_dataplane_own_seconds`, without what VPP
 * was waited for meanwhile.
 */
import type { VipKey } from '../machines/model/lb.js';
import type { LbsyncState } from './lbsync-state.js';

/** The oldest one counts, when several are under way for one VIP. */
export function noteVerdict(state: LbsyncState, key: VipKey, atMs: number | undefined): void {
  if (atMs === undefined || state.verdicts.has(key)) return;
  if (state.dirty.has(key)) state.verdicts.set(key, { atMs, vppMs: state.vppMs });
}

/** VPP is as the VIP's frontend wants it. */
export function arrived(state: LbsyncState, key: VipKey): void {
  const verdict = state.verdicts.get(key);
  if (verdict === undefined) return;
  state.verdicts.delete(key);
  const tookMs = Math.max(0, state.clock.now() - verdict.atMs);
  const ownMs = Math.max(0, tookMs - (state.vppMs - verdict.vppMs));
  state.ports.metrics?.observe('verdict_to_dataplane_seconds', tookMs / 1_000);
  state.ports.metrics?.observe('verdict_to_dataplane_own_seconds', ownMs / 1_000);
}
