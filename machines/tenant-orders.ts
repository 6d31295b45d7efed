/**
 * What operators' programs order of a tenant: groups beside those of the configuration, sleep.
 *
 * Input: its memory and an order. Output: what changes in the memory, refusals, what operators see.
 *
 * Rules: [TN-10] a group that was ordered is durable before it is agreed to, and stays until it is dismissed or the
 * tenant goes; one of the configuration with its name comes first; [TN-11] what a newer configuration cannot make
 * stays as it was, and says so; [TN-12] a tenant sleeps until it is woken, an instance on demand wakes it, and it
 * does not fall asleep over one.
 */
import type { Meta } from './model/effects.js';
import { parseGroupKey } from './model/ids.js';
import type { JsonObject } from './model/json.js';
import type { OrderedGroup, TenantOrder } from './model/ordered-groups.js';
import { timestamp } from './model/time.js';
import { isConfigured } from './tenant-groups.js';
import type { TenantMemory } from './tenant-memory.js';

/** Groups that programs may order of one tenant. */
export const ORDERED_GROUPS_MAX = 64;

type Order<T extends TenantOrder['type']> = Extract<TenantOrder, { readonly type: T }>;
type Change = Pick<TenantMemory, 'ordered'>;

// --- groups -------------------------------------------------------------------------------------

/** Undefined: it may be. */
export function orderRefusal(
  { id, ordered, spec }: TenantMemory,
  { name }: Order<'operator.orderGroup'>,
): string | undefined {
  if (parseGroupKey(`${id}/${name}`) === undefined) return `"${name}" cannot name a group`;
  if (spec !== null && isConfigured(spec, name)) {
    return `${id}/${name} is a group of the configuration: its size alone can be changed`;
  }
  if (Object.hasOwn(ordered, name)) return undefined;
  if (Object.keys(ordered).length < ORDERED_GROUPS_MAX) return undefined;
  return `${id} has ${ORDERED_GROUPS_MAX} groups that programs ordered, which is all it may have`;
}

/** The very same wish: there is nothing to record. */
export function isOrdered(
  { ordered }: TenantMemory,
  { name, wish, plan }: Order<'operator.orderGroup'>,
): boolean {
  const known = ordered[name];
  if (known === undefined || known.problem !== null) return false;
  return JSON.stringify([known.wish, known.plan]) === JSON.stringify([wish, plan]);
}

export function orderTaken(
  { ordered }: TenantMemory,
  { name, wish, plan, owner, reason }: Order<'operator.orderGroup'>,
  { at }: Meta,
): Change {
  const one: OrderedGroup = { wish, plan, owner, reason, sinceMs: at, problem: null };
  return { ordered: { ...ordered, [name]: one } };
}

export function dismissed(
  { ordered }: TenantMemory,
  { name }: Order<'operator.dismissGroup'>,
): Change {
  const { [name]: _gone, ...rest } = ordered;
  return { ordered: rest };
}

export function replanned({ ordered }: TenantMemory, { plans }: Order<'tenant.replan'>): Change {
  const entries = Object.entries(ordered).map(([name, one]): [string, OrderedGroup] => {
    const next = plans[name];
    if (next === undefined) return [name, one];
    if ('problem' in next) return [name, { ...one, problem: next.problem }];
    return [name, { ...one, plan: next.plan, problem: null }];
  });
  return { ordered: Object.fromEntries(entries) };
}

export function replanChanges(memory: TenantMemory, order: Order<'tenant.replan'>): boolean {
  const { ordered } = replanned(memory, order);
  return JSON.stringify(ordered) !== JSON.stringify(memory.ordered);
}

// --- sleep --------------------------------------------------------------------------------------

/** Groups with instances on demand, by their last word. */
export function awakeFor({ groups }: TenantMemory): readonly string[] {
  return Object.entries(groups).flatMap(([name, { onDemand = 0 }]) => (onDemand > 0 ? name : []));
}

// --- view ---------------------------------------------------------------------------------------

export function ordersView({ id, ordered, asleep, spec, groups: parts }: TenantMemory): JsonObject {
  const leaving = Object.entries(parts).flatMap(([name, { wanted }]) => (wanted ? [] : [name]));
  const groups = Object.entries(ordered).map(([name, one]): JsonObject => {
    const { wish, owner, reason, sinceMs, problem } = one;
    return {
      ...{ group: `${id}/${name}`, wish, owner, reason, since: timestamp(sinceMs) },
      ...(spec !== null && isConfigured(spec, name) ? { hiddenBy: 'configuration' } : {}),
      ...(problem === null ? {} : { problem }),
    };
  });
  return {
    ...(groups.length === 0 ? {} : { ordered: groups }),
    ...(leaving.length === 0 ? {} : { leaving }),
    ...(asleep === null
      ? {}
      : {
          asleep: { owner: asleep.owner, reason: asleep.reason, since: timestamp(asleep.sinceMs) },
        }),
  };
}

export function orderConditions({ id, ordered, asleep }: TenantMemory): readonly JsonObject[] {
  const broken = Object.entries(ordered).flatMap(([name, { problem, sinceMs }]) =>
    problem === null ? [] : [{ name, problem, sinceMs }],
  );
  const unplanned = broken.map(
    ({ name, problem, sinceMs }): JsonObject => ({
      ...{ type: 'group-unplanned', object: `group/${id}/${name}`, severity: 'warning' },
      ...{ since: timestamp(sinceMs), cause: 'TN-11' },
      message: `the configuration cannot make the ordered group ${name} any more: ${problem}; it stays as it was`,
      next: 'bring back what the sentence names, order the group otherwise (UpsertGroup), or dismiss it (DeleteGroup)',
    }),
  );
  if (asleep === null) return unplanned;
  const sleeps: JsonObject = {
    ...{ type: 'tenant-asleep', object: `tenant/${id}`, severity: 'info' },
    ...{ since: timestamp(asleep.sinceMs), cause: 'TN-12' },
    message: `${asleep.owner} put it to sleep: its groups want no instance, their sizes stand`,
    next: '"switchyard tenant wake NAME", or an instance on demand, wakes it',
  };
  return [sleeps, ...unplanned];
}
