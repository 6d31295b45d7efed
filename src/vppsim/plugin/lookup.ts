/**
 * Which VIP a request means. Keys are compared with their host bits cleared, and port 0 forces the
 * protocol to "any", on every request alike; a deleted VIP is found by nobody.
 */
import { isIp4Prefix, maskedPrefix } from '../addresses.js';
import type { LbState, Vip, VipKey, VipType } from './state.js';

export const PROTOCOL_ANY = 255;
export const PROTOCOL_TCP = 6;
export const PROTOCOL_UDP = 17;

const ENCAPS_BY_FAMILY: Readonly<Record<'ip4' | 'ip6', Readonly<Record<number, VipType>>>> = {
  ip4: { 0: 'ip4-gre4', 1: 'ip4-gre6', 2: 'ip4-l3dsr', 3: 'ip4-nat4' },
  ip6: { 0: 'ip6-gre4', 1: 'ip6-gre6', 4: 'ip6-nat6' },
};

/** An encap that the family does not have ends up as the type with number 0, GRE6 over IPv6. */
export function vipTypeFor(vip: VipKey, encap: number): VipType {
  const family = isIp4Prefix(vip.prefix, vip.prefixLength) ? 'ip4' : 'ip6';
  return ENCAPS_BY_FAMILY[family][encap] ?? 'ip6-gre6';
}

export function keyOf(sent: VipKey): VipKey {
  return {
    prefix: maskedPrefix(sent.prefix, sent.prefixLength),
    prefixLength: sent.prefixLength,
    protocol: sent.port === 0 ? PROTOCOL_ANY : sent.protocol,
    port: sent.port,
  };
}

export interface FoundVip {
  readonly slot: number;
  readonly vip: Vip;
}

/** A linear search in slot order, as VPP's. */
export function findVip(state: LbState, wanted: (vip: Vip) => boolean): FoundVip | undefined {
  const slot = state.vips.slots.findIndex((vip) => vip?.used === true && wanted(vip));
  const vip = state.vips.slots[slot];
  return vip === undefined ? undefined : { slot, vip };
}

export function findByKey(state: LbState, sent: VipKey): FoundVip | undefined {
  const key = keyOf(sent);
  return findVip(state, (vip) => samePort(vip, key) && samePrefix(vip, key));
}

export function samePrefix(left: VipKey, right: VipKey): boolean {
  return left.prefixLength === right.prefixLength && left.prefix === right.prefix;
}

export function samePort(left: VipKey, right: VipKey): boolean {
  return left.port === right.port && left.protocol === right.protocol;
}

export function isNat(type: VipType): boolean {
  return type === 'ip4-nat4' || type === 'ip6-nat6';
}

/** The family an encapsulation reaches its ASes by. */
export function reachesIp4(type: VipType): boolean {
  return !type.endsWith('gre6') && type !== 'ip6-nat6';
}
