/**
 * The breaker of a group: many members unhealthy at once are rather our own blindness, or a fault they
 * share, than so many broken instances. While it is open, none of them is drained or deleted.
 *
 * Input:  the books of a group, its state so far. Output: its state now.
 *
 *   closed ──more than `unhealthyAbove`, at least 2──► open ──at most half of that──► half-open
 *      ▲                                                 ▲                               │
 *      │                                                 └──more than it again───────────┤
 *      └──────────────────── nobody is unhealthy any more ───────────────────────────────┘
 *
 * A member whose successor is in service no longer counts as unhealthy for opening: its place is filled.
 * Those that are dead for sure never count: they are no members any more, and are replaced in any state.
 *
 * Rules: [GR-23] open, an unhealthy member is not drained unless an operator ordered its replacement, one successor at a time is created;
 * [GR-24] half-open, one unhealthy member at a time may leave.
 */
import {
  type Books,
  type BreakerState,
  countedOf,
  type Member,
  standingOf,
  stayingOf,
} from './members.js';

export const UNHEALTHY_MIN = 2;

export function nextBreaker(books: Books): BreakerState {
  if (!books.members.some(isUnhealthy) || books.wanted === 0) return 'closed';
  const counted = countedOf(books.members);
  const unhealthy = counted.filter(isUnhealthy);
  if (unhealthy.length === 0) return 'closed';
  const served = new Set(stayingOf(books.members).flatMap(replacedBy));
  const bare = unhealthy.filter(({ id }) => !served.has(id)).length;
  const limit = books.rules.breaker.unhealthyAbove * counted.length;
  if (bare >= UNHEALTHY_MIN && bare > limit) return 'open';
  const calms = bare < UNHEALTHY_MIN || bare <= limit / 2;
  return books.breaker === 'open' && calms ? 'half-open' : books.breaker;
}

/** Was up, is down, and is not known to be dead. */
export function isUnhealthy(member: Member): boolean {
  return member.state === 'suspect' && standingOf(member) === 'staying';
}

function replacedBy({ inService, replaces }: Member): readonly string[] {
  return inService && replaces !== undefined ? [replaces] : [];
}

/** An operator has looked at it, and wants another: that is no guess of ours. */
function isOrdered({ replaceOrdered }: Member): boolean {
  return replaceOrdered === true;
}

/** Whether this member may be drained in order to be replaced. */
export function letsGo(books: Books, member: Member): boolean {
  if (books.breaker === 'closed' || !isUnhealthy(member) || isOrdered(member)) return true;
  return books.breaker === 'half-open' && !books.members.some(isOnItsWayOut);
}

/** Told to go, for whatever reason: it may have been one of the unhealthy. */
export function isOnItsWayOut(member: Member): boolean {
  const { leaving, state } = member;
  return leaving !== undefined && state !== 'lost' && standingOf(member) === 'leaving';
}

/** On its way to take over: one that did, and turned unhealthy since, has arrived. */
function isArriving(member: Member): boolean {
  return member.replaces !== undefined && !member.inService && !isUnhealthy(member);
}

/** Whether a successor of this member may be created now. */
export function letsSurge(books: Books, member: Member): boolean {
  if (books.breaker === 'closed' || !isUnhealthy(member) || isOrdered(member)) return true;
  return !stayingOf(books.members).some(isArriving);
}
