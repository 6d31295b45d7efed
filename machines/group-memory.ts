/**
 * What a group remembers, and how one event changes it: the context of `machines/group.ts` as plain
 * data, with one pure function for each change.
 *
 * Input: the memory and the facts of an event. Output: what changes in the memory.
 *
 * Rules: [GR-10] what members say of themselves is believed, what the group ordered is never forgotten;
 * [GR-11] a member that ends without having served, and without being told to, is a failed create.
 */
import { backoffMs } from '../src/policy/backoff.js';
import { nextBreaker } from '../src/policy/breaker.js';
import { nextOpening } from '../src/policy/cron.js';
import {
  type Books,
  type BreakerState,
  countedOf,
  hasServed,
  isOnDemand,
  isUnheard,
  type Member,
  type Members,
  standingOf,
  stayingOf,
} from '../src/policy/members.js';
import { oncePer } from '../src/policy/once.js';
import { bookIn, inForce } from '../src/policy/overrides.js';
import { type Waiting, waitingOf } from '../src/policy/replace.js';
import { expiresAtMs } from '../src/policy/rotation.js';
import { isComplete } from '../src/policy/scale.js';
import type { InstanceMemory } from './instance-memory.js';
import { isPermanent, summaryOf } from './instance-memory.js';
import { assert } from './model/assert.js';
import {
  DEFAULT_DISRUPTION,
  type DisruptionSpec,
  type GroupSpec,
  infraOf,
} from './model/desired.js';
import type { ChildRow, Meta } from './model/effects.js';
import { type Shrink, UNSHRUNK } from './model/guard.js';
import { type Address, type GroupKey, type InstanceId, keyOf, kindOf } from './model/ids.js';
import type { DrainReason, GroupStatus, InstanceSummary } from './model/messages.js';
import { NO_OVERRIDES, type Overrides } from './model/overrides.js';
import { isSameJson, isSameRecord } from './model/same.js';

/** Creates that never served: how many in a row, since when, and when the next may be tried. */
export interface CreateTrouble {
  readonly failures: number;
  readonly sinceMs: number;
  readonly cause: string;
  readonly message: string;
  readonly retryAtMs: number;
}

/** The breaker, while it is not closed. */
export interface Tripped {
  readonly state: Exclude<BreakerState, 'closed'>;
  readonly sinceMs: number;
  readonly cause: string;
}

/** A replacement that may not begin yet. */
export interface Held extends Waiting {
  readonly sinceMs: number;
  readonly cause: string;
}

export interface GroupMemory {
  readonly key: GroupKey;
  readonly spec: GroupSpec | null;
  /** As the book beside the group has them. */
  readonly overrides: Overrides;
  readonly members: Members;
  readonly trouble: CreateTrouble | null;
  readonly breaker: Tripped | null;
  readonly waiting: Held | null;
  /** Set while the group is going away. */
  readonly leaving: DrainReason | null;
  /** Steps taken within one event: they number its new instances, and they are bounded. */
  readonly burst: { readonly id: string; readonly steps: number };
  /** What it may shrink to by itself, and what it asked the guard for. */
  readonly shrink: Shrink;
  /** What its tenant was last told. */
  readonly told: GroupStatus | null;
  /** Where it has come since its last step, as recorded. */
  readonly reached: 'converged' | 'stalled' | null;
  /** Since when it is under way; null: it is at rest. */
  readonly movingSinceMs: number | null;
}

type Change = Partial<GroupMemory>;

export function newGroup(address: Address): GroupMemory {
  return {
    key: keyOf(address) as GroupKey,
    spec: null,
    overrides: NO_OVERRIDES,
    members: {},
    trouble: null,
    breaker: null,
    waiting: null,
    leaving: null,
    burst: { id: '', steps: 0 },
    shrink: UNSHRUNK,
    told: null,
    reached: null,
    movingSinceMs: null,
  };
}

export function specOf({ key, spec }: GroupMemory): GroupSpec {
  assert(spec !== null, `group ${key} does not know yet what to be`);
  return spec;
}

export function membersOf({ members }: GroupMemory): readonly Member[] {
  return listOf(members);
}

const listOf = oncePer((members: Members): readonly Member[] => Object.values(members));

/** Those that the size is about; instances on demand are nobody's replacement and have none [GR-26]. */
export function managedOf(memory: GroupMemory): readonly Member[] {
  return managedIn(membersOf(memory));
}

const managedIn = oncePer((members: readonly Member[]): readonly Member[] =>
  members.some(isOnDemand) ? members.filter((member) => !isOnDemand(member)) : members,
);

export function onDemandOf(memory: GroupMemory): readonly Member[] {
  return onDemandIn(membersOf(memory));
}

const onDemandIn = oncePer((members: readonly Member[]): readonly Member[] =>
  members.filter(isOnDemand),
);

