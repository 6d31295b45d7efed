/**
 * Announcement: carries one frontend's word to the operator's program, and keeps at it.
 *
 * Input:  the frontend's level, the end of each call. Output: `callHook`, one at a time; `tellFrontend` when
 *         the program has done it; `record` of each change.
 *
 *   idle --level--> judging --up--> holding --hold over--> calling --done--> settled
 *                      └--withdraw--> calling --failed--> waiting --back-off--> judging
 *
 * What may be announced, and by which program, is on disk before the program is called. After a restart the
 * frontend says its word again, and the program is told once more what it was told before; a frontend that has
 * no program any more, or is gone, is asked for in vain, and what stands is withdrawn by the program of then.
 *
 * Rules: [AN-4] announced only after the hold, without a break; withdrawn at once; [AN-5] one call at a time,
 * and the newest level wins; [AN-6] a call that failed is tried again with back-off, for ever, and is a
 * condition; [AN-10] what may be announced outlives us, and a withdrawal waits for no disk; [AN-7] a VIP that moved is withdrawn at its old address first.
 */
import { assign, setup } from 'xstate';
import type {
  AnnounceLevel,
  AnnouncementMessage,
  AnnounceReason,
  HookCall,
} from './model/announce.js';
import { assert } from './model/assert.js';
import { type Activated, effect, type RecordParams, type Stamped } from './model/effects.js';
import { type Address, type FrontendName, keyOf } from './model/ids.js';
import type { JsonObject } from './model/json.js';
import { timestamp } from './model/time.js';

export type AnnouncementEvent = Stamped<AnnouncementMessage> | Stamped<Activated>;

export interface AnnouncementMemory {
  readonly frontend: FrontendName;
  readonly level: AnnounceLevel | null;
  /** Address that may be announced, by the program of `level`; `null`: none. */
  readonly stands: string | null;
  /** Times its frontend was asked after a restart, without an answer. */
  readonly asks: number;
  /** What the program has done in this life; `null`: we do not know. */
  readonly done: { readonly announced: boolean; readonly address: string } | null;
  /** Number of the latest call. */
  readonly call: number;
  readonly calling: HookCall | null;
  readonly failures: number;
  readonly problem: string | null;
  /** Of `done`, or of the trouble. */
  readonly sinceMs: number;
}

export interface CallParams {
  readonly call: number;
  readonly program: { readonly command: readonly string[]; readonly timeoutMs: number };
  readonly what: HookCall;
}

export interface TellParams {
  readonly frontend: FrontendName;
  readonly announced: boolean;
}

/** After a restart its frontend is asked so often, and by then it is nobody's. */
const ASK_MS = 5_000;
const ASKS_MAX = 60;

const RETRY_MIN_MS = 1_000;
const RETRY_MAX_MS = 60_000;

interface Args {
  readonly context: AnnouncementMemory;
  readonly event: AnnouncementEvent;
}

function levelOf({ level, frontend }: AnnouncementMemory): AnnounceLevel {
  assert(level !== null, `nothing is wanted of the announcement of ${frontend} yet`);
  return level;
}

/** The next thing to do; `null`: all is as wanted, and known to be: a call that failed may have done its work. */
export function nextCall(memory: AnnouncementMemory): HookCall | null {
  const level = levelOf(memory);
  const { done, failures, stands } = memory;
  if (stands !== null && stands !== level.address && done?.address !== level.address) {
    return { ...callOf(level, stands), action: 'withdraw', reason: 'moved' };
  }
  if (failures === 0 && done?.announced === level.wanted) return null;
  return callOf(level, level.address);
}

function callOf(level: AnnounceLevel, address: string): HookCall {
  const { frontend, protocol, port, wanted, reason } = level;
  const prefixLength = address.includes(':') ? 128 : 32;
  const action = wanted ? 'announce' : 'withdraw';
  return { action, frontend, address, prefixLength, protocol, port, reason };
}

function answerIn({ context, event }: Args) {
  return event.type === 'hook.finished' && event.call === context.call ? event : undefined;
}

