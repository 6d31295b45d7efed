/**
 * What tenancy says: questions for the tenant manager, events and settings for the lanes of its
 * resources, the state of the line for the reporter, records, and the shape operators see.
 *
 * Input: its memory. Output: parameters of effects.
 */

import { tenantOf } from '../src/policy/tenancy-resource.js';
import { isAllTold, toldIn, unacceptedIn } from '../src/policy/tenancy-route.js';
import type { RecordParams } from './model/effects.js';
import { type Address, addressOf } from './model/ids.js';
import type { JsonObject } from './model/json.js';
import type {
  ReporterMessage,
  ResourceMessage,
  TenancySettings,
} from './model/tenancy-messages.js';
import { timestamp } from './model/time.js';
import { settingsOf, type TenancyMemory } from './tenancy-memory.js';

// --- to the tenant manager ------------------------------------------------------------------------

/** `after` is absent in a replay. */
export interface AskParams {
  readonly after?: number;
  readonly limit: number;
  readonly timeoutMs: number;
  readonly tls: TenancySettings['tls'];
}

export function replayOf(memory: TenancyMemory): AskParams {
  const { pollLimit, httpTimeoutMs, tls } = settingsOf(memory);
  return { limit: pollLimit, timeoutMs: httpTimeoutMs, tls };
}

export function pageOf(memory: TenancyMemory): AskParams {
  const { asked, head } = memory;
  const after = typeof asked === 'object' && asked !== null ? asked.after : head;
  return { ...replayOf(memory), after };
}

/** From where a replay goes on that the actor has at hand. */
export interface RestParams {
  readonly from: number;
}

export function restOf({ belt }: TenancyMemory): RestParams {
  return { from: belt.rest.from };
}

// --- to lanes ---------------------------------------------------------------------------------------

export interface Letter {
  readonly to: Address;
  readonly message: ResourceMessage;
}

export interface LettersParams {
  readonly letters: readonly Letter[];
}

/** What the belt tells now, and again: what it told and nobody has accepted. */
export function lettersOf(memory: TenancyMemory): LettersParams {
  const settings = settingsOf(memory);
  const { belt } = memory;
  const missing = belt.telling.missing.map(
    (tenant): Letter => ({
      to: addressOf('resource', tenant),
      message: { type: 'resource.missing', settings },
    }),
  );
  return { letters: [...missing, ...newsFor(memory, toldIn(belt))] };
}

export function unansweredOf(memory: TenancyMemory): LettersParams {
  const waiting = memory.belt.waiting.map(({ event }) => event);
  return { letters: newsFor(memory, waiting) };
}

function newsFor(memory: TenancyMemory, events: ReturnType<typeof toldIn>): readonly Letter[] {
  const settings = settingsOf(memory);
  const { era } = memory;
  return events.map((event) => {
    const { id, eventType, resourceType, resourceId, resourceName } = event;
    // Only ids of pages count: a replay has none.
    const news = { era, id, replay: id === 0, eventType, resourceType, resourceId, resourceName };
    const to = addressOf('resource', tenantOf(resourceId) ?? '');
    return { to, message: { type: 'resource.event', news, settings } };
  });
}

/** Every lane there is. */
export interface SettingsParams {
  readonly settings: TenancySettings;
}

export function settingsFor(memory: TenancyMemory): SettingsParams {
  return { settings: settingsOf(memory) };
}

// --- to the reporter ----------------------------------------------------------------------------------

export interface LineParams {
  readonly messages: readonly ReporterMessage[];
}

export function lineOf(memory: TenancyMemory): LineParams {
  const timeoutMs = settingsOf(memory).httpTimeoutMs;
  const { trouble, catchingUp, belt } = memory;
  const busy = catchingUp || !isAllTold(belt);
  return {
    messages: [
      { type: 'reporter.settings', settings: { timeoutMs } },
      { type: 'reporter.line', up: trouble === null, busy },
    ],
  };
}

// --- records ----------------------------------------------------------------------------------------

export interface Decided {
  readonly event: string;
  readonly rule: string;
}

/** A decision the fleet hears of. */
export function published(memory: TenancyMemory, decided: Decided): RecordParams {
  const data = shapeOf(memory);
  return {
    ...journaled(memory, decided),
    publish: { aggregateKind: 'tenancy', aggregateId: 'main', data },
  };
}

/** A decision only the journal keeps. */
export function journaled(memory: TenancyMemory, { event, rule }: Decided): RecordParams {
  const { cursor, era, belt, failures, trouble, blocked } = memory;
  const numbers = {
    ...{ cursor, era, events: belt.events.length, changed: belt.changed },
    ...(blocked === null ? {} : { blockedBy: blocked.tenant, problem: blocked.problem }),
    ...(trouble === null ? {} : { failures, message: trouble.message }),
  };
  return { event, rule, numbers };
}

/** What was carried, once all of it is accepted: a replay that changed nothing is no news. */
export function carried(memory: TenancyMemory): RecordParams {
  const { replay } = memory.belt;
  if (replay) return published(memory, { event: 'tenancy.replayed', rule: 'TE-1' });
  return journaled(memory, { event: 'tenancy.page_accepted', rule: 'TE-1' });
}

function shapeOf({ cursor, era, belt, trouble, blocked }: TenancyMemory): JsonObject {
  return {
    cursor,
    era,
    changed: belt.changed,
    blockedBy: blocked?.tenant ?? null,
    unreachableSince: trouble === null ? null : timestamp(trouble.sinceMs),
  };
}

// --- to operators ---------------------------------------------------------------------------------

export function viewOf(memory: TenancyMemory, phase: string): JsonObject {
  const { cursor, head, era, belt, gaps, lastSuccessAtMs, failures, replayTook } = memory;
  return {
    cursor,
    head,
    lastSuccessAt: lastSuccessAtMs === null ? null : timestamp(lastSuccessAtMs),
    phase,
    replays: era,
    replayDurationMs: replayTook?.lastedMs ?? null,
    unaccepted: unacceptedIn(belt),
    gaps: gaps.length,
    failures,
    conditions: [...troubleIn(memory), ...blockIn(memory)],
  };
}

const NEXT = 'tenants stay as they are and new ones wait; it goes on by itself';

function troubleIn({ trouble, failures }: TenancyMemory): readonly JsonObject[] {
  if (trouble === null) return [];
  const { code, sinceMs, cause, message } = trouble;
  const denied = code === 'unauthorized';
  const condition = {
    type: denied ? 'tenant-manager-refuses-us' : 'tenant-manager-unreachable',
    object: 'tenancy/main',
    severity: 'warning',
    since: timestamp(sinceMs),
    cause,
    message: `${failures} questions in a row failed, the last because ${message}`,
    next: denied ? `mend tenancy.auth or tenancy.tls and reload; ${NEXT}` : NEXT,
  };
  return [condition];
}

function blockIn({ blocked, lastSuccessAtMs }: TenancyMemory): readonly JsonObject[] {
  if (blocked === null) return [];
  const { tenant, id, problem, tries } = blocked;
  const condition = {
    type: 'tenancy-blocked',
    object: 'tenancy/main',
    severity: 'warning',
    since: lastSuccessAtMs === null ? null : timestamp(lastSuccessAtMs),
    cause: 'TE-51',
    message: `event ${id} cannot be accepted and holds up all after it (${tries} tries): ${problem}`,
    next: `mend what the sentence names and reload, or set tenancy.ordering: per-resource; it is about tenant/${tenant}`,
  };
  return [condition];
}
