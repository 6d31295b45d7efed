/**
 * VPP's pools: numbered slots, the one freed last is handed out first. What a freed slot held stays
 * in its memory, and a careless owner of the slot after it shows that; `stale` is that memory.
 *
 * Pure: every function answers a new pool.
 */
import { Defect } from '../../machines/model/assert.js';

export interface Pool<T, Stale> {
  readonly slots: readonly (T | undefined)[];
  /** Freed slots, the next one to hand out last. */
  readonly free: readonly { readonly slot: number; readonly stale: Stale }[];
}

export function emptyPool<T, Stale>(): Pool<T, Stale> {
  return { slots: [], free: [] };
}

/** What the next `put` will find in the memory it gets; `undefined` in fresh memory. */
export function staleOfNext<Stale>(pool: Pool<unknown, Stale>): Stale | undefined {
  return pool.free.at(-1)?.stale;
}

export function put<T, Stale>(
  pool: Pool<T, Stale>,
  value: T,
): { readonly pool: Pool<T, Stale>; readonly slot: number } {
  const reused = pool.free.at(-1);
  if (reused === undefined) {
    return {
      pool: { slots: [...pool.slots, value], free: pool.free },
      slot: pool.slots.length,
    };
  }
  const slots = pool.slots.with(reused.slot, value);
  return { pool: { slots, free: pool.free.slice(0, -1) }, slot: reused.slot };
}

export function replace<T, Stale>(pool: Pool<T, Stale>, slot: number, value: T): Pool<T, Stale> {
  return { ...pool, slots: pool.slots.with(slot, value) };
}

export function release<T, Stale>(
  pool: Pool<T, Stale>,
  slot: number,
  stale: Stale,
): Pool<T, Stale> {
  return { slots: pool.slots.with(slot, undefined), free: [...pool.free, { slot, stale }] };
}

export function taken<T>(pool: Pool<T, unknown>): readonly T[] {
  return pool.slots.filter((value) => value !== undefined);
}

export function slotOf<T>(pool: Pool<T, unknown>, slot: number): T {
  const value = pool.slots[slot];
  if (value === undefined) throw new Defect(`pool slot ${slot} is free`);
  return value;
}
