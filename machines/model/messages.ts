/**
 * Every message between actors, one union per receiver. All are plain data (they cross threads as
 * msgpack) and level-triggered: losing, repeating or reordering one costs a delay, never a wrong end.
 *
 *   reload ─ tenant.desired ─► tenant ─ group.desired ─► group ─ spawn, instance.* ─► instance
 *   instance ─ backend.desired ─► backend ─ backend.verdict ─► instance and frontends
 *   instance ─ member.level ─► frontend ─ vip.desired ─► lbsync ─ vip.applied, lbsync.hello ─► frontend
 *   frontend ─ member.acknowledged ─► instance        group, frontend ─ *.status ─► tenant
 *   tenant ─ tenant.status ─► resource                instance, agent ─ provider.* ─► provider
 *   instance ─ agent.desired ─► agent ─ agent.verdict ─► instance
 */
import type { AgentVerdict, TerminationNotice } from './agent.js';
import type { AnnounceAsked, AnnounceStatus, NodeLevel } from './announce.js';
import type { BackendSpec, FrontendSpec, GroupSpec, PoolRangeSpec, TenantSpec } from './desired.js';
import type { ProviderFailure } from './failures.js';
import type { GuardGrant } from './guard.js';
import type { Address, BackendName, FrontendName, GroupKey, InstanceId } from './ids.js';
import type { VipReport } from './lbsync-messages.js';
import type { TenantOrder } from './ordered-groups.js';
import type { OutboxAmendment, OutboxSettings } from './outbox.js';
import type { OutlookQuestion } from './outlook.js';
import type { OverrideLevel, Terms, WeightMessage } from './overrides.js';
import type { HearingAsked, SuspicionLevel } from './suspicion.js';

export type { GuardMessage, GuardSettings } from './guard.js';
export type { LbsyncMessage, LbsyncSettings, VipReport } from './lbsync-messages.js';
export type { SweepMessage, SweepSettings } from './orphans.js';
export type { ProviderMessage, ProviderSettings, ProviderTags } from './provider-messages.js';
export type {
  ReporterMessage,
  ResourceAccepted,
  ResourceMessage,
  ResourceNews,
  ResourceReport,
  StatusOrder,
  TenancyMessage,
  TenancySettings,
  TenantState,
  TenantStatus,
} from './tenancy-messages.js';

export interface Message {
  readonly type: string;
}

// --- health -----------------------------------------------------------------------------------

export type HealthState = 'unknown' | 'up' | 'down' | 'paused' | 'disabled';

/** Outcome of one probe. Codes are HAProxy's: L4OK L4TOUT L4CON L6OK L6TOUT L6RSP L7OK L7TOUT L7RSP L7STS. */
export interface ProbeResult {
  readonly passed: boolean;
  readonly code: string;
  readonly detail: string;
  readonly durationMs: number;
  /** Positive death: the host answered that nobody listens (connection refused). */
  readonly positive: boolean;
  /** Our own event loop ran late while the probe was out: a timeout proves nothing. */
  readonly late: boolean;
}

export interface Verdict {
  readonly backend: BackendName;
  readonly address: string;
  readonly state: HealthState;
  /** Down for sure (refused, exited), not merely silent. */
  readonly positive: boolean;
  /** Changes with every transition: one down-episode, one flush. */
  readonly episode: string;
  readonly sinceMs: number;
  readonly code: string;
}

export type BackendMessage =
  | { readonly type: 'backend.desired'; readonly spec: BackendSpec; readonly owner?: Address }
  | { readonly type: 'backend.removed' }
  | { readonly type: 'probe.finished'; readonly probe: number; readonly result: ProbeResult }
  /** The owner knows better than any probe: the process exited, the provider says terminal. */
  | { readonly type: 'backend.died'; readonly code: string; readonly detail: string }
  | ({ readonly type: 'backend.pause' | 'backend.resume' } & Terms)
  /** One check now, for the operator who asks; its result changes nothing. */
  | { readonly type: 'backend.test' }
  | ({ readonly type: 'backend.disable' | 'backend.enable' } & Terms)
  | OverrideLevel
  | SuspicionLevel
  | HearingAsked
  | { readonly type: 'publish.request' };

// --- instances --------------------------------------------------------------------------------

/**
 * Where an instance stands towards its frontends: `in` may serve, `drain` must have weight 0,
 * `out` must not be an AS at all. `out` with `dead` may leave at once, whatever the last-member rule.
 */
export interface MemberLevel {
  readonly member: InstanceId;
  /** Rises with every level of this instance that asks for something else, for all its lives. */
  readonly revision: number;
  readonly group: GroupKey;
  readonly address: string;
  readonly phase: 'in' | 'drain' | 'out';
  readonly dead: boolean;
  /** The group or its frontend is going away (or scaled to 0): the last member may be drained. */
  readonly lastMayGo: boolean;
}

