/**
 * What a dump of VPP cannot say and a diff must know: which flushes were sent, which VIPs are being
 * built. Advanced by acknowledged ops only; lost with the process, and then rebuilt by `adopt`.
 *
 *   flushed    (VIP, AS) -> the down-episode whose flows were evicted last
 *   building   VIPs added but not yet flushed: flows may be pinned to the wrong server
 *
 * Rules: [LB-8] a flush of one (AS, episode) is acknowledged at most once; [LB-9] a VIP found as
 * wanted needs no op after a restart, whatever its episodes are called.
 */
import { type LbOp, type VipKey, vipKey } from '../../machines/model/lb.js';
import type { Eviction, PackedActual, PackedDesired } from '../../machines/model/lb-packed.js';
import { rowOf, weightOf } from './packed/servers.js';

export interface DiffMemory {
  readonly flushed: ReadonlyMap<VipKey, ReadonlyMap<string, string>>;
  readonly building: ReadonlySet<VipKey>;
}

/** The writable side; only the actor that sends the ops holds it. */
export interface Memory extends DiffMemory {
  readonly flushed: Map<VipKey, Map<string, string>>;
  readonly building: Set<VipKey>;
}

export const NOTHING_REMEMBERED: DiffMemory = { flushed: new Map(), building: new Set() };

export function createMemory(): Memory {
  return { flushed: new Map(), building: new Set() };
}

/** VPP acknowledged `op`, which was planned for `desired` (undefined: the VIP is being removed). */
export function remember(memory: Memory, op: LbOp, desired: PackedDesired | undefined): void {
  switch (op.op) {
    case 'vip.add':
      memory.building.add(vipKey(op.vip));
      return;
    case 'vip.flush':
      memory.building.delete(vipKey(op.vip));
      return;
    case 'vip.del':
      forgetVip(memory, vipKey(op.vip));
      return;
    case 'as.add':
      // Nothing can be pinned to a server that VPP has only just learned of.
      return rememberEpisode(memory, vipKey(op.vip), evictionOf(desired, op.as));
    case 'as.weight':
      if (op.flush) rememberEpisode(memory, vipKey(op.vip), evictionOf(desired, op.as));
      return;
    case 'as.del':
      memory.flushed.get(vipKey(op.vip))?.delete(op.as);
      return;
    case 'conf.set':
      return;
  }
}

/** First meeting with a VIP an earlier process left behind: weights that are right were flushed. */
export function adopt(memory: Memory, actual: PackedActual, desired: PackedDesired): void {
  for (const eviction of desired.evictions) {
    const row = rowOf(actual.servers, eviction.address);
    if (row < 0) continue;
    const isRight = weightOf(actual.servers, row) === weightOf(desired.servers, eviction.row);
    if (isRight) rememberEpisode(memory, desired.key, eviction);
  }
}

export function forgetVip(memory: Memory, key: VipKey): void {
  memory.flushed.delete(key);
  memory.building.delete(key);
}

/** VPP lost its state: nothing is pinned any more. */
export function forgetAll(memory: Memory): void {
  memory.flushed.clear();
  memory.building.clear();
}

function evictionOf(desired: PackedDesired | undefined, address: string): Eviction | undefined {
  return desired?.evictions.find((eviction) => eviction.address === address);
}

function rememberEpisode(memory: Memory, key: VipKey, eviction: Eviction | undefined): void {
  if (eviction === undefined) return;
  const episodes = memory.flushed.get(key) ?? new Map<string, string>();
  memory.flushed.set(key, episodes.set(eviction.address, eviction.episode));
}
