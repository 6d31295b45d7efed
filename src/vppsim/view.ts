/**
 * The simulator's state for people and tests: addresses as text, and for every live VIP who owns
 * which new-flow bucket. Plain JSON.
 */
import { addressText } from './addresses.js';
import type { SimState } from './dispatch.js';
import { sourceTexts, vipText } from './op-log.js';
import { bucketCounts, byAddress } from './plugin/buckets.js';
import { liveAses } from './plugin/dump.js';
import { fillTable, tableDigest } from './plugin/fill.js';
import type { As, Vip, VipType } from './plugin/state.js';
import { taken } from './pool.js';

export interface AsView {
  readonly address: string;
  /** False once removed. */
  readonly used: boolean;
  readonly weight: number;
  readonly buckets: number;
  readonly flows: number;
}

export interface VipView {
  /** `192.0.2.1/32 tcp 443` */
  readonly vip: string;
  /** False once deleted. */
  readonly used: boolean;
  readonly type: VipType;
  readonly dscp: number;
  readonly srcIpSticky: boolean;
  readonly tableLength: number;
  readonly servers: readonly AsView[];
  /** Addresses with weight or without, ascending: the ranks in `table`. */
  readonly ranks: readonly string[];
  /** Rank of each bucket's owner, -1 for nobody. Empty for a deleted VIP. */
  readonly table: readonly number[];
  readonly digest: string;
}

export interface SimView {
  readonly pid: number;
  readonly uptimeS: number;
  readonly clients: number;
  readonly conf: {
    readonly ip4Source: string;
    readonly ip6Source: string;
    readonly stickyBucketsPerCore: number;
    readonly flowTimeoutS: number;
  };
  readonly vips: readonly VipView[];
  readonly natInterfaces: { readonly nat4: number; readonly nat6: number };
  /** Memory of all new-flow tables, those leaked by deleted VIPs included. */
  readonly tableBytes: number;
}

export function viewOf({ lb, registrations, pid }: SimState, uptimeS: number): SimView {
  return {
    pid,
    uptimeS,
    clients: taken(registrations).length,
    conf: { ...lb.conf, ...sourceTexts(lb.conf) },
    vips: taken(lb.vips).map(vipView),
    natInterfaces: lb.natInterfaces,
    tableBytes: lb.tableBytes,
  };
}

function vipView(vip: Vip): VipView {
  const live = liveAses(vip).toSorted(byAddress);
  const buckets = bucketCounts(live, vip.tableLength);
  const table = fillTable(live, vip.used ? vip.tableLength : 0);
  return {
    vip: vipText(vip),
    used: vip.used,
    type: vip.type,
    dscp: vip.args.srvType & 0xff,
    srcIpSticky: vip.srcIpSticky,
    tableLength: vip.tableLength,
    servers: taken(vip.servers).map((as) => asView(as, buckets.get(as.address) ?? 0)),
    ranks: live.map(({ address }) => addressText(address)),
    table: Array.from(table),
    digest: tableDigest(live, table),
  };
}

function asView({ address, used, weight, flows }: As, buckets: number): AsView {
  return { address: addressText(address), used, weight, buckets: used ? buckets : 0, flows };
}
