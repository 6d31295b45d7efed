/**
 * What tenancy remembers of the conversation with the tenant manager, and how one event changes it: the
 * context of `machines/tenancy.ts` as plain data, with one pure function for each change. What is known
 * of each resource is kept by the resource itself (machines/resource.ts).
 *
 * Input: the memory and the facts of an event. Output: what changes in the memory.
 */
import { backoffMs } from '../src/policy/backoff.js';
import type { ResourceEvent } from '../src/policy/tenancy.js';
import { type Gap, overlapAfter, readOverlap } from '../src/policy/tenancy-overlap.js';
import {
  type Belt,
  beltOf,
  extended,
  loaded,
  lowMark,
  NO_BELT,
  type Part,
} from '../src/policy/tenancy-route.js';
import { assert } from './model/assert.js';
import type { Meta } from './model/effects.js';
import type { ResourceAccepted, TenancySettings } from './model/tenancy-messages.js';

export interface TenancyMemory {
  readonly settings: TenancySettings | null;
  /** Every event up to it is accepted; null before the first replay. */
  readonly cursor: number | null;
  /** The newest event that was read. */
  readonly head: number;
  /** Replays so far. */
  readonly era: number;
  /** Ids that were passed over, perhaps by a commit that came late. */
  readonly gaps: readonly Gap[];
  /** An event the tenant manager must still have; what it is, as soon as that was seen. */
  readonly anchor: { readonly id: number; readonly of: string | null } | null;
  readonly checkedAtMs: number;
  /** Events on their way to their resources. */
  readonly belt: Belt;
  /** `strict` only: the event that holds up all others. */
  readonly blocked: Blocked | null;
  /** The question that is out. */
  readonly asked: { readonly after: number } | 'replay' | null;
  /** A page was full: the next one begins here. */
  readonly nextAfter: number | null;
  /** The last page was full. */
  readonly catchingUp: boolean;
  readonly lastSuccessAtMs: number | null;
  readonly replayTook: { readonly startedAtMs: number; readonly lastedMs: number | null } | null;
  readonly failures: number;
  readonly trouble: Trouble | null;
  /** The fleet has been told of the trouble. */
  readonly troubleTold: boolean;
}

export interface Trouble {
  readonly code: FailureCode;
  readonly sinceMs: number;
  readonly message: string;
  readonly cause: string;
}

export type FailureCode = 'unreachable' | 'refused' | 'malformed' | 'unauthorized';

export interface Blocked {
  readonly tenant: string;
  readonly id: number;
  readonly problem: string;
  readonly tries: number;
}

/** The tenant manager's answer to a replay or a poll. */
export interface AnswerRead {
  readonly type: 'answer.read';
  readonly replay: boolean;
  readonly events: readonly ResourceEvent[];
  readonly lastEventId: number;
  /** Of a replay, its first part: tenants we know and it does not mention, and how much comes behind. */
  readonly missing: readonly string[];
  readonly left: number;
}

/** The next part of the replay that was read last. */
export interface AnswerContinued extends Part {
  readonly type: 'answer.continued';
  readonly from: number;
}

/** Failures in a row after which the fleet is told. */
export const TROUBLE_FAILURES = 3;
/** Longer without a good answer, and events may have been forgotten before we saw them. */
export const STALE_MS = 24 * 3_600_000;
/** Of so many idle questions one looks whether the tenant manager still has what it told. */
const CHECK_EVERY = 12;
/** Doublings after which the longest wait is reached in any case. */
const DOUBLINGS_MAX = 32;

type Change = Partial<TenancyMemory>;

export function newTenancy(): TenancyMemory {
  return {
    settings: null,
    cursor: null,
    head: 0,
    era: 0,
    gaps: [],
    anchor: null,
    checkedAtMs: 0,
    belt: NO_BELT,
    blocked: null,
    asked: null,
    nextAfter: null,
    catchingUp: false,
    lastSuccessAtMs: null,
    replayTook: null,
    failures: 0,
    trouble: null,
    troubleTold: false,
  };
}

export function settingsOf({ settings }: TenancyMemory): TenancySettings {
  assert(settings !== null, 'tenancy asks without settings');
  return settings;
}

