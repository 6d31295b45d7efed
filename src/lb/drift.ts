/**
 * What somebody else wrote: where a read differs from what our acknowledged writes left behind.
 *
 * Input:  VIPs as they must be (the mirror), VIPs as they were read, the VIPs that are ours to write.
 * Output: per VIP one sentence that names the first difference. Bucket counts are not compared: they
 *         follow from the weights and have a check of their own.
 *
 * Rules: [LB-62] only VIPs of ours are compared, and only with what was acknowledged.
 */
import type { ActualVip, VipKey } from '../../machines/model/lb.js';

type Vips = ReadonlyMap<VipKey, ActualVip>;

export function driftOf(
  expected: Vips,
  found: Vips,
  ours: Iterable<VipKey>,
): ReadonlyMap<VipKey, string> {
  const drifts = new Map<VipKey, string>();
  for (const key of ours) {
    const drift = driftOfVip(expected.get(key), found.get(key));
    if (drift !== undefined) drifts.set(key, drift);
  }
  return drifts;
}

function driftOfVip(expected: ActualVip | undefined, found: ActualVip | undefined) {
  if (expected === undefined) return found === undefined ? undefined : 'it was added';
  if (found === undefined) return 'it was deleted';
  if (expected.encap !== found.encap || expected.tableLength !== found.tableLength) {
    return 'it was made again with other attributes';
  }
  return driftOfServers(weightsOf(expected), weightsOf(found));
}

function weightsOf({ servers }: ActualVip): ReadonlyMap<string, number> {
  return new Map(servers.map(({ address, weight }) => [address, weight]));
}

function driftOfServers(
  expected: ReadonlyMap<string, number>,
  found: ReadonlyMap<string, number>,
): string | undefined {
  for (const [address, weight] of found) {
    const was = expected.get(address);
    if (was === undefined) return `AS ${address} was added`;
    if (was !== weight) return `AS ${address} weighs ${weight}, we gave it ${was}`;
  }
  const gone = [...expected.keys()].find((address) => !found.has(address));
  return gone === undefined ? undefined : `AS ${gone} was deleted`;
}
