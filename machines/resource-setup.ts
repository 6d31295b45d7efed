/**
 * The words the chart of a resource is written in: its guards, changes, effects and delays.
 *
 * Input: memory and event. Output: yes or no, the next memory, effects as data, milliseconds. The
 * chart itself is in resource.ts.
 */
import { assign, setup } from 'xstate';
import { isBuried, sameReport } from '../src/policy/tenancy-resource.js';
import { assert } from './model/assert.js';
import { type Activated, effect, type RecordParams, type Stamped } from './model/effects.js';
import type { Address } from './model/ids.js';
import type { ResourceAccepted, ResourceMessage, StatusOrder } from './model/tenancy-messages.js';
import {
  acknowledged,
  gaveReport,
  heardTenant,
  isDecision,
  isParkedIn,
  isUndoneBy,
  isUnsettledIn,
  judged,
  owesNothing,
  type ResourceMemory,
  retryDueMs,
  statusDueMs,
  type Told,
  took,
  unaskedReport,
} from './resource-memory.js';
import {
  type AnswerParams,
  acceptanceOf,
  agreed,
  decided,
  type IntentParams,
  intentOf,
  journaled,
  orderOf,
  refused,
  repeatOf,
} from './resource-messages.js';

export type ResourceEvent = Stamped<ResourceMessage> | Stamped<Activated>;

export interface ResourceArgs {
  readonly context: ResourceMemory;
  readonly event: ResourceEvent;
}

/** How often what is still pending is said again; spread by a quarter either way. */
const RESYNC_MS = 60_000;
/** How often even one that is where it is wanted is told what that is: a reload's word may be lost. */
const AUDIT_MS = 15 * 60_000;
/** How long before the reporter is told again: it may have started afresh. */
const OUTCOME_MS = 5 * 60_000;
/** How long that lasts while there is nothing to tell. */
const IDLE_MS = 6 * 3_600_000;
/** How long one that is over is remembered, lest a late event brings it up again. */
const GRAVE_MS = 24 * 3_600_000;

type EventOf<T extends ResourceEvent['type']> = Extract<ResourceEvent, { readonly type: T }>;

/** The event as a `type`; the chart uses a word only where such an event arrives. */
function as<T extends ResourceEvent['type']>(event: ResourceEvent, type: T): EventOf<T> {
  assert(event.type === type, `${event.type} is not ${type}`);
  return event as EventOf<T>;
}

function toldIn(event: ResourceEvent): Stamped<Told> {
  assert('settings' in event, `${event.type} comes without settings`);
  return event;
}

const statusIn = (event: ResourceEvent) => as(event, 'tenant.status').status;
const toldOutcome = (event: ResourceEvent) => as(event, 'status.told');

export const resourceSetup = setup({
  types: {
    context: {} as ResourceMemory,
    events: {} as ResourceEvent,
    input: {} as { readonly address: Address },
  },
  actions: {
    take: assign(({ context, event }) => took(context, toldIn(event))),
    noteTold: assign(({ context }) => ({ parkedTold: isParkedIn(context) })),
    noteTry: assign(({ context }) => ({ tries: context.tries + 1 })),
    noteTenant: assign(({ context, event }) => heardTenant(context, statusIn(event))),
    noteGiven: assign(({ context }) => gaveReport(context)),
    noteAcknowledged: assign(({ context, event }) =>
      acknowledged(context, toldOutcome(event).report),
    ),
    noteRefused: assign(({ context }) => ({ refusals: context.refusals + 1 })),
    notePace: assign(({ context }) => ({ unsettled: isUnsettledIn(context) })),
    /** What the reporter was given in another life is lost. */
    askAfresh: assign({ asked: null }),

    /** After the commit: what the tenant is told is accepted. */
    tellTenant: effect<IntentParams>(),
    /** The same once more; nothing new is decided. */
    repeatToTenant: effect<IntentParams>(),
    /** After the commit: the cursor may pass. */
    accept: effect<ResourceAccepted | undefined>(),
    acceptAgain: effect<ResourceAccepted | undefined>(),
    askSettings: effect<undefined>(),
    /** Repeated until acknowledged, so it need not wait for anything. */
    owe: effect<StatusOrder>(),
    agree: effect<AnswerParams>(),
    refuse: effect<AnswerParams>(),
    record: effect<RecordParams>(),
    forget: effect<undefined>(),
  },
  guards: {
    isNobody: ({ context, event }) => judged(context, toldIn(event)) === null,
    isDecision: ({ context, event }) => isDecision(context, toldIn(event)),
    isParked: ({ context }) => isParkedIn(context),
    isFree: ({ context }) => !isParkedIn(context),
    isBuried: ({ context }) => context.known !== null && isBuried(context.known),
    isUndone: ({ context, event }) => isUndoneBy(context, statusIn(event)),
    hasOtherPace: ({ context }) => isUnsettledIn(context) !== context.unsettled,
    /** What the reporter has was all there is. */
    isDone: ({ context }) => context.asked !== null && owesNothing(context),
    owesNews: ({ context }) => unaskedReport(context) !== undefined,
    owesNothing: ({ context }) => owesNothing(context),
    isAcknowledged: ({ event }) => toldOutcome(event).outcome === 'acknowledged',
    /** Of an older status it says nothing. */
    isRefused: ({ context, event }) => sameReport(toldOutcome(event).report, context.asked),
  },
  delays: {
    retryDue: ({ context, event }) => retryDueMs(context, event.meta),
    statusDue: ({ context, event }) => statusDueMs(context, event.meta),
    resyncDue: ({ context, event }) =>
      (context.unsettled ? RESYNC_MS : AUDIT_MS) * (0.75 + event.meta.random / 2),
    outcomeDue: ({ context, event }) =>
      (context.asked === null ? IDLE_MS : OUTCOME_MS) * (0.75 + event.meta.random / 2),
    graveDue: GRAVE_MS,
  },
});

// --- effects with the parameters the memory gives them --------------------------------------------

export const tells = {
  type: 'tellTenant',
  params: ({ context, event }: ResourceArgs) => intentOf(context, toldIn(event).settings),
} as const;

export const repeats = {
  type: 'repeatToTenant',
  params: ({ context, event }: ResourceArgs) => repeatOf(context, toldIn(event)),
} as const;

export const accepts = {
  type: 'accept',
  params: ({ context, event }: ResourceArgs) => acceptanceOf(context, toldIn(event), true),
} as const;

export const acceptsAgain = {
  type: 'acceptAgain',
  params: ({ context, event }: ResourceArgs) => acceptanceOf(context, toldIn(event), false),
} as const;

export const records = {
  type: 'record',
  params: ({ context, event }: ResourceArgs) => decided(context, toldIn(event)),
} as const;

export function journals(event: string, rule: string) {
  const params = ({ context }: ResourceArgs) => journaled(context, { event, rule });
  return { type: 'record', params } as const;
}

export const owes = {
  type: 'owe',
  params: ({ context }: ResourceArgs) => orderOf(context),
} as const;

export const agrees = {
  type: 'agree',
  params: ({ context, event }: ResourceArgs) => agreed(context, event.meta),
} as const;

export function refuses(message: string) {
  const params = ({ event }: ResourceArgs) => refused(event.meta, message);
  return { type: 'refuse', params } as const;
}
