/**
 * The groups a tenant is to have: those of its intent, and those that programs ordered under other names.
 *
 * Input: its intent and what was ordered. Output: desired state for every group, asleep when the tenant is.
 */
import type { GroupSpec, TenantSpec } from './model/desired.js';
import { groupKeyOf, type TenantId } from './model/ids.js';
import type { OrderedGroup } from './model/ordered-groups.js';

export type Ordered = Readonly<Record<string, OrderedGroup>>;

export interface Sleep {
  readonly owner: string;
  readonly reason: string;
  readonly sinceMs: number;
}

interface Orders {
  readonly id: TenantId;
  readonly ordered: Ordered;
  readonly asleep: Sleep | null;
}

/** Every group it is to have: the configuration's, and those ordered under other names; asleep as it is. */
export function groupsOf({ id, ordered, asleep }: Orders, spec: TenantSpec): readonly GroupSpec[] {
  const more = Object.entries(ordered)
    .filter(([name]) => !isConfigured(spec, name))
    .map(([name, { plan }]): GroupSpec => {
      const identity = { key: groupKeyOf(id, name), tenant: id, name };
      return { ...plan, ...identity, frontends: [], generation: spec.generation };
    });
  const all = more.length === 0 ? spec.groups : [...spec.groups, ...more];
  return asleep === null ? all : all.map((group) => ({ ...group, asleep: true as const }));
}

export function isConfigured({ groups }: TenantSpec, name: string): boolean {
  return groups.some((group) => group.name === name);
}
