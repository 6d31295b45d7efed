/**
 * Reload: decides which configuration is in force, one pass at a time.
 *
 * Input: triggers, what loading found, outcomes of hooks. Output: the committed configuration with
 * its generation, and the effects that make every actor converge to it.
 *
 *   idle ──requested──► loading ──examined──┬─ refused, dry run, unchanged ──► settled ──► idle
 *                          ▲                └─ committed ──► converging ──hooks──► settled
 *                          └───────────────────── a request waits ────────────────────┘
 *
 * Rules: [RE-1] passes never overlap, triggers coalesce; [RE-2] an unreadable file changes nothing;
 * [RE-3] disruptive changes need consent; [RE-4] one commit, one generation; [RE-5] an equal file
 * commits nothing; [RE-6] a pass cut short is driven to its end; [RE-8] a dry run commits nothing;
 * [RE-12] every asker is answered once. The configuration itself is opaque here.
 */
import { assign, setup } from 'xstate';
import { EMPTY_QUEUE, joinQueue, mayJoin, nextOf, pushHistory } from '../src/policy/reload.js';
import { assert } from './model/assert.js';
import { effect, type RecordParams } from './model/effects.js';
import type { Address } from './model/ids.js';
import type {
  AnswerParams,
  ConvergeParams,
  LoadParams,
  LogLevelParams,
  ReloadContext,
  ReloadEvent,
  Step,
} from './reload-memory.js';
import {
  answerOf,
  askedAtBoot,
  closure,
  committed,
  conclusion,
  convergence,
  examinedOf,
  isConsent,
  isRefused,
  isUnchanged,
  loadOf,
  logLevelOf,
  NOBODY,
  note,
  passIn,
  refusal,
  reloaded,
  requestIn,
  requestOf,
  tooMany,
} from './reload-steps.js';

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
    isOfThisPass: ({ context, event }) =>
      event.type === 'hook.finished' && event.pass === context.pass?.id,
  },
  delays: {
    /** `reload.hookTimeout` of the configuration being applied. */
    hookTimeout: ({ context }) => passIn(context).hookTimeoutMs,
  },
  actions: {
    record: effect<RecordParams>(),
    /** Reads the file and compares it; answers `config.examined`. */
    load: effect<LoadParams>(),
    /** Tells every actor its desired state of the committed generation. */
    converge: effect<ConvergeParams>(),
    /** The one hook that can fail; answers `hook.finished`. */
    applyLogLevel: effect<LogLevelParams>(),
    answer: effect<AnswerParams>(),

    begin: assign(({ event }) => ({ request: requestOf(event), requestedAt: event.meta.at })),
    join: assign(({ context, event }) => ({ queue: joinQueue(context.queue, requestOf(event)) })),
    conclude: assign((step) => ({ history: pushHistory(step.context.history, conclusion(step)) })),
    commit: assign((step) => committed(step)),
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
    booted: null,
    requiresRestart: [],
    retired: NOBODY,
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
            actions: { type: 'answer', params: (step) => answerOf(step.context, conclusion(step)) },
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
            ],
          },
          {
            guard: 'isRefused',
            target: 'settled',
            actions: [
              'conclude',
              { type: 'record', params: (step) => refusal(step) },
              { type: 'answer', params: (step) => answerOf(step.context, conclusion(step)) },
            ],
          },
          {
            guard: 'isUnchangedAtBoot',
            target: 'converging',
            actions: ['commit', { type: 'record', params: (step) => note(step, 'config.booted') }],
          },
          {
            guard: 'isConsent',
            target: 'converging',
            actions: [
              'commit',
              { type: 'record', params: (step) => note(step, 'config.permitted') },
            ],
          },
          {
            guard: 'isUnchanged',
            target: 'settled',
            actions: [
              'conclude',
              { type: 'record', params: (step) => note(step, 'config.unchanged') },
              { type: 'answer', params: (step) => answerOf(step.context, conclusion(step)) },
            ],
          },
          {
            target: 'converging',
            actions: ['commit', { type: 'record', params: (step) => reloaded(step) }],
          },
        ],
      },
    },
    converging: {
      description: 'Committed; everybody is told, and the hooks that answer are awaited.',
      entry: [
        { type: 'converge', params: ({ context }) => convergence(context) },
        { type: 'applyLogLevel', params: ({ context }) => logLevelOf(context) },
      ],
      on: {
        activated: {
          description: 'Cut short by a crash: drive it again.',
          actions: [
            { type: 'record', params: (step) => note(step, 'config.redriven') },
            { type: 'converge', params: ({ context }) => convergence(context) },
            { type: 'applyLogLevel', params: ({ context }) => logLevelOf(context) },
          ],
        },
        'hook.finished': {
          guard: 'isOfThisPass',
          target: 'settled',
          actions: [
            'close',
            { type: 'record', params: (step) => note(step, 'config.converged') },
            { type: 'answer', params: (step) => answerOf(step.context, closure(step)) },
          ],
        },
      },
      after: {
        hookTimeout: {
          target: 'settled',
          actions: [
            'close',
            { type: 'record', params: (step) => note(step, 'config.converged') },
            { type: 'answer', params: (step) => answerOf(step.context, closure(step)) },
          ],
        },
      },
    },
    settled: {
      description: 'A pass ended: the next one, or rest.',
      always: [
        { guard: 'isWaitedFor', target: 'loading', actions: 'takeNext' },
        { target: 'idle', actions: 'settle' },
      ],
    },
  },
});
