/**
 * Groups that programs order, and the configuration in force: plans what is asked for, and plans everything
 * anew when another configuration comes.
 *
 * Input: what groups are made from, tenants as they show themselves. Output: plans; `tenant.replan` to every
 * tenant of which something was ordered.
 */
import { addressOf } from '../../machines/model/ids.js';
import type { JsonObject } from '../../machines/model/json.js';
import type { TenantMessage } from '../../machines/model/messages.js';
import type { Replanned } from '../../machines/model/ordered-groups.js';
import { fail, type Result } from '../../machines/model/result.js';
import { planOrdered } from '../config/ordered-group.js';
import type { GroupPlan } from '../policy/tenant-plan.js';
import type { Directory } from './directory.js';

export interface OrderedGroups {
  /** The hook of a reload. Rejects when a tenant did not take its plans. */
  apply(settings: JsonObject): Promise<void>;
  plan(name: string, wish: JsonObject): Result<GroupPlan, string>;
}

export function createOrderedGroups(
  directory: () => Pick<Directory, 'views' | 'ask'>,
): OrderedGroups {
  let catalogue: JsonObject | undefined;
  const plan: OrderedGroups['plan'] = (name, wish) =>
    catalogue === undefined
      ? fail('the configuration is not applied yet: ask again in a moment')
      : planOrdered(catalogue, name, wish);
  return {
    plan,
    apply: async (settings) => {
      catalogue = settings;
      const told = (await directory().views('tenant')).filter(({ ordered }) => isList(ordered));
      const outcomes = await Promise.all(
        told.map(({ id, ordered }) => {
          const message: TenantMessage = { type: 'tenant.replan', plans: plansOf(ordered, plan) };
          return directory().ask(addressOf('tenant', String(id)), message);
        }),
      );
      const deaf = told.filter((_, index) => outcomes[index]?.ok !== true).map(({ id }) => id);
      if (deaf.length > 0) throw new Error(`tenants that did not answer: ${deaf.join(', ')}`);
    },
  };
}

function isList(value: unknown): value is readonly JsonObject[] {
  return Array.isArray(value);
}

function plansOf(ordered: unknown, plan: OrderedGroups['plan']): Record<string, Replanned> {
  const groups = isList(ordered) ? ordered : [];
  const entries = groups.map(({ group, wish }): [string, Replanned] => {
    const name = String(group).slice(String(group).indexOf('/') + 1);
    const planned = plan(name, wish as JsonObject);
    return [name, planned.ok ? { plan: planned.value } : { problem: planned.failure }];
  });
  return Object.fromEntries(entries);
}
