/**
 * One resource of the tenant manager (a project or an org) as we know it, and the status that is owed
 * for it.
 *
 * Input:  what is known of the resource. Output: the next status to report, or none.
 *
 * Rules: [TE-6] status follows convergence: `in_progress` when its tenant has accepted, `completed` when it
 * converged, `error` when nothing can be derived or its tenant cannot go on, deleted when its tenant is
 * gone; [TE-7] an end is never reported before its beginning; [TE-8] what the tenant manager has
 * acknowledged is not reported again; [TE-9] a converged resource does not fall back to `in_progress`
 * because of a replaced part.
 */
import type { TenantId } from '../../machines/model/ids.js';
import { parseTenantId } from '../../machines/model/ids.js';
import type {
  ResourceReport,
  TenantState,
  TenantStatus,
} from '../../machines/model/tenancy-messages.js';

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
  /** What keeps its tenant from going on; empty: nothing. */
  readonly trouble: string;
  /** What the tenant manager has acknowledged. */
  readonly reported: ResourceReport | null;
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

/** Where it is wanted, as far as its tenant says. */
export function isSettled({ wanted, made, state, problem }: Resource): boolean {
  if (!made) return true;
  if (wanted === 'absent') return state === 'removed';
  return problem !== null || state === 'converged';
}

/** What its tenant says now. */
export function withState(resource: Resource, { state, message }: TenantStatus): Resource {
  const leaving = resource.leaving || state === 'deleting' || state === 'removed';
  const undone = isUndone(resource, state);
  const next = undone ? ({ wanted: 'kept', leaving: false } as const) : { leaving };
  return { ...resource, ...next, state, trouble: message };
}

/** It was going, and is alive: somebody undid it. */
export function isUndone({ wanted, leaving }: Resource, state: TenantState): boolean {
  return wanted === 'absent' && leaving && state !== 'deleting' && state !== 'removed';
}

/** The next report, or undefined when the tenant manager knows all there is. */
export function owedReport(resource: Resource): ResourceReport | undefined {
  const wanted = aim(resource);
  if (wanted === undefined || sameReport(wanted, resource.reported)) return undefined;
  const isEnd = wanted.status === 'completed' || wanted.status === 'deleted';
  return isEnd && resource.reported === null ? IN_PROGRESS : wanted;
}

const IN_PROGRESS: ResourceReport = { status: 'in_progress', message: '' };
const COMPLETED: ResourceReport = { status: 'completed', message: '' };
const DELETED: ResourceReport = { status: 'deleted', message: '' };
const UNDONE: ResourceReport = {
  status: 'error',
  message: 'its deletion was undone by an operator',
};

/** Where the reports should end up. */
function aim(resource: Resource): ResourceReport | undefined {
  const { wanted, problem } = resource;
  if (wanted === 'kept') return UNDONE;
  if (wanted === 'absent') return aimOfDeleted(resource);
  return problem === null ? aimOfPresent(resource) : failed(problem);
}

function aimOfDeleted({ kind, name, state, leaving, trouble }: Resource) {
  if (state === 'removed') return DELETED;
  if (!leaving) return undefined;
  if (trouble === '') return IN_PROGRESS;
  return failed(`${kind} "${name}" cannot be deleted yet: ${trouble}`);
}

function aimOfPresent({ kind, name, state, trouble, reported }: Resource) {
  switch (state) {
    case 'accepted':
    case 'converging':
      return trouble === '' ? IN_PROGRESS : failed(`${kind} "${name}" waits: ${trouble}`);
    case 'converged':
      return COMPLETED;
    case 'degraded':
      return reported?.status === 'completed' ? COMPLETED : IN_PROGRESS;
    default:
      return undefined;
  }
}

function failed(message: string): ResourceReport {
  return { status: 'error', message: message.slice(0, MESSAGE_LENGTH_MAX) };
}

export function sameReport(
  a: ResourceReport | null | undefined,
  b: ResourceReport | null | undefined,
): boolean {
  return a?.status === b?.status && a?.message === b?.message;
}
