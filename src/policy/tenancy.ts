/**
 * Events of the tenant manager → what is known of one of its resources.
 *
 * Input:  what is known (null: nothing), an event, who may not be named. Output: what is known then.
 *
 * Rules: [TE-2] the last event of an answer decides for its resource, so a resource that came and went
 * in between is never made; [TE-3] an id that was deleted comes back only when a replay lists it as
 * live; [TE-5] a resource whose template cannot be derived, or whose name is taken, is parked alone;
 * [TE-10] an empty template is done with at once, and nothing is made.
 */
import type { TenantSpec } from '../../machines/model/desired.js';
import type { JsonObject } from '../../machines/model/json.js';
import type { Result } from '../../machines/model/result.js';
import type { ResourceNews } from '../../machines/model/tenancy-messages.js';
import { type Resource, tenantOf } from './tenancy-resource.js';
import { deriveTenant } from './tenant-plan.js';

/** An event as the tenant manager tells it. */
export type ResourceEvent = Omit<ResourceNews, 'era' | 'replay'>;

/** What a project and an org get, and which names config has taken. */
export interface Templates {
  readonly onProject: JsonObject;
  readonly onOrg: JsonObject;
  readonly generation: number;
  readonly reservedNames?: readonly string[];
}

/** One event per resource, in the order in which they were told; the last one decides. */
export function latestEvents(events: readonly ResourceEvent[]): readonly ResourceEvent[] {
  const latest = new Map<string, ResourceEvent>();
  for (const event of events) {
    const key = tenantOf(event.resourceId);
    if (key === undefined) continue;
    latest.delete(key);
    latest.set(key, event);
  }
  return [...latest.values()];
}

/** `before` itself when the event says nothing new. */
export function afterEvent(before: Resource | null, news: ResourceNews): Resource | null {
  if (before === null) return newcomer(news);
  if (news.eventType === 'deleted') {
    return before.wanted === 'present' ? { ...before, wanted: 'absent' } : before;
  }
  if (before.wanted === 'present' || !news.replay) return before;
  const { id, tenant, kind } = before;
  return { ...fresh({ id, tenant, kind, name: news.resourceName }), made: before.made };
}

function newcomer(news: ResourceNews): Resource | null {
  const { resourceId: id, resourceType: kind, resourceName: name } = news;
  const tenant = tenantOf(id);
  if (tenant === undefined) return null;
  const resource = fresh({ id, tenant, kind, name });
  if (news.eventType === 'created') return resource;
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
    trouble: '',
    reported: null,
  };
}

/** The templates decide anew what it gets: after an event, and whenever they may have changed. */
export function assessed(resource: Resource, templates: Templates): Resource {
  const derived = deriveFor(resource, templates);
  const problem = derived.ok ? null : derived.failure;
  const something = !derived.ok || derived.value.groups.length + derived.value.frontends.length > 0;
  const made = resource.made || (something && resource.wanted !== 'absent');
  const judged = { ...resource, problem, made };
  return made ? begun(resource, judged) : { ...judged, ...nothingToDo(judged) };
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

/**
 * What this resource's tenant should have, or the sentence that parks it. While one event is taken it is
 * asked several times.
 */
export function deriveFor(resource: Resource, templates: Templates): Result<TenantSpec, string> {
  const { kind, name, tenant } = resource;
  if (last?.templates === templates && last.tenant === tenant && last.name === name) {
    if (last.kind === kind) return last.derived;
  }
  const derived = derive(resource, templates);
  last = { templates, tenant, name, kind, derived };
  return derived;
}

let last:
  | (Pick<Resource, 'tenant' | 'name' | 'kind'> & {
      readonly templates: Templates;
      readonly derived: Result<TenantSpec, string>;
    })
  | undefined;

function derive(
  { kind, name, tenant }: Resource,
  templates: Templates,
): Result<TenantSpec, string> {
  if (templates.reservedNames?.includes(name) === true) {
    const failure = `${kind} "${name}" has the name of a tenant of the configuration`;
    return { ok: false, failure };
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
  return { ok: false, failure: `${kind} "${name}": ${derived.failure}` };
}
