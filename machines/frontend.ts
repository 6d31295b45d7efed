/**
 * Frontend: decides what one VIP should look like, and tells lbsync.
 *
 * Input:  its spec, its members' levels, verdicts of their backends, VPP's reports, its address pool.
 * Output: `sendDesired` (protective: the whole VIP, whenever it differs from what was last sent),
 *         acknowledgements for members, a status for its owner, and `record` of what was decided.
 *
 *   idle --desired--> preparing --decision on disk, address known--> serving
 *   any --activated--> warming --all verdicts in, or the longest wait--> serving
 *   any --removed--> withdrawing --vip.gone--> releasing --pool.released--> removed
 *
 * Events only change the memory; `always` then says whatever is owed, so a level is told as often as it
 * changes and no more. Weights come from src/policy/frontend-weights.ts [FE-1]..[FE-9].
 *
 * Rules: [FE-10] a change of spec reaches VPP only when it is on disk, a verdict at once; [FE-12] after a
 * restart nothing is sent until every member has a verdict or the longest wait is over; [FE-14] a
 * removed frontend forgets itself only when VPP and its pool have let go; [FE-15] a member of a
 * frontend nobody wants is let go at once.
 */
import { assign, setup } from 'xstate';
import {
  addressIn,
  adopt,
  awakened,
  claimed,
  type FrontendMemory,
  isMemberNews,
  isNews,
  newFrontend,
  reweighed,
  settle,
  surplusIn,
  unknownMembers,
  withdrawn,
  withLevel,
  withoutGone,
  withReport,
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
  type PoolCall,
  poolCall,
  questionsTo,
  questionTo,
  removed,
  type StatusParams,
  stateChanged,
  statusOf,
  toldAcks,
} from './frontend-messages.js';
import { desiredOf, owesDesired, vipOf } from './frontend-vip.js';
import { assert } from './model/assert.js';
import { type Activated, effect, type RecordParams, type Stamped } from './model/effects.js';
import type { Address, FrontendName } from './model/ids.js';
import type { DesiredVip } from './model/lb.js';
import type { FrontendMessage, MemberLevel } from './model/messages.js';

/** What the frontend tells itself through the store: the decision of this revision is on disk. */
export interface Decided {
  readonly type: 'frontend.decided';
  readonly revision: number;
}

export type FrontendEvent = Stamped<FrontendMessage> | Stamped<Decided> | Stamped<Activated>;

/** Longest wait for verdicts after a restart; lbsync releases its own warm-up no later. */
const STARTUP_MAX_DELAY_MS = 30_000;
/** How often an unanswered request to lbsync or to the pool is repeated. */
const RETRY_MS = 10_000;
/** How often everything is said again, in case it was lost; spread by a quarter either way. */
const RESYNC_MS = 30_000;

interface Args {
  readonly context: FrontendMemory;
  readonly event: FrontendEvent;
}

const named = ({ context }: Args) => ({ frontend: context.name });

/** Effects with the parameters the memory gives them. */
const says = {
  turn: { type: 'record', params: ({ context }: Args) => stateChanged(context) },
  desired: { type: 'record', params: ({ context }: Args) => desiredChanged(context) },
  removed: { type: 'record', params: ({ context }: Args) => removed(context) },
  member: { type: 'record', params: ({ event }: Args) => memberChanged(levelIn(event)) },
  confirm: { type: 'confirm', params: ({ context }: Args) => ({ revision: context.revision }) },
  vip: { type: 'sendDesired', params: ({ context }: Args) => vipOf(context) },
  awaited: { type: 'awaitVip', params: named },
  withdraw: { type: 'withdraw', params: named },
  withdrawAgain: { type: 'withdrawAgain', params: named },
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
  askAll: { type: 'ask', params: ({ context }: Args) => questionsTo(context, 'everybody') },
  askMember: {
    type: 'ask',
    params: ({ context, event }: Args) => questionTo(context, levelIn(event)),
  },
  askUnknown: { type: 'ask', params: ({ context }: Args) => questionsTo(context, 'unknown') },
  allocate: { type: 'allocate', params: ({ context }: Args) => poolCall(context) },
  release: { type: 'release', params: ({ context }: Args) => poolCall(context) },
} as const;

function levelIn(event: FrontendEvent): MemberLevel {
  assert(event.type === 'member.level', `${event.type} carries no level`);
  return event.level;
}

const adopts = ['adopt', says.desired, says.confirm] as const;

