/**
 * Attributes of a VIP: what VPP reports, what it was told, what is wanted. VPP cannot change any of
 * them; a difference means deleting the VIP and adding it again.
 *
 * Rules: [LB-12] stickiness is in no dump, so it is compared with the ledger; without a ledger entry
 * it is not compared at all. A length VPP cannot report is not compared either.
 */
import type { ActualVip, Encap, VipAttributes } from '../../machines/model/lb.js';

export type AttributeName = 'encap' | 'dscp' | 'tableLength' | 'srcIpSticky';

const NONE: readonly AttributeName[] = [];

/** Names of the attributes that differ; `told` is what the ledger says VPP was given. */
export function differingAttributes(
  actual: Omit<ActualVip, 'servers'>,
  wanted: VipAttributes,
  told: VipAttributes | undefined,
): readonly AttributeName[] {
  const lengthDiffers =
    actual.tableLength !== undefined && actual.tableLength !== wanted.tableLength;
  const encapDiffers = actual.encap !== wanted.encap;
  const dscpDiffers = !encapDiffers && wanted.encap === 'l3dsr' && actual.dscp !== wanted.dscp;
  const stickyDiffers = told !== undefined && told.srcIpSticky !== wanted.srcIpSticky;
  if (!lengthDiffers && !encapDiffers && !dscpDiffers && !stickyDiffers) return NONE;
  return [
    ...(encapDiffers ? (['encap'] as const) : NONE),
    ...(dscpDiffers ? (['dscp'] as const) : NONE),
    ...(lengthDiffers ? (['tableLength'] as const) : NONE),
    ...(stickyDiffers ? (['srcIpSticky'] as const) : NONE),
  ];
}

/** Whether servers wanted under one encapsulation may be sent to a VIP that has another. */
export function takesSameServers(actual: ActualVip['encap'], wanted: Encap): boolean {
  return familyOf(actual) === familyOf(wanted);
}

/** What the packets to the servers are carried in decides which addresses the servers have. */
function familyOf(encap: ActualVip['encap']): 'ip4' | 'ip6' {
  return encap === 'gre6' || encap === 'nat6' ? 'ip6' : 'ip4';
}

const ENCAPS: readonly ActualVip['encap'][] = ['gre4', 'gre6', 'l3dsr', 'nat4', 'nat6'];
const DSCP_SHIFT = 3;
const LENGTH_SHIFT = 9;

/**
 * What VPP can report of the attributes, in one word, so that those of many VIPs are compared without
 * looking at any. An unreported length is 0. Stickiness is not in it.
 */
export function attributesWord(
  encap: ActualVip['encap'],
  dscp: number,
  tableLength: number | undefined,
): number {
  const dscpBits = encap === 'l3dsr' ? dscp << DSCP_SHIFT : 0;
  return ENCAPS.indexOf(encap) | dscpBits | ((tableLength ?? 0) << LENGTH_SHIFT);
}

/** As `differingAttributes` has it, stickiness aside. */
export function areSameAttributes(actual: number, wanted: number): boolean {
  if (actual === wanted) return true;
  const isUnreported = actual >>> LENGTH_SHIFT === 0;
  return isUnreported && actual === (wanted & ((1 << LENGTH_SHIFT) - 1));
}
