/**
 * What tenancy remembers, and how one event changes it: the context of `machines/tenancy.ts` as plain
 * data, with one pure function for each change.
 *
 * Input: the memory and the facts of an event. Output: what changes in the memory.
 */
import { backoffMs } from '../src/policy/backoff.js';
import { type ResourceEvent, reassess, takeAnswer } from '../src/policy/tenancy.js';
import {
  isBuried,
  isParked,
  owedReport,
  type Report,
  type Resource,
  type Resources,
  refreshed,
  withState,
} from '../src/policy/tenancy-resource.js';
import { assert } from './model/assert.js';
import type { Meta } from './model/effects.js';
import type { TenancySettings, TenantStatus } from './model/messages.js';

export interface TenancyMemory {
  readonly settings: TenancySettings | null;
  /** Highest event of which every resource is accepted; null before the first replay. */
  readonly cursor: number | null;
  /** By tenant. */
  readonly resources: Resources;
  /** Tenants that the latest answer or settings concern. */
  readonly concerned: readonly string[];
  /** A question is out. */
  readonly asking: boolean;
  readonly lastSuccessAtMs: number | null;
  readonly failures: number;
  readonly trouble: Trouble | null;
  /** The fleet has been told of the trouble. */
  readonly troubleTold: boolean;
  /** Parked tenants the fleet has been told of. */
  readonly parkedTold: readonly string[];
  /** Batches of statuses in a row that found nobody. */
  readonly statusFailures: number;
}

export interface Trouble {
  readonly sinceMs: number;
  readonly message: string;
  readonly cause: string;
}

/** The tenant manager's answer to a replay or a poll. */
export interface AnswerRead {
  readonly type: 'answer.read';
  readonly replay: boolean;
  readonly events: readonly ResourceEvent[];
  readonly lastEventId: number;
}

export interface StatusOrder {
  readonly tenant: string;
  readonly resource: { readonly type: 'org' | 'project'; readonly id: string };
  readonly report: Report;
}

export interface StatusResult {
  readonly tenant: string;
  readonly report: Report;
  readonly outcome: 'acknowledged' | 'refused' | 'unreachable';
}

/** Statuses given to the tenant manager at once. */
export const STATUS_BATCH_MAX = 16;
/** Failures in a row after which the fleet is told. */
export const TROUBLE_FAILURES = 3;
/** Resources that are over, remembered so that a replay does not bring them up again. */
const BURIED_MAX = 1_000;
/** As `retry.jitter`: many nodes must not come back to a tenant manager together. */
const JITTER = 0.25;
/** Doublings after which the longest wait is reached in any case. */
const DOUBLINGS_MAX = 32;

type Change = Partial<TenancyMemory>;

export function newTenancy(): TenancyMemory {
  return {
    settings: null,
    cursor: null,
    resources: {},
    concerned: [],
    asking: false,
    lastSuccessAtMs: null,
    failures: 0,
    trouble: null,
    troubleTold: false,
    parkedTold: [],
    statusFailures: 0,
  };
}

export function settingsOf({ settings }: TenancyMemory): TenancySettings {
  assert(settings !== null, 'tenancy asks without settings');
  return settings;
}

// --- settings -----------------------------------------------------------------------------------

export function isNews({ settings }: TenancyMemory, told: TenancySettings): boolean {
  return JSON.stringify(settings) !== JSON.stringify(told);
}

export function reconfigured({ resources }: TenancyMemory, settings: TenancySettings): Change {
  return {
    settings,
    resources: reassess(resources, settings),
    concerned: Object.keys(resources),
  };
}

// --- answers of the tenant manager ----------------------------------------------------------------

export function accepted(memory: TenancyMemory, answer: AnswerRead): Change {
  const taken = takeAnswer(memory.resources, answer, settingsOf(memory));
  return { resources: taken.resources, concerned: taken.changed, cursor: cursorAfter(answer) };
}

/** A page ends where its last event does; only a replay has a boundary of its own. */
function cursorAfter({ replay, events, lastEventId }: AnswerRead): number {
  return replay ? lastEventId : (events.at(-1)?.id ?? lastEventId);
}

export function isChanging(memory: TenancyMemory, answer: AnswerRead): boolean {
  return takeAnswer(memory.resources, answer, settingsOf(memory)).changed.length > 0;
}

/** Ids only grow; a tenant manager that forgot some is another one, or an older one. */
export function isBackwards({ cursor }: TenancyMemory, { lastEventId }: AnswerRead): boolean {
  return cursor !== null && lastEventId < cursor;
}

export function isFull(memory: TenancyMemory, { events }: AnswerRead): boolean {
  return events.length >= settingsOf(memory).pollLimit;
}

export function succeeded({ at }: Meta): Change {
  return { asking: false, lastSuccessAtMs: at, failures: 0, trouble: null };
}

