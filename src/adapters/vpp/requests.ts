/**
 * An op as the one request it is on the wire. The op has passed the rules (rules.ts) before.
 *
 * Protocol `any` is 255 with port 0. Deletes flush: a removed AS that flows still point at would
 * stay listed for ever. Source addresses are always both written, unset ones as VPP's default.
 */
import { unreachable } from '../../../machines/model/assert.js';
import type { LbConf, LbOp, Vip, VipAttributes, VipProtocol } from '../../../machines/model/lb.js';
import type { BodyOf } from './messages.js';
import { UNSET_SOURCE } from './rules.js';

/** What VPP calls the protocols. */
export const PROTOCOL_NUMBERS: Readonly<Record<VipProtocol, number>> = {
  tcp: 6,
  udp: 17,
  any: 255,
};

type WriteName =
  | 'lb_conf'
  | 'lb_add_del_vip_v2'
  | 'lb_flush_vip'
  | 'lb_add_del_as_v2'
  | 'lb_as_set_weight';

/** A request and its body, paired. */
export type WriteRequest = {
  [N in WriteName]: { readonly name: N; readonly body: BodyOf<N> };
}[WriteName];

/** VPP reads only the key when it deletes; these are valid in any case. */
const ATTRIBUTES_OF_DELETE: VipAttributes = {
  encap: 'gre4',
  dscp: 0,
  srcIpSticky: false,
  tableLength: 1024,
};

export function requestFor(op: LbOp): WriteRequest {
  switch (op.op) {
    case 'conf.set':
      return { name: 'lb_conf', body: confBody(op.conf) };
    case 'vip.add':
      return { name: 'lb_add_del_vip_v2', body: vipBody(op.vip, op.attributes, false) };
    case 'vip.del':
      return { name: 'lb_add_del_vip_v2', body: vipBody(op.vip, ATTRIBUTES_OF_DELETE, true) };
    case 'vip.flush':
      return { name: 'lb_flush_vip', body: vipFields(op.vip) };
    case 'as.add': {
      const { vip, as, weight } = op;
      const body = { ...vipFields(vip), as_address: as, weight, is_del: false, is_flush: false };
      return { name: 'lb_add_del_as_v2', body };
    }
    case 'as.weight': {
      const { vip, as, weight, flush } = op;
      const body = { ...vipFields(vip), as_address: as, weight, is_flush: flush };
      return { name: 'lb_as_set_weight', body };
    }
    case 'as.del': {
      const { vip, as } = op;
      const body = { ...vipFields(vip), as_address: as, weight: 0, is_del: true, is_flush: true };
      return { name: 'lb_add_del_as_v2', body };
    }
    default:
      return unreachable(op);
  }
}

function confBody(conf: LbConf): BodyOf<'lb_conf'> {
  return {
    ip4_src_address: conf.ip4Source ?? UNSET_SOURCE.ip4,
    ip6_src_address: conf.ip6Source ?? UNSET_SOURCE.ip6,
    sticky_buckets_per_core: conf.stickyBucketsPerCore,
    flow_timeout: conf.flowTimeoutS,
  };
}

function vipBody(
  vip: Vip,
  attributes: VipAttributes,
  isDelete: boolean,
): BodyOf<'lb_add_del_vip_v2'> {
  return {
    ...vipFields(vip),
    encap: attributes.encap,
    dscp: attributes.dscp,
    type: 0,
    target_port: 0,
    node_port: 0,
    new_flows_table_length: attributes.tableLength,
    src_ip_sticky: attributes.srcIpSticky,
    is_del: isDelete,
  };
}

function vipFields({ address, prefixLength, protocol, port }: Vip): BodyOf<'lb_flush_vip'> {
  const number = PROTOCOL_NUMBERS[protocol];
  return { pfx_address: address, pfx_len: prefixLength, protocol: number, port };
}
