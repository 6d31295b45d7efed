/**
 * Lbsync: the modes of the only writer of the load balancer. What to write is bulk data beside the
 * machine (actors/lbsync-companion.ts); here is when to connect, read, apply, wait and look again.
 *
 *   waiting ─ settings ─► connecting ─► ready { reading ─► applying ◄─► idle }
 *                         ▲       └ none ─► detached
 *                         └─ after 1..5 s ── disconnected ◄─ lost (from anywhere in ready)
 *
 * Input:  what frontends want (`vip.*`), settings, an operator's `sync`, `freeze` and `thaw`, answers of the outside work.
 * Output: `connect read apply ping` (outside work), `want withdraw await configure` (hand a message to
 *         the companion), `publish` (tell frontends what was acknowledged), `record` of a rebuild.
 *
 * Rules: [LB-30] a message that asks for work while a pass is out leads to one more pass, however many
 * there were; [LB-31] everything is read on connect, when an answer surprised us, and as an audit
 * every `syncIntervalMs`, stretched so that reads take at most 0.1 % of the time; [LB-32] an answer
 * of an earlier connection is ignored; [LB-33] a lost connection is tried again after 1 to 5 s, for ever.
 */
import { assign, setup } from 'xstate';
import {
  AUDIT_STRETCH,
  PING_INTERVAL_MS,
  RECONNECT_MAX_MS,
  RECONNECT_MIN_MS,
  RETRY_MAX_MS,
  VERIFY_DELAY_MS,
} from './lbsync-limits.js';
import { type Activated, effect, type RecordParams, type Stamped } from './model/effects.js';
import type { FrontendName } from './model/ids.js';
import type { JsonObject } from './model/json.js';
import type { LbsyncMessage, LbsyncSettings } from './model/messages.js';

/** How a pass over the dirty VIPs ended. */
export interface PassOutcome {
  /** `surprised`: VPP is not what we believed; `lost`: there is no connection any more. */
  readonly verdict: 'done' | 'surprised' | 'lost';
  /** Dirty VIPs are left that could be written now. */
  readonly more: boolean;
  /** Dirty VIPs are left that must wait this long. */
  readonly retryInMs?: number;
  /** A VIP was built: its buckets want to be verified soon. */
  readonly built: boolean;
}

/** VPP came back empty and everything wanted was written again. */
export interface Rebuild {
  readonly lostAt: number;
  readonly detectedAt: number;
  readonly rebuiltAt: number;
  readonly ops: number;
  readonly frontends: readonly string[];
}

export type LbsyncAnswer =
  | { readonly type: 'lb.connected'; readonly session: number; readonly version: string }
  | { readonly type: 'lb.absent' }
  | { readonly type: 'lb.connectFailed'; readonly session: number; readonly message: string }
  | { readonly type: 'lb.read'; readonly session: number; readonly tookMs: number }
  | {
      readonly type: 'lb.passed';
      readonly session: number;
      readonly marks: number;
      readonly outcome: PassOutcome;
    }
  | { readonly type: 'lb.lost'; readonly session: number; readonly reason: string }
  | { readonly type: 'lb.rebuilt'; readonly rebuild: Rebuild }
  | { readonly type: 'ledger.answered' };

export type LbsyncEvent = Stamped<LbsyncMessage> | Stamped<LbsyncAnswer> | Stamped<Activated>;

export interface LbsyncMemory {
  readonly settings: LbsyncSettings | null;
  /** Number of the current or latest connection. */
  readonly session: number;
  /** Failed connections in a row. */
  readonly attempts: number;
  /** Messages that asked for work; a pass answers with the count it started from. */
  readonly marks: number;
  readonly version: string | null;
  readonly problem: string | null;
  /** Wall clock of the next audit, and of the next pass for VIPs that must wait. */
  readonly auditAt: number;
  readonly retryAt: number | null;
  readonly readMs: number;
}

export interface WorkParams {
  readonly session: number;
  readonly marks: number;
}

export interface OperatorSyncParams {
  readonly frontend?: FrontendName;
  readonly replyTo: string | undefined;
}

interface Args {
  readonly context: LbsyncMemory;
  readonly event: LbsyncEvent;
}

function workOf({ context: { session, marks } }: Args): WorkParams {
  return { session, marks };
}

function outcomeIn({ event }: Args): PassOutcome | undefined {
  return event.type === 'lb.passed' ? event.outcome : undefined;
}

/** Not before the interval, and a thousand times as long as the last read took. */
function auditIn(context: LbsyncMemory): number {
  return Math.max(context.settings?.syncIntervalMs ?? 0, AUDIT_STRETCH * context.readMs);
}

