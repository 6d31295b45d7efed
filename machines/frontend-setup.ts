/**
 * The words the chart of a frontend is written in: its guards, changes, effects and delays.
 *
 * Input: memory and event. Output: yes or no, the next memory, effects as data, milliseconds. The
 * chart itself is in frontend.ts. Guards and delays never look at a clock: time is in the event.
 */
import { assign, setup } from 'xstate';
import { bookIn } from '../src/policy/overrides.js';
import { announceLevel, farewell, owesAnnounce, standing } from './frontend-announce.js';
import {
  addressIn,
  adopt,
  awakened,
  claimed,
  type FrontendMemory,
  isMemberNews,
  isNews,
  settle,
  surplusIn,
  unknownMembers,
  withLevel,
  withoutGone,
  withVerdict,
} from './frontend-memory.js';
import {
  type AckParams,
  type AskParams,
  desiredChanged,
  goneMembers,
  goneStatus,
  letGo,
  memberChanged,
  owedAcks,
  owesRecord,
  owesStatus,
  owesSync,
  type PoolCall,
  poolCall,
  questionsTo,
  questionTo,
  removed,
  type StatusParams,
  stateChanged,
  statusOf,
  syncChanged,
  toldAcks,
  toldSync,
} from './frontend-messages.js';
import {
  type AnswerParams,
  dismissalIn,
  refusalOf,
  weightOrdered,
  yieldsIn,
} from './frontend-orders.js';
import { type Outlook, outlookOf } from './frontend-outlook.js';
import { withdrawn, withReport } from './frontend-reports.js';
import { owesDesired, wishOf, withWish } from './frontend-vip.js';
import { nextClimbMs, reweighed } from './frontend-weighing.js';
import type { AnnounceLevel, AnnouncementMessage } from './model/announce.js';
import { assert } from './model/assert.js';
import { type Activated, effect, type RecordParams, type Stamped } from './model/effects.js';
import type { Address, FrontendName } from './model/ids.js';
import type { Wished } from './model/lbsync-messages.js';
import type { FrontendMessage, MemberLevel } from './model/messages.js';
import { nextRevision } from './model/time.js';
import type { OrderParams } from './overriding.js';

export type FrontendEvent = Stamped<FrontendMessage> | Stamped<Activated>;

/** How often an unanswered request to lbsync or to the pool is repeated. */
const RETRY_MS = 10_000;
/** How often everything is said again, in case it was lost; spread by a quarter either way. */
const RESYNC_MS = 30_000;

export interface WithdrawParams {
  readonly frontend: FrontendName;
  readonly revision: number;
}

interface Args {
  readonly context: FrontendMemory;
  readonly event: FrontendEvent;
}

const named = ({ context }: Args) => ({ frontend: context.name });
const numbered = ({ context }: Args): WithdrawParams => ({
  frontend: context.name,
  revision: context.wish,
});

/** A verdict no newer than the last wish is one that was said again. */
function wished({ context, event }: Args): Wished {
  const desired = wishOf(context, event.meta.at);
  if (event.type !== 'backend.verdict' || context.sent === null) return { desired };
  const { sinceMs } = event.verdict;
  return sinceMs > context.sent.revision ? { desired, verdictAtMs: sinceMs } : { desired };
}

