/**
 * Request decoders: from a message that is long enough to what the lb plugin is asked.
 *
 * Every number is big endian except the service type, which the plugin forgets to swap. Nothing is
 * validated here: VPP does not either.
 */
import { ADDRESS_BYTES, internalLength, readAddress } from './addresses.js';
import type { AsFilter } from './plugin/dump.js';
import type { AsAdd, AsDelete, AsWeight, LbRequest } from './plugin/requests.js';
import type { VipKey } from './plugin/state.js';

/** Where the body of a request starts: id, client index and context come before. */
const BODY = 10;
/** Where the fields after (prefix, protocol, port) start. */
const AFTER_VIP = 31;
const AFTER_AS = AFTER_VIP + ADDRESS_BYTES;

/** Smallest length of each request the simulator knows, by message key. */
export const requestBytes: Readonly<Record<string, number>> = {
  sockclnt_create_455fb9c4: 70,
  sockclnt_delete_8ac76db6: 14,
  memclnt_keepalive_51077d14: 10,
  memclnt_keepalive_reply_e8d4e804: 10,
  control_ping_51077d14: 10,
  show_version_51077d14: 10,
  show_vpe_system_time_51077d14: 10,
  lb_conf_56cd3261: 38,
  lb_conf_get_51077d14: 10,
  lb_add_del_vip_v2_7c520e0f: 50,
  lb_add_del_as_v2_2f1d3b0e: 51,
  lb_as_set_weight_2d89bdbd: 50,
  lb_flush_vip_1063f819: 31,
  lb_vip_dump_56110cb7: 33,
  lb_as_dump_1063f819: 31,
  lb_as_v2_dump_1063f819: 31,
  lb_add_del_intf_nat4_47d6e753: 15,
  lb_add_del_intf_nat6_47d6e753: 15,
};

/** A state-changing lb request and the key of its reply. */
export interface WriteMessage {
  readonly reply: string;
  readonly decode: (message: Buffer) => LbRequest;
}

export const writeMessages: Readonly<Record<string, WriteMessage>> = {
  lb_conf_56cd3261: { reply: 'lb_conf_reply_e8d4e804', decode: confSet },
  lb_add_del_vip_v2_7c520e0f: { reply: 'lb_add_del_vip_v2_reply_e8d4e804', decode: vipAddDelete },
  lb_add_del_as_v2_2f1d3b0e: { reply: 'lb_add_del_as_v2_reply_e8d4e804', decode: asAddDelete },
  lb_as_set_weight_2d89bdbd: { reply: 'lb_as_set_weight_reply_e8d4e804', decode: asWeight },
  lb_flush_vip_1063f819: { reply: 'lb_flush_vip_reply_e8d4e804', decode: vipFlush },
  lb_add_del_intf_nat4_47d6e753: {
    reply: 'lb_add_del_intf_nat4_reply_e8d4e804',
    decode: (message) => natInterface(message, 'nat4'),
  },
  lb_add_del_intf_nat6_47d6e753: {
    reply: 'lb_add_del_intf_nat6_reply_e8d4e804',
    decode: (message) => natInterface(message, 'nat6'),
  },
};

interface ReadVip {
  readonly vip: VipKey;
  readonly familyKnown: boolean;
}

function readVip(message: Buffer): ReadVip {
  const family = message.readUInt8(BODY);
  const { hex, familyKnown } = readAddress(message, BODY);
  const vip = {
    prefix: hex,
    prefixLength: internalLength(family, message.readUInt8(27)),
    protocol: message.readUInt8(28),
    port: message.readUInt16BE(29),
  };
  return { vip, familyKnown };
}

function flag(message: Buffer, at: number): boolean {
  return message.readUInt8(at) !== 0;
}

function confSet(message: Buffer): LbRequest {
  return {
    op: 'conf.set',
    ip4Source: message.toString('hex', 10, 14),
    ip6Source: message.toString('hex', 14, 30),
    stickyBucketsPerCore: message.readUInt32BE(30),
    flowTimeoutS: message.readUInt32BE(34),
  };
}

function vipAddDelete(message: Buffer): LbRequest {
  const onVip = readVip(message);
  if (flag(message, 49)) return { op: 'vip.del', ...onVip };
  return {
    op: 'vip.add',
    ...onVip,
    encap: message.readUInt32BE(31),
    dscp: message.readUInt8(35),
    srvType: message.readUInt32LE(36),
    targetPort: message.readUInt16BE(40),
    tableLength: message.readUInt32BE(44),
    srcIpSticky: flag(message, 48),
  };
}

function vipFlush(message: Buffer): LbRequest {
  return { op: 'vip.flush', ...readVip(message) };
}

function asAddDelete(message: Buffer): AsAdd | AsDelete {
  const onAs = readAs(message);
  const flush = flag(message, AFTER_AS + 2);
  if (flag(message, AFTER_AS + 1)) return { op: 'as.del', ...onAs, flush };
  return { op: 'as.add', ...onAs, weight: message.readUInt8(AFTER_AS), flush };
}

function asWeight(message: Buffer): AsWeight {
  const weight = message.readUInt8(AFTER_AS);
  return { op: 'as.weight', ...readAs(message), weight, flush: flag(message, AFTER_AS + 1) };
}

function readAs(message: Buffer): ReadVip & { readonly as: string } {
  const { vip, familyKnown } = readVip(message);
  const as = readAddress(message, AFTER_VIP);
  return { vip, as: as.hex, familyKnown: familyKnown && as.familyKnown };
}

function natInterface(message: Buffer, family: 'nat4' | 'nat6'): LbRequest {
  const interfaceIndex = message.readUInt32BE(11);
  return { op: 'nat.interface', family, enable: flag(message, 10), interfaceIndex };
}

/** Family and prefix length are not looked at. */
export function asFilter(message: Buffer): AsFilter {
  return {
    prefix: message.toString('hex', BODY + 1, BODY + ADDRESS_BYTES),
    protocol: message.readUInt8(28),
    port: message.readUInt16BE(29),
  };
}

/** The head of every request but `sockclnt_create`, which has no client index. */
export function headOf(message: Buffer): { readonly client: number; readonly context: number } {
  return { client: message.readUInt32BE(2), context: message.readUInt32BE(6) };
}
