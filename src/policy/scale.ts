/**
 * Scaling: the next thing a group does to be what it should be.
 *
 * Input:  the books of a group. Output: at most one step; the group takes it and asks again, so every
 * step is judged on the books the one before it left behind.
 *
 * Order: finish replacements, remove surplus, create what is missing, start replacements.
 *
 * Rules: [SG-4] nobody is surplus above the floor of the shrink guard; [GR-7] surplus leaves in the order never registered, registered, suspect, to be replaced,
 * serving (those in service last), and the oldest first among equals; [GR-8] missing members are created up to the wanted size
 * and never beyond `maxSize`; [GR-9] after three creates in a row that never served, one is tried at
 * a time.
 */
import { unreachable } from '../../machines/model/assert.js';
import type { InstanceId } from '../../machines/model/ids.js';
import type { JsonObject } from '../../machines/model/json.js';
import type { DrainReason } from '../../machines/model/messages.js';
import { letsGo } from './breaker.js';
import { budgetOf } from './budget.js';
import { type Books, countedOf, hasServed, type Member, stayingOf } from './members.js';
import { candidatesOf, nextReplaceStep, type ReplaceStep } from './replace.js';
import { causeOf, leavesForAnother } from './rotation.js';

export type ScaleStep =
  | {
      readonly kind: 'drain';
      readonly rule: string;
      readonly id: InstanceId;
      readonly reason: DrainReason;
      readonly numbers: JsonObject;
    }
  | {
      readonly kind: 'create';
      readonly rule: string;
      readonly replaces?: InstanceId;
      readonly numbers: JsonObject;
    };

/** Creates in a row that may fail to serve before they are tried one at a time. */
export const CREATE_FAILURES_MAX = 3;

export function nextStep(books: Books): ScaleStep | undefined {
  const replacing = nextReplaceStep(books);
  const surplus = nextSurplus(books);
  if (replacing === undefined && surplus === undefined && !isMissing(books)) return undefined;
  const numbers = numbersOf(books);
  if (replacing?.kind === 'drain' && replacing.rule !== 'GR-6') return { ...replacing, numbers };
  if (surplus !== undefined) {
    return { kind: 'drain', rule: 'GR-7', id: surplus.id, reason: 'scale-down', numbers };
  }
  if (isMissing(books)) return mayTry(books) ? { ...creation(books), numbers } : undefined;
  if (replacing?.kind === 'create') {
    return mayTry(books)
      ? { ...successor(replacing), numbers: withCause(numbers, replacing) }
      : undefined;
  }
  return replacing && { ...replacing, numbers };
}

type Successor = ReplaceStep & { readonly kind: 'create' };

function successor({ kind, rule, replaces }: Successor) {
  return { kind, rule, replaces };
}

function withCause(numbers: JsonObject, { cause }: Successor): JsonObject {
  return { ...numbers, replaceCause: cause };
}

/** Creates are over: nothing is missing, and nobody waits for a successor. */
export function isComplete(books: Books): boolean {
  return countedOf(books.members).length >= books.wanted && candidatesOf(books).length === 0;
}

function numbersOf(books: Books): JsonObject {
  return {
    wanted: books.wanted,
    counted: countedOf(books.members).length,
    staying: stayingOf(books.members).length,
    maxSize: books.maxSize,
    failures: books.failures,
    budget: { ...budgetOf(books) },
    breaker: books.breaker,
  };
}

function nextSurplus(books: Books): Member | undefined {
  const counted = countedOf(books.members);
  if (counted.length <= Math.max(books.wanted, books.floor ?? 0)) return undefined;
  const [first] = [...counted].sort(bySurplusOrder(books));
  return first !== undefined && mayShrinkBy(books, first) ? first : undefined;
}

/**
 * Whoever is unhealthy may be well: while the breaker is open only what never served is surplus, while it is
 * half-open one of the unhealthy at a time.
 */
function mayShrinkBy(books: Books, member: Member): boolean {
  if (books.wanted === 0) return true;
  return books.breaker === 'open' ? !hasServed(member) : letsGo(books, member);
}

function bySurplusOrder(books: Books) {
  return (a: Member, b: Member): number => {
    const byRank = surplusRank(books, a) - surplusRank(books, b);
    const byAge = a.requestedAtMs - b.requestedAtMs;
    return byRank || byAge || (a.id < b.id ? -1 : 1);
  };
}

function surplusRank(books: Books, member: Member): number {
  switch (member.state) {
    case 'failed':
    case 'lost':
    case 'deleted':
    case 'deleting':
    case 'drained':
    case 'draining':
    case 'quarantined':
      return 0;
    case 'requested':
    case 'creating':
    case 'booting':
      return 1;
    case 'registered':
      return 2;
    case 'suspect':
      return 3;
    case 'serving':
      if (!member.inService) return 4;
      return causeOf(books, member) !== undefined ? 5 : 6;
    default:
      return unreachable(member.state);
  }
}

function isMissing(books: Books): boolean {
  if (countedOf(books.members).length >= books.wanted) return false;
  return stayingOf(books.members).length < books.maxSize;
}

/**
 * How many creates in a row are the one that is next: those that are simply missing, while nothing is the
 * matter. One of them changes nothing that the next is judged by, and nobody is to follow anybody.
 */
export function missingAlike(books: Books, step: ScaleStep): number {
  const calm = books.failures === 0 && books.breaker === 'closed';
  if (!calm || step.kind !== 'create' || step.rule !== 'GR-8') return 1;
  if (step.replaces !== undefined) return 1;
  const missing = books.wanted - countedOf(books.members).length;
  return Math.max(1, Math.min(missing, books.maxSize - stayingOf(books.members).length));
}

/** Names whom the new member follows: one that died, or one that was drained first to be replaced. */
function creation(
  books: Books,
): Pick<ScaleStep & { kind: 'create' }, 'kind' | 'rule' | 'replaces'> {
  const followed = new Set(books.members.map((member) => member.replaces));
  const predecessor = books.members.find((member) => isVacant(member) && !followed.has(member.id));
  const base = { kind: 'create', rule: 'GR-8' } as const;
  return predecessor === undefined ? base : { ...base, replaces: predecessor.id };
}

function isVacant(member: Member): boolean {
  const { leaving, drains, state } = member;
  return leavesForAnother(leaving) || drains === 'termination-notice' || state === 'lost';
}

function mayTry(books: Books): boolean {
  if (books.failures < CREATE_FAILURES_MAX) return true;
  return stayingOf(books.members).every(hasServed);
}
