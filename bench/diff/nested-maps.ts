/**
 * The baseline of the diff: what anybody would write first. VIP to server to weight, one Map in another,
 * compared key by key; and the same site as plain objects, for the libraries that want those.
 */
import { vipKey } from '../../machines/model/lb.js';
import { type Every, type SiteSize, serverAt, vipAt, wantedWeight } from './site.js';

export type NestedMaps = ReadonlyMap<string, ReadonlyMap<string, number>>;
export type NestedObjects = Record<string, Record<string, number>>;

export interface WeightChange {
  readonly vip: string;
  readonly server: string;
  readonly from: number | undefined;
  readonly to: number | undefined;
}

/** Text is made anew for each side, as it is when one of them is read. */
export function nestedMaps(size: SiteSize, every: Every): NestedMaps {
  const vips = new Map<string, Map<string, number>>();
  for (let vip = 0; vip < size.vips; vip += 1) {
    const servers = new Map<string, number>();
    for (let server = 0; server < size.servers; server += 1) {
      const address = serverAt(vip, server, size.ip6);
      servers.set(address, wantedWeight(size, vip, server, every));
    }
    vips.set(vipKey(vipAt(vip)), servers);
  }
  return vips;
}

export function nestedObjects(maps: NestedMaps): NestedObjects {
  return Object.fromEntries([...maps].map(([vip, servers]) => [vip, Object.fromEntries(servers)]));
}

export function diffMaps(actual: NestedMaps, wanted: NestedMaps): WeightChange[] {
  const changes: WeightChange[] = [];
  for (const [vip, servers] of wanted) diffServers(vip, actual.get(vip), servers, changes);
  for (const [vip, servers] of actual) {
    if (wanted.has(vip)) continue;
    for (const [server, from] of servers) changes.push({ vip, server, from, to: undefined });
  }
  return changes;
}

export function diffServers(
  vip: string,
  actual: ReadonlyMap<string, number> | undefined,
  wanted: ReadonlyMap<string, number>,
  changes: WeightChange[],
): void {
  for (const [server, to] of wanted) {
    const from = actual?.get(server);
    if (from !== to) changes.push({ vip, server, from, to });
  }
  if (actual === undefined) return;
  for (const [server, from] of actual) {
    if (!wanted.has(server)) changes.push({ vip, server, from, to: undefined });
  }
}
