/**
 * How a group keeps to the shrink guard: it has a floor, the size it may go down to by itself, and asks for
 * every step below it that costs instances.
 *
 * Input: its memory and the event. Output: the floor and the wish afterwards, what the guard is told.
 *
 * Rules: [SG-4] no member leaves because the size was lowered, its group or its tenant removed, or its
 * tenant put to sleep, before the guard let it go; [SG-5] what costs no instance needs no word, and a wish
 * that was given up waits no longer; [SG-11] an instance on demand that is to be deleted is one instance, and goes
 * when the guard lets it.
 */
import { countedOf, stayingOf } from '../src/policy/members.js';
import { isThere } from '../src/policy/on-demand.js';
import {
  allToldToLeave,
  type GroupMemory,
  managedOf,
  membersOf,
  onDemandOf,
  wantedOf,
} from './group-memory.js';
import type { Meta } from './model/effects.js';
import type { Departure, GuardGrant, GuardLevel, Shrink, ShrinkWish } from './model/guard.js';
import type { DrainReason } from './model/messages.js';

/** The same object when nothing moves. */
export function shrinkAfter(memory: GroupMemory, { at }: Meta): Shrink {
  const { shrink } = memory;
  const { floor, wish } = shrink;
  if (wish !== null && isRemoval(wish)) return shrink;
  const wanted = wantedOf(memory);
  const counted = wanted < floor ? Math.min(floor, countedOf(managedOf(memory)).length) : 0;
  if (counted <= wanted) {
    return floor === wanted && wish === null ? shrink : { ...shrink, floor: wanted, wish: null };
  }
  if (wish?.to === wanted) return shrink;
  const count = counted - wanted;
  return { ...shrink, wish: { to: wanted, count, sinceMs: at, reason: 'scale-down' } };
}

/** Whoever is there would go. */
export function wishesRemoval(memory: GroupMemory, reason: DrainReason, { at }: Meta): Shrink {
  const { shrink } = memory;
  if (shrink.wish !== null && isRemoval(shrink.wish)) return shrink;
  const count = stayingOf(membersOf(memory)).length;
  return { ...shrink, wish: { to: 0, count, sinceMs: at, reason } };
}

export function costsNobody(memory: GroupMemory): boolean {
  return stayingOf(membersOf(memory)).length === 0;
}

export function isRemovalHeld({ shrink }: GroupMemory): boolean {
  return shrink.wish !== null && isRemoval(shrink.wish);
}

function isRemoval({ reason }: ShrinkWish): boolean {
  return reason === 'group-removed' || reason === 'tenant-removed';
}

export function isGranted({ shrink }: GroupMemory, { to, sinceMs, id }: GuardGrant): boolean {
  const { wish } = shrink;
  if (id !== undefined) return false;
  return wish !== null && wish.sinceMs === sinceMs && to <= wish.to;
}

function removalReason({ shrink }: GroupMemory): DrainReason {
  return shrink.wish?.reason === 'tenant-removed' ? 'tenant-removed' : 'group-removed';
}

/** A newer intent: it is not to be removed any more. */
export function removalGivenUp({ shrink }: GroupMemory): Shrink {
  return shrink.wish !== null && isRemoval(shrink.wish) ? { ...shrink, wish: null } : shrink;
}

export function shrunkTo({ shrink }: GroupMemory, floor: number): Shrink {
  return { ...shrink, floor, wish: null };
}

/** Everybody leaves; the guard has let them, or there is nobody. */
export function removalBegun(memory: GroupMemory, reason = removalReason(memory)) {
  const { departures: _all, ...shrink } = shrunkTo(memory, 0);
  return { ...allToldToLeave(memory, reason), shrink };
}

export function wishArises(memory: GroupMemory, meta: Meta): boolean {
  const { wish } = shrinkAfter(memory, meta);
  return wish !== null && wish !== memory.shrink.wish;
}

export function guardLevelOf(memory: GroupMemory): GuardLevel {
  const departures = departuresOf(memory);
  const { wish } = memory.shrink;
  const asked = departures.length === 0 ? {} : { departures };
  return { type: 'guard.level', population: populationOf(memory), wish, ...asked };
}

function populationOf(memory: GroupMemory): number {
  return memory.shrink.floor + stayingOf(onDemandOf(memory)).length;
}

/** Whose deletion somebody asked for, and who is still there and was not told. */
export function departuresOf(memory: GroupMemory): readonly Departure[] {
  const { departures = [] } = memory.shrink;
  return departures.filter(({ id }) => {
    const member = memory.members[id];
    return member !== undefined && isThere(member) && member.leaving === undefined;
  });
}

export function departs(memory: GroupMemory, one: Departure): Shrink {
  const others = departuresOf(memory).filter(({ id }) => id !== one.id);
  return { ...memory.shrink, departures: [...others, one] };
}

/** The guard has let it go; undefined: nobody waits for that any more. */
export function departureIn(memory: GroupMemory, grant: GuardGrant): Departure | undefined {
  return departuresOf(memory).find(
    ({ id, sinceMs }) => id === grant.id && sinceMs === grant.sinceMs,
  );
}

function askedIn(memory: GroupMemory): { readonly departures?: string } {
  const departures = departuresOf(memory).map(({ id, sinceMs }) => `${id} ${sinceMs}`);
  return departures.length === 0 ? {} : { departures: departures.join() };
}

export function isGuardNews(memory: GroupMemory): boolean {
  const { wish, told } = memory.shrink;
  const population = populationOf(memory);
  const { departures } = askedIn(memory);
  if (told === null) return population > 0 || wish !== null || departures !== undefined;
  if (told.departures !== departures || told.population !== population) return true;
  return told.sinceMs !== (wish?.sinceMs ?? null);
}

export function guardTold(memory: GroupMemory): Shrink {
  const { shrink } = memory;
  const sinceMs = shrink.wish?.sinceMs ?? null;
  const told = { population: populationOf(memory), sinceMs, ...askedIn(memory) };
  return { ...shrink, told };
}
