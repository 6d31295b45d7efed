/**
 * Reload: decides which configuration is in force, one pass at a time.
 *
 * Input: triggers, what loading found, outcomes of hooks. Output: the committed configuration with
 * its generation, and the effects that make every part converge to it, hook by hook.
 *
 *   idle ──requested──► loading ──examined──┬─ refused, dry run, unchanged ──► settled ──► idle
 *                          ▲                └─ committed ──► converging ──last hook──► settled
 *                          │                       next hook ▲ │    │ ▲
 *                          │                                 └─┘    └─┘ hooks failed: what was before
 *                          └───────────────────── a request waits ────────────────────┘
 *
 * Rules: [RE-1] passes never overlap, triggers coalesce; [RE-2] an unreadable file changes nothing;
 * [RE-3] disruptive changes need consent, and every hook must be able to apply what is committed; [RE-4]
 * one commit, one generation; [RE-5] an equal file commits nothing; [RE-6] a pass cut short is driven to
 * its end; [RE-8] a dry run commits nothing; [RE-11] a hook has its own time; [RE-12] every asker is
 * answered once; [RE-15] all or nothing. Of the configuration only its hash is here.
 */
import { assign, setup } from 'xstate';
import {
  EMPTY_QUEUE,
  joinQueue,
  mayJoin,
  nextOf,
  pushHistory,
  type ReloadResult,
} from '../src/policy/reload.js';
import { assert } from './model/assert.js';
import { effect, type RecordParams } from './model/effects.js';
import type { Address } from './model/ids.js';
import type {
  AnswerParams,
  ConvergeParams,
  HookParams,
  LoadParams,
  ReloadContext,
  ReloadEvent,
  SettleParams,
  Step,
} from './reload-memory.js';
import {
  answerOf,
  askedAtBoot,
  closure,
  committed,
  conclusion,
  converged,
  convergence,
  examinedOf,
  hookOf,
  isConsent,
  isGoingBack,
  isLastHook,
  isOfThisHook,
  isRefused,
  isUnchanged,
  loadOf,
  note,
  passAfter,
  passIn,
  refusal,
  rehearsalOf,
  reloaded,
  requestIn,
  requestOf,
  rolledBack,
  settlement,
  takenBack,
  tooMany,
} from './reload-steps.js';

const startsHooks = {
  type: 'startHooks',
  params: ({ context }: Step) => hookOf(context),
} as const;

/** What follows when a hook is over, by its answer or by its time: the next one, */
const goesOn = [
  'advance',
  { type: 'applyHook', params: ({ context }: Step) => hookOf(context) },
] as const;
/** all of them again, with what was before, */
const goesBack = [
  'goBack',
  { type: 'record', params: (step: Step) => rolledBack(step) },
  startsHooks,
] as const;
/** or the end of the pass. */
const ends = [
  { type: 'record', params: (step: Step) => converged(step) },
  { type: 'answer', params: (step: Step) => answerOf(step.context, closure(step)) },
  { type: 'report', params: (step: Step) => closure(step) },
  'close',
] as const;

