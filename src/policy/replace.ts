/**
 * Replacing members: which one gets a successor, and when its predecessor may go.
 *
 * Input:  the books of a group. Output: at most one step, the most urgent.
 *
 *   create-first   successor requested ─► in service ─► predecessor drained
 *   delete-first   predecessor drained ─► successor requested (it is simply missing, see scale.ts)
 *
 * Rules: [GR-4] a predecessor in service is drained only after its successor is in service
 * (create-first), or while enough other members are in service (delete-first); [GR-5] a successor that
 * is no longer needed leaves before it serves; [GR-6] no replacement exceeds `maxSize`: a member
 * out of service then makes room itself, one in service waits. Why a member should be replaced is in
 * rotation.ts; what may hold it, in budget.ts and breaker.ts.
 */
import type { InstanceId } from '../../machines/model/ids.js';
import type { DrainReason } from '../../machines/model/messages.js';
import { letsGo, letsSurge } from './breaker.js';
import { affords, affordsGap, isOut } from './budget.js';
import { isOpenAt } from './cron.js';
import { type Books, countedOf, type Member, stayingOf } from './members.js';
import { causeOf, isCalm, outlineOf, type ReplaceCause, reasonOf, urgencyOf } from './rotation.js';

export type ReplaceStep =
  | {
      readonly kind: 'drain';
      readonly rule: 'GR-4' | 'GR-5' | 'GR-6';
      readonly id: InstanceId;
      readonly reason: DrainReason;
    }
  | {
      readonly kind: 'create';
      readonly rule: 'GR-4';
      readonly replaces: InstanceId;
      readonly cause: ReplaceCause;
    };

/** A member that should be replaced, and why. */
export interface Candidate {
  readonly member: Member;
  readonly cause: ReplaceCause;
}

/** Successors first: finishing a replacement comes before starting another. */
export function nextReplaceStep(books: Books): ReplaceStep | undefined {
  return finishReplacement(books) ?? startReplacement(books);
}

/** What a replacement waits for: room below `maxSize`, the budget, or a window of it. */
export interface Waiting {
  readonly why: 'room' | 'budget' | 'window';
  readonly id: InstanceId;
}

/** Asked when no step is left. What the breaker or failing creates hold is shown by those. */
export function waitingOf(books: Books): Waiting | undefined {
  const [first] = candidatesOf(books);
  if (first === undefined || books.breaker !== 'closed' || books.failures > 0) return undefined;
  const { member, cause } = first;
  const { id } = member;
  const needsWindow = cause !== 'asked' && cause !== 'forced-expiry' && !isOut(member);
  const { windows } = books.rules.budget;
  if (needsWindow && !isOpenAt(windows, books.at)) return { why: 'window', id };
  if (books.replace === 'delete-first') {
    return affordsGap(books, member, cause) ? undefined : { why: 'budget', id };
  }
  if (!affords(books, member, cause)) return { why: 'budget', id };
  return hasRoom(books) || !member.inService ? undefined : { why: 'room', id };
}

function finishReplacement(books: Books): ReplaceStep | undefined {
  const successors = stayingOf(books.members).filter(({ replaces }) => replaces !== undefined);
  if (successors.length === 0) return undefined;
  const byId = new Map(stayingOf(books.members).map((member) => [member.id, member]));
  for (const successor of successors) {
    const predecessor = successor.replaces && byId.get(successor.replaces);
    if (!predecessor) continue;
    const cause = causeOf(books, predecessor);
    if (successor.inService) {
      if (letsGo(books, predecessor)) return drain('GR-4', predecessor, reasonOf(cause));
    } else if (cause === undefined) {
      return drain('GR-5', successor, 'scale-down');
    }
  }
  return undefined;
}

function startReplacement(books: Books): ReplaceStep | undefined {
  const waiting = candidatesOf(books);
  if (areEnoughWithout(books, waiting)) return undefined;
  if (books.replace === 'delete-first') {
    const next = waiting.find(
      ({ member, cause }) => affordsGap(books, member, cause) && letsGo(books, member),
    );
    return next && drain('GR-4', next.member, reasonOf(next.cause));
  }
  if (hasRoom(books)) {
    const next = waiting.find(
      ({ member, cause }) => affords(books, member, cause) && letsSurge(books, member),
    );
    return next && { kind: 'create', rule: 'GR-4', replaces: next.member.id, cause: next.cause };
  }
  const useless = waiting.find((one) => isUseless(books, one) && letsGo(books, one.member));
  return useless && drain('GR-6', useless.member, reasonOf(useless.cause));
}

/** More than are wanted, only not let go yet: the others suffice, and nobody is needed in the place of these. */
function areEnoughWithout({ members, wanted }: Books, waiting: readonly Candidate[]): boolean {
  const counted = countedOf(members).length;
  return counted > wanted && counted - waiting.length >= wanted;
}

function drain(rule: 'GR-4' | 'GR-5' | 'GR-6', { id }: Member, reason: DrainReason): ReplaceStep {
  return { kind: 'drain', rule, id, reason };
}

/** Its leaving takes nothing away. */
function isUseless(books: Books, { member, cause }: Candidate): boolean {
  if (cause === 'asked') return !member.inService;
  return isOut(member) && affords(books, member, cause);
}

/** Members that should be replaced and have no successor: those out of service first, then the most urgent. */
export function candidatesOf(books: Books): readonly Candidate[] {
  if (isCalm(books, outlineOf(books.members))) return [];
  const staying = stayingOf(books.members);
  const counted = new Set(countedOf(books.members));
  const replaced = new Set(staying.map((member) => member.replaces));
  return staying
    .flatMap((member): Candidate[] => {
      const cause = replaced.has(member.id) ? undefined : causeOf(books, member);
      // A successor that is no longer what it should be takes over first: its turn comes then.
      const waits = cause !== 'asked' && !counted.has(member);
      return cause === undefined || waits ? [] : [{ member, cause }];
    })
    .sort(byUrgency);
}

function byUrgency(one: Candidate, other: Candidate): number {
  const outFirst = Number(one.member.inService) - Number(other.member.inService);
  const urgency = urgencyOf(one.cause) - urgencyOf(other.cause);
  return outFirst || urgency || one.member.requestedAtMs - other.member.requestedAtMs;
}

function hasRoom(books: Books): boolean {
  return stayingOf(books.members).length < books.maxSize;
}
