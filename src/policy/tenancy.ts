/**
 * Events of the tenant manager → what is known of its resources.
 *
 * Input:  the known resources, one answer of the tenant manager, who may not be named. Output: the
 * resources afterwards, and which of them must hear something new.
 *
 * Rules: [TE-2] the last event of an answer decides for its resource, so a resource that came and went
 * in between is never made; [TE-3] an id that was deleted comes back only when a replay lists it as
 * live; [TE-4] what a replay does not mention is left alone, except for what is over already;
 * [TE-5] a resource whose template cannot be derived, or whose name is taken, is parked alone;
 * [TE-10] an empty template is done with at once, and nothing is made.
 */
import type { JsonObject } from '../../machines/model/json.js';
import {
  isBuried,
  type Resource,
  type ResourceKind,
  type Resources,
  refreshed,
  tenantOf,
} from './tenancy-resource.js';
import { deriveTenant } from './tenant-plan.js';

/** An event as the tenant manager tells it. */
export interface ResourceEvent {
  readonly id: number;
  readonly eventType: 'created' | 'deleted';
  readonly resourceType: ResourceKind;
  readonly resourceId: string;
  readonly resourceName: string;
}

export interface Answer {
  readonly events: readonly ResourceEvent[];
  readonly replay: boolean;
}

/** What a project and an org get, and which names config has taken. */
export interface Templates {
  readonly onProject: JsonObject;
  readonly onOrg: JsonObject;
  readonly generation: number;
  readonly reservedNames?: readonly string[];
}

export interface Taken {
  readonly resources: Resources;
  /** Keys of the resources that are new, or wanted differently. */
  readonly changed: readonly string[];
}

export function takeAnswer(known: Resources, answer: Answer, templates: Templates): Taken {
  const resources: Record<string, Resource> = { ...known };
  const changed: string[] = [];
  const latest = latestEvents(answer.events);
  for (const [key, event] of latest) {
    const before = known[key];
    const after = afterEvent(before, event, answer.replay);
    if (after === undefined || after === before) continue;
    resources[key] = assessed(after, templates);
    changed.push(key);
  }
  if (answer.replay) dropBuried(resources, latest);
  return { resources, changed };
}

/** One event per resource; where they come in the answer says which is newer. */
function latestEvents(events: readonly ResourceEvent[]): ReadonlyMap<string, ResourceEvent> {
  const latest = new Map<string, ResourceEvent>();
  for (const event of events) {
    const key = tenantOf(event.resourceId);
    if (key !== undefined) latest.set(key, event);
  }
  return latest;
}

function afterEvent(
  before: Resource | undefined,
  event: ResourceEvent,
  replay: boolean,
): Resource | undefined {
  if (before === undefined) return newcomer(event);
  if (event.eventType === 'deleted') {
    return before.wanted === 'present' ? { ...before, wanted: 'absent', attempts: 0 } : before;
  }
  if (before.wanted === 'present') return before;
  if (!replay) return before;
  const { id, tenant, kind, name } = before;
  return { ...fresh({ id, tenant, kind, name }), made: before.made };
}

function newcomer(event: ResourceEvent): Resource | undefined {
  const { resourceId: id, resourceType: kind, resourceName: name } = event;
  const tenant = tenantOf(id);
  if (tenant === undefined) return undefined;
  const resource = fresh({ id, tenant, kind, name });
  if (event.eventType === 'created') return resource;
  // Perhaps made in a life this store knows nothing of: its tenant has to say that it is gone.
  return { ...resource, wanted: 'absent', made: true };
}

function fresh(identity: Pick<Resource, 'id' | 'tenant' | 'kind' | 'name'>): Resource {
  return {
    ...identity,
    wanted: 'present',
    made: false,
    leaving: false,
    problem: null,
    state: null,
    reported: null,
    attempts: 0,
  };
}

function dropBuried(
  resources: Record<string, Resource>,
  mentioned: ReadonlyMap<string, ResourceEvent>,
): void {
  for (const [key, resource] of Object.entries(resources)) {
    if (isBuried(resource) && !mentioned.has(key)) delete resources[key];
  }
}

/** Templates changed: every resource is looked at again. */
export function reassess(known: Resources, templates: Templates): Resources {
  const entries = Object.entries(known).map(([key, resource]): [string, Resource] => [
    key,
    assessed(resource, templates),
  ]);
  return Object.fromEntries(entries);
}

function assessed(resource: Resource, templates: Templates): Resource {
  const derived = deriveFor(resource, templates);
  const problem = derived.ok ? null : derived.failure;
  const something = !derived.ok || derived.value.groups.length + derived.value.frontends.length > 0;
  const made = resource.made || (something && resource.wanted !== 'absent');
  const judged = { ...resource, problem, made };
  return refreshed(
    resource,
    made ? begun(resource, judged) : { ...judged, ...nothingToDo(judged) },
  );
}

/** What an empty template was done with at once has something to do now. */
function begun(before: Resource, after: Resource): Resource {
  return before.made ? after : { ...after, state: null };
}

/** [TE-10] Where there is nothing to make, all is done as soon as it is asked for. */
function nothingToDo({ wanted }: Resource): Pick<Resource, 'state' | 'leaving'> {
  return wanted === 'absent'
    ? { state: 'removed', leaving: true }
    : { state: 'converged', leaving: false };
}

/** What this resource's tenant should have, or the sentence that parks it. */
export function deriveFor(resource: Resource, templates: Templates) {
  const { kind, name, tenant } = resource;
  if (templates.reservedNames?.includes(name) === true) {
    const failure = `${kind} "${name}" has the name of a tenant of the configuration`;
    return { ok: false, failure } as const;
  }
  const plan = kind === 'project' ? templates.onProject : templates.onOrg;
  const { generation } = templates;
  const derived = deriveTenant(plan, {
    id: tenant,
    displayName: name,
    kind,
    source: 'tenancy',
    generation,
  });
  if (derived.ok) return derived;
  return { ok: false, failure: `${kind} "${name}": ${derived.failure}` } as const;
}