export function failed({ failures, trouble }: TenancyMemory, message: string, meta: Meta): Change {
  const first = { sinceMs: meta.at, message, cause: meta.cause };
  return { asking: false, failures: failures + 1, trouble: { ...(trouble ?? first), message } };
}

/** Until the next question: an interval, or longer the more of them failed. */
export function askDueMs(memory: TenancyMemory, phase: 'replay' | 'poll', meta: Meta): number {
  const { pollIntervalMs, httpTimeoutMs } = settingsOf(memory);
  const retryMs = retryDueMs(memory, memory.failures, meta);
  if (phase === 'poll') return Math.max(pollIntervalMs, memory.asking ? 0 : retryMs);
  return memory.asking ? httpTimeoutMs : retryMs;
}

function retryDueMs(memory: TenancyMemory, failures: number, meta: Meta): number {
  if (failures === 0) return 0;
  const { initialBackoffMs, maxBackoffMs } = settingsOf(memory);
  const rule = {
    baseMs: Math.min(initialBackoffMs, maxBackoffMs),
    maxMs: maxBackoffMs,
    attempts: DOUBLINGS_MAX,
    jitter: JITTER,
  };
  return backoffMs(rule, failures, meta.random);
}

// --- tenants and their statuses -------------------------------------------------------------------

export function heardTenant({ resources }: TenancyMemory, status: TenantStatus): Change {
  const { tenant, state } = status;
  const resource = resources[tenant];
  if (resource === undefined) return {};
  return { resources: { ...resources, [tenant]: withState(resource, state) } };
}

export function parkedIn({ resources }: TenancyMemory): readonly string[] {
  return Object.keys(resources).filter((tenant) => {
    const resource = resources[tenant];
    return resource !== undefined && isParked(resource);
  });
}

/** Tenants that are not yet, or not any more, where they are wanted. */
export function unsettledIn({ resources }: TenancyMemory): readonly string[] {
  return Object.keys(resources).filter((tenant) => {
    const resource = resources[tenant];
    if (resource === undefined || !resource.made) return false;
    return resource.state !== (resource.wanted === 'absent' ? 'removed' : 'converged');
  });
}

interface Owed {
  readonly tenant: string;
  readonly resource: Resource;
  readonly report: Report;
}

export function owedIn({ resources }: TenancyMemory): readonly Owed[] {
  return Object.entries(resources).flatMap(([tenant, resource]) => {
    const report = owedReport(resource);
    return report === undefined ? [] : [{ tenant, resource, report }];
  });
}

/** [TE-11] Those that failed least go first, so that none waits for a hopeless one. */
export function nextBatch(memory: TenancyMemory): readonly StatusOrder[] {
  return owedIn(memory)
    .toSorted((a, b) => a.resource.attempts - b.resource.attempts)
    .slice(0, STATUS_BATCH_MAX)
    .map(({ tenant, resource: { kind, id }, report }) => ({
      tenant,
      resource: { type: kind, id },
      report,
    }));
}

/** Statuses that have not failed yet need not wait, unless nobody is there to take them. */
export function owesFresh(memory: TenancyMemory): boolean {
  return memory.statusFailures === 0 && owedIn(memory).some((owed) => owed.resource.attempts === 0);
}

export function statusDueMs(memory: TenancyMemory, meta: Meta): number {
  const attempts = owedIn(memory).map(({ resource }) => resource.attempts);
  const failures = Math.max(memory.statusFailures, Math.min(...attempts, DOUBLINGS_MAX));
  return retryDueMs(memory, failures, meta);
}

export function reported(memory: TenancyMemory, results: readonly StatusResult[]): Change {
  const resources: Record<string, Resource> = { ...memory.resources };
  for (const result of results) {
    const before = resources[result.tenant];
    if (before !== undefined) resources[result.tenant] = afterReport(before, result);
  }
  const away = results.some(({ outcome }) => outcome === 'unreachable');
  return {
    resources: withoutOldGraves(resources),
    statusFailures: away ? memory.statusFailures + 1 : 0,
  };
}

function afterReport(before: Resource, { report, outcome }: StatusResult): Resource {
  if (outcome === 'acknowledged') {
    return refreshed(before, { ...before, reported: report, attempts: 0 });
  }
  return { ...before, attempts: before.attempts + 1 };
}

function withoutOldGraves(resources: Record<string, Resource>): Resources {
  const buried = Object.keys(resources).filter((tenant) => {
    const resource = resources[tenant];
    return resource !== undefined && isBuried(resource);
  });
  for (const tenant of buried.slice(0, Math.max(0, buried.length - BURIED_MAX))) {
    delete resources[tenant];
  }
  return resources;
}

export function isAllAcknowledged(results: readonly StatusResult[]): boolean {
  return results.every(({ outcome }) => outcome === 'acknowledged');
}
