/**
 * The words the chart of an instance is written in: its guards, changes, effects and delays.
 *
 * Input: memory and event. Output: yes or no, the next memory, effects as data, milliseconds. No clock.
 */
import { assign, setup } from 'xstate';
import {
  askedAgain,
  bringsForward,
  type DrainOrder,
  drainEnded,
  drainOf,
  drainPlanned,
  forcedNow,
  hastened,
  holdEndOf,
  holdEndsMs,
  isKept,
  mayBeForced,
} from './instance-drain.js';
import { instanceGates } from './instance-gates.js';
import { MAX_SILENCE_MS, SETTLE_MS } from './instance-limits.js';
import {
  adopted,
  changesSpec,
  type DrainEnd,
  entered,
  heard,
  heldBy,
  type InstanceInput,
  type InstanceMemory,
  isAnswer,
  isInService,
  isNews,
  problemOf,
  renumbered,
  respecified,
  setBack,
  summaryOf,
} from './instance-memory.js';
import {
  type AgentEndParams,
  type AgentParams,
  type AnswerParams,
  agentEndOf,
  agentOf,
  agreed,
  type BackendParams,
  backendOf,
  createCall,
  deleteCall,
  findCall,
  journaled,
  type LevelParams,
  levelOf,
  type ProviderParams,
  published,
  type ReportParams,
  refused,
  reportOf,
  watchCall,
} from './instance-messages.js';
import { graceEndsMs, isHeardOf, isSick, isUnwell, isWell } from './instance-opinion.js';
import { assert } from './model/assert.js';
import { type Activated, effect, type RecordParams, type Stamped } from './model/effects.js';
import type { InstanceMessage, InstanceState } from './model/messages.js';

export type InstanceEvent = Stamped<InstanceMessage> | Stamped<Activated>;

export interface InstanceArgs {
  readonly context: InstanceMemory;
  readonly event: InstanceEvent;
}

type EventOf<T extends InstanceEvent['type']> = Extract<InstanceEvent, { readonly type: T }>;

/** The event as one of `types`; the chart uses a word only where such an event arrives. */
function as<T extends InstanceEvent['type']>(event: InstanceEvent, ...types: T[]): EventOf<T> {
  assert((types as string[]).includes(event.type), `${event.type} is none of ${types}`);
  return event as EventOf<T>;
}

const MADE = ['provider.created', 'provider.found'] as const;
const REFUSALS = ['provider.createFailed', 'provider.findFailed', 'provider.deleteFailed'] as const;

/** Who wants it drained, in what words; a deadline that ran out speaks for itself. */
function orderIn(event: InstanceEvent): DrainOrder {
  switch (event.type) {
    case 'instance.drain':
      return { reason: event.reason, note: '', lastMayGo: event.lastMayGo || event.force };
    case 'operator.drain': {
      const base = { reason: 'operator', note: event.reason, lastMayGo: event.force } as const;
      const order = event.force ? ({ ...base, forced: true } as const) : base;
      return event.deadlineMs === undefined ? order : { ...order, timeoutMs: event.deadlineMs };
    }
    case 'instance.notice': {
      const { id, deadlineMs } = event.notice;
      const order = {
        reason: 'termination-notice',
        note: '',
        lastMayGo: false,
        notice: id,
      } as const;
      return deadlineMs === undefined ? order : { ...order, providerDeadlineMs: deadlineMs };
    }
    default:
      return { reason: 'unhealthy', note: 'did not serve in time', lastMayGo: false };
  }
}

/** Time from this event until a wall-clock deadline. */
function until(deadlineMs: number, event: InstanceEvent): number {
  return Math.max(0, deadlineMs - event.meta.at);
}