/** Effects with the parameters the memory gives them. */
export const says = {
  turn: { type: 'record', params: ({ context }: Args) => stateChanged(context) },
  sync: { type: 'record', params: ({ context }: Args) => syncChanged(context) },
  desired: { type: 'record', params: ({ context }: Args) => desiredChanged(context) },
  removed: { type: 'record', params: ({ context }: Args) => removed(context) },
  member: { type: 'record', params: ({ event }: Args) => memberChanged(levelIn(event)) },
  confirm: { type: 'confirm', params: ({ context }: Args) => ({ revision: context.revision }) },
  vip: {
    type: 'sendDesired',
    params: (args: Args) => wished(args),
  },
  awaited: { type: 'awaitVip', params: named },
  withdraw: { type: 'withdraw', params: numbered },
  withdrawAgain: { type: 'withdrawAgain', params: numbered },
  acks: { type: 'acknowledge', params: ({ context }: Args) => owedAcks(context) },
  letGo: {
    type: 'acknowledge',
    params: ({ context, event }: Args) => letGo(context, levelIn(event)),
  },
  status: {
    type: 'tellStatus',
    params: ({ context }: Args) => ({ to: context.owner, status: statusOf(context) }),
  },
  gone: {
    type: 'tellStatus',
    params: ({ context, event }: Args) => goneStatus(context, event.meta.from),
  },
  outlook: { type: 'answerOutlook', params: (args: Args) => outlookIn(args) },
  askAll: { type: 'ask', params: ({ context }: Args) => questionsTo(context, 'everybody') },
  askMember: {
    type: 'ask',
    params: ({ context, event }: Args) => questionTo(context, levelIn(event)),
  },
  askUnknown: { type: 'ask', params: ({ context }: Args) => questionsTo(context, 'unknown') },
  allocate: { type: 'allocate', params: ({ context }: Args) => poolCall(context) },
  weight: {
    type: 'orderOverride',
    params: ({ context, event }: Args) => {
      assert(event.type === 'operator.weight', `${event.type} orders no weight`);
      return weightOrdered(context, event, event.meta.replyTo);
    },
  },
  noWeight: {
    type: 'answer',
    params: ({ context, event }: Args): AnswerParams => {
      assert(event.type === 'operator.weight', `${event.type} orders no weight`);
      const refusal = refusalOf(context, event);
      assert(refusal !== undefined, 'there is a reason to refuse');
      return { replyTo: event.meta.replyTo, body: { ok: false, refusal } };
    },
  },
  announce: {
    type: 'tellAnnouncement',
    params: ({ context }: Args) => announceLevel(context),
  },
  announceAgain: {
    type: 'tellAnnouncement',
    params: ({ context }: Args) => context.toldAnnounce,
  },
  announceStanding: {
    type: 'answerAnnouncement',
    params: ({ context }: Args) => standing(context),
  },
  farewell: { type: 'tellAnnouncement', params: ({ context }: Args) => farewell(context) },
  yields: { type: 'orderOverride', params: ({ context }: Args) => yieldsIn(context) },
  dismissal: { type: 'orderOverride', params: ({ context }: Args) => dismissalIn(context) },
  release: { type: 'release', params: ({ context }: Args) => poolCall(context) },
} as const;

export interface OutlookParams {
  readonly replyTo: string | undefined;
  readonly body: Outlook;
}

function outlookIn({ context, event }: Args): OutlookParams {
  assert(event.type === 'frontend.outlook', `${event.type} asks for no outlook`);
  const { spec, expected, meta } = event;
  return { replyTo: meta.replyTo, body: outlookOf(context, spec, { expected, nowMs: meta.at }) };
}

function levelIn(event: FrontendEvent): MemberLevel {
  assert(event.type === 'member.level', `${event.type} carries no level`);
  return event.level;
}

export const adopts = ['adopt', says.desired, says.confirm] as const;

