/**
 * What the lane of one resource remembers, and how one event changes it: the context of
 * `machines/resource.ts` as plain data, with one pure function for each change.
 *
 * Input: the memory and the facts of an event. Output: what changes in the memory.
 */
import { backoffMs } from '../src/policy/backoff.js';
import { afterEvent, assessed } from '../src/policy/tenancy.js';
import {
  isParked,
  isSettled,
  isUndone,
  owedReport,
  type Resource,
  sameReport,
  withState,
} from '../src/policy/tenancy-resource.js';
import { assert } from './model/assert.js';
import type { Meta } from './model/effects.js';
import { type Address, keyOf, type TenantId } from './model/ids.js';
import type {
  ResourceMessage,
  ResourceNews,
  ResourceReport,
  TenancySettings,
  TenantStatus,
} from './model/tenancy-messages.js';

export interface ResourceMemory {
  readonly tenant: TenantId;
  readonly known: Resource | null;
  /** The newest event that was taken: ids count within an era. */
  readonly era: number;
  readonly eventId: number;
  /** Attempts in a row that left it parked. */
  readonly tries: number;
  /** The fleet has been told that it is parked. */
  readonly parkedTold: boolean;
  /** Its tenant is not where it is wanted, as of when its timer was set. */
  readonly unsettled: boolean;
  /** What the reporter was last given. */
  readonly asked: ResourceReport | null;
  /** Refusals in a row of what it was given. */
  readonly refusals: number;
  readonly waits: Waits;
}

/** Of the settings, what a lane needs between two messages. */
interface Waits {
  readonly lane: { readonly baseMs: number; readonly maxMs: number };
  readonly status: { readonly baseMs: number; readonly maxMs: number };
  readonly jitter: number;
}

export type Told = Extract<ResourceMessage, { readonly settings: TenancySettings }>;

type Change = Partial<ResourceMemory>;

/** Doublings after which the longest wait is reached in any case. */
const DOUBLINGS_MAX = 32;

export function newResource(address: Address): ResourceMemory {
  return {
    tenant: keyOf(address) as TenantId,
    known: null,
    era: 0,
    eventId: 0,
    tries: 0,
    parkedTold: false,
    unsettled: false,
    asked: null,
    refusals: 0,
    waits: {
      lane: { baseMs: 5_000, maxMs: 300_000 },
      status: { baseMs: 1_000, maxMs: 30_000 },
      jitter: 0.25,
    },
  };
}

export function knownIn({ known, tenant }: ResourceMemory): Resource {
  assert(known !== null, `resource ${tenant} speaks before it is known`);
  return known;
}

// --- what the tenant manager says ---------------------------------------------------------------

/** Told before, or overtaken by what was told since. */
export function isOld({ era, eventId }: ResourceMemory, news: ResourceNews): boolean {
  return news.era < era || (news.era === era && news.id < eventId);
}

/** What is known once the message has been heard; null: nobody of this name was ever made. */
export function judged(memory: ResourceMemory, told: Told): Resource | null {
  const after = heard(memory, told);
  return after === null ? null : assessed(after, told.settings);
}

function heard(memory: ResourceMemory, told: Told): Resource | null {
  const { known } = memory;
  switch (told.type) {
    case 'resource.event':
      return isOld(memory, told.news) ? known : afterEvent(known, told.news);
    case 'resource.missing':
      return known?.wanted === 'present' ? { ...known, wanted: 'absent' } : known;
    case 'resource.settings':
      return known;
  }
}

/** Something is decided that a crash must not forget. */
export function isDecision(memory: ResourceMemory, told: Told): boolean {
  const after = judged(memory, told);
  const { known } = memory;
  if (known === null || after === null) return known !== after;
  return (
    known.wanted !== after.wanted || known.problem !== after.problem || known.made !== after.made
  );
}

export function took(memory: ResourceMemory, told: Told): Change {
  const after = judged(memory, told);
  const parked = after !== null && isParked(after);
  return {
    ...placeAfter(memory, told),
    known: after,
    tries: parked ? Math.max(1, memory.tries) : 0,
    waits: waitsOf(told.settings),
  };
}

function placeAfter(memory: ResourceMemory, told: Told): Change {
  if (told.type !== 'resource.event' || isOld(memory, told.news)) return {};
  return { era: told.news.era, eventId: told.news.id };
}

function waitsOf(settings: TenancySettings): Waits {
  const { laneBackoff: lane, initialBackoffMs, maxBackoffMs, jitter } = settings;
  const baseMs = Math.min(initialBackoffMs, maxBackoffMs);
  return { lane, status: { baseMs, maxMs: maxBackoffMs }, jitter };
}

export function retryDueMs({ tries, waits }: ResourceMemory, { random }: Meta): number {
  return waitMs(waits.lane, tries, waits.jitter, random);
}

function waitMs(range: Waits['lane'], failures: number, jitter: number, random: number): number {
  return backoffMs({ ...range, attempts: DOUBLINGS_MAX, jitter }, failures, random);
}

export function isParkedIn({ known }: ResourceMemory): boolean {
  return known !== null && isParked(known);
}

export function isUnsettledIn({ known }: ResourceMemory): boolean {
  return known !== null && !isSettled(known);
}

// --- what its tenant says -------------------------------------------------------------------------

export function heardTenant(memory: ResourceMemory, status: TenantStatus): Change {
  return { known: withState(knownIn(memory), status) };
}

export function isUndoneBy(memory: ResourceMemory, { state }: TenantStatus): boolean {
  return isUndone(knownIn(memory), state);
}

// --- what the tenant manager is told ----------------------------------------------------------------

/** The report that is owed, if the reporter has not been given it already. */
export function unaskedReport(memory: ResourceMemory): ResourceReport | undefined {
  const owed = memory.known === null ? undefined : owedReport(memory.known);
  return owed !== undefined && !sameReport(owed, memory.asked) ? owed : undefined;
}

export function owesNothing({ known }: ResourceMemory): boolean {
  return known === null || owedReport(known) === undefined;
}

export function gaveReport(memory: ResourceMemory): Change {
  const owed = owedReport(knownIn(memory)) ?? null;
  const refusals = sameReport(owed, memory.asked) ? memory.refusals : 0;
  return { asked: owed, refusals };
}

export function acknowledged(memory: ResourceMemory, report: ResourceReport): Change {
  const known = { ...knownIn(memory), reported: report };
  const asked = sameReport(report, memory.asked) ? null : memory.asked;
  return { known, asked, refusals: 0 };
}

export function statusDueMs({ refusals, waits }: ResourceMemory, { random }: Meta): number {
  return waitMs(waits.status, refusals, waits.jitter, random);
}
