/**
 * What tenancy says: questions and statuses for the tenant manager, intents for its tenants, records,
 * and the shape operators see.
 *
 * Input: its memory. Output: parameters of effects.
 */
import { deriveFor } from '../src/policy/tenancy.js';
import type { Resource } from '../src/policy/tenancy-resource.js';
import type { RecordParams } from './model/effects.js';
import { type Address, addressOf } from './model/ids.js';
import type { JsonObject } from './model/json.js';
import type { TenantMessage } from './model/messages.js';
import { timestamp } from './model/time.js';
import {
  nextBatch,
  owedIn,
  parkedIn,
  type StatusOrder,
  settingsOf,
  type TenancyMemory,
  unsettledIn,
} from './tenancy-memory.js';

// --- to the tenant manager ------------------------------------------------------------------------

/** `after` is absent in a replay. */
export interface AskParams {
  readonly after?: number;
  readonly limit: number;
  readonly timeoutMs: number;
}

export function replayOf(memory: TenancyMemory): AskParams {
  const { pollLimit, httpTimeoutMs } = settingsOf(memory);
  return { limit: pollLimit, timeoutMs: httpTimeoutMs };
}

export function pollOf(memory: TenancyMemory): AskParams {
  return { ...replayOf(memory), after: memory.cursor ?? 0 };
}

export interface PushParams {
  readonly orders: readonly StatusOrder[];
  readonly timeoutMs: number;
}

export function pushOf(memory: TenancyMemory): PushParams {
  return { orders: nextBatch(memory), timeoutMs: settingsOf(memory).httpTimeoutMs };
}

// --- to tenants -----------------------------------------------------------------------------------

export interface TenancyLetter {
  readonly to: Address;
  readonly message: TenantMessage;
}

export interface IntentsParams {
  readonly letters: readonly TenancyLetter[];
}

/** What the latest answer or settings changed. */
export function intents(memory: TenancyMemory): IntentsParams {
  return lettersFor(memory, memory.concerned);
}

/** Everything, once more: the first thing after a restart. */
export function everyIntent(memory: TenancyMemory): IntentsParams {
  return lettersFor(memory, Object.keys(memory.resources));
}

export function unsettledIntents(memory: TenancyMemory): IntentsParams {
  return lettersFor(memory, unsettledIn(memory));
}

function lettersFor(memory: TenancyMemory, tenants: readonly string[]): IntentsParams {
  const letters = tenants.flatMap((tenant) => {
    const resource = memory.resources[tenant];
    if (resource === undefined || !resource.made) return [];
    return [{ to: addressOf('tenant', resource.tenant), message: intentFor(memory, resource) }];
  });
  return { letters };
}

function intentFor(memory: TenancyMemory, resource: Resource): TenantMessage {
  const settings = settingsOf(memory);
  if (resource.wanted === 'absent') {
    return { type: 'tenant.removed', undoWindowMs: settings.undoWindowMs };
  }
  const derived = deriveFor(resource, settings);
  if (derived.ok) return { type: 'tenant.desired', spec: derived.value };
  return { type: 'tenant.problem', message: derived.failure };
}

// --- records --------------------------------------------------------------------------------------

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
  const { cursor, concerned, failures, trouble } = memory;
  const numbers = {
    cursor,
    concerned: concerned.length,
    parked: parkedIn(memory).length,
    owed: owedIn(memory).length,
    ...(trouble === null ? {} : { failures, message: trouble.message }),
  };
  return { event, rule, numbers };
}

function shapeOf(memory: TenancyMemory): JsonObject {
  const { cursor, resources, trouble } = memory;
  return {
    cursor,
    resources: Object.keys(resources).length,
    parked: parkedIn(memory).map((tenant) => ({
      tenant,
      error: resources[tenant]?.problem ?? '',
    })),
    unreachableSince: trouble === null ? null : timestamp(trouble.sinceMs),
  };
}

// --- to operators ---------------------------------------------------------------------------------

export function viewOf(memory: TenancyMemory, phase: string): JsonObject {
  const { cursor, resources, lastSuccessAtMs } = memory;
  return {
    cursor,
    lastSuccessAt: lastSuccessAtMs === null ? null : timestamp(lastSuccessAtMs),
    parked: parkedIn(memory).length,
    phase,
    resources: Object.keys(resources).length,
    statusesOwed: owedIn(memory).length,
    conditions: conditionsOf(memory),
  };
}

function conditionsOf({ trouble, failures }: TenancyMemory): readonly JsonObject[] {
  if (trouble === null) return [];
  const condition = {
    type: 'tenant-manager-unreachable',
    object: 'tenancy/main',
    severity: 'warning',
    since: timestamp(trouble.sinceMs),
    cause: trouble.cause,
    message: `${failures} questions in a row failed, the last because ${trouble.message}`,
    next: 'tenants stay as they are and new ones wait; it goes on by itself',
  };
  return [condition];
}