/** What a frontend has had acknowledged by VPP for a member. */
export interface MemberAck {
  readonly frontend: FrontendName;
  readonly member: InstanceId;
  /** Revision of the newest level the frontend had taken in when it wished for what VPP has now. */
  readonly level: number;
  /** `in`: AS present with `weight`; `drain`: weight 0 acknowledged; `out`: AS removed with flush. */
  readonly phase: 'in' | 'drain' | 'out';
  readonly weight: number;
  /** An operator froze the VIP: what is asked for waits, however long. */
  readonly frozen?: true;
}

export type DrainReason =
  | 'scale-down'
  | 'replaced'
  | 'group-removed'
  | 'tenant-removed'
  | 'operator'
  | 'termination-notice'
  | 'config-drift'
  | 'eligible-expiry'
  | 'forced-expiry'
  | 'ondemand-expiry'
  | 'unhealthy'
  /** A quarantine that ended by itself. */
  | 'quarantine-over';

export type InstanceMessage =
  | { readonly type: 'instance.desired'; readonly spec: GroupSpec }
  | {
      readonly type: 'instance.drain';
      readonly reason: DrainReason;
      readonly lastMayGo: boolean;
      readonly force: boolean;
    }
  | {
      readonly type: 'operator.drain';
      readonly deadlineMs?: number;
      readonly reason: string;
      readonly force: boolean;
    }
  | { readonly type: 'operator.ackDrain' }
  | { readonly type: 'operator.replace'; readonly reason: string }
  /** Out of rotation and out of the count, alive, until it is released or the time is up. */
  | ({ readonly type: 'operator.quarantine'; readonly force: boolean } & Terms)
  | { readonly type: 'operator.release'; readonly reason: string }
  /** What holds it now, gate by gate; changes nothing. */
  | { readonly type: 'operator.whyNot' }
  /** What its agent is worth, from `agent/<instance>`; `known`: that one was told `agent.desired`. */
  | { readonly type: 'agent.verdict'; readonly verdict: AgentVerdict; readonly known: boolean }
  /** Its host goes away, whatever we think of it. */
  | { readonly type: 'instance.notice'; readonly notice: TerminationNotice }
  | {
      readonly type: 'provider.created';
      readonly token: string;
      readonly providerId: string;
      readonly address: string;
    }
  | {
      readonly type: 'provider.createFailed';
      readonly token: string;
      readonly failure: ProviderFailure;
    }
  | {
      readonly type: 'provider.found';
      readonly token: string;
      readonly providerId: string;
      readonly address: string;
    }
  | { readonly type: 'provider.absent'; readonly token: string }
  | {
      readonly type: 'provider.findFailed';
      readonly token: string;
      readonly failure: ProviderFailure;
    }
  | { readonly type: 'provider.deleted'; readonly providerId: string }
  | {
      readonly type: 'provider.deleteFailed';
      readonly providerId: string;
      readonly failure: ProviderFailure;
    }
  /** Positive death, seen by the provider: process exit or provider-terminal. */
  | { readonly type: 'provider.exited'; readonly providerId: string; readonly detail: string }
  | { readonly type: 'backend.verdict'; readonly verdict: Verdict }
  | { readonly type: 'member.acknowledged'; readonly ack: MemberAck }
  | { readonly type: 'publish.request' };

export const INSTANCE_STATES = [
  'requested',
  'creating',
  'booting',
  'registered',
  'serving',
  'suspect',
  'quarantined',
  'draining',
  'drained',
  'deleting',
  'deleted',
  'failed',
  'lost',
] as const;
export type InstanceState = (typeof INSTANCE_STATES)[number];

/** What a group knows of a member. */
export interface InstanceSummary {
  readonly id: InstanceId;
  readonly state: InstanceState;
  readonly sinceMs: number;
  readonly replaces?: InstanceId;
  /** Serving and, where it belongs to frontends, acknowledged in each with its weight. */
  readonly inService: boolean;
  /** Wants to be replaced although alive (operator, down for `replaceAfter`). */
  readonly replaceWanted: boolean;
  /** By an operator, who has looked: no breaker holds it. */
  readonly replaceOrdered?: true;
  /** What it was made from, as `infraOf` says it; absent: not known. */
  readonly infra?: string;
  /** Made because somebody asked for it, under this key: it never counts toward the size. */
  readonly onDemand?: string;
  /** Its agent stays silent while its probe passes. */
  readonly agentMissed?: true;
  /** Why it drains, when that was not its group's decision. */
  readonly drains?: DrainReason;
  readonly address?: string;
  /** What its provider last refused or left unanswered; absent when all is well. */
  readonly problem?: string;
}

// --- groups and tenants -----------------------------------------------------------------------

