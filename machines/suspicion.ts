/**
 * Suspicion: whether this node doubts its own ears.
 *
 * Input:  each backend's level (answers, silent, gone), collected beside the machine; `hearing.counted` says
 *         what they add up to. Output: `tellBackends` until when verdicts without proof are held, `record`.
 *
 *   calm --most fell silent at once--> suspecting --half answer, or the hold is over--> calm
 *
 * Rules: [HE-60] [HE-61] src/policy/suspicion.ts; [HE-62] a held backend stays what it is, keeps its weight and
 * is not replaced; what is proven is not held.
 */
import { assign, setup } from 'xstate';
import { HOLD_MS } from '../src/policy/suspicion.js';
import { type Activated, effect, type RecordParams, type Stamped } from './model/effects.js';
import type { JsonObject } from './model/json.js';
import type { SuspicionMessage } from './model/suspicion.js';
import { timestamp } from './model/time.js';

/** What the levels add up to, when that changes anything. */
export interface HearingCounted {
  readonly type: 'hearing.counted';
  readonly suspect: boolean;
  readonly silent: number;
  readonly total: number;
}

export type SuspicionEvent =
  | Stamped<SuspicionMessage>
  | Stamped<HearingCounted>
  | Stamped<Activated>;

export interface SuspicionMemory {
  readonly sinceMs: number;
  readonly silent: number;
  readonly total: number;
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

export const suspicionMachine = setup({
  types: { context: {} as SuspicionMemory, events: {} as SuspicionEvent },
  actions: {
    note: assign(({ context, event }) =>
      event.type === 'hearing.counted'
        ? { sinceMs: event.meta.at, silent: event.silent, total: event.total }
        : context,
    ),
    takeHearing: effect<SuspicionEvent>(),
    /** `0`: no longer. */
    tellBackends: effect<{ readonly untilMs: number }>(),
    record: effect<RecordParams>(),
  },
  guards: {
    isSuspect: ({ event }) => event.type === 'hearing.counted' && event.suspect,
    isClear: ({ event }) => event.type === 'hearing.counted' && !event.suspect,
  },
  delays: { holdOver: HOLD_MS },
}).createMachine({
  id: 'suspicion',
  description: 'Whether most of what we probe fell silent at once: then we doubt ourselves first.',
  context: { sinceMs: 0, silent: 0, total: 0 },
  initial: 'calm',
  on: { 'hearing.level': { actions: takes } },
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
        params: ({ event }) => ({ untilMs: event.meta.at + HOLD_MS }),
      },
      exit: { type: 'tellBackends', params: { untilMs: 0 } },
      after: { holdOver: { target: 'calm', actions: records('node.trusted', 'HE-61') } },
      on: {
        'hearing.counted': {
          guard: 'isClear',
          target: 'calm',
          actions: records('node.trusted', 'HE-61'),
        },
      },
    },
  },
});
