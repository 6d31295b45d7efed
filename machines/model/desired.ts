/**
 * Desired state: what configuration and tenancy want, resolved to the last default, one value per
 * actor. `src/config/site.ts` derives it; the actors converge to it. Durations are milliseconds,
 * shares are 0..1, weights are 0..100 as configured.
 */
import type { AnnounceSpec } from './announce.js';
import type { BackendName, FrontendName, GroupKey, TenantId } from './ids.js';
import type { JsonObject } from './json.js';
import type { Encap, VipProtocol } from './lb.js';

export interface RetrySpec {
  readonly baseMs: number;
  readonly maxMs: number;
  readonly attempts: number;
  readonly jitter: number;
}

export interface HealthCheckSpec {
  readonly name: string;
  readonly type: 'tcp' | 'http' | 'https' | 'icmp';
  /** Absent: the backend's own port. */
  readonly port?: number;
  readonly path: string;
  /** Host header; absent: the address. */
  readonly host?: string;
  /** Accepted status codes, inclusive ranges. */
  readonly status: readonly { readonly from: number; readonly to: number }[];
  readonly bodyMatches?: string;
  readonly serverName?: string;
  readonly insecureSkipVerify: boolean;
  readonly intervalMs: number;
  readonly fastIntervalMs: number;
  readonly downIntervalMs: number;
  readonly timeoutMs: number;
  readonly rise: number;
  readonly fall: number;
  readonly snap: boolean;
  readonly jitter: number;
  readonly source4?: string;
  readonly source6?: string;
  readonly netns?: string;
}

export interface TemplateSpec {
  readonly name: string;
  readonly provider: string;
  /** Opaque to us; hashed for drift. */
  readonly spec: JsonObject;
  readonly vars: Readonly<Record<string, string>>;
  readonly infraHash: string;
}

/** What an instance is made from, in one word: another one needs another instance. */
export function infraOf({ provider, infraHash }: TemplateSpec): string {
  return `${provider}/${infraHash}`;
}

/** How much of a group may be out at once, and for what its members are replaced although well. */
export interface DisruptionSpec {
  readonly budget: {
    readonly max: { readonly count: number } | { readonly share: number };
    /** Cron expressions in UTC; replacements that can wait begin only while one is open. */
    readonly windows: 'always' | readonly { readonly cron: string; readonly durationMs: number }[];
  };
  /** `unhealthyAbove`: a share of the group. */
  readonly breaker: { readonly unhealthyAbove: number };
  /** Absent: never too old. */
  readonly expiry: {
    readonly eligibleAgeMs?: number;
    readonly forcedAgeMs?: number;
    /** Of instances on demand. */
    readonly onDemandAgeMs?: number;
  };
}

export const DEFAULT_DISRUPTION: DisruptionSpec = {
  budget: { max: { count: 1 }, windows: 'always' },
  breaker: { unhealthyAbove: 0.4 },
  expiry: {},
};

export interface GroupSpec {
  readonly key: GroupKey;
  readonly tenant: TenantId;
  readonly name: string;
  readonly size: number;
  readonly maxSize: number;
  /** Its tenant sleeps: no member is wanted, whatever the size, until it wakes. */
  readonly asleep?: true;
  readonly template: TemplateSpec;
  readonly health: {
    readonly source: 'probe' | 'agent' | 'both';
    readonly graceMs: number;
    readonly agentIntervalMs: number;
    readonly missedReports: number;
    readonly replaceAfterMs: number;
  };
  /** Absent: no port to probe; a member serves as soon as its address is known. */
  readonly backend?: { readonly probePort: number; readonly check?: HealthCheckSpec };
  readonly drain: { readonly timeoutMs: number; readonly holdMaxMs: number };
  readonly replace: 'create-first' | 'delete-first';
  /** Absent in what was stored before there was any: the default. */
  readonly disruption?: DisruptionSpec;
  readonly bootTimeoutMs: number;
  readonly resyncIntervalMs: number;
  readonly deletedRetentionMs: number;
  readonly retry: RetrySpec;
  /** Every frontend with this group in a pool: they are told of each member. */
  readonly frontends: readonly FrontendName[];
  readonly generation: number;
}

export interface BackendSpec {
  readonly name: BackendName;
  readonly address: string;
  /** Absent: nothing to probe, the backend counts as up. */
  readonly probe?: { readonly port: number; readonly check: HealthCheckSpec };
  readonly enabled: boolean;
  /** Every frontend that has this backend as a member. */
  readonly frontends: readonly FrontendName[];
  readonly generation: number;
}

export interface PoolMemberSpec {
  readonly ref:
    | { readonly kind: 'backend'; readonly backend: BackendName; readonly address: string }
    | { readonly kind: 'group'; readonly group: GroupKey; readonly maxSize: number };
  readonly weight: number;
}

export interface PoolSpec {
  readonly name: string;
  readonly members: readonly PoolMemberSpec[];
}

export interface FrontendSpec {
  readonly name: FrontendName;
  readonly tenant?: TenantId;
  /** Exactly one of the two: a literal address, or the pool that allocates one. */
  readonly address?: string;
  readonly addressFrom?: string;
  readonly protocol: VipProtocol;
  readonly port: number;
  readonly encap: 'auto' | Encap;
  readonly dscp: number;
  readonly srcIpSticky: boolean;
  /** Absent: `auto`, see src/lb/scale.ts. */
  readonly tableLength?: number;
  readonly weightScale: 'reduced' | 'exact';
  readonly flushOnDown: boolean;
  readonly unknown: 'keep' | 'zero';
  readonly allDown: 'keep' | 'zero';
  readonly activeWhile: number;
  readonly failBack: { readonly at: number; readonly holdForMs: number };
  readonly priority: number;
  /** Absent: off. A share of the pool's weight, below which members that are only silent keep theirs. */
  readonly panicBelow?: number;
  /** Absent: off. Percent of a member's weight, each for `everyMs`, until it has all of it. */
  readonly slowStart?: { readonly steps: readonly number[]; readonly everyMs: number };
  /** Absent: there is no program to call. */
  readonly announce?: AnnounceSpec;
  /** After a restart: the longest wait for the health of its members. */
  readonly startupMaxDelayMs: number;
  /** Loaded with `--disruptive`: its VIP may be re-created once, if its attributes ask for it. */
  readonly mayRecreate?: boolean;
  readonly pools: readonly PoolSpec[];
  readonly generation: number;
}

export interface TenantSpec {
  readonly id: TenantId;
  readonly displayName: string;
  readonly kind: 'project' | 'org';
  readonly source: 'static' | 'tenancy';
  readonly groups: readonly GroupSpec[];
  readonly frontends: readonly FrontendSpec[];
  readonly generation: number;
}

export interface PoolRangeSpec {
  readonly name: string;
  readonly cidr: string;
  readonly generation: number;
}
