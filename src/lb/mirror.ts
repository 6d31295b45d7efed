/**
 * The mirror: what VPP has, known without asking. Made from a read, advanced by acknowledged ops.
 * Bucket counts of an advanced VIP are the model's; the next read proves or disproves them.
 *
 * Rules: [LB-14] after any acknowledged op the mirror equals what a read would answer; servers are
 * kept in ascending order, so that an unchanged VIP compares without sorting.
 */
import { Defect } from '../../machines/model/assert.js';
import {
  type ActualAs,
  type ActualVip,
  type LbOp,
  type LbState,
  type VipKey,
  vipKey,
} from '../../machines/model/lb.js';
import { compareAddresses } from './address.js';
import { bucketCounts } from './maglev.js';

export type Mirror = Map<VipKey, ActualVip>;

export function mirrorOf(state: LbState): Mirror {
  return new Map(state.vips.map((vip) => [vipKey(vip.vip), inOrder(vip)]));
}

function inOrder(vip: ActualVip): ActualVip {
  return {
    ...vip,
    servers: vip.servers.toSorted((a, b) => compareAddresses(a.address, b.address)),
  };
}

/** VPP acknowledged `op`. */
export function advance(mirror: Mirror, op: LbOp): void {
  switch (op.op) {
    case 'conf.set':
    case 'vip.flush':
      return;
    case 'vip.add': {
      const { encap, dscp, tableLength } = op.attributes;
      mirror.set(vipKey(op.vip), { vip: op.vip, encap, dscp, tableLength, servers: [] });
      return;
    }
    case 'vip.del':
      mirror.delete(vipKey(op.vip));
      return;
    case 'as.add':
      return setServers(mirror, op, (servers) => [
        ...servers,
        { address: op.as, weight: op.weight, buckets: 0 },
      ]);
    case 'as.weight':
      return setServers(mirror, op, (servers) =>
        servers.map((as) => (as.address === op.as ? { ...as, weight: op.weight } : as)),
      );
    case 'as.del':
      return setServers(mirror, op, (servers) => servers.filter((as) => as.address !== op.as));
  }
}

function setServers(
  mirror: Mirror,
  op: Extract<LbOp, { readonly as: string }>,
  change: (servers: readonly ActualAs[]) => readonly ActualAs[],
): void {
  const key = vipKey(op.vip);
  const vip = mirror.get(key);
  if (vip === undefined) throw new Defect(`acknowledged ${op.op} on ${key}, which was not there`);
  const changed = inOrder({ ...vip, servers: change(vip.servers) });
  mirror.set(key, { ...changed, servers: withBuckets(changed) });
}

function withBuckets({ servers, tableLength }: ActualVip): readonly ActualAs[] {
  if (tableLength === undefined) return servers;
  const counts = bucketCounts(servers, tableLength);
  return servers.map((as) => ({ ...as, buckets: counts.get(as.address) ?? 0 }));
}

/** VPP's own answer disagrees with the model: the table is not what we believe it to be. */
export function bucketsDisagree(vip: ActualVip): boolean {
  const expected = withBuckets(vip);
  return vip.servers.some((as, index) => as.buckets !== expected[index]?.buckets);
}
