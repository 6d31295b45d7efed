/**
 * Outbox: decides when rows go to the feed. Which rows, and in what order, is the pass's business
 * (actors/outbox-pass.ts); the backlog stays beside the machine.
 *
 * Input:  `outbox.appended` (a level: "there may be rows"), the end of each pass.
 * Output: `runPass` (observed: rows and their state are in the store), `record` of burials and of the
 *         circuit's opening and closing.
 *
 *   unset ──settings──► draining ──drained──► idle ──appended, poll──► draining
 *                         │  ▲  └──more────────┘
 *            lanes, store │  │ appended, due
 *                         ▼  │
 *                       waiting      sink down ──► open ──back-off──► draining
 *
 * Rules: [OB-7] no append is ever missed: one that comes during a pass causes another; [OB-8] a pass is
 * never started while one runs; [OB-3] while the circuit is open appends do not hasten it; [OB-9] the
 * back-off doubles from 1 s to 60 s and starts over after a pass that works.
 */
import { assign, setup } from 'xstate';
import { backoffMs } from '../src/policy/backoff.js';
import { assert } from './model/assert.js';
import type { RetrySpec } from './model/desired.js';
import { type Activated, effect, type RecordParams, type Stamped } from './model/effects.js';
import type { Address } from './model/ids.js';
import type { JsonObject } from './model/json.js';
import type { OutboxMessage, OutboxSettings } from './model/messages.js';

export interface Buried {
  readonly seq: number;
  readonly eventId: string;
  readonly type: string;
  readonly attempts: number;
  readonly error: string;
}

/** What a pass came to. */
export interface PassReport {
  readonly published: number;
  /** Highest sequence published; 0 when none was. */
  readonly lastSeq: number;
  readonly buried: readonly Buried[];
  /** There is more that could be sent at once. */
  readonly more: boolean;
  /** Not everything was tried: who was away. */
  readonly stopped?: { readonly by: 'sink' | 'store'; readonly message: string };
  /** Until the first blocked lane may go on; absent: none is blocked. */
  readonly laneWaitMs?: number;
  /** Rows pending after the pass, when it was asked. */
  readonly pending?: number;
  /** What the sink said about a row's content. */
  readonly refusal?: string;
}

export type OutboxEvent =
  | Stamped<OutboxMessage>
  | Stamped<{ readonly type: 'pass.finished'; readonly report: PassReport }>
  | Stamped<Activated>;

export interface OutboxMemory {
  readonly settings: OutboxSettings | null;
  /** Something was appended since the running pass began. */
  readonly dirty: boolean;
  readonly lastSeq: number;
  readonly pending: number | null;
  /** Passes in a row that were stopped. */
  readonly failures: number;
  readonly circuitOpen: boolean;
  readonly retryInMs: number;
  readonly lastError: string | null;
}

export interface RunPassParams {
  readonly settings: OutboxSettings;
}

interface Args {
  readonly context: OutboxMemory;
  readonly event: OutboxEvent;
}

/** Back-off of a sink or a store that is away. */
export const SINK_RETRY: RetrySpec = { baseMs: 1_000, maxMs: 60_000, attempts: 7, jitter: 0.25 };

function reportIn({ event }: Args): PassReport {
  assert(event.type === 'pass.finished', `${event.type} carries no report`);
  return event.report;
}

function settingsOf({ context }: Args): OutboxSettings {
  assert(context.settings !== null, 'the outbox runs without settings');
  return context.settings;
}

function afterPass(args: Args): Partial<OutboxMemory> {
  const { context, event } = args;
  const report = reportIn(args);
  const failures = report.stopped === undefined ? 0 : context.failures + 1;
  const backoff = backoffMs(SINK_RETRY, failures, event.meta.random);
  return {
    lastSeq: Math.max(context.lastSeq, report.lastSeq),
    pending: report.pending ?? context.pending,
    failures,
    retryInMs: report.stopped === undefined ? (report.laneWaitMs ?? 0) : backoff,
    lastError: report.stopped?.message ?? report.refusal ?? null,
  };
}

function burials(args: Args): RecordParams {
  const rows = reportIn(args).buried.map((row): JsonObject => ({ ...row }));
  return { event: 'outbox.buried', rule: 'OB-4', numbers: { rows } };
}

