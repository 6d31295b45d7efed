/**
 * The mirror: what VPP has, known without asking. Made from a read, renewed by later ones, advanced by
 * acknowledged ops. Bucket counts of an advanced VIP are the model's; the next read proves or disproves
 * them.
 *
 * Rules: [LB-14] after any acknowledged op the mirror equals what a read would answer; [LB-71] a read
 * that says nothing new changes nothing, and the VIPs it says something new about are named.
 */
import { Defect } from '../../machines/model/assert.js';
import { type LbOp, type VipKey, vipKey } from '../../machines/model/lb.js';
import type { PackedActual, PackedServers, PackedState } from '../../machines/model/lb-packed.js';
import { shareOut } from './maglev.js';
import { withoutServer, withServer } from './packed/edits.js';
import { areIdentical, bucketsOf, packServers, weightsOf } from './packed/servers.js';
import { Mirror, VipIndex } from './packed/side.js';

/** Of the first read. */
export function mirrorOf({ vips }: PackedState, index = new VipIndex()): Mirror {
  const mirror = new Mirror(index);
  for (const [key, vip] of vips) mirror.set(key, vip);
  return mirror;
}

/** VPP acknowledged `op`. */
export function advance(mirror: Mirror, op: LbOp): void {
  switch (op.op) {
    case 'conf.set':
    case 'vip.flush':
      return;
    case 'vip.add': {
      const { encap, dscp, tableLength } = op.attributes;
      const key = vipKey(op.vip);
      mirror.set(key, { key, vip: op.vip, encap, dscp, tableLength, servers: packServers([]) });
      return;
    }
    case 'vip.del':
      mirror.delete(vipKey(op.vip));
      return;
    case 'as.add':
    case 'as.weight':
      return setServers(mirror, op, (servers) => withServer(servers, op.as, op.weight));
    case 'as.del':
      return setServers(mirror, op, (servers) => withoutServer(servers, op.as));
  }
}

function setServers(
  mirror: Mirror,
  op: Extract<LbOp, { readonly as: string }>,
  change: (servers: PackedServers) => PackedServers,
): void {
  const key = vipKey(op.vip);
  const vip = mirror.get(key);
  if (vip === undefined) throw new Defect(`acknowledged ${op.op} on ${key}, which was not there`);
  mirror.set(key, { ...vip, servers: change(vip.servers) });
}

/** A VIP that is not what the mirror said. */
export interface News {
  readonly key: VipKey;
  readonly before: PackedActual | undefined;
  readonly after: PackedActual | undefined;
}

/**
 * Everything was read again. Answers what is new; what did not change stays the very same value.
 */
export function renew(mirror: Mirror, { vips }: PackedState): readonly News[] {
  const news: News[] = [];
  for (const [key, before] of mirror) {
    if (vips.has(key)) continue;
    mirror.delete(key);
    news.push({ key, before, after: undefined });
  }
  for (const [key, vip] of vips) {
    const before = mirror.get(key);
    if (before !== undefined && isSameVip(before, vip)) continue;
    mirror.set(key, vip);
    news.push({ key, before, after: mirror.get(key) });
  }
  return news;
}

function isSameVip(before: PackedActual, vip: PackedActual): boolean {
  return (
    before.encap === vip.encap &&
    before.dscp === vip.dscp &&
    before.tableLength === vip.tableLength &&
    areIdentical(before.servers, vip.servers)
  );
}

/** VPP's own answer disagrees with the model: the table is not what we believe it to be. */
export function bucketsDisagree({ servers, tableLength }: PackedActual): boolean {
  if (!servers.counted || tableLength === undefined) return false;
  const expected = shareOut(weightsOf(servers), tableLength);
  return expected.some((buckets, row) => buckets !== bucketsOf(servers, row));
}