/** Never more than the limit, whoever asked for it; nobody while its tenant sleeps [GR-29]. */
export function wantedOf({ spec, overrides, leaving }: GroupMemory): number {
  if (spec === null || leaving !== null || spec.asleep === true) return 0;
  const ordered = inForce(overrides, 'size', spec.size)?.value ?? spec.size;
  return Math.min(Number(ordered), spec.maxSize);
}

export function rulesOf({ spec }: GroupMemory): DisruptionSpec {
  return spec?.disruption ?? DEFAULT_DISRUPTION;
}

export function booksOf(memory: GroupMemory, { at }: Pick<Meta, 'at'>): Books {
  const { maxSize, replace, template } = specOf(memory);
  return {
    at,
    rules: rulesOf(memory),
    infra: infraOf(template),
    breaker: memory.breaker?.state ?? 'closed',
    wanted: wantedOf(memory),
    floor: memory.shrink.floor,
    maxSize,
    replace,
    failures: memory.trouble?.failures ?? 0,
    members: managedOf(memory),
  };
}

// --- members ----------------------------------------------------------------------------------

export interface Requested {
  readonly id: InstanceId;
  readonly spec: GroupSpec;
  readonly at: number;
}

export function requestedMember(
  { id, spec, at }: Requested,
  extra: Pick<Member, 'replaces' | 'onDemand'>,
): Member {
  const state = 'requested' as const;
  const base = { id, state, sinceMs: at, requestedAtMs: at, infra: infraOf(spec.template) };
  const idle = { inService: false, replaceWanted: false };
  return { ...base, ...idle, ...extra };
}

/** The member's own word, beside what only the group knows of it. */
function merged(known: Member | undefined, summary: InstanceSummary): Member {
  const requestedAtMs = known?.requestedAtMs ?? summary.sinceMs;
  const leaving = known?.leaving;
  return leaving === undefined
    ? { ...summary, requestedAtMs }
    : { ...summary, requestedAtMs, leaving };
}

export function changed(memory: GroupMemory, summaries: readonly InstanceSummary[]): Change {
  let members: Record<InstanceId, Member> | undefined;
  for (const summary of summaries) {
    const known = (members ?? memory.members)[summary.id];
    const member = merged(known, summary);
    // Said again: the members are the same, and what was worked out about them stays.
    if (known !== undefined && isSameRecord(member, known)) continue;
    members ??= { ...memory.members };
    members[summary.id] = member;
  }
  return members === undefined ? {} : { members };
}

export function forgotten(memory: GroupMemory, id: InstanceId): Change {
  const { [id]: _gone, ...members } = memory.members;
  return { members };
}

/**
 * The stored children are the members; orders already given to them stand. One that cannot be read is
 * what the group last knew of it: it exists, and nobody is asked to take its place.
 */
export function recounted(memory: GroupMemory, children: readonly ChildRow[]): Change {
  const instances = children.filter(({ address }) => kindOf(address) === 'instance');
  const entries = instances.flatMap((row): [InstanceId, Member][] => {
    if (row.unreadable === true) return knownAt(memory, row.address);
    const child = row.context as unknown as InstanceMemory;
    const member = merged(memory.members[child.id], summaryOf(child));
    return [[child.id, { ...member, requestedAtMs: child.requestedAtMs }]];
  });
  const overrides = bookIn(children) ?? memory.overrides;
  return { members: Object.fromEntries(entries), overrides };
}

function knownAt({ members }: GroupMemory, address: Address): [InstanceId, Member][] {
  const id = keyOf(address) as InstanceId;
  const known = members[id];
  return known === undefined ? [] : [[id, known]];
}

export function toldToLeave(members: Members, id: InstanceId, reason: DrainReason): Members {
  const member = members[id];
  return member === undefined ? members : { ...members, [id]: { ...member, leaving: reason } };
}

export function allToldToLeave(memory: GroupMemory, reason: DrainReason): Change {
  const told = membersOf(memory).map((member): [InstanceId, Member] => [
    member.id,
    { ...member, leaving: reason },
  ]);
  return { leaving: reason, members: Object.fromEntries(told) };
}

export function unheardOf(memory: GroupMemory): readonly Member[] {
  return membersOf(memory).filter(isUnheard);
}

/** Not over yet: still there to be talked to. */
export function presentOf(memory: GroupMemory): readonly Member[] {
  return presentIn(membersOf(memory));
}

const presentIn = oncePer((members: readonly Member[]): readonly Member[] =>
  members.filter((member) => standingOf(member) !== 'gone'),
);

// --- creates ----------------------------------------------------------------------------------

