/**
 * A tenant's plan: what a project, an org or a static tenant gets, with everything it refers to
 * resolved, and still without a name.
 *
 * Input: a plan (plain data: it travels inside `tenancy.settings`) and who the tenant is. Output:
 * the tenant's desired state, in which group references are its own and frontends are named
 * `<tenant>/<name>`. Needs no configuration and no schema, so tenancy can derive on its own.
 */
import type {
  FrontendSpec,
  GroupSpec,
  PoolSpec,
  TenantSpec,
} from '../../machines/model/desired.js';
import {
  type FrontendName,
  groupKeyOf,
  parseFrontendName,
  parseTenantId,
  type TenantId,
} from '../../machines/model/ids.js';
import type { JsonObject } from '../../machines/model/json.js';
import type { GroupPlan } from '../../machines/model/ordered-groups.js';
import { fail, ok, type Result } from '../../machines/model/result.js';

export type { GroupPlan } from '../../machines/model/ordered-groups.js';

export interface FrontendPlan
  extends Omit<FrontendSpec, 'name' | 'tenant' | 'generation' | 'pools'> {
  readonly name: string;
  readonly pools: readonly PoolPlan[];
}

export interface PoolPlan {
  readonly name: string;
  readonly members: readonly { readonly group: string; readonly weight: number }[];
}

export interface TenantPlan {
  readonly groups: readonly GroupPlan[];
  readonly frontends: readonly FrontendPlan[];
}

export interface TenantIdentity {
  readonly id: string;
  readonly displayName: string;
  readonly kind: 'project' | 'org';
  readonly source: 'static' | 'tenancy';
  readonly generation: number;
}

/** Fails with one sentence: the tenant is parked with it. */
export function deriveTenant(
  plan: JsonObject,
  identity: TenantIdentity,
): Result<TenantSpec, string> {
  const id = parseTenantId(identity.id);
  if (id === undefined) return fail(`"${identity.id}" cannot name a tenant`);
  if (!isTenantPlan(plan)) return fail('the template of this kind of tenant cannot be read');
  const { generation } = identity;
  const frontends: FrontendSpec[] = [];
  for (const frontend of plan.frontends) {
    const built = buildFrontend(plan, frontend, id);
    if (!built.ok) return built;
    frontends.push({ ...built.value, generation });
  }
  const groups = plan.groups.map((group) => buildGroup(group, id, frontends, generation));
  return ok({ ...identity, id, groups, frontends });
}

function buildGroup(
  plan: GroupPlan,
  tenant: TenantId,
  frontends: readonly FrontendSpec[],
  generation: number,
): GroupSpec {
  const key = groupKeyOf(tenant, plan.name);
  const audience = frontends
    .filter((frontend) =>
      frontend.pools.some((pool) =>
        pool.members.some(({ ref }) => ref.kind === 'group' && ref.group === key),
      ),
    )
    .map((frontend) => frontend.name);
  return { ...plan, key, tenant, frontends: audience, generation };
}

function buildFrontend(
  plan: TenantPlan,
  frontend: FrontendPlan,
  tenant: TenantId,
): Result<Omit<FrontendSpec, 'generation'>, string> {
  const name = parseFrontendName(`${tenant}/${frontend.name}`);
  if (name === undefined) return fail(`"${frontend.name}" cannot name a frontend`);
  const pools: PoolSpec[] = [];
  for (const pool of frontend.pools) {
    const members = buildMembers(plan, pool, tenant, name);
    if (!members.ok) return members;
    pools.push({ name: pool.name, members: members.value });
  }
  return ok({ ...frontend, name, tenant, pools });
}

function buildMembers(
  plan: TenantPlan,
  pool: PoolPlan,
  tenant: TenantId,
  frontend: FrontendName,
): Result<PoolSpec['members'], string> {
  const members: PoolSpec['members'][number][] = [];
  for (const { group, weight } of pool.members) {
    const found = plan.groups.find((one) => one.name === group);
    if (found === undefined) return fail(`frontend ${frontend}: no group is named "${group}"`);
    const ref = {
      kind: 'group',
      group: groupKeyOf(tenant, group),
      maxSize: found.maxSize,
    } as const;
    members.push({ ref, weight });
  }
  return ok(members);
}

/** Plans come from src/config/site.ts, possibly by way of an older release's stored row. */
function isTenantPlan(plan: object): plan is TenantPlan {
  const { groups, frontends } = plan as Partial<Record<keyof TenantPlan, unknown>>;
  return (
    isListWith(groups, ['name', 'template', 'maxSize']) && isListWith(frontends, ['name', 'pools'])
  );
}

function isListWith(value: unknown, keys: readonly string[]): boolean {
  return (
    Array.isArray(value) &&
    value.every((one: unknown) => {
      return (
        typeof one === 'object' && one !== null && keys.every((key) => Object.hasOwn(one, key))
      );
    })
  );
}