export function isNews({ settings }: TenancyMemory, told: TenancySettings): boolean {
  return JSON.stringify(settings) !== JSON.stringify(told);
}

/** A question of an earlier life is never answered, and what was on its way then is told anew. */
export function woken(): Change {
  const afresh = { nextAfter: null, catchingUp: false, belt: NO_BELT, gaps: [], anchor: null };
  return { asked: null, ...afresh };
}

// --- questions ------------------------------------------------------------------------------------

export function askedReplay(_memory: TenancyMemory, { at }: Meta): Change {
  return { asked: 'replay', nextAfter: null, replayTook: { startedAtMs: at, lastedMs: null } };
}

export function askedPage(memory: TenancyMemory, { at }: Meta): Change {
  const { nextAfter, head, anchor, checkedAtMs } = memory;
  if (nextAfter !== null) return { asked: { after: nextAfter }, nextAfter: null };
  const checkMs = CHECK_EVERY * settingsOf(memory).pollIntervalMs;
  const checks = anchor !== null && at - checkedAtMs >= checkMs;
  const after = overlapAfter(memory.gaps, checks ? anchor.id : null) ?? head;
  return { asked: { after }, ...(checks ? { checkedAtMs: at } : {}) };
}

/** Until the next question: an interval, or longer the more of them failed. */
export function askDueMs(memory: TenancyMemory, phase: 'replay' | 'poll', meta: Meta): number {
  const { pollIntervalMs, httpTimeoutMs } = settingsOf(memory);
  const retryMs = memory.asked === null ? retryDueMs(memory, meta) : 0;
  if (phase === 'poll') return Math.max(pollIntervalMs, retryMs, blockedMs(memory, meta));
  return memory.asked === null ? retryMs : httpTimeoutMs;
}

/** Who refuses us today will refuse us in a second: that waits for as long as it may. */
function retryDueMs({ failures, trouble, settings }: TenancyMemory, { random }: Meta): number {
  if (failures === 0 || settings === null) return 0;
  const { initialBackoffMs, maxBackoffMs, jitter } = settings;
  const baseMs = Math.min(initialBackoffMs, maxBackoffMs);
  const rule = { baseMs, maxMs: maxBackoffMs, attempts: DOUBLINGS_MAX, jitter };
  return backoffMs(rule, trouble?.code === 'unauthorized' ? DOUBLINGS_MAX : failures, random);
}

function blockedMs({ blocked, settings }: TenancyMemory, { random }: Meta): number {
  if (blocked === null || settings === null) return 0;
  const { laneBackoff, jitter } = settings;
  return backoffMs({ ...laneBackoff, attempts: DOUBLINGS_MAX, jitter }, blocked.tries, random);
}

// --- answers ----------------------------------------------------------------------------------------

export function succeeded({ at }: Meta): Change {
  return { asked: null, lastSuccessAtMs: at, failures: 0, trouble: null };
}

export function failed(
  { failures, trouble }: TenancyMemory,
  { code, message }: Pick<Trouble, 'code' | 'message'>,
  { at, cause }: Meta,
): Change {
  const first = { sinceMs: at, cause };
  return { asked: null, failures: failures + 1, trouble: { ...(trouble ?? first), code, message } };
}

/** Events may be missing that nobody will ever tell us. */
export function isStale({ lastSuccessAtMs }: TenancyMemory, { at }: Meta): boolean {
  return lastSuccessAtMs !== null && at - lastSuccessAtMs > STALE_MS;
}

/** It told us of events it does not have: it is another one, or an older one. */
export function isRewound(memory: TenancyMemory, answer: AnswerRead): boolean {
  const { asked, anchor, head } = memory;
  const after = asked === null || asked === 'replay' ? head : asked.after;
  // An empty page echoes what was asked.
  if (answer.lastEventId < Math.min(after, head)) return true;
  if (anchor === null || anchor.of === null || after >= anchor.id) return false;
  const found = answer.events.find(({ id }) => id === anchor.id);
  if (found !== undefined) return fingerprint(found) !== anchor.of;
  return !isFull(memory, answer) || (answer.events.at(-1)?.id ?? 0) > anchor.id;
}

