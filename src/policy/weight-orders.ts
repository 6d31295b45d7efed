/**
 * Weights that operators ordered, by place: a member of a pool, or one instance of a group in it.
 *
 * Input: a frontend's pools, the book of its overrides. Output: the weight of a place, and whether it is one.
 *
 * Rules: [FE-34] an ordered weight counts instead of the configured one while that one stands; [FE-35] an
 * instance's own order is stronger than that of its group.
 */
import type { PoolMemberSpec, PoolSpec } from '../../machines/model/desired.js';
import { slotOfInstance, slotOfKey } from '../../machines/model/ids.js';
import type { OverrideEntry, Overrides } from '../../machines/model/overrides.js';
import { inForce } from './overrides.js';

const PREFIX = 'weight:';

export function weightKind(pool: string, member: string): string {
  return `${PREFIX}${pool}/${member}`;
}

/** What the place has by configuration; `undefined`: there is no such place. */
export function configuredWeight(pools: readonly PoolSpec[], kind: string): number | undefined {
  if (!kind.startsWith(PREFIX)) return undefined;
  const place = kind.slice(PREFIX.length);
  const slash = place.indexOf('/');
  const pool = pools.find(({ name }) => name === place.slice(0, slash));
  const member = place.slice(slash + 1);
  const own = pool?.members.find((one) => nameOf(one) === member);
  if (own !== undefined) return own.weight;
  return pool?.members.find((one) => isOfGroup(member, one))?.weight;
}

/** An instance's id carries the slot of its group. */
function isOfGroup(instance: string, { ref }: PoolMemberSpec): boolean {
  return ref.kind === 'group' && slotOfInstance(instance) === slotOfKey(ref.group);
}

export function nameOf({ ref }: PoolMemberSpec): string {
  return ref.kind === 'backend' ? ref.backend : ref.group;
}

export interface Place {
  readonly pool: string;
  /** As the pool names it: a backend, or a group. */
  readonly member: string;
  readonly configured: number;
}

/** The order for this one of the place: its own, else the place's. */
export function orderFor(
  book: Overrides,
  { pool, member, configured }: Place,
  name: string,
): OverrideEntry | undefined {
  const own = inForce(book, weightKind(pool, name), configured);
  return own ?? inForce(book, weightKind(pool, member), configured);
}
