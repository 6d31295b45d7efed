/**
 * The instances a configuration would create and delete, from the sizes it gives and those in force.
 *
 * Input:  tenants as the configuration wants them, views of groups and instances.
 * Output: one row per instance: `{action, group, id?, reason}`. Which one of a shrinking group goes is
 *         decided when it goes, so only those of removed groups, and those that were made from
 *         another template, are named.
 */
import type { GroupSpec, TenantSpec } from '../../machines/model/desired.js';
import { groupKeyOf } from '../../machines/model/ids.js';
import type { JsonObject } from '../../machines/model/json.js';
import { planOrdered } from '../config/ordered-group.js';
import type { Site } from '../config/site.js';
import { deriveTenant } from '../policy/tenant-plan.js';

/** The tenants of a site, and what others are made from. */
export type WantedTenants = Pick<Site, 'generation' | 'tenants' | 'tenancy'>;

/** A tenant that is deleted gets nothing from any configuration. */
const GOING = ['deleting', 'draining'];

/** The site's own tenants, and those that the tenant manager has had made from its templates. */
export function tenantsIn(
  site: WantedTenants,
  known: readonly JsonObject[],
): readonly TenantSpec[] {
  const { tenancy, generation } = site;
  if (tenancy === undefined) return site.tenants;
  const made = known
    .filter(({ source, state }) => source === 'tenancy' && !GOING.includes(String(state)))
    .filter(({ name }) => !tenancy.reservedNames.includes(String(name)))
    .flatMap(({ id, name, kind }) => {
      const plan = kind === 'org' ? tenancy.onOrg : tenancy.onProject;
      const identity = {
        id: String(id),
        displayName: String(name),
        kind: kind === 'org' ? 'org' : 'project',
        source: 'tenancy',
        generation,
      } as const;
      const derived = deriveTenant(plan, identity);
      return derived.ok ? [derived.value] : [];
    });
  return [...site.tenants, ...made];
}

/** And the groups that programs ordered; one that this configuration cannot make stays as it is. */
export function withOrdered(
  tenants: readonly TenantSpec[],
  known: readonly JsonObject[],
  catalogue: JsonObject,
): readonly TenantSpec[] {
  const orders = new Map(known.map(({ id, ordered }) => [String(id), ordered]));
  return tenants.map((tenant) => {
    const ordered = orders.get(tenant.id);
    const names = new Set(tenant.groups.map(({ name }) => name));
    const more = (Array.isArray(ordered) ? ordered : []).flatMap((one): GroupSpec[] => {
      const { group, wish } = one as { group: string; wish: JsonObject };
      const name = group.slice(group.indexOf('/') + 1);
      const plan = planOrdered(catalogue, name, wish);
      if (!plan.ok || names.has(name)) return [];
      const key = groupKeyOf(tenant.id, name);
      const identity = { key, tenant: tenant.id, frontends: [], generation: tenant.generation };
      return [{ ...plan.value, ...identity }];
    });
    return more.length === 0 ? tenant : { ...tenant, groups: [...tenant.groups, ...more] };
  });
}

/** Ordered groups that this configuration cannot make: they stay as they are. */
export function unplannable(
  known: readonly JsonObject[],
  catalogue: JsonObject,
): ReadonlySet<string> {
  const all = known.flatMap(({ ordered }) => (Array.isArray(ordered) ? ordered : []));
  const keys = all.flatMap((one) => {
    const { group, wish } = one as { group: string; wish: JsonObject };
    const name = group.slice(group.indexOf('/') + 1);
    return planOrdered(catalogue, name, wish).ok ? [] : [group];
  });
  return new Set(keys);
}

export interface Present {
  readonly groups: readonly JsonObject[];
  readonly members: readonly JsonObject[];
}

export function instancesOf(tenants: readonly TenantSpec[], present: Present): JsonObject[] {
  const wanted = new Map(tenants.flatMap(({ groups }) => groups).map((one) => [one.key, one]));
  const known = new Map(present.groups.map((one) => [`${one['tenant']}/${one['name']}`, one]));
  const keys = [...new Set<string>([...wanted.keys(), ...known.keys()])].sort();
  return keys.flatMap((key) => {
    const group = wanted.get(key as GroupSpec['key']);
    if (group === undefined) return removed(key, present.members);
    const rotated = known.has(key) ? drifted(key, group, present.members) : [];
    return [...resized(key, group, known.get(key)), ...rotated];
  });
}

/** An override of the size holds for as long as the configured size is the same. */
function resized(group: string, { size }: GroupSpec, known: JsonObject | undefined): JsonObject[] {
  if (known === undefined) return rows('create', size, { group, reason: 'the group is new' });
  if (known['size'] === size) return [];
  const now = Number(known['effectiveSize'] ?? known['size'] ?? 0);
  const reason = `its size goes from ${now} to ${size}`;
  const action = size > now ? 'create' : 'delete';
  return rows(action, Math.abs(size - now), { group, reason });
}

function rows(action: string, count: number, rest: JsonObject): JsonObject[] {
  return Array.from({ length: count }, () => ({ action, ...rest }));
}

/** Gone, or on its way out whatever the configuration says. */
const LEAVING = ['draining', 'drained', 'deleting', 'deleted', 'failed', 'lost'];

function stayingIn(group: string, members: readonly JsonObject[]): readonly JsonObject[] {
  return members
    .filter((one) => `${one['tenant']}/${one['group']}` === group || one['group'] === group)
    .filter(({ state }) => !LEAVING.includes(String(state)));
}

/** Each is replaced in its turn, as the budget of its group allows. */
function drifted(
  group: string,
  { template }: GroupSpec,
  members: readonly JsonObject[],
): JsonObject[] {
  const reason = `it was made from another template than ${template.name} is now`;
  return stayingIn(group, members)
    .filter(
      (one) => one['infraHash'] !== template.infraHash || one['provider'] !== template.provider,
    )
    .map(({ id }) => ({ action: 'replace', group, id: id ?? null, reason }));
}

function removed(group: string, members: readonly JsonObject[]): JsonObject[] {
  return stayingIn(group, members).map(({ id }) => ({
    action: 'delete',
    group,
    id: id ?? null,
    reason: 'the group is removed',
  }));
}
