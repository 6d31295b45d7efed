/**
 * The lb plugin's memory, as far as its API can see or change it, and what one request does to it.
 *
 * All of it is plain immutable data; times are whole seconds of VPP's uptime.
 */
import type { Hex } from '../addresses.js';
import { limits } from '../limits.js';
import { emptyPool, type Pool } from '../pool.js';

/** VIP family and encapsulation, VPP's `LB_VIP_TYPE_*`. */
export type VipType =
  | 'ip4-gre4'
  | 'ip4-gre6'
  | 'ip4-l3dsr'
  | 'ip4-nat4'
  | 'ip6-gre4'
  | 'ip6-gre6'
  | 'ip6-nat6';

/** A removed AS stays here, unused, until it is collected. */
export interface As {
  readonly address: Hex;
  readonly used: boolean;
  readonly weight: number;
  /** Uptime at the last removal. Never reset, and not initialised: stale in a reused slot. */
  readonly removedAtS: number;
  /** Sticky flows that pin this AS. The simulator has those it is told to have. */
  readonly flows: number;
}

/**
 * The union of dscp (its first byte) and NAT's service type and target port. Only NAT and L3DSR
 * write it, so other VIPs show what the slot's owner before them left.
 */
export interface EncapArgs {
  /** As VPP holds it in memory; dumps show these bytes in memory order. */
  readonly srvType: number;
  readonly targetPort: number;
}

export interface VipKey {
  /** Host bits clear. */
  readonly prefix: Hex;
  /** 0..255; IPv4's have 96 added. */
  readonly prefixLength: number;
  readonly protocol: number;
  readonly port: number;
}

export interface Vip extends VipKey {
  /** Cleared by a delete; the slot stays until the last AS is collected. */
  readonly used: boolean;
  readonly type: VipType;
  readonly args: EncapArgs;
  /** New-flow buckets. */
  readonly tableLength: number;
  readonly srcIpSticky: boolean;
  /** Whether the per-port filter entry was made: not for a half-made NODEPORT VIP. */
  readonly filtered: boolean;
  readonly collectedAtS: number;
  readonly servers: Pool<As, null>;
}

export interface Conf {
  readonly ip4Source: string;
  readonly ip6Source: Hex;
  readonly stickyBucketsPerCore: number;
  readonly flowTimeoutS: number;
}

export interface LbState {
  readonly conf: Conf;
  readonly vips: Pool<Vip, EncapArgs>;
  /** `removedAtS` of freed AS slots: the next AS made inherits the last one. */
  readonly freedAses: readonly number[];
  /** NAT return mappings, keyed by AS and target port and by nothing else. */
  readonly natMappings: readonly string[];
  /** Ports ever used by a NODEPORT VIP; never cleaned. */
  readonly nodePorts: readonly number[];
  readonly natInterfaces: { readonly nat4: number; readonly nat6: number };
  /** New-flow tables, those of deleted VIPs included, since they leak. */
  readonly tableBytes: number;
  readonly heapBytes: number;
}

export function initialState(heapBytes: number = limits.heapBytes): LbState {
  return {
    conf: {
      ip4Source: 'f'.repeat(8),
      ip6Source: 'f'.repeat(32),
      stickyBucketsPerCore: 1024,
      flowTimeoutS: 40,
    },
    vips: emptyPool(),
    freedAses: [],
    natMappings: [],
    nodePorts: [],
    natInterfaces: { nat4: 0, nat6: 0 },
    tableBytes: 0,
    heapBytes,
  };
}

/** VPP's `VNET_API_ERROR_*`, those the plugin answers with. */
export const retvals = {
  ok: 0,
  invalidInterface: -2,
  noSuchEntry: -6,
  invalidMemorySize: -70,
  invalidArgument: -73,
  valueExist: -81,
  invalidAddressFamily: -97,
} as const;

/** A request no client may ever send. A fatal one ends VPP. */
export interface Violation {
  readonly code: 'vpp-would-crash' | 'undefined-behaviour';
  readonly fatal: boolean;
  readonly what: string;
}

export interface Outcome {
  readonly state: LbState;
  readonly retval: number;
  readonly violations: readonly Violation[];
}

export function done(state: LbState, violations: readonly Violation[] = []): Outcome {
  return { state, retval: retvals.ok, violations };
}

export function refused(state: LbState, retval: number): Outcome {
  return { state, retval, violations: [] };
}

export function deadly(what: string): Violation {
  return { code: 'vpp-would-crash', fatal: true, what };
}

export function undefinedBehaviour(what: string): Violation {
  return { code: 'undefined-behaviour', fatal: false, what };
}

/** The step after one that may have killed VPP: the dead do nothing. */
export function andThen(outcome: Outcome, next: (state: LbState) => Outcome): Outcome {
  if (outcome.violations.some(({ fatal }) => fatal)) return outcome;
  const after = next(outcome.state);
  return { ...after, violations: [...outcome.violations, ...after.violations] };
}
