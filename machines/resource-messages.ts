/**
 * What the lane of one resource says: intents for its tenant, its word to tenancy, statuses for the
 * tenant manager, records, and the shape operators see.
 *
 * Input: its memory, and the settings it was told with. Output: parameters of effects.
 */
import { deriveFor } from '../src/policy/tenancy.js';
import { isBuried, isParked, owedReport } from '../src/policy/tenancy-resource.js';
import { assert } from './model/assert.js';
import type { Meta, RecordParams } from './model/effects.js';
import type { Refusal } from './model/failures.js';
import { type Address, addressOf } from './model/ids.js';
import type { JsonObject } from './model/json.js';
import type { TenantMessage } from './model/messages.js';
import type { ResourceAccepted, StatusOrder, TenancySettings } from './model/tenancy-messages.js';
import { isUnsettledIn, knownIn, type ResourceMemory, type Told } from './resource-memory.js';

// --- to its tenant ----------------------------------------------------------------------------------

export interface IntentParams {
  readonly to: Address;
  /** Absent: there is nothing its tenant has to know. */
  readonly message?: TenantMessage;
}

export function intentOf(memory: ResourceMemory, settings: TenancySettings): IntentParams {
  const to = addressOf('tenant', memory.tenant);
  const { known } = memory;
  if (known === null || !known.made || isBuried(known)) return { to };
  if (known.wanted === 'absent') {
    return { to, message: { type: 'tenant.removed', undoWindowMs: settings.undoWindowMs } };
  }
  const derived = deriveFor(known, settings);
  if (derived.ok) return { to, message: { type: 'tenant.desired', spec: derived.value } };
  const { name, kind } = known;
  return { to, message: { type: 'tenant.problem', message: derived.failure, name, kind } };
}

/** Once more: whoever is not where it is wanted, and everybody when the settings may be other ones. */
export function repeatOf(memory: ResourceMemory, told: Told): IntentParams {
  if (told.type === 'resource.settings' || isUnsettledIn(memory)) {
    return intentOf(memory, told.settings);
  }
  return { to: addressOf('tenant', memory.tenant) };
}

// --- to tenancy ---------------------------------------------------------------------------------------

/** Undefined: it was not told of an event. */
export function acceptanceOf(
  { tenant, known }: ResourceMemory,
  told: Told,
  changed: boolean,
): ResourceAccepted | undefined {
  if (told.type !== 'resource.event') return undefined;
  const { era, id } = told.news;
  const problem = known !== null && isParked(known) ? known.problem : null;
  return { tenant, era, id, changed, problem };
}

// --- to the tenant manager ------------------------------------------------------------------------------

export function orderOf(memory: ResourceMemory): StatusOrder {
  const { id, kind, tenant } = knownIn(memory);
  const { asked } = memory;
  assert(asked !== null, `resource ${tenant} reports nothing`);
  return { tenant, resource: { type: kind, id }, report: asked };
}

// --- records ----------------------------------------------------------------------------------------

export interface Decided {
  readonly event: string;
  readonly rule: string;
}

/** The fleet hears of what is parked and of what is free again; the journal keeps the rest. */
export function decided(memory: ResourceMemory, told: Told): RecordParams {
  const parked = isParked(knownIn(memory));
  if (parked === memory.parkedTold) return journaled(memory, nameOf(told));
  const event = parked ? 'tenancy.event_parked' : 'tenancy.event_unparked';
  const { tenant } = memory;
  const aggregate = { aggregateKind: 'resource', aggregateId: tenant, tenantId: tenant };
  const publish = { ...aggregate, data: shapeOf(memory) };
  return { ...journaled(memory, { event, rule: 'TE-5' }), publish };
}

function nameOf(told: Told): Decided {
  switch (told.type) {
    case 'resource.missing':
      return { event: 'tenancy.resource_missed', rule: 'TE-4' };
    case 'resource.event':
      return { event: 'tenancy.event_accepted', rule: 'TE-1' };
    case 'resource.settings':
      return { event: 'tenancy.settings_applied', rule: 'TE-5' };
  }
}

export function journaled(memory: ResourceMemory, { event, rule }: Decided): RecordParams {
  const { id, kind, name, wanted, problem, reported } = knownIn(memory);
  const { era, eventId } = memory;
  const numbers = {
    ...{ id, kind, name, wanted, era, eventId },
    ...(problem === null ? {} : { problem }),
    ...(reported === null ? {} : { reported: reported.status }),
  };
  return { event, rule, numbers };
}

function shapeOf({ known, era, eventId, tries }: ResourceMemory): JsonObject {
  if (known === null) return {};
  const { id, tenant, kind, name, wanted, problem, reported } = known;
  const told = reported === null ? null : { ...reported };
  return { id, tenant, kind, name, wanted, problem, reported: told, era, eventId, attempts: tries };
}

// --- to operators -----------------------------------------------------------------------------------

export interface AnswerParams {
  readonly replyTo: string | undefined;
  readonly body: JsonObject;
}

export function agreed(memory: ResourceMemory, { replyTo }: Meta): AnswerParams {
  return { replyTo, body: { ok: true, resource: shapeOf(memory) } };
}

export function refused({ replyTo }: Meta, message: string): AnswerParams {
  const refusal: Refusal = { code: 'refused', rule: 'TE-52', message };
  return { replyTo, body: { ok: false, refusal: { ...refusal } } };
}

export function viewOf(memory: ResourceMemory, nextAttemptAt: string | undefined): JsonObject {
  const { known, asked, refusals } = memory;
  if (known === null) return { tenant: memory.tenant };
  const owed = owedReport(known);
  return {
    ...shapeOf(memory),
    settled: !isUnsettledIn(memory),
    parked: isParked(known),
    ...(nextAttemptAt === undefined ? {} : { nextAttemptAt }),
    ...(owed === undefined ? {} : { owed: { ...owed } }),
    ...(asked === null ? {} : { refusals }),
  };
}