function finished({ context, event }: Args): Partial<AnnouncementMemory> {
  const { calling } = context;
  if (calling === null) return {};
  const done = { announced: calling.action === 'announce', address: calling.address };
  const stands = done.announced ? done.address : null;
  return { done, stands, calling: null, failures: 0, problem: null, sinceMs: event.meta.at };
}

function failed(args: Args): Partial<AnnouncementMemory> {
  const { context, event } = args;
  const failure = answerIn(args)?.failure;
  const problem = failure ? `${failure.code}: ${failure.message}` : null;
  const sinceMs = context.failures === 0 ? event.meta.at : context.sinceMs;
  return { calling: null, failures: context.failures + 1, problem, sinceMs };
}

function recordOf(event: string, rule: string) {
  return {
    type: 'record',
    params: (args: Args): RecordParams => {
      const { calling, failures } = args.context;
      const failure = answerIn(args)?.failure;
      const problem = failure ? { code: failure.code, message: failure.message } : {};
      return { event, rule, numbers: { ...calling, failures, ...problem } };
    },
  } as const;
}

const tells = {
  type: 'tellFrontend',
  params: ({ context }: Args): TellParams => ({
    frontend: context.frontend,
    announced: context.done?.announced ?? false,
  }),
} as const;

function callParams({ context }: Args): CallParams {
  const { calling, call } = context;
  assert(calling !== null, 'a call is prepared before it is made');
  const { command, timeoutMs } = levelOf(context).hook;
  return { call, program: { command, timeoutMs }, what: calling };
}

const calls = { type: 'callHook', params: callParams } as const;
/** Nobody would withdraw what no disk knows of. */
const callsOnceStored = { type: 'callOnceStored', params: callParams } as const;

/** Its frontend has no program for it any more, or is nobody. */
function releases(reason: AnnounceReason) {
  return { type: 'release', params: { reason } } as const;
}

export function announcementShape(memory: AnnouncementMemory): JsonObject {
  const { frontend, level, done, failures, problem, sinceMs } = memory;
  const condition = {
    type: 'announce-failed',
    object: `frontend/${frontend}`,
    severity: 'critical',
    since: timestamp(sinceMs),
    cause: 'AN-6',
    message: `the announce hook failed ${failures} times: ${problem}`,
    next: 'it is tried again with back-off; look at announce.command',
  };
  return {
    name: frontend,
    frontend,
    announced: done?.announced ?? false,
    wanted: level?.wanted ?? false,
    ...(problem === null ? {} : { problem }),
    conditions: problem === null ? [] : [condition],
  };
}

