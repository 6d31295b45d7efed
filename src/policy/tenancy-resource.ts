/**
 * One resource of the tenant manager (a project or an org) as tenancy knows it, and the status that is
 * owed for it.
 *
 * Input:  what is known of the resource. Output: the next status to report, or none.
 *
 * Rules: [TE-6] status follows convergence: `in_progress` when its tenant has accepted, `completed` when it
 * converged, `error` when nothing can be derived, deleted when its tenant is gone; [TE-7] an end is
 * never reported before its beginning; [TE-8] what the tenant manager has acknowledged is not reported
 * again; [TE-9] a converged resource does not fall back to `in_progress` because of a replaced part.
 */
import type { TenantId } from '../../machines/model/ids.js';
import { parseTenantId } from '../../machines/model/ids.js';
import type { TenantState } from '../../machines/model/messages.js';

export type ResourceKind = 'org' | 'project';

export interface Resource {
  /** As the tenant manager spells it. */
  readonly id: string;
  readonly tenant: TenantId;
  readonly kind: ResourceKind;
  readonly name: string;
  /** `kept`: deleted by the tenant manager, undone by an operator. */
  readonly wanted: 'present' | 'absent' | 'kept';
  /** A tenant was told of it: only those with something to have, or with a problem, are made. */
  readonly made: boolean;
  /** Its tenant has accepted the deletion. */
  readonly leaving: boolean;
  /** Why it is parked: nothing can be derived for it. */
  readonly problem: string | null;
  /** What its tenant last said of itself. */
  readonly state: TenantState | null;
  /** What the tenant manager has acknowledged. */
  readonly reported: Report | null;
  /** Reports of the present status that failed in a row. */
  readonly attempts: number;
}

export type Resources = Readonly<Record<string, Resource>>;

export interface Report {
  readonly status: 'in_progress' | 'completed' | 'error' | 'deleted';
  readonly message: string;
}

/** Longest message given to the tenant manager; it refuses bodies above 64 KiB. */
const MESSAGE_LENGTH_MAX = 1_000;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** A resource's tenant is named by its uuid without hyphens: always a name, never one of config. */
export function tenantOf(resourceId: string): TenantId | undefined {
  if (!UUID.test(resourceId)) return undefined;
  return parseTenantId(resourceId.replaceAll('-', '').toLowerCase());
}

export function isParked({ wanted, problem }: Resource): boolean {
  return wanted === 'present' && problem !== null;
}

/** Over for good: gone here, and the tenant manager knows. */
export function isBuried({ wanted, reported }: Resource): boolean {
  return wanted === 'absent' && reported?.status === 'deleted';
}

/** What its tenant says now. */
export function withState(resource: Resource, state: TenantState): Resource {
  const leaving = resource.leaving || state === 'deleting' || state === 'removed';
  const undone = resource.wanted === 'absent' && resource.leaving && isAlive(state);
  const next = undone ? ({ wanted: 'kept', leaving: false } as const) : { leaving };
  return refreshed(resource, { ...resource, ...next, state });
}

function isAlive(state: TenantState): boolean {
  return state !== 'deleting' && state !== 'removed';
}

/** A status that changed is tried at once, however often the one before it failed. */
export function refreshed(before: Resource, after: Resource): Resource {
  const same = sameReport(aim(before), aim(after));
  return same ? after : { ...after, attempts: 0 };
}

/** The next report, or undefined when the tenant manager knows all there is. */
export function owedReport(resource: Resource): Report | undefined {
  const wanted = aim(resource);
  if (wanted === undefined || sameReport(wanted, resource.reported ?? undefined)) return undefined;
  const isEnd = wanted.status === 'completed' || wanted.status === 'deleted';
  return isEnd && resource.reported === null ? IN_PROGRESS : wanted;
}

const IN_PROGRESS: Report = { status: 'in_progress', message: '' };
const COMPLETED: Report = { status: 'completed', message: '' };
const DELETED: Report = { status: 'deleted', message: '' };
const UNDONE: Report = { status: 'error', message: 'its deletion was undone by an operator' };

/** Where the reports should end up. */
function aim(resource: Resource): Report | undefined {
  const { wanted, state, problem, reported } = resource;
  if (wanted === 'kept') return UNDONE;
  if (wanted === 'absent') {
    if (state === 'removed') return DELETED;
    return resource.leaving ? IN_PROGRESS : undefined;
  }
  if (problem !== null) return { status: 'error', message: problem.slice(0, MESSAGE_LENGTH_MAX) };
  switch (state) {
    case 'accepted':
    case 'converging':
      return IN_PROGRESS;
    case 'converged':
      return COMPLETED;
    case 'degraded':
      return reported?.status === 'completed' ? COMPLETED : IN_PROGRESS;
    default:
      return undefined;
  }
}

function sameReport(a: Report | undefined, b: Report | undefined): boolean {
  return a?.status === b?.status && a?.message === b?.message;
}