export const frontendSetup = setup({
  types: {
    context: {} as FrontendMemory,
    events: {} as FrontendEvent,
    input: {} as { readonly address: Address },
  },
  actions: {
    adopt: assign(({ context, event }) =>
      event.type === 'frontend.desired' ? adopt(context, event.spec, event.owner) : context,
    ),
    claim: assign(({ context, event }) =>
      event.type === 'frontend.desired' ? claimed(context, event.owner) : context,
    ),
    settle: assign(({ context }) => settle(context)),
    awaken: assign(({ context, event }) =>
      event.type === 'activated' ? awakened(context, event.children) : context,
    ),
    takeOverrides: assign(({ context, event }) => {
      if (event.type === 'override.level') return { overrides: event.overrides };
      const stored = event.type === 'activated' ? bookIn(event.children) : undefined;
      return { overrides: stored ?? context.overrides };
    }),
    takeVerdict: assign(({ context, event }) =>
      event.type === 'backend.verdict'
        ? withVerdict(context, event.verdict, event.meta.at)
        : context,
    ),
    takeLevel: assign(({ context, event }) =>
      event.type === 'member.level' ? withLevel(context, event.level) : context,
    ),
    takeReport: assign(({ context, event }) =>
      event.type === 'vip.applied' ? withReport(context, event.report) : context,
    ),
    takeAddress: assign(({ context, event }) => {
      if (event.type !== 'pool.allocated') return context;
      const { pool, address } = event;
      const revision = context.revision + 1;
      return { ...context, allocated: { pool, address }, revision, problem: null };
    }),
    dropAddress: assign({ allocated: null }),
    noteProblem: assign(({ context, event }) =>
      event.type === 'pool.exhausted' ? { ...context, problem: event.message } : context,
    ),
    noteGone: assign(({ context }) => withdrawn(context)),
    weigh: assign(({ context, event }) => reweighed(context, event.meta.at)),
    sayAgain: assign({ repeat: true, toldStatus: null }),
    noteSent: assign(({ context, event }) => withWish(context, wishOf(context, event.meta.at))),
    numberWithdrawal: assign(({ context, event }) => ({
      wish: nextRevision(context.wish, event.meta.at),
    })),
    noteRecorded: assign(({ context }) => ({
      recorded: { state: context.state, active: context.choice.active, panic: context.panic },
    })),
    noteSync: assign(({ context }) => toldSync(context)),
    noteAcks: assign(({ context }) => ({ toldAcks: toldAcks(context) })),
    noteStatus: assign(({ context }) => ({ toldStatus: statusOf(context) })),
    dropGone: assign(({ context }) => withoutGone(context, goneMembers(context))),
    /** Protective, and never overtaken: it carries decisions on disk and the newest verdicts. */
    sendDesired: effect<Wished>(),
    awaitVip: effect<{ readonly frontend: FrontendName }>(),
    /** After the commit: the VIP may go. */
    withdraw: effect<WithdrawParams>(),
    withdrawAgain: effect<WithdrawParams>(),
    /** After the commit: tells ourselves that the decision is on disk. */
    confirm: effect<{ readonly revision: number }>(),
    allocate: effect<PoolCall>(),
    release: effect<PoolCall>(),
    ask: effect<AskParams>(),
    noteFarewell: assign({ toldAnnounce: null }),
    noteAnnounce: assign(({ context }) => {
      const level = announceLevel(context);
      return { toldAnnounce: level?.gone === true ? null : level };
    }),
    takeWorld: assign(({ event }) => {
      if (event.type === 'announce.status') return { announced: event.announced };
      return event.type === 'node.level' ? { nodeDrained: event.drained } : {};
    }),
    /** Protective: the world must not send flows to a VIP that cannot take them. */
    tellAnnouncement: effect<AnnounceLevel | null>(),
    answerAnnouncement: effect<AnnouncementMessage | null>(),
    orderOverride: effect<OrderParams | undefined>(),
    answer: effect<AnswerParams>(),
    acknowledge: effect<readonly AckParams[]>(),
    tellStatus: effect<StatusParams>(),
    /** To whoever asked what it would want. */
    answerOutlook: effect<OutlookParams>(),
    record: effect<RecordParams>(),
    forget: effect<undefined>(),
  },
  guards: {
    isNews: ({ context, event }) =>
      event.type === 'frontend.desired' && isNews(context, event.spec),
    isMemberNews: ({ context, event }) =>
      event.type === 'member.level' && isMemberNews(context, event.level),
    mayOrder: ({ context, event }) =>
      event.type === 'operator.weight' && refusalOf(context, event) === undefined,
    isLatest: ({ context, event }) =>
      event.type === 'frontend.decided' && event.revision === context.revision,
    isReady: ({ context }) =>
      context.settledRevision === context.revision && addressIn(context) !== null,
    lacksAddress: ({ context }) =>
      context.settledRevision === context.revision && addressIn(context) === null,
    isWantedPool: ({ context, event }) =>
      event.type === 'pool.allocated' && event.pool === context.decided?.addressFrom,
    isOwnPool: ({ context, event }) =>
      event.type === 'pool.released' && event.pool === context.allocated?.pool,
    /** Not of an earlier withdrawal, after which it was wanted again. */
    isOwnWithdrawal: ({ context, event }) =>
      event.type === 'vip.gone' && event.revision === context.wish,
    holdsAddress: ({ context }) => context.allocated !== null,
    hasSurplus: ({ context }) => surplusIn(context) !== null,
    allKnown: ({ context }) => unknownMembers(context).length === 0,
    climbs: ({ context, event }) => nextClimbMs(context, event.meta.at) !== undefined,
    climbsNoMore: ({ context, event }) => nextClimbMs(context, event.meta.at) === undefined,
    hasContender: ({ context }) => context.choice.contender !== null,
    hasNoContender: ({ context }) => context.choice.contender === null,
    owesDesired: ({ context }) => owesDesired(context),
    owesRecord: ({ context }) => owesRecord(context),
    owesSync: ({ context }) => owesSync(context),
    owesAcks: ({ context }) => owedAcks(context).length > 0,
    owesAnnounce: ({ context }) => owesAnnounce(context),
    owesDrain: ({ context }) => context.nodeDrained === true && owesAnnounce(context),
    owesStatus: ({ context }) => owesStatus(context),
    hasGone: ({ context }) => goneMembers(context).length > 0,
  },
  delays: {
    /** Longest wait for verdicts after a restart; lbsync releases its own warm-up no later. */
    startupMaxDelay: ({ context }) => context.decided?.startupMaxDelayMs ?? 0,
    retryDue: RETRY_MS,
    resyncDue: ({ event }) => RESYNC_MS * (0.75 + event.meta.random / 2),
    /** The next step of slow start. */
    climbDue: ({ context, event }) =>
      Math.max(1, (nextClimbMs(context, event.meta.at) ?? 0) - event.meta.at),
    /** What is left of the fail-back hold. */
    failBackDue: ({ context, event }) => {
      const { contender } = context.choice;
      const holdForMs = context.decided?.failBack.holdForMs ?? 0;
      const dueMs = (contender?.sinceMs ?? event.meta.at) + holdForMs;
      return Math.max(1, dueMs - event.meta.at);
    },
  },
});
