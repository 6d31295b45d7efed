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
import {
  type ActualVip,
  type DesiredAs,
  type DesiredVip,
  type LbOp,
  type VipKey,
  vipKey,
} from '../../machines/model/lb.js';

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

/** Flush wanted and not yet sent for this episode. */
export function flushPending(
  flushed: ReadonlyMap<string, string> | undefined,
  server: DesiredAs,
): boolean {
  const episode = server.flushEpisode;
  return episode !== undefined && flushed?.get(server.address) !== episode;
}

/** VPP acknowledged `op`, which was planned for `desired` (undefined: the VIP is being removed). */
export function remember(memory: Memory, op: LbOp, desired: DesiredVip | undefined): void {
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
      return rememberEpisode(memory, vipKey(op.vip), serverOf(desired, op.as));
    case 'as.weight':
      if (op.flush) rememberEpisode(memory, vipKey(op.vip), serverOf(desired, op.as));
      return;
    case 'as.del':
      memory.flushed.get(vipKey(op.vip))?.delete(op.as);
      return;
    case 'conf.set':
      return;
  }
}

/** First meeting with a VIP an earlier process left behind: weights that are right were flushed. */
export function adopt(memory: Memory, actual: ActualVip, desired: DesiredVip): void {
  const weights = new Map(actual.servers.map((server) => [server.address, server.weight]));
  for (const server of desired.servers) {
    if (weights.get(server.address) !== server.weight) continue;
    rememberEpisode(memory, vipKey(desired.vip), server);
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

function serverOf(desired: DesiredVip | undefined, address: string): DesiredAs | undefined {
  return desired?.servers.find((server) => server.address === address);
}

function rememberEpisode(memory: Memory, key: VipKey, server: DesiredAs | undefined): void {
  if (server?.flushEpisode === undefined) return;
  const episodes = memory.flushed.get(key) ?? new Map<string, string>();
  memory.flushed.set(key, episodes.set(server.address, server.flushEpisode));
}