export const instanceSetup = setup({
  types: {
    context: {} as InstanceMemory,
    events: {} as InstanceEvent,
    input: {} as InstanceInput,
  },
  actions: {
    enter: assign(({ context, event }, { state }: { readonly state: InstanceState }) =>
      entered(context, state, event.meta),
    ),
    adopt: assign(({ event }) => adopted(as(event, ...MADE), event.meta)),
    noteRefusal: assign(({ event }) => ({ problem: problemOf(as(event, ...REFUSALS).failure) })),
    planRetry: assign(({ context, event }, { atLeastMs }: { readonly atLeastMs: number }) =>
      setBack(context, atLeastMs, event.meta),
    ),
    noteVerdict: assign(({ event }) => ({ verdict: as(event, 'backend.verdict').verdict })),
    noteAgent: assign(({ event }) => ({ agent: as(event, 'agent.verdict').verdict })),
    noteAck: assign(({ context, event }) => heard(context, as(event, 'member.acknowledged').ack)),
    noteSpec: assign(({ context, event }) =>
      respecified(context, as(event, 'instance.desired').spec, event.meta),
    ),
    renumber: assign(({ context, event }) => renumbered(context, event.meta)),
    noteTold: assign(({ context }) => ({ told: summaryOf(context) })),
    markOverdue: assign({ overdue: true }),
    markDead: assign(({ context, event }) => ({
      dead: true,
      ...renumbered(context, event.meta),
    })),
    orderReplacement: assign({ replaceOrdered: true }),
    planDrain: assign(({ context, event }) => drainPlanned(context, orderIn(event), event.meta)),
    /** It stayed so long that nobody looked at it. */
    planLeaving: assign(({ context, event }) => {
      const note = context.quarantine?.reason ?? '';
      const order = { reason: 'quarantine-over', note, lastMayGo: false } as const;
      return drainPlanned(context, order, event.meta);
    }),
    hasten: assign(({ context, event }) => hastened(context, as(event, 'instance.notice').notice)),
    forceDrain: assign(({ context, event }) => forcedNow(context, event.meta)),
    planQuarantine: assign(({ event }) => {
      const { owner, reason, forMs, force } = as(event, 'operator.quarantine');
      const { at } = event.meta;
      const untilMs = forMs === null ? null : at + forMs;
      return { quarantine: { owner, reason, sinceMs: at, untilMs, lastMayGo: force } };
    }),
    /** One that has never served begins to arrive anew: its time was not spent on that. */
    endQuarantine: assign(({ context, event }) => ({
      quarantine: null,
      ...(context.servedAtMs === null ? { createdAtMs: event.meta.at } : {}),
    })),
    liftLastMember: assign(({ context, event }) => ({
      drain: { ...drainOf(context), lastMayGo: true },
      ...renumbered(context, event.meta),
    })),
    askAgain: assign(({ context, event }) => askedAgain(context, event.meta)),
    acknowledgeDrain: assign(({ context }) => ({
      drain: { ...drainOf(context), acknowledged: true },
    })),
    endDrain: assign(({ context }, { by }: { readonly by: DrainEnd }) => drainEnded(context, by)),
    endHold: assign(({ context, event }) => drainEnded(context, holdEndOf(context, event.meta))),

    createAtProvider: effect<ProviderParams>(),
    findAtProvider: effect<ProviderParams>(),
    watchAtProvider: effect<ProviderParams>(),
    deleteAtProvider: effect<ProviderParams>(),
    publishBackend: effect<BackendParams | undefined>(),
    republishBackend: effect<BackendParams | undefined>(),
    publishAgent: effect<AgentParams | undefined>(),
    removeAgent: effect<AgentEndParams>(),
    tellBackendDied: effect<Pick<InstanceMemory, 'id'>>(),
    removeBackend: effect<Pick<InstanceMemory, 'id'>>(),
    publishLevel: effect<LevelParams>(),
    republishLevel: effect<LevelParams>(),
    publishDeath: effect<LevelParams>(),
    reportToGroup: effect<ReportParams>(),
    reportForgotten: effect<ReportParams>(),
    agree: effect<AnswerParams>(),
    answer: effect<AnswerParams>(),
    record: effect<RecordParams>(),
    forget: effect<undefined>(),
  },
  guards: {
    /** The provider speaks of the create we asked for. */
    isMyToken: ({ context, event }) => 'token' in event && event.token === context.token,
    /** The provider speaks of what it made for us. */
    isMine: ({ context, event }) =>
      'providerId' in event && event.providerId === context.providerId,
    /** Everything but `unavailable` says for sure that nothing was made. */
    isDefinite: ({ event }) =>
      event.type === 'provider.createFailed' && event.failure.code !== 'unavailable',
    /** There was nothing left to delete. */
    isAbsent: ({ event }) =>
      event.type === 'provider.deleteFailed' && event.failure.code === 'not-found',
    /** A create that had been given up shows after all. */
    surfacesLate: ({ context, event }) =>
      context.providerId === null && 'token' in event && event.token === context.token,
    isWell: ({ context }) => isWell(context),
    isUnwell: ({ context }) => isUnwell(context),
    isHeardOf: ({ context }) => isHeardOf(context),
    /** And nobody was told so far. */
    isSick: ({ context, event }) => !context.overdue && isSick(context, event.meta),
    /** Its agent is one that nobody told what to be. */
    isStranger: ({ event }) => !as(event, 'agent.verdict').known,
    /** It lives, whatever the provider answered. */
    provesLife: ({ event }) => as(event, 'agent.verdict').verdict.state !== 'unheard',
    bringsForward: ({ context, event }) =>
      bringsForward(context, as(event, 'instance.notice').notice),
    forces: ({ context, event }) =>
      event.type === 'operator.drain' && event.force && mayBeForced(context),
    isLimited: ({ context }) => context.quarantine?.untilMs != null,
    isDrainPlanned: ({ context }) => context.drain !== null,
    isAcknowledged: ({ context }) => context.drain?.acknowledged === true,
    hasNeverServed: ({ context }) => context.servedAtMs === null,
    /** Some frontend has not acknowledged what this state asks of it. */
    isHeld: ({ context }) => heldBy(context).length > 0,
    isKept: ({ context, event }) => isKept(context, event.meta),
    /** The group now lets even the last member of a frontend go. */
    liftsLastMember: ({ context, event }) =>
      event.type === 'instance.drain' && orderIn(event).lastMayGo && !drainOf(context).lastMayGo,
    isReplaceOrdered: ({ context }) => context.replaceOrdered,
    /** Nobody is left who could want to look at it. */
    losesItsGroup: ({ event }) =>
      event.type === 'instance.drain' &&
      (event.reason === 'group-removed' || event.reason === 'tenant-removed'),
    /** Of the newest level, from a frontend that was told of it. */
    isAnswer: ({ context, event }) =>
      event.type === 'member.acknowledged' && isAnswer(context, event.ack),
    /** Nobody owes it anything but the next verdict. */
    isInService: ({ context }) => isInService(context),
    isNewIntent: ({ context, event }) =>
      event.type === 'instance.desired' && changesSpec(context, event.spec),
    isNews: ({ context }) => isNews(context),
  },
  delays: {
    /** An ask without an answer for so long was lost. */
    answerTimeout: MAX_SILENCE_MS,
    /** Time for a create of unknown outcome to show at the provider. */
    settleWindow: ({ context, event }) => until(context.retryAtMs ?? 0, event),
    retryDue: ({ context, event }) => until(context.retryAtMs ?? 0, event),
    /** From its creation, or its release. */
    bootTimeout: ({ context, event }) => {
      const { createdAtMs, spec } = context;
      return until((createdAtMs ?? event.meta.at) + spec.bootTimeoutMs, event);
    },
    /** Down for so long, not counting its grace after creation. */
    replaceAfter: ({ context, event }) => {
      const { replaceAfterMs } = context.spec.health;
      return until(Math.max(context.sinceMs, graceEndsMs(context)) + replaceAfterMs, event);
    },
    graceOver: ({ context, event }) => until(graceEndsMs(context), event),
    quarantineOver: ({ context, event }) => until(context.quarantine?.untilMs ?? 0, event),
    /** From the moment frontends were last asked for weight 0. */
    drainHold: ({ context, event }) => until(holdEndsMs(context), event),
    drainDeadline: ({ context, event }) => until(drainOf(context).deadlineMs, event),
    /** From the moment frontends were told to remove it. */
    outHold: ({ context, event }) => until(holdEndsMs(context), event),
    retention: ({ context, event }) =>
      until(context.sinceMs + context.spec.deletedRetentionMs, event),
  },
});