/** The report tells of a create that came to nothing. */
export function tellsOfFailure(memory: GroupMemory, summary: InstanceSummary): boolean {
  const known = memory.members[summary.id];
  if (known === undefined || hasServed(known) || standingOf(known) !== 'staying') return false;
  // Neither its host's end nor an operator's interest tells anything of the template.
  const fateful = summary.drains === undefined && summary.state !== 'quarantined';
  if (isOnDemand(known) || !fateful) return false;
  return standingOf(merged(known, summary)) !== 'staying';
}

/** The report tells of a success after failures: not that somebody serves as before. */
export function tellsOfSuccess(memory: GroupMemory, summary: InstanceSummary): boolean {
  const known = memory.members[summary.id];
  const servedBefore = known !== undefined && hasServed(known);
  if (memory.trouble === null || isOnDemand(summary)) return false;
  return summary.state === 'serving' && !servedBefore;
}

/** As many as wanted, each of them has served, and none waits for a successor. */
export function isProven(memory: GroupMemory, meta: Meta): boolean {
  const books = booksOf(memory, meta);
  const counted = countedOf(books.members);
  if (counted.length !== books.wanted || !counted.every(hasServed)) return false;
  // Who leaves before its successor comes waits for the end of the trouble: that cannot wait for it.
  return books.replace === 'delete-first' || isComplete(books);
}

export function createFailed(memory: GroupMemory, summary: InstanceSummary, meta: Meta): Change {
  const { retry } = specOf(memory);
  const before = memory.trouble?.failures ?? 0;
  // What can never work is parked at once: trying it three times over would tell nothing more.
  const failures = isPermanent(summary.problem) ? retry.attempts + 1 + before : before + 1;
  const message = summary.problem ?? `${summary.id} never served`;
  const { sinceMs, cause } = memory.trouble ?? { sinceMs: meta.at, cause: meta.cause };
  const retryAtMs = meta.at + backoffMs(retry, failures, meta.random);
  return { trouble: { failures, sinceMs, cause, message, retryAtMs } };
}

// --- breaker and time -------------------------------------------------------------------------

export function breakerOf(memory: GroupMemory, meta: Meta): BreakerState {
  return nextBreaker(booksOf(memory, meta));
}

export function breakerMoved(memory: GroupMemory, meta: Meta): Change {
  const state = breakerOf(memory, meta);
  const since = { sinceMs: meta.at, cause: meta.cause };
  return { breaker: state === 'closed' ? null : { state, ...since } };
}

export function waitChanges(memory: GroupMemory, meta: Meta): boolean {
  const now = waitingOf(booksOf(memory, meta));
  const { waiting } = memory;
  // Only of the lack of room is it told who waits.
  return now?.why !== waiting?.why || (now?.why === 'room' && now.id !== waiting?.id);
}

export function waitNoted(memory: GroupMemory, meta: Meta): Change {
  const waiting = waitingOf(booksOf(memory, meta));
  const since = { sinceMs: meta.at, cause: meta.cause };
  return { waiting: waiting === undefined ? null : { ...waiting, ...since } };
}

/** Time to the next look at all members: sooner when one grows too old, or a window opens, before. */
export function nextLookMs(memory: GroupMemory, { at }: Meta, atLeastMs: number): number {
  const { resyncIntervalMs } = specOf(memory);
  const { windows } = rulesOf(memory).budget;
  const ages = upcomingOf(memory).filter((dueAtMs) => dueAtMs > at);
  const opening = windows === 'always' ? undefined : nextOpening(windows, at);
  const next = Math.min(at + resyncIntervalMs, ...ages, opening ?? Number.POSITIVE_INFINITY);
  return Math.min(resyncIntervalMs, Math.max(atLeastMs, next + 1 - at));
}

/** When its staying members grow too old. */
export function upcomingOf(memory: GroupMemory): readonly number[] {
  const rules = rulesOf(memory);
  const { forcedAgeMs, eligibleAgeMs, onDemandAgeMs } = rules.expiry;
  const rotates = forcedAgeMs !== undefined || eligibleAgeMs !== undefined;
  if (!rotates && onDemandAgeMs === undefined) return [];
  return stayingOf(membersOf(memory)).flatMap((member) => expiresAtMs({ rules }, member) ?? []);
}

// --- intent -----------------------------------------------------------------------------------

export function isOlder(memory: GroupMemory, spec: GroupSpec): boolean {
  return memory.spec !== null && spec.generation < memory.spec.generation;
}

/** Creates of what it wants now have never been tried: what failed was something else [GR-31]. */
export function isUntried(memory: GroupMemory, spec: GroupSpec): boolean {
  if (memory.trouble === null || memory.spec === null) return false;
  return infraOf(spec.template) !== infraOf(memory.spec.template);
}

/** Anything but the generation. */
export function changesSpec(memory: GroupMemory, spec: GroupSpec): boolean {
  if (memory.spec === null || memory.leaving !== null) return true;
  const { generation } = memory.spec;
  return !isSameJson({ ...spec, generation }, memory.spec);
}