export const frontendMachine = setup({
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
    awaken: assign(({ context }) => awakened(context)),
    takeVerdict: assign(({ context, event }) =>
      event.type === 'backend.verdict' ? withVerdict(context, event.verdict) : context,
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
    forgetSent: assign({ sent: null, toldStatus: null }),
    noteSent: assign(({ context }) => ({ sent: desiredOf(context) })),
    noteRecorded: assign(({ context }) => ({
      recorded: { state: context.state, active: context.choice.active },
    })),
    noteAcks: assign(({ context }) => ({ toldAcks: toldAcks(context) })),
    noteStatus: assign(({ context }) => ({ toldStatus: statusOf(context) })),
    dropGone: assign(({ context }) => withoutGone(context, goneMembers(context))),
    /** Protective, and never overtaken: it carries decisions on disk and the newest verdicts. */
    sendDesired: effect<DesiredVip>(),
    awaitVip: effect<{ readonly frontend: FrontendName }>(),
    /** After the commit: the VIP may go. */
    withdraw: effect<{ readonly frontend: FrontendName }>(),
    withdrawAgain: effect<{ readonly frontend: FrontendName }>(),
    /** After the commit: tells ourselves that the decision is on disk. */
    confirm: effect<{ readonly revision: number }>(),
    allocate: effect<PoolCall>(),
    release: effect<PoolCall>(),
    ask: effect<AskParams>(),
    acknowledge: effect<readonly AckParams[]>(),
    tellStatus: effect<StatusParams>(),
    record: effect<RecordParams>(),
    forget: effect<undefined>(),
  },
  guards: {
    isNews: ({ context, event }) =>
      event.type === 'frontend.desired' && isNews(context, event.spec),
    isMemberNews: ({ context, event }) =>
      event.type === 'member.level' && isMemberNews(context, event.level),
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
    holdsAddress: ({ context }) => context.allocated !== null,
    hasSurplus: ({ context }) => surplusIn(context) !== null,
    allKnown: ({ context }) => unknownMembers(context).length === 0,
    hasContender: ({ context }) => context.choice.contender !== null,
    hasNoContender: ({ context }) => context.choice.contender === null,
    owesDesired: ({ context }) => owesDesired(context),
    owesRecord: ({ context }) => owesRecord(context),
    owesAcks: ({ context }) => owedAcks(context).length > 0,
    owesStatus: ({ context }) => owesStatus(context),
    hasGone: ({ context }) => goneMembers(context).length > 0,
  },
  delays: {
    startupMaxDelay: STARTUP_MAX_DELAY_MS,
    retryDue: RETRY_MS,
    resyncDue: ({ event }) => RESYNC_MS * (0.75 + event.meta.random / 2),
    /** What is left of the fail-back hold. */
    failBackDue: ({ context, event }) => {
      const { contender } = context.choice;
      const holdForMs = context.decided?.failBack.holdForMs ?? 0;
      const dueMs = (contender?.sinceMs ?? event.meta.at) + holdForMs;
      return Math.max(1, dueMs - event.meta.at);
    },
  },
}).createMachine({
  id: 'frontend',
  description: 'Turns pools, levels and verdicts into the weights of one VIP.',
  context: ({ input }) => newFrontend(input.address),
  initial: 'idle',
  on: {
    'frontend.desired': [{ guard: 'isNews', actions: adopts }, { actions: 'claim' }],
    'frontend.removed': {
      target: '.withdrawing',
      actions: [says.removed, says.withdraw],
    },
    'backend.verdict': { actions: 'takeVerdict' },
    'member.level': [
      { guard: 'isMemberNews', actions: ['takeLevel', says.member, says.askMember] },
      { actions: 'takeLevel' },
    ],
    'vip.applied': { actions: 'takeReport' },
  },
  states: {
    idle: {
      description: 'Addressed, but nobody has wanted it yet.',
      on: {
        'frontend.desired': { target: 'preparing', actions: adopts },
        'frontend.removed': 'removed',
        'member.level': { actions: says.letGo },
        'backend.verdict': {},
        'vip.applied': {},
      },
    },
    preparing: {
      description: 'Until the decision is on disk and the VIP has an address.',
      initial: 'committing',
      on: {
        activated: { target: 'preparing', reenter: true, actions: ['awaken', says.askAll] },
        'frontend.decided': {
          guard: 'isLatest',
          target: '.committing',
          actions: ['settle', says.askAll],
        },
      },
      always: { guard: 'owesStatus', actions: [says.status, 'noteStatus'] },
      states: {
        committing: {
          always: [
            { guard: 'hasSurplus', actions: [says.release, 'dropAddress'] },
            { guard: 'isReady', target: '#frontend.serving' },
            { guard: 'lacksAddress', target: 'allocating' },
          ],
        },
        allocating: {
          entry: says.allocate,
          after: { retryDue: { target: 'allocating', reenter: true } },
          on: {
            'pool.allocated': {
              guard: 'isWantedPool',
              target: 'committing',
              actions: ['takeAddress', says.desired, says.confirm],
            },
            'pool.exhausted': { actions: 'noteProblem' },
          },
        },
      },
    },
    warming: {
      description: 'Restored: members keep what they have until their verdicts are in.',
      entry: [says.awaited, says.askAll],
      after: { startupMaxDelay: 'serving' },
      always: { guard: 'allKnown', target: 'serving' },
      on: {
        activated: { target: 'warming', reenter: true, actions: 'awaken' },
        'frontend.decided': { guard: 'isLatest', actions: ['settle', says.askAll] },
      },
    },
    serving: {
      description: 'Says what is owed after every event.',
      entry: 'weigh',
      after: {
        resyncDue: { target: 'serving', reenter: true, actions: ['forgetSent', says.askUnknown] },
      },
      always: [
        { guard: 'hasSurplus', actions: [says.release, 'dropAddress'] },
        { guard: 'lacksAddress', target: 'preparing' },
        { guard: 'owesDesired', actions: [says.vip, 'noteSent'] },
        { guard: 'owesRecord', actions: [says.turn, 'noteRecorded'] },
        { guard: 'owesAcks', actions: [says.acks, 'noteAcks'] },
        { guard: 'hasGone', actions: 'dropGone' },
        { guard: 'owesStatus', actions: [says.status, 'noteStatus'] },
      ],
      on: {
        activated: { target: 'warming', actions: 'awaken' },
        'frontend.decided': { guard: 'isLatest', actions: ['settle', 'weigh', says.askAll] },
        'backend.verdict': { actions: ['takeVerdict', 'weigh'] },
        'member.level': [
          {
            guard: 'isMemberNews',
            actions: ['takeLevel', 'weigh', says.member, says.askMember],
          },
          { actions: ['takeLevel', 'weigh'] },
        ],
        'vip.applied': { actions: ['takeReport', 'weigh'] },
      },
      initial: 'settled',
      states: {
        settled: { always: { guard: 'hasContender', target: 'contending' } },
        contending: {
          description: 'A higher pool is back, and has to stand for a while.',
          always: { guard: 'hasNoContender', target: 'settled' },
          after: { failBackDue: { target: 'contending', reenter: true, actions: 'weigh' } },
        },
      },
    },
    withdrawing: {
      description: 'The VIP is on its way out of VPP.',
      after: {
        retryDue: {
          target: 'withdrawing',
          reenter: true,
          actions: says.withdrawAgain,
        },
      },
      always: [
        { guard: 'owesAcks', actions: [says.acks, 'noteAcks'] },
        { guard: 'hasGone', actions: 'dropGone' },
      ],
      on: {
        activated: {
          target: 'withdrawing',
          reenter: true,
          actions: ['awaken', says.withdrawAgain],
        },
        'frontend.removed': {},
        'frontend.desired': { target: 'preparing', actions: adopts },
        'vip.gone': { target: 'releasing', actions: 'noteGone' },
      },
    },
    releasing: {
      description: 'Gives its address back, if it had one of a pool.',
      always: [
        { guard: 'owesAcks', actions: [says.acks, 'noteAcks'] },
        { guard: 'hasGone', actions: 'dropGone' },
      ],
      initial: 'choosing',
      states: {
        choosing: {
          always: [{ guard: 'holdsAddress', target: 'asking' }, { target: '#frontend.removed' }],
        },
        asking: {
          entry: says.release,
          after: { retryDue: { target: 'asking', reenter: true } },
        },
      },
      on: {
        activated: { target: 'releasing', reenter: true, actions: ['awaken', 'noteGone'] },
        'frontend.removed': {},
        'frontend.desired': { target: 'preparing', actions: ['dropAddress', ...adopts] },
        'pool.released': { guard: 'isOwnPool', target: 'removed' },
      },
    },
    removed: {
      description: 'Nothing of it is left.',
      entry: [says.gone, 'forget'],
      on: { '*': {} },
    },
  },
});
