/**
 * A judge: a load balancer in memory as strict as VPP's. Refuses what VPP refuses, in VPP's order, and
 * keeps every acknowledged request with the state it led to. Shares no code with src/lb.
 *
 * Input:  ops, one at a time. Output: nothing, or the failure VPP would answer with.
 */
import ipaddr from 'ipaddr.js';
import type { LbFailure } from '../../machines/model/failures.js';
import type {
  ActualVip,
  LbConf,
  LbOp,
  LbState,
  Vip,
  VipAttributes,
} from '../../machines/model/lb.js';

export interface StrictVip {
  readonly vip: Vip;
  readonly attributes: VipAttributes;
  /** Address → weight. */
  readonly servers: Map<string, number>;
  /** Deleted but not yet collected: deleting one again is no failure. */
  readonly removed: Set<string>;
}

export interface StrictLb {
  readonly vips: Map<string, StrictVip>;
  conf: LbConf;
  /** Acknowledged ops, oldest first. */
  readonly acknowledged: LbOp[];
  apply(op: LbOp): LbFailure | undefined;
  state(): LbState;
  /** As after a restart of VPP: nothing left but the defaults. */
  restart(): void;
}

export const DEFAULT_CONF: LbConf = {
  ip4Source: undefined,
  ip6Source: undefined,
  stickyBucketsPerCore: 1024,
  flowTimeoutS: 40,
};

export function keyOf(vip: Vip): string {
  return `${vip.address}/${vip.prefixLength} ${vip.protocol} ${vip.port}`;
}

export function createStrictLb(): StrictLb {
  const lb: StrictLb = {
    vips: new Map(),
    conf: DEFAULT_CONF,
    acknowledged: [],
    apply: (op) => {
      const failure = perform(lb, op);
      if (failure === undefined) lb.acknowledged.push(op);
      return failure;
    },
    state: () => ({ conf: lb.conf, vips: [...lb.vips.values()].map(report) }),
    restart: () => {
      lb.vips.clear();
      lb.conf = DEFAULT_CONF;
    },
  };
  return lb;
}

function report({ vip, attributes, servers }: StrictVip): ActualVip {
  const shares = bucketShares(servers, attributes.tableLength);
  return {
    vip,
    encap: attributes.encap,
    dscp: attributes.encap === 'l3dsr' ? attributes.dscp : 0,
    tableLength: attributes.tableLength,
    // Newest first: nobody may rely on the order of a dump.
    servers: [...servers]
      .map(([address, weight]) => ({ address, weight, buckets: shares.get(address) ?? 0 }))
      .reverse(),
  };
}

function exists(message: string): LbFailure {
  return { code: 'LB_EXISTS', message };
}

function absent(message: string): LbFailure {
  return { code: 'LB_NO_SUCH_ENTRY', message };
}

function refused(retval: number, message: string): LbFailure {
  return { code: 'LB_REFUSED', retval, message };
}

function invalid(message: string): LbFailure {
  return { code: 'LB_INVALID_REQUEST', message };
}

function perform(lb: StrictLb, op: LbOp): LbFailure | undefined {
  switch (op.op) {
    case 'conf.set':
      lb.conf = op.conf;
      return undefined;
    case 'vip.add':
      return addVip(lb, op.vip, op.attributes);
    case 'vip.del':
      return lb.vips.delete(keyOf(op.vip)) ? undefined : absent(keyOf(op.vip));
    case 'vip.flush':
      // VPP flushes some other VIP here: the one request that must never be sent.
      return lb.vips.has(keyOf(op.vip)) ? undefined : invalid('flush of an unknown VIP');
    default:
      return performOnServer(lb, op);
  }
}

function addVip(lb: StrictLb, vip: Vip, attributes: VipAttributes): LbFailure | undefined {
  const { tableLength } = attributes;
  if (lb.vips.has(keyOf(vip))) return exists(keyOf(vip));
  const prefix = `${vip.address}/${vip.prefixLength}`;
  const others = [...lb.vips.values()].filter(
    (other) => `${other.vip.address}/${other.vip.prefixLength}` === prefix,
  );
  if (others.some((other) => (other.vip.port === 0) !== (vip.port === 0))) return exists(prefix);
  if (others.some((other) => other.attributes.encap !== attributes.encap)) {
    return refused(-73, 'another encapsulation on the prefix');
  }
  if (!Number.isInteger(Math.log2(tableLength))) return refused(-70, 'table length');
  if (attributes.encap === 'l3dsr' && vip.address.includes(':')) return refused(-97, 'family');
  lb.vips.set(keyOf(vip), { vip, attributes, servers: new Map(), removed: new Set() });
  return undefined;
}

function performOnServer(
  lb: StrictLb,
  op: Extract<LbOp, { readonly as: string }>,
): LbFailure | undefined {
  const found = lb.vips.get(keyOf(op.vip));
  if (found === undefined) return absent(keyOf(op.vip));
  const { servers, attributes } = found;
  const present = servers.has(op.as);
  if (op.op === 'as.add') {
    if (present) return exists(op.as);
    if (op.as.includes(':') !== (attributes.encap === 'gre6')) return refused(-97, 'family');
  } else if (!present) {
    return op.op === 'as.del' && found.removed.has(op.as) ? undefined : absent(op.as);
  }
  if (op.op === 'as.del') {
    servers.delete(op.as);
    found.removed.add(op.as);
  } else if (op.weight < 0 || op.weight > 100) return invalid(`weight ${op.weight}`);
  else servers.set(op.as, op.weight);
  return undefined;
}

/** By hand: write out the list (replica, address), then deal the buckets to it in turn. */
export function bucketShares(
  servers: ReadonlyMap<string, number>,
  tableLength: number,
): ReadonlyMap<string, number> {
  const list = [...servers].flatMap(([address, weight]) =>
    Array.from({ length: weight }, (_, replica) => ({ address, replica, order: rank(address) })),
  );
  list.sort((a, b) => a.replica - b.replica || (a.order < b.order ? -1 : 1));
  const shares = new Map<string, number>();
  for (let bucket = 0; bucket < tableLength && list.length > 0; bucket += 1) {
    const address = list[bucket % list.length]?.address ?? '';
    shares.set(address, (shares.get(address) ?? 0) + 1);
  }
  return shares;
}

function rank(address: string): string {
  const bytes = ipaddr.parse(address).toByteArray();
  return bytes
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')
    .padStart(32, '0');
}