/** A wall clock that stepped back must not postpone anything by more than its own interval. */
function within(waitMs: number, longestMs: number): number {
  return Math.min(Math.max(0, waitMs), longestMs);
}

function afterPass({ context, event }: Args): Partial<LbsyncMemory> {
  const outcome = outcomeIn({ context, event });
  if (outcome === undefined) return {};
  const verifyAt = event.meta.at + Math.max(VERIFY_DELAY_MS, AUDIT_STRETCH * context.readMs);
  return {
    auditAt: outcome.built ? Math.min(context.auditAt, verifyAt) : context.auditAt,
    retryAt: outcome.retryInMs === undefined ? null : event.meta.at + outcome.retryInMs,
  };
}

function rebuilt({ event }: Args): RecordParams {
  const rebuild = event.type === 'lb.rebuilt' ? event.rebuild : undefined;
  const numbers: JsonObject = { ...rebuild };
  return { event: 'dataplane.rebuilt', rule: 'LB-40', numbers };
}

function operatorSyncIn({ event }: Args): OperatorSyncParams {
  const { replyTo } = event.meta;
  const frontend = event.type === 'operator.sync' ? event.frontend : undefined;
  return frontend === undefined ? { replyTo } : { frontend, replyTo };
}

const initial: LbsyncMemory = {
  settings: null,
  session: 0,
  attempts: 0,
  marks: 0,
  version: null,
  problem: null,
  auditAt: 0,
  retryAt: null,
  readMs: 0,
};

/** What a message means to the companion, the same in every state; `ready` adds when to act on it. */
const takes = {
  want: ['mark', { type: 'want', params: ({ event }: Args) => event }],
  withdraw: ['mark', { type: 'withdraw', params: ({ event }: Args) => event }],
  await: ['mark', { type: 'await', params: ({ event }: Args) => event }],
  configure: ['adopt', 'mark', { type: 'configure', params: ({ event }: Args) => event }],
  book: ['mark', { type: 'takeBook', params: ({ event }: Args) => event }],
  freeze: { type: 'orderFreeze', params: ({ event }: Args) => event },
  operatorSync: [
    'mark',
    'auditNow',
    { type: 'operatorSync', params: (args: Args) => operatorSyncIn(args) },
  ],
} as const;

/** After every pass: note what it left, and tell whoever waits for it. */
const told = ['plan', 'publish'] as const;

