/**
 * What the shrink guard remembers, and how one event changes it, as plain data and pure functions.
 *
 * Input: the memory and the facts of an event. Output: what changes in the memory.
 */
import {
  judgeRemoval,
  type Removal,
  type RemovalWish,
  recentRemovals,
  type ShrinkBooks,
  type ShrinkVerdict,
} from '../src/policy/shrink.js';
import type { Meta } from './model/effects.js';
import type { GuardLevel, GuardSettings, ShrinkWish } from './model/guard.js';
import { type Address, addressOf, type InstanceId } from './model/ids.js';

/** A removal that waits. */
export interface Waiting extends ShrinkWish {
  readonly object: Address;
  readonly cause: string;
  /** It was judged to be beyond the window, and that is on record; before, it is only not judged yet. */
  readonly held: boolean;
  /** The group that is asked to let one instance on demand go, which is then the object. */
  readonly of?: { readonly group: Address; readonly id: InstanceId };
}

export interface GuardMemory {
  readonly rule: GuardSettings | null;
  /** Instances each group is to have. */
  readonly populations: Readonly<Record<Address, number>>;
  readonly removals: readonly Removal[];
  readonly waiting: Readonly<Record<Address, Waiting>>;
}

type Change = Partial<GuardMemory>;

export const EMPTY_GUARD: GuardMemory = {
  rule: null,
  populations: {},
  removals: [],
  waiting: {},
};

export function booksOf(memory: GuardMemory, { at }: Pick<Meta, 'at'>): ShrinkBooks | undefined {
  const { rule, removals, populations } = memory;
  if (rule === null) return undefined;
  const total = Object.values(populations).reduce((sum, count) => sum + count, 0);
  return { rule, removals, total, at };
}

export function levelTaken(memory: GuardMemory, level: GuardLevel, meta: Meta): Change {
  const { from, cause } = meta;
  const { [from]: _before, ...elsewhere } = memory.populations;
  const { population } = level;
  const populations = population === 0 ? elsewhere : { ...elsewhere, [from]: population };
  const others = Object.entries(memory.waiting).filter(
    ([, { object, of }]) => (of?.group ?? object) !== from,
  );
  const asked = wishesIn(level, from).map((wish): [Address, Waiting] => {
    const before = memory.waiting[wish.object];
    const same = before?.sinceMs === wish.sinceMs && before.to === wish.to;
    return [wish.object, same ? before : { ...wish, cause, held: false }];
  });
  return { populations, waiting: Object.fromEntries([...others, ...asked]) };
}

/** The group's own wish, and one for each instance on demand that is to go. */
function wishesIn(
  { wish, departures = [] }: GuardLevel,
  from: Address,
): readonly Omit<Waiting, 'cause' | 'held'>[] {
  const single = departures.map(({ id, sinceMs }) => ({
    ...{ object: addressOf('instance', id), to: 0, count: 1, sinceMs, reason: 'on-demand' },
    of: { group: from, id },
  }));
  return wish === null ? single : [{ ...wish, object: from }, ...single];
}

export function judged(memory: GuardMemory, wish: Waiting, meta: Meta): ShrinkVerdict | undefined {
  const books = booksOf(memory, meta);
  return books === undefined ? undefined : judgeRemoval(books, wish);
}

/** The first that waits without having been judged, and may go now. */
export function nextGranted(memory: GuardMemory, meta: Meta): Waiting | undefined {
  return unjudgedOf(memory).find((wish) => {
    const verdict = judged(memory, wish, meta);
    return verdict === 'fits' || verdict === 'let-go-before';
  });
}

export function nextHeld(memory: GuardMemory, meta: Meta): Waiting | undefined {
  return unjudgedOf(memory).find((wish) => judged(memory, wish, meta) === 'beyond');
}

function unjudgedOf({ waiting }: GuardMemory): readonly Waiting[] {
  return Object.values(waiting).filter(({ held }) => !held);
}

export function heldOf({ waiting }: GuardMemory): readonly Waiting[] {
  return Object.values(waiting).filter(({ held }) => held);
}

/** Instances that would go by an operator's word. */
export function heldCountOf(memory: GuardMemory): number {
  return heldOf(memory).reduce((sum, { count }) => sum + count, 0);
}

export function markedHeld({ waiting }: GuardMemory, wish: Waiting): Change {
  return { waiting: { ...waiting, [wish.object]: { ...wish, held: true } } };
}

/** They go: counted once, no longer part of the population, no longer waiting. */
export function letGo(
  memory: GuardMemory,
  wishes: readonly Waiting[],
  { at, confirmed }: { readonly at: number; readonly confirmed: boolean },
): Change {
  const books = booksOf(memory, { at });
  const recent = books === undefined ? memory.removals : recentRemovals(books);
  const fresh = wishes.filter((wish) => !recent.some((removal) => isSameWish(removal, wish)));
  const removals = fresh.map(({ object, to, count, sinceMs }): Removal => {
    return { object, to, count, sinceMs, atMs: at, confirmed };
  });
  const populations: Record<Address, number> = { ...memory.populations };
  const waiting: Record<Address, Waiting> = { ...memory.waiting };
  for (const { object, to, count, of } of wishes) {
    if (of === undefined) populations[object] = to;
    else populations[of.group] = Math.max(0, (populations[of.group] ?? 0) - count);
    delete waiting[object];
  }
  return { removals: [...recent, ...removals], populations, waiting };
}

function isSameWish(removal: Removal, { object, to, sinceMs }: RemovalWish): boolean {
  return removal.object === object && removal.to === to && removal.sinceMs === sinceMs;
}
