/**
 * Suspicion: whether this node doubts its own ears.
 *
 * Input:  each backend's level (answers, silent, gone), collected beside the machine; `hearing.counted` says
 *         what they, or a round of asking some, add up to. Output: `tellBackends` until when verdicts without proof
 *         are held, `askSome`, `record`.
 *
 *   calm --most fell silent at once--> suspecting --half answer--> calm
 *                                          └--the hold is over--> convinced --somebody is heard again--> calm
 *   idle --somebody fell silent--> round --concluded--> pause --> idle
 *
 * Rules: [HE-60] [HE-61] src/policy/suspicion.ts; [HE-62] a held backend stays what it is, keeps its weight and
 * is not replaced; what is proven is not held; [HE-64] who falls silent waits for a round.
 */
import { assign, setup } from 'xstate';
import { HOLD_MS, ROUND_MS, ROUND_PAUSE_MS } from '../src/policy/suspicion.js';
import { type Activated, effect, type RecordParams, type Stamped } from './model/effects.js';
import type { JsonObject } from './model/json.js';
import type { SuspicionMessage } from './model/suspicion.js';
import { timestamp } from './model/time.js';

/** What the levels, or a round, add up to, when that changes anything. */
export interface HearingCounted {
  readonly type: 'hearing.counted';
  readonly suspect: boolean;
  readonly silent: number;
  readonly total: number;
}

/** `doubted`: somebody waits for a round; `concluded`: the round that was open has spoken. */
export interface RoundTurn {
  readonly type: 'round.doubted' | 'round.concluded';
}

export type SuspicionEvent =
  | Stamped<SuspicionMessage>
  | Stamped<HearingCounted>
  | Stamped<RoundTurn>
  | Stamped<Activated>;

export interface SuspicionMemory {
  readonly sinceMs: number;
  readonly silent: number;
  readonly total: number;
}

/** What backends are told; `untilMs` 0: nothing is held any more. */
export interface TrustParams {
  readonly trust: 'calm' | 'suspecting' | 'convinced';
  readonly untilMs: number;
}

export interface RoundParams {
  readonly atMs: number;
  readonly random: number;
}

interface Args {
  readonly context: SuspicionMemory;
  readonly event: SuspicionEvent;
}

const takes = { type: 'takeHearing', params: ({ event }: Args) => event } as const;

const records = (name: string, rule: string) =>
  ({
    type: 'record',
    params: ({ context }: Args): RecordParams => ({ event: name, rule, numbers: { ...context } }),
  }) as const;

export function suspicionShape(
  { sinceMs, silent, total }: SuspicionMemory,
  on: boolean,
): JsonObject {
  const condition = {
    type: 'suspect-ourselves',
    object: 'suspicion/main',
    severity: 'critical',
    since: timestamp(sinceMs),
    cause: 'HE-60',
    message: `${silent} of ${total} backends fell silent at once: their verdicts are held for up to ${HOLD_MS / 1_000} s`,
    next: "look at this node's own network first",
  };
  return { name: 'main', suspecting: on, silent, total, conditions: on ? [condition] : [] };
}

const tells = (trust: TrustParams['trust']) =>
  ({ type: 'tellBackends', params: { trust, untilMs: 0 } }) as const;

export const suspicionMachine = setup({
  types: { context: {} as SuspicionMemory, events: {} as SuspicionEvent },
  actions: {
    note: assign(({ context, event }) =>
      event.type === 'hearing.counted'
        ? { sinceMs: event.meta.at, silent: event.silent, total: event.total }
        : context,
    ),
    takeHearing: effect<SuspicionEvent>(),
    tellBackends: effect<TrustParams>(),
    askSome: effect<RoundParams>(),
    closeRound: effect<undefined>(),
    /** Whether somebody came to wait meanwhile. */
    lookAgain: effect<undefined>(),
    record: effect<RecordParams>(),
  },
  guards: {
    isSuspect: ({ event }) => event.type === 'hearing.counted' && event.suspect,
    isClear: ({ event }) => event.type === 'hearing.counted' && !event.suspect,
  },
  delays: { holdOver: HOLD_MS, roundOver: ROUND_MS, pauseOver: ROUND_PAUSE_MS },
}).createMachine({
  id: 'suspicion',
  description: 'Whether most of what we probe fell silent at once: then we doubt ourselves first.',
  context: { sinceMs: 0, silent: 0, total: 0 },
  type: 'parallel',
  on: { 'hearing.level': { actions: takes } },
  states: {
    trust: {
      description: 'Whether we believe what we hear.',
      initial: 'calm',
      states: {
        calm: {
          description: 'Verdicts count as they come.',
          on: {
            'hearing.counted': {
              guard: 'isSuspect',
              target: 'suspecting',
              actions: ['note', records('node.suspected', 'HE-60')],
            },
          },
        },
        suspecting: {
          description: 'Verdicts of silence are held.',
          entry: {
            type: 'tellBackends',
            params: ({ event }) => ({ trust: 'suspecting', untilMs: event.meta.at + HOLD_MS }),
          },
          after: {
            holdOver: {
              target: 'convinced',
              actions: [tells('convinced'), records('node.trusted', 'HE-61')],
            },
          },
          on: {
            'hearing.counted': {
              guard: 'isClear',
              target: 'calm',
              actions: [tells('calm'), records('node.trusted', 'HE-61')],
            },
          },
        },
        convinced: {
          description: 'Silent for so long that it is believed, until we hear again.',
          on: { 'hearing.counted': { guard: 'isClear', target: 'calm', actions: tells('calm') } },
        },
      },
    },
    asking: {
      description: 'One round after the other, as long as somebody waits for one.',
      initial: 'idle',
      states: {
        idle: {
          description: 'Nobody waits for one.',
          on: { 'round.doubted': 'round' },
        },
        round: {
          description: 'Some that answered so far probe now.',
          entry: {
            type: 'askSome',
            params: ({ event: { meta } }) => ({ atMs: meta.at, random: meta.random }),
          },
          after: { roundOver: { actions: 'closeRound' } },
          on: { 'round.concluded': 'pause' },
        },
        pause: {
          description: 'A breath, lest many failures become many rounds.',
          after: { pauseOver: { target: 'idle', actions: 'lookAgain' } },
        },
      },
    },
  },
});