export const lbsyncMachine = setup({
  types: { context: {} as LbsyncMemory, events: {} as LbsyncEvent },
  actions: {
    adopt: assign(({ event }) =>
      event.type === 'lbsync.settings' ? { settings: event.settings } : {},
    ),
    mark: assign({ marks: ({ context }) => context.marks + 1 }),
    nextSession: assign({ session: ({ context }) => context.session + 1 }),
    connected: assign(({ event }) =>
      event.type === 'lb.connected' ? { version: event.version, attempts: 0, problem: null } : {},
    ),
    failed: assign(({ context, event }) => ({
      attempts: context.attempts + 1,
      problem: event.type === 'lb.connectFailed' ? event.message : 'the connection was lost',
    })),
    lost: assign(({ event }) => ({
      problem: event.type === 'lb.lost' ? event.reason : 'the connection was lost',
    })),
    nextAudit: assign(({ context, event }) => {
      const readMs = event.type === 'lb.read' ? event.tookMs : context.readMs;
      return { readMs, auditAt: event.meta.at + auditIn({ ...context, readMs }) };
    }),
    auditNow: assign({ auditAt: 0 }),
    plan: assign(afterPass),
    /** Opens a connection; answers `lb.connected`, `lb.connectFailed` or `lb.absent`. */
    connect: effect<WorkParams>(),
    /** Reads everything; answers `lb.read` or `lb.lost`. */
    read: effect<WorkParams>(),
    /** One pass over the dirty VIPs; answers `lb.passed`. */
    apply: effect<WorkParams>(),
    /** Liveness; answers `lb.lost` when there is none, else nothing. */
    ping: effect<WorkParams>(),
    want: effect<LbsyncEvent>(),
    withdraw: effect<LbsyncEvent>(),
    await: effect<LbsyncEvent>(),
    configure: effect<LbsyncEvent>(),
    /** What operators froze, as the book says. */
    takeBook: effect<LbsyncEvent>(),
    /** To the book. */
    orderFreeze: effect<LbsyncEvent>(),
    operatorSync: effect<OperatorSyncParams>(),
    /** Sends what the companion has to say: reports to frontends, ledger writes. */
    publish: effect<undefined>(),
    record: effect<RecordParams>(),
  },
  guards: {
    stale: ({ context, event }) => 'session' in event && event.session !== context.session,
    lostIt: (args) => outcomeIn(args)?.verdict === 'lost',
    surprised: (args) => outcomeIn(args)?.verdict === 'surprised',
    auditDue: ({ context, event }) => event.meta.at >= context.auditAt,
    moreToDo: ({ context, event }) =>
      event.type === 'lb.passed' && (event.outcome.more || event.marks < context.marks),
    mustRetry: ({ context }) => context.retryAt !== null,
  },
  delays: {
    reconnect: ({ context }) =>
      Math.min(RECONNECT_MAX_MS, RECONNECT_MIN_MS * Math.max(1, context.attempts)),
    audit: ({ context, event }) => within(context.auditAt - event.meta.at, auditIn(context)),
    retry: ({ context, event }) => within((context.retryAt ?? 0) - event.meta.at, RETRY_MAX_MS),
    ping: PING_INTERVAL_MS,
  },
}).createMachine({
  id: 'lbsync',
  description: 'Makes the load balancer match what frontends want.',
  context: initial,
  initial: 'waiting',
  on: {
    'vip.desired': { actions: takes.want },
    'vip.withdrawn': { actions: takes.withdraw },
    'vip.awaited': { actions: takes.await },
    'lbsync.settings': { actions: takes.configure },
    'operator.sync': { actions: takes.operatorSync },
    'operator.freeze': { actions: takes.freeze },
    'operator.thaw': { actions: takes.freeze },
    'operator.drainNode': { actions: takes.freeze },
    'operator.undrainNode': { actions: takes.freeze },
    activated: { actions: takes.book },
    'override.level': { actions: takes.book },
    'ledger.answered': { actions: 'mark' },
    'lb.rebuilt': { actions: { type: 'record', params: rebuilt } },
  },
  states: {
    waiting: {
      description: 'Started, but nobody has said how to work yet.',
      on: { 'lbsync.settings': { target: 'connecting', actions: takes.configure } },
    },
    connecting: {
      description: 'Opening a connection.',
      entry: ['nextSession', { type: 'connect', params: workOf }],
      on: {
        'lb.connected': [{ guard: 'stale' }, { target: 'ready', actions: 'connected' }],
        'lb.connectFailed': [{ guard: 'stale' }, { target: 'disconnected', actions: 'failed' }],
        'lb.absent': 'detached',
      },
    },
    disconnected: {
      description: 'No load balancer to talk to; wishes are collected.',
      after: { reconnect: 'connecting' },
    },
    detached: {
      description: 'There is no load balancer by configuration: every wish counts as applied.',
      entry: 'publish',
      on: {
        'vip.desired': { actions: [...takes.want, 'publish'] },
        'vip.withdrawn': { actions: [...takes.withdraw, 'publish'] },
      },
    },
    ready: {
      description: 'Connected to VPP; wishes become programs.',
      initial: 'reading',
      on: { 'lb.lost': [{ guard: 'stale' }, { target: 'disconnected', actions: 'lost' }] },
      states: {
        reading: {
          description: 'Asking for everything: on connect, after a surprise, as an audit.',
          entry: { type: 'read', params: workOf },
          on: {
            'lb.read': [
              { guard: 'stale' },
              { target: 'applying', actions: ['nextAudit', 'publish'] },
            ],
          },
        },
        applying: {
          description: 'A pass is out.',
          entry: { type: 'apply', params: workOf },
          on: {
            'lb.passed': [
              { guard: 'stale' },
              { guard: 'lostIt', target: '#lbsync.disconnected', actions: ['lost', ...told] },
              { guard: 'surprised', target: 'reading', actions: told },
              { guard: 'auditDue', target: 'reading', actions: told },
              { guard: 'moreToDo', target: 'applying', reenter: true, actions: told },
              { target: 'idle', actions: told },
            ],
          },
        },
        idle: {
          description: 'Everything that can be written now is acknowledged.',
          on: {
            'vip.desired': { target: 'applying', actions: takes.want },
            'vip.withdrawn': { target: 'applying', actions: takes.withdraw },
            'vip.awaited': { target: 'applying', actions: takes.await },
            'lbsync.settings': { target: 'applying', actions: takes.configure },
            'operator.sync': { target: 'reading', actions: takes.operatorSync },
            'override.level': { target: 'applying', actions: takes.book },
            'ledger.answered': { target: 'applying', actions: 'mark' },
          },
          after: {
            ping: { target: 'idle', reenter: true, actions: { type: 'ping', params: workOf } },
            audit: 'reading',
            retry: { guard: 'mustRetry', target: 'applying' },
          },
        },
      },
    },
  },
});
