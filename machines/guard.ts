/**
 * Guard: lets removals of instances go on by themselves up to a share of all within a window; what is
 * beyond waits for an operator.
 *
 * Input:  each group's level (how many it is to have, what it wants to give up), settings, an operator's
 *         word. Output: `grant` after the decision, `record` of every removal let go, held and confirmed.
 *
 *   warming ─► settled
 *
 * While it warms up the groups say how many they are: what fits is let go, nothing is held yet.
 *
 * Rules: [SG-1] [SG-2] [SG-3] src/policy/shrink.ts; [SG-6] what is let go, held or confirmed is on record
 * before anything follows from it; [SG-7] what is held waits for an operator, however long, over
 * restarts, until it is confirmed or given up; [SG-8] nothing is held before the groups had time to say
 * how many they are.
 */
import { assign, setup } from 'xstate';
import {
  EMPTY_GUARD,
  type GuardMemory,
  heldCountOf,
  heldOf,
  letGo,
  levelTaken,
  markedHeld,
  nextGranted,
  nextHeld,
  type Waiting,
} from './guard-memory.js';
import {
  type AnswerParams,
  agreed,
  guardRecord,
  nothingHeld,
  tooManyHeld,
} from './guard-messages.js';
import { assert } from './model/assert.js';
import { type Activated, effect, type RecordParams, type Stamped } from './model/effects.js';
import type { GuardMessage } from './model/guard.js';

export type GuardEvent = Stamped<GuardMessage> | Stamped<Activated>;

export interface GuardArgs {
  readonly context: GuardMemory;
  readonly event: GuardEvent;
}

export interface GrantParams {
  readonly wishes: readonly Waiting[];
}

const WARM_UP_MS = 5_000;

function grantedIn({ context, event }: GuardArgs): Waiting {
  const next = nextGranted(context, event.meta);
  assert(next !== undefined, 'somebody may go');
  return next;
}

function heldIn({ context, event }: GuardArgs): Waiting {
  const next = nextHeld(context, event.meta);
  assert(next !== undefined, 'somebody has to wait');
  return next;
}

function recordOf(name: string, wish: Waiting, { context, event }: GuardArgs): RecordParams {
  return guardRecord(context, { event: name, rule: 'SG-1', wishes: [wish] }, event.meta);
}

const grants = [
  { type: 'record', params: (args: GuardArgs) => recordOf('guard.let_go', grantedIn(args), args) },
  { type: 'grant', params: (args: GuardArgs): GrantParams => ({ wishes: [grantedIn(args)] }) },
  'takeGrant',
] as const;

const holds = [
  { type: 'record', params: (args: GuardArgs) => recordOf('guard.held', heldIn(args), args) },
  'markHeld',
] as const;

function confirmation({ context, event }: GuardArgs): RecordParams {
  assert(event.type === 'operator.confirm', `${event.type} confirms nothing`);
  const { owner, reason, meta } = event;
  const wishes = heldOf(context);
  const decided = { event: 'guard.confirmed', rule: 'operator', wishes, by: { owner, reason } };
  return guardRecord(context, decided, meta);
}

export const guardMachine = setup({
  types: { context: {} as GuardMemory, events: {} as GuardEvent },
  actions: {
    noteSettings: assign(({ context, event }) => ({
      rule: event.type === 'guard.settings' ? event.settings : context.rule,
    })),
    takeLevel: assign(({ context, event }) =>
      event.type === 'guard.level' ? levelTaken(context, event, event.meta) : context,
    ),
    takeGrant: assign((args) =>
      letGo(args.context, [grantedIn(args)], { at: args.event.meta.at, confirmed: false }),
    ),
    markHeld: assign((args) => markedHeld(args.context, heldIn(args))),
    takeConfirmation: assign(({ context, event }) =>
      letGo(context, heldOf(context), { at: event.meta.at, confirmed: true }),
    ),
    /** After the commit: to the groups whose wish it is. */
    grant: effect<GrantParams>(),
    /** After the commit. */
    agree: effect<AnswerParams>(),
    answer: effect<AnswerParams>(),
    record: effect<RecordParams>(),
  },
  guards: {
    mayGo: ({ context, event }) => nextGranted(context, event.meta) !== undefined,
    mustWait: ({ context, event }) => nextHeld(context, event.meta) !== undefined,
    isMoreThanMeant: ({ context, event }) =>
      event.type === 'operator.confirm' &&
      heldCountOf(context) > (event.atMost ?? Number.POSITIVE_INFINITY),
    isHeld: ({ context }) => heldOf(context).length > 0,
  },
  delays: { warmUp: WARM_UP_MS },
}).createMachine({
  id: 'guard',
  description: 'Holds removals beyond a share of all instances until an operator confirms them.',
  context: EMPTY_GUARD,
  initial: 'warming',
  always: { guard: 'mayGo', actions: grants },
  on: {
    activated: '.warming',
    'guard.settings': { actions: 'noteSettings' },
    'guard.level': { actions: 'takeLevel' },
    'operator.confirm': [
      {
        guard: 'isMoreThanMeant',
        actions: {
          type: 'answer',
          params: ({ context, event }: GuardArgs) => tooManyHeld(context, event.meta),
        },
      },
      {
        guard: 'isHeld',
        actions: [
          {
            type: 'record',
            params: confirmation,
          },
          { type: 'grant', params: ({ context }: GuardArgs) => ({ wishes: heldOf(context) }) },
          { type: 'agree', params: ({ context, event }: GuardArgs) => agreed(context, event.meta) },
          'takeConfirmation',
        ],
      },
      { actions: { type: 'answer', params: ({ event }: GuardArgs) => nothingHeld(event.meta) } },
    ],
  },
  states: {
    warming: {
      description: 'The groups say how many they are; what fits is let go.',
      after: { warmUp: 'settled' },
    },
    settled: {
      description: 'What does not fit is held.',
      always: { guard: 'mustWait', actions: holds },
    },
  },
});
