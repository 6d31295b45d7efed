/**
 * The load balancer's nouns, in VPP's words. Shared by the diff core, the dataplane port and the
 * machines; the wire format is known to the VPP client alone.
 *
 * Keys: a VIP is (prefix, protocol, port); an AS is (VIP, address) and has no port.
 */
import type { FrontendName } from './ids.js';

export type Encap = 'gre4' | 'gre6' | 'l3dsr';
export type VipProtocol = 'tcp' | 'udp' | 'any';

/** Canonical text `address/len protocol port`, e.g. `192.0.2.1/32 tcp 443`; `any 0` is all-port. */
export type VipKey = string;

export interface Vip {
  /** Canonical address text: dotted quad, or RFC 5952 for IPv6. Host bits are zero. */
  readonly address: string;
  readonly prefixLength: number;
  readonly protocol: VipProtocol;
  /** 0 means all ports and goes with protocol `any` only. */
  readonly port: number;
}

export interface VipAttributes {
  readonly encap: Encap;
  /** 0..63, L3DSR only. */
  readonly dscp: number;
  readonly srcIpSticky: boolean;
  /** Power of two, 1..32768. */
  readonly tableLength: number;
}

/** An application server as wanted. `weight` is already scaled (gcd-reduced), 0..100. */
export interface DesiredAs {
  readonly address: string;
  readonly weight: number;
  /**
   * Evict pinned flows when the weight is lowered, once per `episode`: a flush already sent for an
   * (AS, episode) is not repeated. `undefined`: no flush wanted.
   */
  readonly flushEpisode?: string;
}

export interface DesiredVip {
  readonly frontend: FrontendName;
  /** Rises with every wish of this frontend that differs from the one before, for all its lives. */
  readonly revision: number;
  readonly vip: Vip;
  readonly attributes: VipAttributes;
  /** One entry per address, ascending by address. */
  readonly servers: readonly DesiredAs[];
  /** Lower numbers are rebuilt first. */
  readonly priority: number;
  /** Loaded with `--disruptive`: attributes that differ may be changed by re-creating the VIP. */
  readonly mayRecreate?: boolean;
}

/** An AS as VPP reports it; removed ones (flag clear) never get this far. */
export interface ActualAs {
  readonly address: string;
  readonly weight: number;
  /** New-flow buckets VPP says it owns. */
  readonly buckets: number;
}

export interface ActualVip {
  readonly vip: Vip;
  readonly encap: Encap | 'nat4' | 'nat6';
  readonly dscp: number;
  /** `undefined`: VPP cannot say (65536 and above read back as 0). */
  readonly tableLength: number | undefined;
  readonly servers: readonly ActualAs[];
}

export interface LbConf {
  /** `undefined`: not set (VPP's all-ones default). */
  readonly ip4Source: string | undefined;
  readonly ip6Source: string | undefined;
  readonly stickyBucketsPerCore: number;
  readonly flowTimeoutS: number;
}

export interface LbState {
  readonly conf: LbConf;
  readonly vips: readonly ActualVip[];
}

/** One request to VPP. The plan is a list of these; it leaves no choices to whoever sends it. */
export type LbOp =
  | { readonly op: 'conf.set'; readonly conf: LbConf }
  | { readonly op: 'vip.add'; readonly vip: Vip; readonly attributes: VipAttributes }
  | { readonly op: 'vip.del'; readonly vip: Vip }
  | { readonly op: 'vip.flush'; readonly vip: Vip }
  | { readonly op: 'as.add'; readonly vip: Vip; readonly as: string; readonly weight: number }
  | {
      readonly op: 'as.weight';
      readonly vip: Vip;
      readonly as: string;
      readonly weight: number;
      readonly flush: boolean;
    }
  | { readonly op: 'as.del'; readonly vip: Vip; readonly as: string };

export function vipKey(vip: Vip): VipKey {
  return `${vip.address}/${vip.prefixLength} ${vip.protocol} ${vip.port}`;
}
