/**
 * The words the chart of tenancy is written in: its guards, changes, effects and delays.
 *
 * Input: memory and event. Output: yes or no, the next memory, effects as data, milliseconds. The
 * chart itself is in tenancy.ts.
 */
import { assign, setup } from 'xstate';
import {
  acceptedIn,
  advanced,
  BELT_WIDTH,
  hasRoom,
  isAllTold,
  isDrained,
  isLow,
  wantsRest,
} from '../src/policy/tenancy-route.js';
import { assert } from './model/assert.js';
import { type Activated, effect, type RecordParams, type Stamped } from './model/effects.js';
import type { Address } from './model/ids.js';
import type { TenancyMessage } from './model/messages.js';
import {
  type AnswerContinued,
  type AnswerRead,
  askDueMs,
  askedPage,
  askedReplay,
  askedRest,
  blockedBy,
  cursorOf,
  type FailureCode,
  failed,
  forgotRest,
  isAhead,
  isBlocking,
  isNews,
  isNextPart,
  isRewound,
  isStale,
  settingsOf,
  succeeded,
  type TenancyMemory,
  TROUBLE_FAILURES,
  tookPage,
  tookPart,
  tookReplay,
  woken,
} from './tenancy-memory.js';
import {
  type AskParams,
  carried,
  journaled,
  type LettersParams,
  type LineParams,
  lettersOf,
  lineOf,
  pageOf,
  published,
  type RestParams,
  replayOf,
  restOf,
  type SettingsParams,
  settingsFor,
  unansweredOf,
} from './tenancy-messages.js';

export interface AnswerFailed {
  readonly type: 'answer.failed';
  readonly code: FailureCode;
  readonly message: string;
}

/** This run of the daemon has no tenant manager to talk to. */
export interface Unconfigured {
  readonly type: 'tenancy.unconfigured';
}

export type TenancyAnswer = AnswerRead | AnswerContinued | AnswerFailed | Unconfigured;

export type TenancyEvent = Stamped<TenancyMessage> | Stamped<TenancyAnswer> | Stamped<Activated>;

export interface TenancyArgs {
  readonly context: TenancyMemory;
  readonly event: TenancyEvent;
}

/** How often lanes that have not answered are told again; spread by a quarter either way. */
const RESYNC_MS = 60_000;

type EventOf<T extends TenancyEvent['type']> = Extract<TenancyEvent, { readonly type: T }>;

/** The event as a `type`; the chart uses a word only where such an event arrives. */
function as<T extends TenancyEvent['type']>(event: TenancyEvent, type: T): EventOf<T> {
  assert(event.type === type, `${event.type} is not ${type}`);
  return event as EventOf<T>;
}

const answerIn = (event: TenancyEvent) => as(event, 'answer.read');
const partIn = (event: TenancyEvent) => as(event, 'answer.continued');
const acceptedBy = (event: TenancyEvent) => as(event, 'resource.accepted').accepted;

/** One place on the belt is one lane for all. */
function widthOf(memory: TenancyMemory): number {
  return settingsOf(memory).ordering === 'strict' ? 1 : BELT_WIDTH;
}

/** Of a lane of an earlier era: it has been told anew. */
function isCurrent(memory: TenancyMemory, event: TenancyEvent): boolean {
  return acceptedBy(event).era === memory.era;
}