// --- phrases: a word with its parameters --------------------------------------------------------

export function enters(state: InstanceState) {
  return { type: 'enter', params: { state } } as const;
}

/** A decision the fleet hears of. */
export function publishes(event: string, rule: string) {
  const params = ({ context }: InstanceArgs) => published(context, event, ruleOf(context, rule));
  return { type: 'record', params } as const;
}

/** A decision only the journal keeps. */
export function journals(event: string, rule: string) {
  const params = ({ context }: InstanceArgs) => journaled(context, event, rule);
  return { type: 'record', params } as const;
}

/** What an operator ordered is the operator's decision. */
function ruleOf({ state, drain }: InstanceMemory, rule: string): string {
  return state === 'draining' && drain?.reason === 'operator' ? 'operator' : rule;
}

export function ends(by: DrainEnd) {
  return { type: 'endDrain', params: { by } } as const;
}

export function refuses(rule: string, why: (memory: InstanceMemory) => string) {
  const params = ({ context, event }: InstanceArgs) =>
    refused({ rule, message: why(context) }, event.meta);
  return { type: 'answer', params } as const;
}

const memoryOf = ({ context }: InstanceArgs) => context;
const answerOf = ({ context, event }: InstanceArgs) => agreed(context, event.meta);

/** Changes nothing, records nothing. */
export const explains = {
  type: 'answer',
  params: ({ context, event }: InstanceArgs): AnswerParams => {
    const { replyTo } = event.meta;
    return { replyTo, body: { ok: true, ...instanceGates(context) } };
  },
} as const;

