/**
 * Sweep: looks for what exists at one provider while nobody owns it.
 *
 * Input:  settings, what comes of a complete list of the provider, time. Output: `askProvider` for the
 *         next list, `deleteOrphans` after the decision, `record` of what was found and what is gone.
 *
 *   unknown ─► listing ─ listed, unlisted, silence ─► resting ─ interval ─► listing
 *
 * What belongs to an instance that does not know it yet is told to that instance by the provider's
 * actor; here arrives only what nobody owns. Nothing of this is stored: a restart begins every
 * quarantine again.
 *
 * Rules: [OR-1]..[OR-4] src/policy/orphans.ts; [OR-5] a list that failed, or is not complete, changes
 * nothing; [OR-6] an orphan is told of once, and once when it is gone; [OR-7] its deletion is a decision
 * on record before the provider is asked; [OR-9] who asks for a look is answered when the list
 * was compared, or could not be.
 */
import { assign, setup } from 'xstate';
import { dueOrphans, type Orphans, orphansAfter } from '../src/policy/orphans.js';
import { problemOf } from './instance-memory.js';
import { assert } from './model/assert.js';
import { type Activated, effect, type RecordParams, type Stamped } from './model/effects.js';
import { type Address, keyOf } from './model/ids.js';
import type { SweepMessage, SweepSettings } from './model/orphans.js';
import {
  type AnswersParams,
  answersOf,
  changeRecord,
  deletionRecord,
  isNews,
  type SweepMemory,
} from './sweep-messages.js';

export type SweepEvent = Stamped<SweepMessage> | Stamped<Activated>;

export interface SweepArgs {
  readonly context: SweepMemory;
  readonly event: SweepEvent;
}

/** More are answered with what is known already. */
const ASKERS_MAX = 64;

/** A list that takes longer is asked for again. */
const SILENCE_MS = 600_000;
/** Instances of before say first that they are there. */
export const FIRST_SWEEP_MS = 10_000;

function settingsOf({ settings }: SweepMemory): SweepSettings {
  assert(settings !== null, 'a sweep that runs has its settings');
  return settings;
}

export function listedIn({ event }: SweepArgs): SweepMessage & { type: 'orphans.listed' } {
  assert(event.type === 'orphans.listed', `${event.type} carries no list`);
  return event;
}

function afterList({ context, event }: SweepArgs): Orphans {
  const { strangers } = listedIn({ context, event });
  return orphansAfter(context.orphans, strangers, context.askedAtMs);
}

/** Only the list that was just read says who may go: not one of before others failed. */
function dueIn({ orphans, sweptAtMs, settings, problem }: SweepMemory) {
  if (sweptAtMs === null || settings === null || problem !== null) return [];
  return dueOrphans(orphans, settings, sweptAtMs);
}

export interface DeleteParams {
  readonly provider: string;
  readonly providerIds: readonly string[];
}

const deletionOf = ({ context }: SweepArgs): DeleteParams => ({
  provider: context.provider,
  providerIds: dueIn(context).map(({ providerId }) => providerId),
});

const answersAll = {
  type: 'answer',
  params: ({ context }: SweepArgs): AnswersParams => answersOf(context),
} as const;

const answersOne = {
  type: 'answer',
  params: ({ context, event }: SweepArgs): AnswersParams => {
    const { replyTo } = event.meta;
    return { ...answersOf(context), askers: replyTo === undefined ? [] : [replyTo] };
  },
} as const;

