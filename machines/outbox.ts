/**
 * Outbox: decides when rows go to the feed. Which rows, and in what order, is the pass's business
 * (actors/outbox-pass.ts); the backlog stays beside the machine.
 *
 * Input:  `outbox.appended` (a level: "there may be rows"), the end of each pass.
 * Output: `runPass` (observed: rows and their state are in the store), `amend` (an operator's verb),
 *         `record` of burials, verbs, and of the circuit's opening and closing.
 *
 *   unset ──settings──► draining ──drained──► idle ──appended, poll──► draining
 *                         │  ▲  └──more────────┘
 *            lanes, store │  │ appended, due
 *                         ▼  │
 *                       waiting      sink down ──► open ──back-off──► draining
 *
 * Rules: [OB-7] no append is ever missed: one that comes during a pass causes another; [OB-8] a pass is
 * never started while one runs; [OB-3] while the circuit is open appends do not hasten it; [OB-9] the
 * back-off doubles from 1 s to 60 s and starts over after a pass that works; [OB-12] what an operator does
 * about rows is recorded, and done at once.
 */
import { assign, setup } from 'xstate';
import { backoffMs } from '../src/policy/backoff.js';
import { assert } from './model/assert.js';
import type { RetrySpec } from './model/desired.js';
import {
  type Activated,
  effect,
  type PublishParams,
  type RecordParams,
  type Stamped,
} from './model/effects.js';
import type { Address } from './model/ids.js';
import type { JsonObject } from './model/json.js';
import type { OutboxAmendment, OutboxMessage, OutboxSettings } from './model/messages.js';

export interface Buried {
  readonly seq: number;
  readonly eventId: string;
  readonly type: string;
  readonly orderingKey: string;
  readonly attempts: number;
  readonly error: string;
}

/** Where a feed ends, and where it should. */
export interface Lost {
  readonly head: number;
  readonly expected: number;
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
  /** Until a blocked lane may go on, or changes that wait may be rows; absent: neither is there. */
  readonly waitMs?: number;
  /** The feed has lost events that it had acknowledged. */
  readonly lost?: Lost;
  /** Rows pending after the pass, when it was asked. */
  readonly pending?: number;
  /** What the sink said about a row's content. */
  readonly refusal?: string;
}

export type OutboxEvent =
  | Stamped<OutboxMessage>
  | Stamped<{ readonly type: 'pass.finished'; readonly report: PassReport }>
  | Stamped<Amended>
  | Stamped<Activated>;

/** An operator's verb was done. */
export interface Amended {
  readonly type: 'rows.amended';
  readonly amendment: OutboxAmendment;
  readonly rows: number;
}

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
  readonly lost: Lost | null;
  /** When the circuit opened, or the loss was seen. */
  readonly troubleSinceMs: number | null;
}

export interface RunPassParams {
  readonly settings: OutboxSettings;
}

export interface AmendParams {
  readonly amendment: OutboxAmendment;
  readonly replyTo: string | undefined;
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
    retryInMs: report.stopped === undefined ? (report.waitMs ?? 0) : backoff,
    lastError: report.stopped?.message ?? report.refusal ?? null,
    ...troubleAfter(context, report, event.meta.at),
  };
}

/** A pass that came as far as the feed knows whether something is lost there. */
function troubleAfter(
  { lost: before, troubleSinceMs }: OutboxMemory,
  { lost, stopped }: PassReport,
  at: number,
): Pick<OutboxMemory, 'lost' | 'troubleSinceMs'> {
  const known = stopped === undefined ? (lost ?? null) : before;
  const isWell = known === null && stopped?.by !== 'sink';
  return { lost: known, troubleSinceMs: isWell ? null : (troubleSinceMs ?? at) };
}

/** The outbox as the feed has it; of its own events that the sink refuses the journal alone is told. */
function burials(args: Args): RecordParams {
  const buried = reportIn(args).buried;
  const rows = buried.map((row): JsonObject => ({ ...row }));
  const record = { event: 'outbox.dead_lettered', rule: 'OB-4', numbers: { rows } };
  return buried.some(({ orderingKey }) => orderingKey === OWN_KEY)
    ? record
    : { ...record, publish: aggregateOf({ rows }) };
}

function amended({ event }: Args): RecordParams {
  assert(event.type === 'rows.amended', `${event.type} amended nothing`);
  const { amendment, rows } = event;
  const numbers = { ...amendment, rows };
  return {
    event: SAID_OF[amendment.verb],
    rule: 'OB-12',
    numbers,
    publish: aggregateOf(numbers),
  };
}

const SAID_OF = {
  requeue: 'outbox.requeued',
  discard: 'outbox.discarded',
  republish: 'outbox.republished',
} as const;

function aggregateOf(data: JsonObject): PublishParams {
  return { aggregateKind: 'outbox', aggregateId: 'main', data };
}

const OWN_KEY = 'outbox/main';

function amendParams({ event }: Args): AmendParams {
  assert(event.type === 'outbox.amend', `${event.type} amends nothing`);
  return { amendment: event.amendment, replyTo: event.meta.replyTo };
}

function opened(args: Args): RecordParams {
  const { message } = reportIn(args).stopped ?? { message: '' };
  return { event: 'outbox.circuitOpened', rule: 'OB-3', numbers: { message } };
}

function closed(args: Args): RecordParams {
  const { published, lastSeq } = reportIn(args);
  return { event: 'outbox.circuitClosed', rule: 'OB-9', numbers: { published, lastSeq } };
}

const tellsAmended = { type: 'record', params: amended } as const;

/** Where nothing runs, rows that are pending again are sent at once. */
const sendsAmended = {
  'rows.amended': { guard: 'changedRows', target: 'draining', actions: tellsAmended },
} as const;

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
    hasToWait: (args: Args) => reportIn(args).waitMs !== undefined,
    hasBuried: (args: Args) => reportIn(args).buried.length > 0,
    opensCircuit: (args: Args) =>
      !args.context.circuitOpen && reportIn(args).stopped?.by === 'sink',
    changedRows: ({ event }: Args) => event.type === 'rows.amended' && event.rows > 0,
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
    /** Does an operator's verb; answers who asked, and `rows.amended`. */
    amend: effect<AmendParams>(),
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
    lost: null,
    troubleSinceMs: null,
  },
  initial: 'unset',
  on: {
    'outbox.settings': { actions: 'adopt' },
    'outbox.appended': { actions: 'markDirty' },
    'outbox.amend': { actions: { type: 'amend', params: amendParams } },
    'rows.amended': { guard: 'changedRows', actions: ['markDirty', tellsAmended] },
  },
  states: {
    unset: {
      description: 'Settings have not come yet.',
      on: { 'outbox.settings': { target: 'draining', actions: 'adopt' } },
    },
    idle: {
      description: 'Everything that can be published is.',
      on: { 'outbox.appended': 'draining', ...sendsAmended },
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
        { guard: 'hasToWait', target: 'waiting' },
        { target: 'idle' },
      ],
    },
    waiting: {
      description:
        'Lanes are blocked by refused rows, changes wait to be told as one, or the store is away.',
      on: { 'outbox.appended': 'draining', ...sendsAmended },
      after: { retryDue: 'draining' },
    },
    open: {
      description: 'The sink is away: nothing is sent until the back-off is over.',
      after: { retryDue: 'draining' },
    },
  },
});
