/**
 * Lease: whether this node decides for the fleet.
 *
 * Input:  what the lease's server answers, what preparing and taking up came to, the feed's word.
 * Output: `ask` for the lease, `prepare` (read the log to its end, a new epoch), `takeUp` (behind the
 *         feed's acknowledgement of our own beginning), `stepDown`, `passOn` of what the feed has.
 *
 *   unset ─begin─► following ─► asking ─granted─► preparing ─► beginning ─acknowledged─► holding
 *                      ▲           │refused           │ lost        │ lost                 │ lost
 *                      └───────────┴──────────────────┴─────────────┴─────────────────────┘
 *
 * The grant is renewed beside the machine for as long as it is one (actors/lease-keeper.ts), which says
 * `lease.lost` once.
 *
 * Rules: [LE-6] nothing is done for the fleet before the log is read to its end and has our beginning;
 * [LE-7] a lost lease ends all of it, from wherever it is; [LE-8] every beginning has an epoch above all
 * that were stored or seen; [LE-10] who cannot take up what it was granted gives it back, and lets others have it
 * first.
 */
import { assign, setup } from 'xstate';
import { assert } from './model/assert.js';
import { type Activated, effect, type RecordParams, type Stamped } from './model/effects.js';
import type { Address } from './model/ids.js';
import type { LeaseMessage, LostEnd, UnknownType } from './model/lease.js';

/** What the log says of a holder; the newest one's is where the fleet stands. */
export interface Standing {
  /** Names the fleet: the first holder's name for its data directory. */
  readonly fleet: string;
  /** Names the holder's data directory. */
  readonly writer: string;
  readonly node: string;
  readonly epoch: number;
  /** Tells the authority that the holder's agents know from any other; absent: it has none. */
  readonly agentCa?: string;
}

export type LeaseAnswer =
  | { readonly type: 'lease.granted' }
  | { readonly type: 'lease.refused'; readonly message: string }
  | { readonly type: 'lease.lost'; readonly message: string }
  | { readonly type: 'fleet.prepared'; readonly standing: Standing }
  | { readonly type: 'fleet.unprepared'; readonly message: string }
  | { readonly type: 'fleet.takenUp' }
  | { readonly type: 'fleet.notTakenUp'; readonly message: string };

export type LeaseEvent = Stamped<LeaseMessage> | Stamped<LeaseAnswer> | Stamped<Activated>;

export interface LeaseMemory {
  readonly pollIntervalMs: number;
  /** Of our own beginning; null while we have none. */
  readonly standing: Standing | null;
  readonly problem: string | null;
  /** Times in a row that it could not be taken up. */
  readonly failures: number;
  /** What the fleet's log has lost of what was read. */
  readonly lost: LostEnd | null;
  /** An event of the log that this release does not know; null: none was met. */
  readonly unknown: UnknownType | null;
  /** The holder whose agents know another authority than ours; null: there is none. */
  readonly foreignCa: string | null;
}

interface Args {
  readonly context: LeaseMemory;
  readonly event: LeaseEvent;
}

export interface TakeUpParams {
  readonly standing: Standing;
}

export interface StepDownParams {
  readonly reason: string;
}

export interface PassOnParams {
  readonly upTo: number;
  readonly lost: readonly number[];
}

/** Between attempts of what needs the broker. */
export const RETRY_MS = 1_000;
/** Who cannot take it up so many times in a row gives it back, */
const FAILURES_MAX = 5;
/** and leaves it to others for a while. */
const STAND_BACK_MS = 15_000;

function standingIn({ context }: Args): Standing {
  assert(context.standing !== null, 'a holder without a standing');
  return context.standing;
}

function messageIn({ context, event }: Args): string {
  return 'message' in event ? String(event.message) : (context.problem ?? '');
}

function gained(args: Args): RecordParams {
  const standing = { ...standingIn(args) };
  const aggregate = { aggregateKind: 'lease', aggregateId: 'fleet' };
  return {
    event: 'lease.gained',
    rule: 'LE-8',
    numbers: { epoch: standing.epoch },
    publish: { ...aggregate, data: standing },
  };
}

function lost(args: Args): RecordParams {
  const { standing } = args.context;
  const reason = messageIn(args);
  if (standing === null) return { event: 'lease.lost', rule: 'LE-7', numbers: { reason } };
  const { node, epoch } = standing;
  const aggregate = { aggregateKind: 'node', aggregateId: node };
  return {
    event: 'lease.lost',
    rule: 'LE-7',
    numbers: { epoch, reason },
    publish: { ...aggregate, data: { node, epoch, reason } },
  };
}

function acknowledgedIn({ event }: Args): PassOnParams {
  assert(event.type === 'feed.acknowledged', `${event.type} acknowledges nothing`);
  return { upTo: event.upTo, lost: event.lost };
}