function fingerprint({ eventType, resourceId }: ResourceEvent): string {
  return `${eventType} ${resourceId}`;
}

export function isFull(memory: TenancyMemory, { events }: AnswerRead): boolean {
  return events.length >= settingsOf(memory).pollLimit;
}

/** A replay begins an era: ids count from its boundary on. */
export function tookReplay(memory: TenancyMemory, answer: AnswerRead, { at }: Meta): Change {
  const { lastEventId } = answer;
  const { replayTook } = memory;
  const lastedMs = replayTook === null ? 0 : at - replayTook.startedAtMs;
  return {
    era: memory.era + 1,
    head: lastEventId,
    gaps: [],
    anchor: lastEventId > 0 ? { id: lastEventId, of: null } : null,
    checkedAtMs: at,
    blocked: null,
    nextAfter: null,
    catchingUp: false,
    belt: beltOf(lastEventId, answer),
    replayTook: replayTook === null ? null : { ...replayTook, lastedMs },
  };
}

/** Parts come in order, each once: what comes for another replay than this is not asked for by it. */
export function isNextPart({ belt }: TenancyMemory, { from }: AnswerContinued): boolean {
  return belt.rest.asked && from === belt.rest.from;
}

export function tookPart({ belt }: TenancyMemory, part: AnswerContinued): Change {
  return { belt: extended(belt, part) };
}

export function askedRest({ belt }: TenancyMemory): Change {
  return { belt: { ...belt, rest: { ...belt.rest, asked: true } } };
}

/** The actor has all of it at hand; should its answer be lost all the same, it is asked again. */
export function forgotRest({ belt }: TenancyMemory): Change {
  return { belt: { ...belt, rest: { ...belt.rest, asked: false } } };
}

/** Asked for before an event in front of it turned out to be one that holds up all others. */
export function isAhead({ asked, head }: TenancyMemory): boolean {
  return typeof asked === 'object' && asked !== null && asked.after > head;
}

export function tookPage(memory: TenancyMemory, answer: AnswerRead, { at }: Meta): Change {
  const { head } = memory;
  const read = readOverlap({ head, gaps: memory.gaps, events: answer.events, at });
  const last = answer.events.at(-1);
  const next = isFull(memory, answer) && last !== undefined ? last.id : null;
  return {
    head: read.head,
    gaps: read.gaps,
    anchor: anchorAfter(memory, answer),
    nextAfter: next,
    catchingUp: next !== null,
    belt: loaded(memory.belt, { events: read.fresh, until: read.head }),
    ...(read.fresh.length === 0 ? {} : { checkedAtMs: at }),
  };
}

/** The newest event that we saw ourselves; one that is not there when it is first looked for is let go. */
function anchorAfter({ anchor, head, asked }: TenancyMemory, { events }: AnswerRead) {
  const last = events.at(-1);
  if (last !== undefined && last.id >= head) return { id: last.id, of: fingerprint(last) };
  const after = typeof asked === 'object' ? (asked?.after ?? head) : head;
  return anchor !== null && anchor.of === null && after < anchor.id ? null : anchor;
}

// --- events on their way ----------------------------------------------------------------------------

export function cursorOf(memory: TenancyMemory): number | null {
  const mark = lowMark(memory.belt);
  if (mark === undefined) return memory.cursor;
  return memory.belt.replay ? mark : Math.max(memory.cursor ?? 0, mark);
}

/** [TE-51] One lane for all: what cannot be accepted holds up what comes after it. */
export function isBlocking(memory: TenancyMemory, { problem, id }: ResourceAccepted): boolean {
  return problem !== null && id > 0 && settingsOf(memory).ordering === 'strict';
}

export function blockedBy(memory: TenancyMemory, accepted: ResourceAccepted): Change {
  const { tenant, id, problem } = accepted;
  const tries = memory.blocked?.id === id ? memory.blocked.tries + 1 : 1;
  return {
    blocked: { tenant, id, problem: problem ?? '', tries },
    belt: NO_BELT,
    head: id - 1,
    cursor: id - 1,
    gaps: [],
    anchor: null,
    nextAfter: null,
    catchingUp: false,
  };
}
