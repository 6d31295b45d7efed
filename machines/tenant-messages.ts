/**
 * What a tenant says: orders for its groups and frontends, records for the journal and the feed, its
 * status for its resource, answers for operators, and the shape operators see.
 *
 * Input: its memory. Output: parameters of effects.
 *
 * Rules: [TN-5] a frontend is told to go only when no group is leaving any more, because members are
 * drained through it.
 */
import type { Meta, RecordParams } from './model/effects.js';
import type { Refusal } from './model/failures.js';
import { type Address, addressOf, type FrontendName, type GroupKey } from './model/ids.js';
import type { JsonObject } from './model/json.js';
import type { FrontendMessage, GroupMessage, TenantState, TenantStatus } from './model/messages.js';
import { timestamp } from './model/time.js';
import { groupsOf } from './tenant-groups.js';
import { everyPart, type Parts, pendingOf, type TenantMemory } from './tenant-memory.js';
import { orderConditions, ordersView } from './tenant-orders.js';

// --- to its parts -------------------------------------------------------------------------------

export interface TenantLetter {
  readonly to: Address;
  readonly message: GroupMessage | FrontendMessage;
}

export interface LettersParams {
  readonly letters: readonly TenantLetter[];
}

/** Everything its parts have to know. Levels: said again, they change nothing. */
export function orders(memory: TenantMemory): LettersParams {
  return { letters: [...wantedLetters(memory), ...leavingLetters(memory)] };
}

function wantedLetters(memory: TenantMemory): readonly TenantLetter[] {
  const { id, spec, leaving } = memory;
  if (spec === null || leaving) return [];
  const owner = addressOf('tenant', id);
  return [
    ...groupsOf(memory, spec).map(
      (group): TenantLetter => ({
        to: addressOf('group', group.key),
        message: { type: 'group.desired', spec: group },
      }),
    ),
    ...spec.frontends.map(
      (frontend): TenantLetter => ({
        to: addressOf('frontend', frontend.name),
        message: { type: 'frontend.desired', spec: frontend, owner },
      }),
    ),
  ];
}

function leavingLetters({ groups, frontends, leaving }: TenantMemory): readonly TenantLetter[] {
  const reason = leaving ? 'tenant-removed' : 'group-removed';
  const leavingGroups = unwantedIn(groups);
  if (leavingGroups.length > 0) {
    return leavingGroups.map((key) => ({
      to: addressOf('group', key as GroupKey),
      message: { type: 'group.removed', reason },
    }));
  }
  return unwantedIn(frontends).map((name) => ({
    to: addressOf('frontend', name as FrontendName),
    message: { type: 'frontend.removed' },
  }));
}

function unwantedIn(parts: Parts): readonly string[] {
  return Object.entries(parts)
    .filter(([, { wanted }]) => !wanted)
    .map(([name]) => name);
}

// --- records ------------------------------------------------------------------------------------

export interface Decided {
  readonly event: string;
  readonly rule: string;
  readonly numbers?: JsonObject;
}

/** A decision the fleet hears of. */
export function published(memory: TenantMemory, decided: Decided): RecordParams {
  const { id } = memory;
  const aggregate = { aggregateKind: 'tenant', aggregateId: id, tenantId: id };
  return { ...journaled(memory, decided), publish: { ...aggregate, data: viewOf(memory) } };
}

/** A decision only the journal keeps. */
export function journaled(memory: TenantMemory, decided: Decided): RecordParams {
  const { event, rule } = decided;
  const { groups, frontends, problem } = memory;
  const numbers = {
    groups: Object.keys(groups).length,
    frontends: Object.keys(frontends).length,
    pending: pendingOf(memory).length,
    ...(problem === null ? {} : { problem: problem.message }),
    ...decided.numbers,
  };
  return { event, rule, numbers };
}

// --- to its resource ---------------------------------------------------------------------------------

export interface StatusParams {
  /** Null: nobody beyond this node asked for this tenant. */
  readonly to: Address | null;
  readonly status: TenantStatus;
}

/** Its resource also hears of a tenant without a spec: only that one tells of problems and of strangers. */
export function statusFor(memory: TenantMemory): StatusParams {
  const { id, spec, label, problem } = memory;
  return {
    to: spec === null || spec.source === 'tenancy' ? addressOf('resource', id) : null,
    status: {
      tenant: id,
      kind: spec?.kind ?? label?.kind ?? 'project',
      state: stateFor(memory),
      message: problem?.message ?? '',
    },
  };
}

export function statusWithTrouble(memory: TenantMemory): StatusParams {
  const { to, status } = statusFor(memory);
  const [trouble = ''] = status.message === '' ? partTroubles(memory) : [status.message];
  return { to, status: { ...status, message: trouble } };
}

/** Beyond the node a draining tenant is still being deleted, and an unknown one is gone. */
function stateFor({ state }: TenantMemory): TenantState {
  if (state === 'unknown') return 'removed';
  return state === 'draining' ? 'deleting' : state;
}

// --- to operators -------------------------------------------------------------------------------

export interface AnswerParams {
  readonly replyTo: string | undefined;
  readonly body: JsonObject;
}

export function agreed(memory: TenantMemory, { replyTo }: Meta): AnswerParams {
  return { replyTo, body: { ok: true, tenant: viewOf(memory) } };
}

export function refused({ replyTo }: Meta, message: string, rule = 'TN-6'): AnswerParams {
  const refusal: Refusal = { code: 'refused', rule, message };
  return { replyTo, body: { ok: false, refusal: { ...refusal } } };
}

/** The tenant as operators and the feed see it. */
export function viewOf(memory: TenantMemory): JsonObject {
  const { id, state, spec, label, problem, sinceMs, undo } = memory;
  return {
    id,
    name: spec?.displayName ?? label?.name ?? id,
    kind: spec?.kind ?? label?.kind ?? 'project',
    state,
    since: timestamp(sinceMs),
    source: spec?.source ?? 'tenancy',
    groups: Object.keys(memory.groups),
    frontends: Object.keys(memory.frontends),
    pending: pendingOf(memory),
    ...(problem === null ? {} : { parked: { error: problem.message } }),
    ...(undo === null ? {} : { undoUntil: timestamp(undo.untilMs) }),
    ...ordersView(memory),
    ...partProblem(memory),
    conditions: [...conditionsOf(memory), ...orderConditions(memory)],
  };
}

function conditionsOf(memory: TenantMemory): readonly JsonObject[] {
  const { id, problem, spec } = memory;
  if (problem === null) return [];
  const kept = spec === null ? 'nothing was made for it' : 'it keeps what it has';
  const condition = {
    type: 'tenant-parked',
    object: `tenant/${id}`,
    severity: 'warning',
    since: timestamp(problem.sinceMs),
    cause: problem.cause,
    message: `${problem.message}; ${kept}`,
    next: 'mend what the sentence names and reload the configuration: it goes on by itself',
  };
  return [condition];
}

/** The first trouble its parts tell of. */
function partProblem(memory: TenantMemory): JsonObject {
  const [problem] = partTroubles(memory);
  return problem === undefined ? {} : { problem };
}

function partTroubles(memory: TenantMemory): readonly string[] {
  return everyPart(memory).flatMap(([part, { problem }]) =>
    problem === null ? [] : [`${part}: ${problem}`],
  );
}