export const reloadMachine = setup({
  types: {
    context: {} as ReloadContext,
    events: {} as ReloadEvent,
    input: {} as { readonly address: Address },
  },
  guards: {
    /** Unreadable, or disruptive without consent. */
    isRefused: (step: Step) => isRefused(step),
    /** Refused while the process starts: it goes on with what is committed. */
    isRefusedAtBoot: (step: Step) =>
      isRefused(step) && step.context.committed !== null && askedAtBoot(step.context),
    isDryRun: ({ context }) => requestIn(context).dryRun,
    isUnchanged: (step: Step) => isUnchanged(step),
    /** A new process converges to an old configuration. */
    isUnchangedAtBoot: (step: Step) => isUnchanged(step) && askedAtBoot(step.context),
    isConsent: (step: Step) => isConsent(step),
    hasCommitted: ({ context }) => context.committed !== null,
    mayJoin: ({ context, event }) => mayJoin(context.queue, requestOf(event).dryRun),
    isWaitedFor: ({ context }) => nextOf(context.queue) !== undefined,
    isNextHook: (step: Step) => isOfThisHook(step) && !isLastHook(step),
    isGoingBack: (step: Step) => isOfThisHook(step) && isGoingBack(step),
    isLastHook: (step: Step) => isOfThisHook(step) && isLastHook(step),
    isLate: (step: Step) => !isLastHook(step),
    isLateAndGoingBack: (step: Step) => isGoingBack(step),
  },
  delays: {
    /** `reload.hookTimeout` of the configuration being applied. */
    hookTimeout: ({ context }) => passIn(context).hookTimeoutMs,
  },
  actions: {
    record: effect<RecordParams>(),
    /** Reads the file and compares it; answers `config.examined`. */
    load: effect<LoadParams>(),
    /** Applies the committed generation everywhere, and answers nothing. */
    converge: effect<ConvergeParams>(),
    /** The committed generation becomes current, and its first hook is applied. */
    startHooks: effect<HookParams>(),
    /** Applies one hook; answers `hook.finished`. */
    applyHook: effect<HookParams>(),
    /** How a pass ended, for log and metrics. */
    report: effect<ReloadResult>(),
    /** The pass is over: what was held for it can go. */
    release: effect<SettleParams>(),
    answer: effect<AnswerParams>(),

    begin: assign(({ event }) => ({ request: requestOf(event), requestedAt: event.meta.at })),
    join: assign(({ context, event }) => ({ queue: joinQueue(context.queue, requestOf(event)) })),
    conclude: assign((step) => ({ history: pushHistory(step.context.history, conclusion(step)) })),
    commit: assign((step) => committed(step)),
    advance: assign((step) => ({ pass: passAfter(step) })),
    goBack: assign((step) => takenBack(step)),
    noteBoot: assign(({ context, event }) => {
      const read = examinedOf(event);
      return { booted: read.kind === 'read' ? read.atStart : context.booted };
    }),
    close: assign((step) => ({ history: pushHistory(step.context.history, closure(step)) })),
    settle: assign({ request: null, pass: null }),
    takeNext: assign(({ context, event }) => {
      const next = nextOf(context.queue);
      assert(next !== undefined, 'nobody waits for a pass');
      return { request: next.request, queue: next.rest, requestedAt: event.meta.at, pass: null };
    }),
  },
}).createMachine({
  id: 'reload',
  description: 'Which configuration is in force, and everybody told so.',
  context: {
    generation: 0,
    committed: null,
    previous: null,
    booted: null,
    request: null,
    requestedAt: 0,
    pass: null,
    queue: EMPTY_QUEUE,
    history: [],
  },
  initial: 'idle',
  on: {
    'reload.requested': [
      { description: 'Joins the one pass that may wait.', guard: 'mayJoin', actions: 'join' },
      {
        description: 'Too many callers wait already.',
        actions: { type: 'answer', params: ({ event }) => tooMany(event) },
      },
    ],
    'reload.reconverge': {
      description: 'A thread came back empty: tell everybody again.',
      guard: 'hasCommitted',
      actions: [
        { type: 'record', params: (step) => note(step, 'config.reconverged') },
        { type: 'converge', params: ({ context }) => convergence(context) },
      ],
    },
  },
  states: {
    idle: {
      description: 'The configuration in force is the one last asked for.',
      on: { 'reload.requested': { target: 'loading', actions: 'begin' } },
    },
    loading: {
      description: 'The file is being read and compared.',
      entry: { type: 'load', params: ({ context }) => loadOf(context) },
      on: {
        activated: {
          description: 'Its reader died with the thread: read again.',
          target: 'loading',
          reenter: true,
        },
        'config.examined': [
          {
            guard: 'isDryRun',
            target: 'settled',
            actions: { type: 'answer', params: (step) => rehearsalOf(step) },
          },
          {
            guard: 'isRefusedAtBoot',
            target: 'settled',
            actions: [
              'noteBoot',
              'conclude',
              { type: 'record', params: (step) => refusal(step) },
              { type: 'converge', params: ({ context }) => convergence(context) },
              { type: 'answer', params: (step) => answerOf(step.context, conclusion(step)) },
              { type: 'report', params: (step) => conclusion(step) },
            ],
          },
          {
            guard: 'isRefused',
            target: 'settled',
            actions: [
              'conclude',
              { type: 'record', params: (step) => refusal(step) },
              { type: 'answer', params: (step) => answerOf(step.context, conclusion(step)) },
              { type: 'report', params: (step) => conclusion(step) },
            ],
          },
          {
            guard: 'isUnchangedAtBoot',
            target: 'converging',
            actions: [
              'commit',
              { type: 'record', params: (step) => note(step, 'config.booted') },
              startsHooks,
            ],
          },
          {
            guard: 'isConsent',
            target: 'converging',
            actions: [
              'commit',
              { type: 'record', params: (step) => note(step, 'config.permitted') },
              startsHooks,
            ],
          },
          {
            guard: 'isUnchanged',
            target: 'settled',
            actions: [
              'conclude',
              { type: 'record', params: (step) => note(step, 'config.unchanged') },
              { type: 'answer', params: (step) => answerOf(step.context, conclusion(step)) },
              { type: 'report', params: (step) => conclusion(step) },
            ],
          },
          {
            target: 'converging',
            actions: ['commit', { type: 'record', params: (step) => reloaded(step) }, startsHooks],
          },
        ],
      },
    },
    converging: {
      description: 'Committed; one hook after the other is applied and awaited.',
      on: {
        activated: {
          description: 'Cut short by a crash: its hook again, with all of its time.',
          target: 'converging',
          reenter: true,
          actions: [
            { type: 'record', params: (step) => note(step, 'config.redriven') },
            startsHooks,
          ],
        },
        'hook.finished': [
          {
            guard: 'isNextHook',
            target: 'converging',
            reenter: true,
            actions: goesOn,
          },
          {
            description:
              'Hooks failed, and it is all or nothing: what was before is applied again.',
            guard: 'isGoingBack',
            target: 'converging',
            reenter: true,
            actions: goesBack,
          },
          {
            guard: 'isLastHook',
            target: 'settled',
            actions: ends,
          },
        ],
      },
      after: {
        hookTimeout: [
          {
            description: 'Its time is over; the others have theirs.',
            guard: 'isLate',
            target: 'converging',
            reenter: true,
            actions: goesOn,
          },
          {
            guard: 'isLateAndGoingBack',
            target: 'converging',
            reenter: true,
            actions: goesBack,
          },
          {
            target: 'settled',
            actions: ends,
          },
        ],
      },
    },
    settled: {
      description: 'A pass ended: the next one, or rest.',
      entry: { type: 'release', params: ({ context }) => settlement(context) },
      always: [
        { guard: 'isWaitedFor', target: 'loading', actions: 'takeNext' },
        { target: 'idle', actions: 'settle' },
      ],
    },
  },
});
