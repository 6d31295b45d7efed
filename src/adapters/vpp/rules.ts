/**
 * Which requests may reach VPP. VPP checks little: some values end it, others are silently taken for
 * something else. So everything is checked here first.
 *
 * Input: an op, and the VIPs known on this connection. Output: nothing, or the rule it breaks, as a
 * sentence. [VP-10] A refused op is never sent.
 *
 * What only VPP can know (whether something exists, what else lives on the prefix) is left to VPP.
 */
import { unreachable } from '../../../machines/model/assert.js';
import type { Encap, LbConf, LbOp, Vip, VipAttributes } from '../../../machines/model/lb.js';
import {
  type Family,
  hostBitsClear,
  type IpAddress,
  looksLikeIp4,
  parseAddress,
} from './address.js';
import type { KnownVips } from './known-vips.js';
import { limits } from './limits.js';

/** Encapsulations per family of VIP, and the family of AS each one reaches. */
const ENCAPS_OF: Readonly<Record<Family, readonly Encap[]>> = {
  4: ['gre4', 'gre6', 'l3dsr'],
  6: ['gre4', 'gre6'],
};
const AS_FAMILY_OF: Readonly<Record<Encap, Family>> = { gre4: 4, gre6: 6, l3dsr: 4 };
const PREFIX_MAX: Readonly<Record<Family, number>> = { 4: 32, 6: 128 };

/** The default of VPP for "no source address". Setting it by hand would read back as not set. */
export const UNSET_SOURCE = {
  ip4: '255.255.255.255',
  ip6: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
};

export function brokenRule(op: LbOp, known: KnownVips): string | undefined {
  switch (op.op) {
    case 'conf.set':
      return confRule(op.conf);
    case 'vip.add':
      return vipRule(op.vip) ?? attributesRule(op.vip, op.attributes);
    case 'vip.del':
      return vipRule(op.vip) ?? touchRule(op.vip, known);
    case 'vip.flush':
      return vipRule(op.vip) ?? touchRule(op.vip, known) ?? flushRule(op.vip, known);
    case 'as.add':
    case 'as.weight':
      return asRule(op, known) ?? weightRule(op.weight);
    case 'as.del':
      return asRule(op, known);
    default:
      return unreachable(op);
  }
}

function confRule({ ip4Source, ip6Source, ...numbers }: LbConf): string | undefined {
  const { stickyBucketsPerCore, flowTimeoutS } = numbers;
  if (ip4Source !== undefined && !isSource(ip4Source, 4)) {
    return `${ip4Source} is not an IPv4 source address`;
  }
  if (ip6Source !== undefined && !isSource(ip6Source, 6)) {
    return `${ip6Source} is not an IPv6 source address`;
  }
  if (!isPowerOfTwo(stickyBucketsPerCore, limits.stickyBucketsMax)) {
    return `sticky buckets per core are a power of two, 1 to ${limits.stickyBucketsMax}`;
  }
  if (!isBetween(flowTimeoutS, 1, limits.flowTimeoutSMax)) {
    return `a flow timeout is 1 to ${limits.flowTimeoutSMax} seconds`;
  }
  return undefined;
}

function isSource(text: string, family: Family): boolean {
  return text !== UNSET_SOURCE.ip4 && text !== UNSET_SOURCE.ip6 && familyOf(text) === family;
}

function vipRule({ address: text, prefixLength, protocol, port }: Vip): string | undefined {
  const address = parseAddress(text);
  if (address === undefined) return notAnAddress(text);
  const longest = PREFIX_MAX[address.family];
  if (!isBetween(prefixLength, 0, longest)) {
    return `a prefix length of IPv${address.family} is 0 to ${longest}, not ${prefixLength}`;
  }
  if (!hostBitsClear(address, prefixLength)) return `${text}/${prefixLength} has host bits set`;
  return mistakenForIp4(text, address) ?? portRule(protocol, port);
}

function portRule(protocol: Vip['protocol'], port: number): string | undefined {
  if (protocol === 'any') {
    return port === 0 ? undefined : 'a port needs the protocol tcp or udp';
  }
  if (protocol !== 'tcp' && protocol !== 'udp') return `${protocol} is not tcp, udp or any`;
  return isBetween(port, 1, 65_535) ? undefined : `a ${protocol} port is 1 to 65535, not ${port}`;
}

function attributesRule(vip: Vip, attributes: VipAttributes): string | undefined {
  const { encap, dscp, tableLength } = attributes;
  const family = familyOf(vip.address);
  if (!isEncap(encap)) return `${encap} is not sent: gre4, gre6 and l3dsr are (NAT can end VPP)`;
  if (family === undefined || !ENCAPS_OF[family].includes(encap)) {
    return `${encap} does not go with an IPv${family} VIP`;
  }
  const dscpMax = encap === 'l3dsr' ? limits.dscpMax : 0;
  if (!isBetween(dscp, 0, dscpMax)) return `the dscp of ${encap} is 0 to ${dscpMax}, not ${dscp}`;
  if (!isPowerOfTwo(tableLength, limits.tableLengthMax)) {
    return `a table length is a power of two, 1 to ${limits.tableLengthMax}, not ${tableLength}`;
  }
  return undefined;
}

/** Others may have made NAT VIPs, and deleting or filling those in the wrong order ends VPP. */
function touchRule(vip: Vip, known: KnownVips): string | undefined {
  const encap = known.encapOf(vip);
  if (encap === undefined) {
    return known.complete ? undefined : 'not sent before VPP was read: this may be a NAT VIP';
  }
  return isEncap(encap) ? undefined : `this is a ${encap} VIP, and NAT VIPs are not touched`;
}

/** VPP answers 0 to flushing what it does not have, and may flush something else. */
function flushRule(vip: Vip, known: KnownVips): string | undefined {
  return known.encapOf(vip) === undefined ? 'only a VIP that VPP has can be flushed' : undefined;
}

function asRule(op: { vip: Vip; as: string }, known: KnownVips): string | undefined {
  const broken = vipRule(op.vip) ?? touchRule(op.vip, known);
  if (broken !== undefined) return broken;
  const address = parseAddress(op.as);
  if (address === undefined) return notAnAddress(op.as);
  const encap = known.encapOf(op.vip);
  if (encap !== undefined && isEncap(encap) && AS_FAMILY_OF[encap] !== address.family) {
    return `${encap} reaches IPv${AS_FAMILY_OF[encap]} servers, not ${op.as}`;
  }
  return mistakenForIp4(op.as, address);
}

function weightRule(weight: number): string | undefined {
  const { weightMax } = limits;
  return isBetween(weight, 0, weightMax)
    ? undefined
    : `a weight is 0 to ${weightMax}, not ${weight}`;
}

function notAnAddress(text: string): string {
  return `${text} is not an IP address in canonical form`;
}

function mistakenForIp4(text: string, address: IpAddress): string | undefined {
  return looksLikeIp4(address) ? `${text} is in ::/96, which VPP takes for IPv4` : undefined;
}

function familyOf(text: string): Family | undefined {
  return parseAddress(text)?.family;
}

function isEncap(encap: string): encap is Encap {
  return encap in AS_FAMILY_OF;
}

function isBetween(value: number, low: number, high: number): boolean {
  return Number.isInteger(value) && value >= low && value <= high;
}

function isPowerOfTwo(value: number, high: number): boolean {
  return isBetween(value, 1, high) && (value & (value - 1)) === 0;
}
