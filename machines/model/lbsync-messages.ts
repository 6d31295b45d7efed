/** Messages to the dataplane: wishes and orders for lbsync, and what it reports to frontends. */
import type { FrontendName } from './ids.js';
import type { ActualAs, DesiredVip } from './lb.js';
import type { OverrideLevel, Terms } from './overrides.js';

/** lbsync's answer to a frontend: what VPP has acknowledged for its VIP. */
export interface VipReport {
  readonly frontend: FrontendName;
  /**
   * Whatever VPP is told of this frontend from now on follows from the wish of this revision or from
   * a later one, and nothing else is on its way to VPP. 0: from none yet, or from others as well.
   */
  readonly revision: number;
  /** Everything wanted is acknowledged. */
  readonly synced: boolean;
  readonly exists: boolean;
  readonly servers: readonly ActualAs[];
  /** What could not be done, in one sentence; absent when all is well. */
  readonly problem?: string;
  readonly conf: { readonly encap: string; readonly tableLength: number | undefined };
  /** An operator froze it: VPP is told nothing of it until it is thawed. */
  readonly frozen?: true;
}

/** What a frontend wants, and the verdict on a backend it follows from, when it follows from one. */
export interface Wished {
  readonly desired: DesiredVip;
  /** Wall clock; only to measure how long VPP takes to hear of it. */
  readonly verdictAtMs?: number;
}

export type LbsyncMessage =
  | ({ readonly type: 'vip.desired' } & Wished)
  /** Withdraw: the owner recorded the decision; answer `vip.gone` when VPP no longer has it. */
  | {
      readonly type: 'vip.withdrawn';
      readonly frontend: FrontendName;
      /** Of the same count as `DesiredVip.revision`: a withdrawal is a wish too. */
      readonly revision: number;
    }
  /** The frontend is restored but does not know all of its members yet: hold reductions. */
  | { readonly type: 'vip.awaited'; readonly frontend: FrontendName }
  | { readonly type: 'lbsync.settings'; readonly settings: LbsyncSettings }
  | { readonly type: 'operator.sync'; readonly frontend?: FrontendName }
  /** No `frontend`: all of them. */
  | ({
      readonly type: 'operator.freeze' | 'operator.thaw';
      readonly frontend?: FrontendName;
    } & Terms)
  | ({ readonly type: 'operator.drainNode' | 'operator.undrainNode' } & Terms)
  | OverrideLevel;

export interface LbsyncSettings {
  readonly syncIntervalMs: number;
  readonly startupMinDelayMs: number;
  readonly startupMaxDelayMs: number;
  readonly requestTimeoutMs: number;
  readonly window: number;
  readonly ownership: 'ledger' | 'exclusive';
  readonly ip4Source?: string;
  readonly ip6Source?: string;
  readonly stickyBucketsPerCore?: number;
  readonly flowTimeoutS?: number;
  /** Static frontends of this generation: warm-up waits for them. */
  readonly generation: number;
}