function opened(args: Args): RecordParams {
  const { message } = reportIn(args).stopped ?? { message: '' };
  return { event: 'outbox.circuitOpened', rule: 'OB-3', numbers: { message } };
}

function closed(args: Args): RecordParams {
  const { published, lastSeq } = reportIn(args);
  return { event: 'outbox.circuitClosed', rule: 'OB-9', numbers: { published, lastSeq } };
}

export const outboxMachine = setup({
  types: {
    context: {} as OutboxMemory,
    events: {} as OutboxEvent,
    input: {} as { readonly address: Address },
  },
  guards: {
    sinkIsAway: (args: Args) => reportIn(args).stopped?.by === 'sink',
    storeIsAway: (args: Args) => reportIn(args).stopped?.by === 'store',
    hasMore: (args: Args) => reportIn(args).more || args.context.dirty,
    hasBlockedLanes: (args: Args) => reportIn(args).laneWaitMs !== undefined,
    hasBuried: (args: Args) => reportIn(args).buried.length > 0,
    opensCircuit: (args: Args) =>
      !args.context.circuitOpen && reportIn(args).stopped?.by === 'sink',
    closesCircuit: (args: Args) => args.context.circuitOpen && reportIn(args).stopped === undefined,
  },
  delays: {
    /** Safety net: rows are looked for even if every wake-up was lost. */
    pollInterval: ({ context }) => context.settings?.pollIntervalMs ?? 0,
    retryDue: ({ context }) => context.retryInMs,
  },
  actions: {
    /** Publishes what is pending; answers `pass.finished`. */
    runPass: effect<RunPassParams>(),
    record: effect<RecordParams>(),
    adopt: assign(({ context, event }) =>
      event.type === 'outbox.settings' ? { settings: event.settings } : context,
    ),
    markDirty: assign({ dirty: true }),
    markClean: assign({ dirty: false }),
    learn: assign((args) => afterPass(args)),
    openCircuit: assign({ circuitOpen: true }),
    closeCircuit: assign({ circuitOpen: false }),
  },
}).createMachine({
  id: 'outbox',
  description: 'Drains decisions into the feed, in order, for as long as it takes.',
  context: {
    settings: null,
    dirty: false,
    lastSeq: 0,
    pending: null,
    failures: 0,
    circuitOpen: false,
    retryInMs: 0,
    lastError: null,
  },
  initial: 'unset',
  on: {
    'outbox.settings': { actions: 'adopt' },
    'outbox.appended': { actions: 'markDirty' },
  },
  states: {
    unset: {
      description: 'Settings have not come yet.',
      on: { 'outbox.settings': { target: 'draining', actions: 'adopt' } },
    },
    idle: {
      description: 'Everything that can be published is.',
      on: { 'outbox.appended': 'draining' },
      after: { pollInterval: 'draining' },
    },
    draining: {
      description: 'A pass is running.',
      entry: ['markClean', { type: 'runPass', params: (args) => ({ settings: settingsOf(args) }) }],
      on: {
        'pass.finished': [
          {
            guard: 'hasBuried',
            target: 'deciding',
            actions: ['learn', { type: 'record', params: burials }],
          },
          { target: 'deciding', actions: 'learn' },
        ],
      },
    },
    deciding: {
      description: 'Passed through: what the pass came to says what follows.',
      always: [
        {
          guard: 'opensCircuit',
          target: 'open',
          actions: ['openCircuit', { type: 'record', params: opened }],
        },
        { guard: 'sinkIsAway', target: 'open' },
        {
          guard: 'closesCircuit',
          actions: ['closeCircuit', { type: 'record', params: closed }],
        },
        { guard: 'storeIsAway', target: 'waiting' },
        { guard: 'hasMore', target: 'draining' },
        { guard: 'hasBlockedLanes', target: 'waiting' },
        { target: 'idle' },
      ],
    },
    waiting: {
      description: 'Lanes are blocked by refused rows, or the store is away.',
      on: { 'outbox.appended': 'draining' },
      after: { retryDue: 'draining' },
    },
    open: {
      description: 'The sink is away: nothing is sent until the back-off is over.',
      after: { retryDue: 'draining' },
    },
  },
});