export type GroupMessage =
  | { readonly type: 'group.desired'; readonly spec: GroupSpec }
  /** Drain everything, then forget the group. */
  | { readonly type: 'group.removed'; readonly reason: DrainReason }
  /** `others`: of members that had to say something while this waited, in their order. */
  | {
      readonly type: 'instance.changed';
      readonly summary: InstanceSummary;
      readonly others?: readonly InstanceSummary[];
    }
  | { readonly type: 'instance.forgotten'; readonly id: InstanceId }
  | ({ readonly type: 'operator.scale'; readonly size: number } & Terms)
  /** An instance beside the size. `key` is the caller's: the same one never makes a second instance. */
  | { readonly type: 'operator.createInstance'; readonly key: string; readonly reason: string }
  /** By id or key; answered `deleting`, `deleted` or `unknown`, however often it is asked. */
  | {
      readonly type: 'operator.deleteInstance';
      readonly instance: string;
      readonly reason: string;
      readonly force: boolean;
    }
  /** What holds it now, gate by gate; changes nothing. */
  | { readonly type: 'operator.whyNot' }
  | OverrideLevel
  | GuardGrant
  /** To itself: one event's steps were not enough. */
  | { readonly type: 'group.goOn' }
  | { readonly type: 'publish.request'; readonly frontend: FrontendName };

export interface GroupStatus {
  readonly group: GroupKey;
  readonly size: number;
  readonly serving: number;
  /** At size, every member in service, nothing leaving. */
  readonly converged: boolean;
  readonly removed: boolean;
  /** Its removal waits for the shrink guard: nobody has left because of it. */
  readonly held?: true;
  /** Instances on demand that are there or on their way; absent: none. They keep a tenant awake. */
  readonly onDemand?: number;
  readonly problem?: string;
}

export interface FrontendStatus {
  readonly frontend: FrontendName;
  readonly address?: string;
  readonly state: 'unknown' | 'up' | 'down';
  /** VPP has acknowledged everything wanted. */
  readonly synced: boolean;
  readonly removed: boolean;
  readonly problem?: string;
}

export type TenantMessage =
  | { readonly type: 'tenant.desired'; readonly spec: TenantSpec }
  | { readonly type: 'tenant.removed'; readonly undoWindowMs: number }
  | { readonly type: 'tenant.undelete' }
  | TenantOrder
  | {
      readonly type: 'tenant.problem';
      readonly message: string;
      /** Who it is, should nothing else be known of it. */
      readonly name?: string;
      readonly kind?: 'project' | 'org';
    }
  | { readonly type: 'group.status'; readonly status: GroupStatus }
  | { readonly type: 'frontend.status'; readonly status: FrontendStatus };

// --- dataplane --------------------------------------------------------------------------------

export type FrontendMessage =
  | { readonly type: 'frontend.desired'; readonly spec: FrontendSpec; readonly owner?: Address }
  | { readonly type: 'frontend.removed' }
  | OutlookQuestion
  | { readonly type: 'member.level'; readonly level: MemberLevel }
  | { readonly type: 'backend.verdict'; readonly verdict: Verdict }
  | { readonly type: 'pool.allocated'; readonly pool: string; readonly address: string }
  | { readonly type: 'pool.exhausted'; readonly pool: string; readonly message: string }
  | { readonly type: 'pool.released'; readonly pool: string }
  | { readonly type: 'vip.applied'; readonly report: VipReport }
  /** Of a withdrawal, by its revision. */
  | { readonly type: 'vip.gone'; readonly revision: number }
  /** lbsync started over and knows the frontend from its ledger alone: it asks to be told. */
  | { readonly type: 'lbsync.hello' }
  | WeightMessage
  | OverrideLevel
  | AnnounceAsked
  | AnnounceStatus
  | NodeLevel
  /** From itself, by way of the store: the decision of this number is on disk. */
  | { readonly type: 'frontend.decided'; readonly revision: number };

export type PoolMessage =
  | { readonly type: 'pool.desired'; readonly spec: PoolRangeSpec }
  | { readonly type: 'pool.allocate'; readonly frontend: FrontendName }
  | { readonly type: 'pool.release'; readonly frontend: FrontendName }
  /** What a block has given it; null: nothing, or nothing any more. */
  | {
      readonly type: 'block.told';
      readonly frontend: FrontendName;
      readonly address: string | null;
    }
  /** On the block's disk. */
  | { readonly type: 'block.adopted'; readonly frontends: readonly FrontendName[] };

/** From a pool to one of its blocks. */
export type BlockMessage =
  | { readonly type: 'block.allocate'; readonly frontend: FrontendName; readonly cidr: string }
  | { readonly type: 'block.release'; readonly frontend: FrontendName }
  | { readonly type: 'block.adopt'; readonly allocations: Readonly<Record<string, string>> };

// --- outbox, reload ------------------------------------------------------------------

export type { OutboxAmendment, OutboxSettings };

export type OutboxMessage =
  | { readonly type: 'outbox.appended'; readonly seq: number }
  | { readonly type: 'outbox.settings'; readonly settings: OutboxSettings }
  | { readonly type: 'outbox.amend'; readonly amendment: OutboxAmendment };

export type ReloadMessage =
  | {
      readonly type: 'reload.requested';
      readonly trigger: 'signal' | 'api' | 'file' | 'boot';
      readonly dryRun: boolean;
      readonly disruptive: boolean;
    }
  /** A thread came back empty: converge to the current generation again. */
  | { readonly type: 'reload.reconverge'; readonly reason: string };
