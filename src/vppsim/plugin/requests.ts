/**
 * The lb plugin's state-changing requests, decoded: numbers and internal addresses, nothing
 * checked. VIP keys are as sent; `lookup.ts` masks them and forces the protocol of all-port VIPs.
 */
import type { Hex } from '../addresses.js';
import type { VipKey } from './state.js';

/** "Keep what is set", for the two numbers of `lb_conf`. */
export const KEEP = 0xffffffff;

interface OnVip {
  readonly vip: VipKey;
  /** Whether every address was sent with a family VPP knows. */
  readonly familyKnown: boolean;
}

interface OnAs extends OnVip {
  readonly as: Hex;
}

export interface ConfSet {
  readonly op: 'conf.set';
  readonly ip4Source: string;
  readonly ip6Source: Hex;
  readonly stickyBucketsPerCore: number;
  readonly flowTimeoutS: number;
}

export interface VipAdd extends OnVip {
  readonly op: 'vip.add';
  readonly encap: number;
  readonly dscp: number;
  /** Read without swapping, as the plugin does: a well-encoded NODEPORT arrives as 0x01000000. */
  readonly srvType: number;
  readonly targetPort: number;
  readonly tableLength: number;
  readonly srcIpSticky: boolean;
}

export interface VipDelete extends OnVip {
  readonly op: 'vip.del';
}

export interface VipFlush extends OnVip {
  readonly op: 'vip.flush';
}

export interface AsAdd extends OnAs {
  readonly op: 'as.add';
  readonly weight: number;
  readonly flush: boolean;
}

export interface AsWeight extends OnAs {
  readonly op: 'as.weight';
  readonly weight: number;
  readonly flush: boolean;
}

export interface AsDelete extends OnAs {
  readonly op: 'as.del';
  readonly flush: boolean;
}

export interface NatInterface {
  readonly op: 'nat.interface';
  readonly family: 'nat4' | 'nat6';
  readonly enable: boolean;
  readonly interfaceIndex: number;
}

export type LbRequest =
  | ConfSet
  | VipAdd
  | VipDelete
  | VipFlush
  | AsAdd
  | AsWeight
  | AsDelete
  | NatInterface;