export const tenancySetup = setup({
  types: {
    context: {} as TenancyMemory,
    events: {} as TenancyEvent,
    input: {} as { readonly address: Address },
  },
  actions: {
    noteSettings: assign(({ event }) => ({ settings: as(event, 'tenancy.settings').settings })),
    noteReplayAsked: assign(({ context, event }) => askedReplay(context, event.meta)),
    notePageAsked: assign(({ context, event }) => askedPage(context, event.meta)),
    noteReplay: assign(({ context, event }) => tookReplay(context, answerIn(event), event.meta)),
    notePage: assign(({ context, event }) => tookPage(context, answerIn(event), event.meta)),
    notePart: assign(({ context, event }) => tookPart(context, partIn(event))),
    noteRestAsked: assign(({ context }) => askedRest(context)),
    noteRestLost: assign(({ context }) => forgotRest(context)),
    noteSuccess: assign(({ event }) => succeeded(event.meta)),
    noteFailure: assign(({ context, event }) =>
      failed(context, as(event, 'answer.failed'), event.meta),
    ),
    noteAccepted: assign(({ context, event }) => ({
      belt: acceptedIn(context.belt, acceptedBy(event)),
      blocked: context.blocked?.id === acceptedBy(event).id ? null : context.blocked,
    })),
    noteBlocked: assign(({ context, event }) => blockedBy(context, acceptedBy(event))),
    noteTold: assign(({ context }) => ({ belt: advanced(context.belt, widthOf(context)) })),
    noteCursor: assign(({ context }) => ({ cursor: cursorOf(context) })),
    noteCarried: assign(({ context }) => ({ belt: { ...context.belt, recorded: true } })),
    noteTroubleTold: assign(({ context }) => ({ troubleTold: context.trouble !== null })),
    wakeUp: assign(woken()),

    askReplay: effect<AskParams>(),
    askPage: effect<AskParams>(),
    askRest: effect<RestParams>(),
    /** What follows is decided by each lane, and told to tenants when that is on disk. */
    tellLanes: effect<LettersParams>(),
    tellSettings: effect<SettingsParams>(),
    answerSettings: effect<SettingsParams & { readonly to: Address }>(),
    tellReporter: effect<LineParams>(),
    record: effect<RecordParams>(),
  },
  guards: {
    isNews: ({ context, event }) => isNews(context, as(event, 'tenancy.settings').settings),
    isBusy: ({ context }) => context.asked !== null || !isAllTold(context.belt),
    isReplay: ({ event }) => answerIn(event).replay,
    isDoubtful: ({ context, event }) =>
      isStale(context, event.meta) || isRewound(context, answerIn(event)),
    isAhead: ({ context }) => isAhead(context),
    isNextPart: ({ context, event }) => isNextPart(context, partIn(event)),
    wantsRest: ({ context }) => wantsRest(context.belt),
    wantsMore: ({ context }) =>
      context.nextAfter !== null && context.asked === null && isLow(context.belt),
    hasRoom: ({ context }) => hasRoom(context.belt, widthOf(context)),
    isCurrent: ({ context, event }) => isCurrent(context, event),
    isBlocking: ({ context, event }) =>
      isCurrent(context, event) && isBlocking(context, acceptedBy(event)),
    owesRecord: ({ context }) => !context.belt.recorded && isDrained(context.belt),
    owesNoRecord: ({ context }) =>
      !context.belt.recorded &&
      isDrained(context.belt) &&
      context.belt.replay &&
      context.belt.changed === 0,
    owesTrouble: ({ context }) => context.failures >= TROUBLE_FAILURES && !context.troubleTold,
    owesRecovery: ({ context }) => context.trouble === null && context.troubleTold,
  },
  delays: {
    replayDue: ({ context, event }) => askDueMs(context, 'replay', event.meta),
    pollDue: ({ context, event }) => askDueMs(context, 'poll', event.meta),
    resyncDue: ({ event }) => RESYNC_MS * (0.75 + event.meta.random / 2),
  },
});

// --- effects with the parameters the memory gives them --------------------------------------------

const of = <T extends string, P>(type: T, params: (memory: TenancyMemory) => P) => ({
  type,
  params: ({ context }: TenancyArgs) => params(context),
});

export const asksReplay = ['noteReplayAsked', of('askReplay', replayOf)] as const;
export const asksPage = ['notePageAsked', of('askPage', pageOf)] as const;
export const asksRest = ['noteRestAsked', of('askRest', restOf)] as const;
export const tellsNews = [
  'noteTold',
  'noteCursor',
  of('tellLanes', lettersOf),
  of('tellReporter', lineOf),
] as const;
export const tellsUnanswered = of('tellLanes', unansweredOf);
export const tellsSettings = of('tellSettings', settingsFor);
export const tellsLine = of('tellReporter', lineOf);
export const recordsCarried = of('record', carried);

export const answersSettings = {
  type: 'answerSettings',
  params: ({ context, event }: TenancyArgs) => ({ ...settingsFor(context), to: event.meta.from }),
} as const;

export function publishes(event: string, rule: string) {
  return of('record', (memory) => published(memory, { event, rule }));
}

export function journals(event: string, rule: string) {
  return of('record', (memory) => journaled(memory, { event, rule }));
}
