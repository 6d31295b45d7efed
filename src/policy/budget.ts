/**
 * The disruption budget of a group: how many members may be unavailable or on their way out at once for
 * the sake of replacements that nobody is in need of.
 *
 * Input:  the books of a group. Output: how much there is and how much is used; whether one more
 *         replacement may begin.
 *
 * Rule: [GR-20] a rotation begins only in a window and while what is unavailable, for whatever reason,
 * and what is under way stay below `max`; forced expiry may be one more, also outside a window;
 * replacing a member that is out anyway costs nothing.
 */
import { isOpenAt } from './cron.js';
import { type Books, countedOf, type Member, standingOf, stayingOf } from './members.js';
import { leavesForAnother, type ReplaceCause } from './rotation.js';

export interface Budget {
  readonly max: number;
  readonly used: number;
}

type Count = Pick<Books, 'rules' | 'wanted' | 'members'>;

export function budgetOf(books: Count): Budget {
  return { max: maxOf(books), used: unavailableOf(books) + underWayOf(books) };
}

function maxOf({ rules, wanted }: Count): number {
  const { max } = rules.budget;
  if ('count' in max) return max.count;
  // In whole per cent: as a fraction 29 % of 100 would be 28.
  return Math.max(1, Math.floor((Math.round(max.share * 100) * wanted) / 100));
}

/** Wanted, and not in service. */
function unavailableOf({ members, wanted }: Count): number {
  return Math.max(0, wanted - countedOf(members).filter(({ inService }) => inService).length);
}

/** Replacements that have begun and make nothing unavailable: a successor comes, or has taken over. */
function underWayOf({ members }: Count): number {
  const staying = stayingOf(members);
  const byPredecessor = new Map(staying.map((member) => [member.replaces, member]));
  return members.filter((member) => {
    const successor = byPredecessor.get(member.id);
    if (successor === undefined) return false;
    if (standingOf(member) === 'staying') return member.inService;
    return isDraining(member) && successor.inService;
  }).length;
}

function isDraining({ leaving, state }: Member): boolean {
  const left = ['drained', 'deleting', 'deleted', 'failed', 'lost'].includes(state);
  return leavesForAnother(leaving) && !left;
}

/** Out for certain: not only until a frontend answers. */
export function isOut({ inService, state }: Member): boolean {
  return !inService && state !== 'serving';
}

/** Whether the replacement of a member may begin, as far as the budget goes. */
export function affords(books: Books, member: Member, cause: ReplaceCause): boolean {
  if (cause === 'asked') return true;
  if (books.breaker !== 'closed') return false;
  return isOut(member) || budgetOf(books).used < allowedFor(books, cause);
}

function allowedFor(books: Books, cause: ReplaceCause): number {
  const regular = isOpenAt(books.rules.budget.windows, books.at) ? maxOf(books) : 0;
  return cause === 'forced-expiry' ? regular + 1 : regular;
}

/** Whether a member may leave before its successor serves: it is missed until then. */
export function affordsGap(books: Books, member: Member, cause: ReplaceCause): boolean {
  if (cause === 'asked' && !member.inService) return true;
  if (isOut(member)) return books.breaker === 'closed';
  if (books.failures > 0 || !affords(books, member, cause)) return false;
  const counted = countedOf(books.members);
  if (counted.length > books.wanted) return false;
  const others = counted.filter(({ id }) => id !== member.id);
  const inService = others.filter((other) => other.inService).length;
  const spare = cause === 'asked' ? maxOf(books) : allowedFor(books, cause);
  return inService >= books.wanted - spare;
}