export const sweepMachine = setup({
  types: {
    context: {} as SweepMemory,
    events: {} as SweepEvent,
    input: {} as { readonly address: Address },
  },
  actions: {
    adopt: assign(({ context, event }) =>
      event.type === 'sweep.settings'
        ? { settings: event.settings }
        : { settings: context.settings },
    ),
    noteAsked: assign(({ event }) => ({ askedAtMs: event.meta.at })),
    takeList: assign((args) => ({
      orphans: afterList(args),
      listed: listedIn(args).listed,
      sweptAtMs: args.context.askedAtMs,
      problem: null,
    })),
    noteProblem: assign(({ context, event }) => ({
      problem: {
        message:
          event.type === 'orphans.unlisted' ? problemOf(event.failure) : 'its list never came',
        sinceMs: context.problem?.sinceMs ?? event.meta.at,
      },
    })),
    noteAsker: assign(({ context, event }) => ({
      askers: [
        ...context.askers,
        ...(event.meta.replyTo === undefined ? [] : [event.meta.replyTo]),
      ],
    })),
    forgetAskers: assign({ askers: [] }),
    markDeleting: assign(({ context }) => {
      const due = dueIn(context).map((one) => [one.providerId, { ...one, deleting: true }]);
      return { orphans: { ...context.orphans, ...Object.fromEntries(due) } };
    }),
    askProvider: effect<{ readonly provider: string }>(),
    deleteOrphans: effect<DeleteParams>(),
    record: effect<RecordParams>(),
    answer: effect<AnswersParams>(),
  },
  guards: {
    isAwaited: ({ context }) => context.askers.length > 0,
    isCrowded: ({ context }) => context.askers.length >= ASKERS_MAX,
    isNews: (args) => isNews(args.context, afterList(args)),
    isDue: ({ context }) => dueIn(context).length > 0,
    isSame: ({ context, event }) =>
      event.type === 'sweep.settings' &&
      JSON.stringify(event.settings) === JSON.stringify(context.settings),
  },
  delays: {
    firstSweep: FIRST_SWEEP_MS,
    interval: ({ context }) => settingsOf(context).intervalMs,
    silence: SILENCE_MS,
  },
}).createMachine({
  id: 'sweep',
  description: 'Looks for what exists at a provider while nobody owns it.',
  context: ({ input }) => ({
    provider: keyOf(input.address),
    settings: null,
    orphans: {},
    listed: 0,
    sweptAtMs: null,
    askedAtMs: 0,
    problem: null,
    askers: [],
  }),
  initial: 'unknown',
  on: {
    'operator.sweep': [{ guard: 'isCrowded', actions: answersOne }, { actions: 'noteAsker' }],
  },
  states: {
    unknown: {
      description: 'Addressed, but not yet told how often to look.',
      on: { 'sweep.settings': { target: 'beginning', actions: 'adopt' } },
    },
    beginning: {
      description: 'Instances of before say first that they are there.',
      on: {
        'sweep.settings': { actions: 'adopt' },
        'operator.sweep': { target: 'listing', actions: 'noteAsker' },
      },
      after: { firstSweep: 'listing' },
    },
    listing: {
      description: 'The provider is asked for everything that has our tags.',
      entry: [
        'noteAsked',
        { type: 'askProvider', params: ({ context }) => ({ provider: context.provider }) },
      ],
      on: {
        'sweep.settings': { actions: 'adopt' },
        'orphans.listed': [
          {
            guard: 'isNews',
            target: 'resting',
            actions: [
              {
                type: 'record',
                params: (args) => changeRecord(args.context, afterList(args), listedIn(args)),
              },
              'takeList',
            ],
          },
          { target: 'resting', actions: 'takeList' },
        ],
        'orphans.unlisted': { target: 'resting', actions: 'noteProblem' },
      },
      after: { silence: { target: 'resting', actions: 'noteProblem' } },
    },
    resting: {
      description: 'Until the next look.',
      always: [
        {
          guard: 'isDue',
          actions: [
            { type: 'record', params: ({ context }) => deletionRecord(context, dueIn(context)) },
            { type: 'deleteOrphans', params: deletionOf },
            'markDeleting',
          ],
        },
        { guard: 'isAwaited', actions: [answersAll, 'forgetAskers'] },
      ],
      on: {
        'sweep.settings': [
          { guard: 'isSame' },
          // Other rules are applied to what is there now, not to what was there at the last look.
          { target: 'listing', actions: 'adopt' },
        ],
        'operator.sweep': { target: 'listing', actions: 'noteAsker' },
      },
      after: { interval: 'listing' },
    },
  },
});
