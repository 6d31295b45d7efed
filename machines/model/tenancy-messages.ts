/**
 * Messages around the tenant manager:
 *
 *   tenancy ─ resource.event, resource.missing, resource.settings ─► resource ─ tenant.* ─► tenant
 *   tenancy ◄─ resource.accepted, resource.waits ─ resource ◄─ tenant.status ─ tenant
 *   resource ─ status.owed ─► reporter ─ status.told ─► resource
 *
 * All levels: said again, they change nothing. The settings travel by reference: tenancy, its resources
 * and the reporter live in one thread.
 */
import type { TenantId } from './ids.js';
import type { JsonObject } from './json.js';

export type TenantState =
  | 'accepted'
  | 'converging'
  | 'converged'
  | 'degraded'
  | 'deleting'
  | 'removed';

export interface TenantStatus {
  readonly tenant: TenantId;
  readonly kind: 'project' | 'org';
  readonly state: TenantState;
  readonly message: string;
}

export type TenancyMessage =
  | { readonly type: 'tenancy.settings'; readonly settings: TenancySettings }
  /** A resource has taken what it was told; level by event. */
  | { readonly type: 'resource.accepted'; readonly accepted: ResourceAccepted }
  /** A resource needs the settings: it retries, or has to tell its tenant once more. */
  | { readonly type: 'resource.waits' };

export interface TenancySettings {
  readonly pollIntervalMs: number;
  readonly pollLimit: number;
  readonly initialBackoffMs: number;
  readonly maxBackoffMs: number;
  readonly httpTimeoutMs: number;
  readonly undoWindowMs: number;
  /** `strict`: one lane for all resources, which waits for the one that cannot be accepted. */
  readonly ordering: 'per-resource' | 'strict';
  /** Waits of a lane that cannot go on. */
  readonly laneBackoff: { readonly baseMs: number; readonly maxMs: number };
  /** Of every wait for the tenant manager and of every lane, 0..1. */
  readonly jitter: number;
  /** What a project and an org get: the template text of the config, derived per tenant. */
  readonly onProject: JsonObject;
  readonly onOrg: JsonObject;
  /** Names of static tenants: a project of that name is parked. */
  readonly reservedNames: readonly string[];
  /** PEM files towards the tenant manager. */
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  readonly generation: number;
}

/** One event of the tenant manager on its way to its resource. */
export interface ResourceNews {
  /** Raised by every replay: ids count within one. */
  readonly era: number;
  /** 0 in a replay. */
  readonly id: number;
  readonly replay: boolean;
  readonly eventType: 'created' | 'deleted';
  readonly resourceType: 'org' | 'project';
  readonly resourceId: string;
  readonly resourceName: string;
}

export interface ResourceAccepted {
  readonly tenant: TenantId;
  readonly era: number;
  readonly id: number;
  /** Something was decided. */
  readonly changed: boolean;
  /** It is parked, and why. */
  readonly problem: string | null;
}

/** What the tenant manager is told of a resource. */
export interface ResourceReport {
  readonly status: 'in_progress' | 'completed' | 'error' | 'deleted';
  readonly message: string;
}

export type ResourceMessage =
  | {
      readonly type: 'resource.event';
      readonly news: ResourceNews;
      readonly settings: TenancySettings;
    }
  /** A replay listed everything, and not this one. */
  | { readonly type: 'resource.missing'; readonly settings: TenancySettings }
  | { readonly type: 'resource.settings'; readonly settings: TenancySettings }
  /** Tries at once what is parked. */
  | { readonly type: 'resource.unpark' }
  | { readonly type: 'tenant.status'; readonly status: TenantStatus }
  | {
      readonly type: 'status.told';
      readonly report: ResourceReport;
      readonly outcome: 'acknowledged' | 'refused';
    };

// --- reporter (a service: statuses on their way to the tenant manager) -------------------------------

export type ReporterMessage =
  | { readonly type: 'reporter.settings'; readonly settings: { readonly timeoutMs: number } }
  /** Whether the tenant manager answered the latest question, and whether more of its events wait. */
  | { readonly type: 'reporter.line'; readonly up: boolean; readonly busy: boolean }
  /** The newest of a resource is the one that is told. */
  | { readonly type: 'status.owed'; readonly order: StatusOrder };

export interface StatusOrder {
  readonly tenant: TenantId;
  readonly resource: { readonly type: 'org' | 'project'; readonly id: string };
  readonly report: ResourceReport;
}