/** Agrees to what makes it this: it is shown as it will be, not as it was. */
function agreesAs(state: InstanceState) {
  const params = ({ context, event }: InstanceArgs) =>
    agreed({ ...context, ...entered(context, state, event.meta) }, event.meta);
  return { type: 'agree', params } as const;
}

export const drainsByHand = ['planDrain', agreesAs('draining')] as const;
export const keeps = ['planQuarantine', agreesAs('quarantined')] as const;

/** Answers an order that changed nothing. */
export const answers = { type: 'answer', params: answerOf } as const;
/** Answers an order once it is durable. */
export const agrees = { type: 'agree', params: answerOf } as const;

const to = <P>(of: (memory: InstanceMemory) => P) => ({
  params: (args: InstanceArgs): P => of(memoryOf(args)),
});

export const settles = { type: 'planRetry', params: { atLeastMs: SETTLE_MS } } as const;
export const backsOff = { type: 'planRetry', params: { atLeastMs: 0 } } as const;

export const creates = { type: 'createAtProvider', ...to(createCall) } as const;
export const finds = { type: 'findAtProvider', ...to(findCall) } as const;
export const watches = { type: 'watchAtProvider', ...to(watchCall) } as const;
export const deletes = { type: 'deleteAtProvider', ...to(deleteCall) } as const;

export const asksAgent = { type: 'publishAgent', ...to(agentOf) } as const;
export const asksBackend = [{ type: 'publishBackend', ...to(backendOf) }, asksAgent] as const;
export const leavesNeighbours = [
  { type: 'removeBackend', ...to(({ id }: InstanceMemory) => ({ id })) },
  { type: 'removeAgent', ...to(agentEndOf) },
] as const;
export const showsLevel = { type: 'publishLevel', ...to(levelOf) } as const;
export const reports = { type: 'reportToGroup', ...to(reportOf) } as const;
export const reportsForgotten = { type: 'reportForgotten', ...to(reportOf) } as const;

/** To its backend and its frontends, ahead of the record. */
export const tellsDeath = [
  { type: 'tellBackendDied', ...to(({ id }) => ({ id })) },
  { type: 'publishDeath', ...to(levelOf) },
] as const;

export const asksBackendAgain = [
  { type: 'republishBackend', ...to(backendOf) },
  asksAgent,
] as const;

/** Everything its neighbours should know, once more: nothing new, so nothing waits for the store. */
export const saysAgain = [
  ...asksBackendAgain,
  { type: 'republishLevel', ...to(levelOf) },
  reports,
] as const;

/** Already as what it returns to: its frontends are told now. */
export function releases(state: InstanceState) {
  const told = [enters(state), showsLevel, agrees] as const;
  return ['endQuarantine', journals('instance.released', 'operator'), ...told] as const;
}

/** It was draining already: what holds it is waited for no longer than its deadline. */
export const forcesDrain = [
  'forceDrain',
  journals('instance.drain_forced', 'operator'),
  showsLevel,
  agrees,
] as const;

export const timesOut = [ends('deadline'), publishes('instance.drain_timed_out', 'IN-6')] as const;

/** Its host goes: once for each notice that changes something. */
export const tellsNotice = publishes('instance.termination_notice', 'IN-1');

export const hastens = [
  'hasten',
  journals('instance.drain_hastened', 'IN-1'),
  tellsNotice,
] as const;