export const announcementMachine = setup({
  types: {
    context: {} as AnnouncementMemory,
    events: {} as AnnouncementEvent,
    input: {} as { readonly address: Address },
  },
  actions: {
    take: assign(({ event }) => (event.type === 'announce.level' ? { level: event.level } : {})),
    prepare: assign(({ context }) => ({
      call: context.call + 1,
      calling: nextCall(context),
    })),
    noteStands: assign(({ context: { calling } }) => ({ stands: calling?.address ?? null })),
    /** A new life: what was done is no longer known. */
    wake: assign({ done: null, calling: null, failures: 0, problem: null, asks: 0 }),
    noteAsk: assign(({ context }) => ({ asks: context.asks + 1 })),
    noteHeard: assign({ asks: 0 }),
    release: assign(({ context }, { reason }: { readonly reason: AnnounceReason }) => ({
      level: { ...levelOf(context), wanted: false, reason, gone: true },
    })),
    askFrontend: effect<{ readonly frontend: FrontendName }>(),
    noteDone: assign(finished),
    noteFailure: assign(failed),
    callHook: effect<CallParams>(),
    callOnceStored: effect<CallParams>(),
    tellFrontend: effect<TellParams>(),
    record: effect<RecordParams>(),
    forget: effect<undefined>(),
  },
  guards: {
    isDone: ({ context }) => nextCall(context) === null,
    mayStand: ({ context }) => context.stands !== null && context.level !== null,
    stoodBefore: ({ context }) => context.stands === levelOf(context).address,
    isNobodys: ({ context }) => context.asks >= ASKS_MAX,
    isWithdrawal: ({ context }) => nextCall(context)?.action === 'withdraw',
    isOver: ({ context }) => context.level?.gone === true,
    turns: ({ context, event }) =>
      event.type === 'announce.level' &&
      (event.level.wanted !== context.level?.wanted ||
        event.level.address !== context.level.address ||
        event.level.gone !== context.level.gone),
    succeeded: (args) => answerIn(args)?.failure === null,
    answers: (args) => answerIn(args) !== undefined,
  },
  delays: {
    askDue: ASK_MS,
    holdDown: ({ context }) => levelOf(context).hook.holdDownMs,
    retryDue: ({ context, event }) => {
      const waitMs = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** (context.failures - 1));
      return waitMs * (0.75 + event.meta.random / 2);
    },
  },
}).createMachine({
  id: 'announcement',
  description: "Carries one frontend's word to the operator's announce program.",
  context: ({ input }) => ({
    frontend: keyOf(input.address) as FrontendName,
    level: null,
    stands: null,
    asks: 0,
    done: null,
    call: 0,
    calling: null,
    failures: 0,
    problem: null,
    sinceMs: 0,
  }),
  initial: 'idle',
  on: {
    'announce.level': { actions: 'take' },
    activated: [
      { guard: 'mayStand', target: '.recalled', actions: 'wake' },
      { target: '.idle', actions: 'wake' },
    ],
  },
  states: {
    idle: {
      description: 'Its frontend has said nothing yet: what is announced stays so.',
      on: { 'announce.level': { target: 'judging', actions: 'take' } },
    },
    recalled: {
      description: 'Announced in an earlier life: what says its frontend?',
      entry: [
        'noteAsk',
        { type: 'askFrontend', params: ({ context: { frontend } }) => ({ frontend }) },
      ],
      after: {
        askDue: [
          { guard: 'isNobodys', target: 'judging', actions: releases('removed') },
          { target: 'recalled', reenter: true },
        ],
      },
      on: {
        'announce.level': { target: 'judging', actions: 'take' },
        'announce.undecided': { actions: 'noteHeard' },
        'announce.unhooked': { target: 'judging', actions: releases('configuration') },
      },
    },
    judging: {
      description: 'Passed through: what is to be done next?',
      always: [
        { guard: 'isDone', target: 'settled' },
        { guard: 'isWithdrawal', target: 'calling', actions: ['prepare', calls] },
        { target: 'holding' },
      ],
    },
    holding: {
      description: 'Up, and has to stay so for the hold.',
      after: {
        holdDown: [
          { guard: 'stoodBefore', target: 'calling', actions: ['prepare', calls] },
          {
            target: 'calling',
            actions: [
              'prepare',
              'noteStands',
              recordOf('announcement.begun', 'AN-10'),
              callsOnceStored,
            ],
          },
        ],
      },
      on: {
        'announce.level': [
          { guard: 'turns', target: 'judging', actions: 'take' },
          { actions: 'take' },
        ],
      },
    },
    calling: {
      description: 'The program runs.',
      on: {
        'hook.finished': [
          {
            guard: 'succeeded',
            target: 'judging',
            actions: [recordOf('announcement.changed', 'AN-1'), 'noteDone', tells],
          },
          {
            guard: 'answers',
            target: 'waiting',
            actions: [recordOf('announcement.failed', 'AN-6'), 'noteFailure'],
          },
        ],
      },
    },
    waiting: {
      description: 'The program failed; it is called again after the back-off.',
      after: { retryDue: 'judging' },
      on: {
        'announce.level': [
          { guard: 'turns', target: 'judging', actions: 'take' },
          { actions: 'take' },
        ],
      },
    },
    settled: {
      description: 'The world knows what it should.',
      always: { guard: 'isOver', target: 'over' },
      on: {
        'announce.level': [
          { guard: 'turns', target: 'judging', actions: 'take' },
          { actions: ['take', tells] },
        ],
      },
    },
    over: {
      description: 'Withdrawn, and its frontend is gone.',
      entry: 'forget',
      on: { '*': {} },
    },
  },
});
