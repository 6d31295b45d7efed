/**
 * Which removals of a plan the shrink guard would hold: each group's as a whole, in the order of the plan.
 *
 * Input:  the plan's instances, the guard's rule and view, the groups. Output: `{limit, used, held}`.
 */
import { addressOf } from '../../machines/model/ids.js';
import type { JsonObject } from '../../machines/model/json.js';
import { judgeRemoval, limitOf, type Removal, type ShrinkRule } from '../policy/shrink.js';
import type { Labelled } from './plan-names.js';

export interface GuardOutlook {
  readonly rule: ShrinkRule;
  /** What the guard says of its window. */
  readonly used: number;
  readonly total: number;
}

export function guardOutlook(
  instances: readonly JsonObject[],
  label: Labelled,
  { rule, used, total }: GuardOutlook,
): JsonObject {
  const before = { ...wishOf('before', used), atMs: 0, confirmed: false };
  let books = { rule, removals: [before] as readonly Removal[], total, at: 0 };
  const limit = limitOf(books);
  const held: JsonObject[] = [];
  for (const [group, count] of countsOf(instances)) {
    const wish = wishOf(group, count);
    if (judgeRemoval(books, wish) === 'beyond') {
      held.push(label({ object: wish.object, count }, group));
      continue;
    }
    const removals = [...books.removals, { ...wish, atMs: 0, confirmed: false }];
    books = { ...books, removals, total: books.total - count };
  }
  return { limit, used, held };
}

function wishOf(group: string, count: number) {
  return { object: addressOf('group', group), to: 0, count, sinceMs: 0 };
}

function countsOf(instances: readonly JsonObject[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { action, group } of instances) {
    if (action !== 'delete') continue;
    counts.set(String(group), (counts.get(String(group)) ?? 0) + 1);
  }
  return counts;
}
