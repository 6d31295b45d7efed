/**
 * The words the chart of tenancy is written in: its guards, changes, effects and delays.
 *
 * Input: memory and event. Output: yes or no, the next memory, effects as data, milliseconds. The
 * chart itself is in tenancy.ts.
 */
import { assign, setup } from 'xstate';
import { assert } from './model/assert.js';
import { type Activated, effect, type RecordParams, type Stamped } from './model/effects.js';
import type { Address } from './model/ids.js';
import type { TenancyMessage } from './model/messages.js';
import {
  type AnswerRead,
  accepted,
  askDueMs,
  failed,
  heardTenant,
  isAllAcknowledged,
  isBackwards,
  isChanging,
  isFull,
  isNews,
  nextBatch,
  owesFresh,
  parkedIn,
  reconfigured,
  reported,
  type StatusResult,
  statusDueMs,
  succeeded,
  type TenancyMemory,
  TROUBLE_FAILURES,
} from './tenancy-memory.js';
import {
  type AskParams,
  everyIntent,
  type IntentsParams,
  intents,
  journaled,
  type PushParams,
  pollOf,
  published,
  pushOf,
  replayOf,
  unsettledIntents,
} from './tenancy-messages.js';

export interface AnswerFailed {
  readonly type: 'answer.failed';
  readonly message: string;
}

/** This run of the daemon has no tenant manager to talk to. */
export interface Unconfigured {
  readonly type: 'tenancy.unconfigured';
}

export interface StatusesPushed {
  readonly type: 'statuses.pushed';
  readonly results: readonly StatusResult[];
}

export type TenancyAnswer = AnswerRead | AnswerFailed | Unconfigured | StatusesPushed;

export type TenancyEvent = Stamped<TenancyMessage> | Stamped<TenancyAnswer> | Stamped<Activated>;

export interface TenancyArgs {
  readonly context: TenancyMemory;
  readonly event: TenancyEvent;
}

/** How often unsettled tenants are told again; spread by a quarter either way. */
const RESYNC_MS = 60_000;

type EventOf<T extends TenancyEvent['type']> = Extract<TenancyEvent, { readonly type: T }>;

/** The event as a `type`; the chart uses a word only where such an event arrives. */
function as<T extends TenancyEvent['type']>(event: TenancyEvent, type: T): EventOf<T> {
  assert(event.type === type, `${event.type} is not ${type}`);
  return event as EventOf<T>;
}

function resultsIn(event: TenancyEvent): readonly StatusResult[] {
  return as(event, 'statuses.pushed').results;
}

function parkedMoved(memory: TenancyMemory): number {
  return parkedIn(memory).length - memory.parkedTold.length;
}

function sameParked(memory: TenancyMemory): boolean {
  return parkedIn(memory).join() === memory.parkedTold.join();
}

export const tenancySetup = setup({
  types: {
    context: {} as TenancyMemory,
    events: {} as TenancyEvent,
    input: {} as { readonly address: Address },
  },
  actions: {
    noteSettings: assign(({ context, event }) =>
      reconfigured(context, as(event, 'tenancy.settings').settings),
    ),
    noteAnswer: assign(({ context, event }) => accepted(context, as(event, 'answer.read'))),
    noteSuccess: assign(({ event }) => succeeded(event.meta)),
    noteFailure: assign(({ context, event }) =>
      failed(context, as(event, 'answer.failed').message, event.meta),
    ),
    noteAsked: assign({ asking: true }),
    /** A question of an earlier life is never answered. */
    wakeUp: assign({ asking: false, statusFailures: 0 }),
    noteTenant: assign(({ context, event }) =>
      heardTenant(context, as(event, 'tenant.status').status),
    ),
    noteResults: assign(({ context, event }) => reported(context, resultsIn(event))),
    noteParked: assign(({ context }) => ({ parkedTold: parkedIn(context) })),
    noteTroubleTold: assign(({ context }) => ({ troubleTold: context.trouble !== null })),

    askReplay: effect<AskParams>(),
    askPage: effect<AskParams>(),
    /** After the commit: what tenants are told is accepted. */
    tellTenants: effect<IntentsParams>(),
    /** The same once more; nothing new is decided. */
    repeatToTenants: effect<IntentsParams>(),
    /** Repeated until acknowledged, so it need not wait for anything. */
    pushStatuses: effect<PushParams>(),
    record: effect<RecordParams>(),
  },
  guards: {
    isNews: ({ context, event }) => isNews(context, as(event, 'tenancy.settings').settings),
    isAsking: ({ context }) => context.asking,
    isChanging: ({ context, event }) => isChanging(context, as(event, 'answer.read')),
    isBackwards: ({ context, event }) => isBackwards(context, as(event, 'answer.read')),
    isFull: ({ context, event }) => isFull(context, as(event, 'answer.read')),
    isEmptyPage: ({ event }) => as(event, 'answer.read').events.length === 0,
    owesReport: ({ context }) => nextBatch(context).length > 0,
    owesFresh: ({ context }) => owesFresh(context),
    isAllAcknowledged: ({ event }) => isAllAcknowledged(resultsIn(event)),
    owesParked: ({ context }) => parkedMoved(context) >= 0 && !sameParked(context),
    owesUnparked: ({ context }) => parkedMoved(context) < 0,
    owesTrouble: ({ context }) => context.failures >= TROUBLE_FAILURES && !context.troubleTold,
    owesRecovery: ({ context }) => context.trouble === null && context.troubleTold,
  },
  delays: {
    replayDue: ({ context, event }) => askDueMs(context, 'replay', event.meta),
    pollDue: ({ context, event }) => askDueMs(context, 'poll', event.meta),
    statusDue: ({ context, event }) => statusDueMs(context, event.meta),
    resyncDue: ({ event }) => RESYNC_MS * (0.75 + event.meta.random / 2),
  },
});

// --- effects with the parameters the memory gives them --------------------------------------------

const of = <T extends string, P>(type: T, params: (memory: TenancyMemory) => P) => ({
  type,
  params: ({ context }: TenancyArgs) => params(context),
});

export const asksReplay = ['noteAsked', of('askReplay', replayOf)] as const;
export const asksPage = ['noteAsked', of('askPage', pollOf)] as const;
export const tellsChanged = of('tellTenants', intents);
export const repeatsAll = of('repeatToTenants', everyIntent);
export const repeatsUnsettled = of('repeatToTenants', unsettledIntents);
export const pushes = of('pushStatuses', pushOf);

export function publishes(event: string, rule: string) {
  return of('record', (memory) => published(memory, { event, rule }));
}

export function journals(event: string, rule: string) {
  return of('record', (memory) => journaled(memory, { event, rule }));
}