/** Held by who cannot decide, it would keep everybody else from deciding. */
const gives = {
  guard: 'isHopeless',
  target: '#lease.standingBack',
  actions: [
    { type: 'record', params: lost },
    { type: 'resign', params: (args: Args): StepDownParams => ({ reason: messageIn(args) }) },
    'stepOff',
  ],
} as const;

export const leaseMachine = setup({
  types: {
    context: {} as LeaseMemory,
    events: {} as LeaseEvent,
    input: {} as { readonly address: Address },
  },
  delays: {
    pollInterval: ({ context }) => context.pollIntervalMs,
    retry: RETRY_MS,
    standBack: STAND_BACK_MS,
  },
  guards: { isHopeless: ({ context }) => context.failures >= FAILURES_MAX },
  actions: {
    ask: effect<Record<string, never>>(),
    prepare: effect<Record<string, never>>(),
    takeUp: effect<TakeUpParams>(),
    takeUpAgain: effect<TakeUpParams>(),
    stepDown: effect<StepDownParams>(),
    /** Steps down, and gives the lease back. */
    resign: effect<StepDownParams>(),
    passOn: effect<PassOnParams>(),
    record: effect<RecordParams>(),
    adopt: assign(({ event }) =>
      event.type === 'lease.begin' ? { pollIntervalMs: event.pollIntervalMs } : {},
    ),
    learn: assign((args) => ({ problem: messageIn(args) })),
    stumble: assign((args) => ({
      problem: messageIn(args),
      failures: args.context.failures + 1,
    })),
    stand: assign(({ event }) =>
      event.type === 'fleet.prepared' ? { standing: event.standing, problem: null } : {},
    ),
    stepOff: assign((args) => ({ standing: null, problem: messageIn(args), failures: 0 })),
    noteAuthority: assign(({ event }) =>
      event.type === 'fleet.authority' ? { foreignCa: event.foreignTo } : {},
    ),
    noteUnknown: assign(({ event }) =>
      event.type === 'fleet.unknownType' ? { unknown: event.unknown } : {},
    ),
    noteLost: assign(({ event }) => (event.type === 'fleet.lost' ? { lost: event.lost } : {})),
    recover: assign({ failures: 0 }),
  },
}).createMachine({
  id: 'lease',
  description: 'Whether this node decides for the fleet.',
  context: {
    pollIntervalMs: RETRY_MS,
    standing: null,
    problem: null,
    failures: 0,
    lost: null,
    foreignCa: null,
    unknown: null,
  },
  initial: 'unset',
  on: {
    'feed.acknowledged': { actions: { type: 'passOn', params: acknowledgedIn } },
    'fleet.lost': { actions: 'noteLost' },
    'fleet.unknownType': { actions: 'noteUnknown' },
    'fleet.authority': { actions: 'noteAuthority' },
    'lease.begin': { actions: 'adopt' },
  },
  states: {
    unset: {
      description: 'Not told yet to want it.',
      on: { 'lease.begin': { target: 'asking', actions: 'adopt' } },
    },
    following: {
      description: 'Another node has it, or nobody can say who.',
      after: { pollInterval: 'asking' },
    },
    standingBack: {
      description: 'It could not be taken up here: others may have it first.',
      after: { standBack: 'asking' },
    },
    asking: {
      description: 'The lease is asked for.',
      entry: { type: 'ask', params: {} },
      on: {
        'lease.granted': 'granted.preparing',
        'lease.refused': { target: 'following', actions: 'learn' },
      },
    },
    granted: {
      description: 'Ours, for as long as it is renewed.',
      on: {
        'lease.lost': {
          target: 'following',
          actions: [
            { type: 'record', params: lost },
            { type: 'stepDown', params: (args) => ({ reason: messageIn(args) }) },
            'stepOff',
          ],
        },
      },
      initial: 'preparing',
      states: {
        preparing: {
          description: 'Reading the log to its end.',
          entry: { type: 'prepare', params: {} },
          on: {
            'fleet.prepared': {
              target: 'beginning',
              actions: [
                'stand',
                { type: 'record', params: gained },
                { type: 'takeUp', params: (args) => ({ standing: standingIn(args) }) },
              ],
            },
            'fleet.unprepared': { target: 'pausing', actions: 'stumble' },
          },
        },
        pausing: {
          description: 'The broker or the store did not answer.',
          after: { retry: [gives, { target: 'preparing' }] },
        },
        beginning: {
          description: 'Our beginning is on its way to the feed; then duties come to life.',
          on: {
            'fleet.takenUp': { target: 'holding', actions: 'recover' },
            'fleet.notTakenUp': { target: 'stumbling', actions: 'stumble' },
          },
        },
        stumbling: {
          description: 'Our beginning is in the feed, and what is before it could not be read.',
          after: {
            retry: [
              gives,
              {
                target: 'beginning',
                actions: {
                  type: 'takeUpAgain',
                  params: (args) => ({ standing: standingIn(args) }),
                },
              },
            ],
          },
        },
        holding: { description: 'Deciding for the fleet.' },
      },
    },
  },
});
