/**
 * Shrink guard: whether a removal of instances may go on by itself.
 *
 * Input:  the rule, what was let go lately, how many instances there are, a wish to remove some.
 * Output: yes, yes because it was let go before, or no: then it waits for an operator's word.
 *
 * One window for everything that removes: events and replays of the tenant manager, reloads, orders.
 * A wish is judged as a whole: half of a removal is nobody's intent. One that waits is never let go by
 * time alone, or a slow mistake would take everything, a quarter at a time.
 *
 * Rules: [SG-1] what is let go within a window never exceeds the larger of `min` and `share` of the
 * instances there were; [SG-2] the same wish is let go once and counted once, however often it is told;
 * [SG-3] what an operator confirmed does not count.
 */
import type { Address } from '../../machines/model/ids.js';

export interface ShrinkRule {
  /** Of all instances, 0..1. */
  readonly share: number;
  /** So many may always go, however few there are. */
  readonly min: number;
  readonly windowMs: number;
}

/** Who wants to have fewer instances, and how many of them go. */
export interface RemovalWish {
  readonly object: Address;
  /** Size it wants to have afterwards. */
  readonly to: number;
  /** Instances that would go. */
  readonly count: number;
  /** When it was first wanted: a wish given up and had again is another one. */
  readonly sinceMs: number;
}

/** A wish that was let go. */
export interface Removal extends RemovalWish {
  readonly atMs: number;
  readonly confirmed: boolean;
}

export interface ShrinkBooks {
  readonly rule: ShrinkRule;
  readonly removals: readonly Removal[];
  /** Instances there are now, those that wait included. */
  readonly total: number;
  readonly at: number;
}

export type ShrinkVerdict = 'fits' | 'let-go-before' | 'beyond';

export function judgeRemoval(books: ShrinkBooks, wish: RemovalWish): ShrinkVerdict {
  if (recentRemovals(books).some((removal) => covers(removal, wish))) return 'let-go-before';
  return usedOf(books) + wish.count <= limitOf(books) ? 'fits' : 'beyond';
}

/** The window as it is now. */
export function recentRemovals({ rule, removals, at }: ShrinkBooks): readonly Removal[] {
  return removals.filter(({ atMs }) => atMs > at - rule.windowMs);
}

/** Instances that went within the window without an operator's word. */
export function usedOf(books: ShrinkBooks): number {
  return recentRemovals(books).reduce((sum, { count, confirmed }) => {
    return sum + (confirmed ? 0 : count);
  }, 0);
}

/** Of the instances there were when the window began. */
export function limitOf(books: ShrinkBooks): number {
  const { rule, total } = books;
  return Math.max(rule.min, Math.floor(rule.share * (total + usedOf(books))));
}

function covers(removal: Removal, { object, to, sinceMs }: RemovalWish): boolean {
  return removal.object === object && removal.sinceMs === sinceMs && removal.to <= to;
}
