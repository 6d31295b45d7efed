/**
 * The machine that is measured: an instance with its health, of the size and shape such machines have.
 * 8 states, 11 context fields, 4 guards, 5 `after` delays (2 computed), entry and exit actions. Plain
 * XState v5: our cells and the live XState actors of the baseline run the very same definition.
 *
 * Input:  READY twice brings it to `healthy`; the cycle OK, FAIL, FAIL, FAIL, OK then leads to
 *         `degraded` and back: 2 of its 5 events change the state and arm another timer.
 * Output: one effect, `changed`, on each change between healthy and degraded. TRIP throws while
 *         `trips` says so.
 */
import { assign, setup } from 'xstate';
import { effect } from '../../machines/model/effects.js';

export interface InstanceContext {
  readonly address: string;
  readonly providerId: string;
  readonly weight: number;
  readonly passed: number;
  readonly failed: number;
  /** Failures, or passes, in a row. */
  readonly streak: number;
  readonly changes: number;
  readonly bornAt: number;
  readonly lastOkAt: number;
  readonly lastFailAt: number;
  readonly lastCode: string;
}

export interface InstanceInput {
  readonly address: string;
  readonly providerId: string;
  readonly bornAt: number;
}

export type InstanceEvent =
  | { readonly type: 'OK'; readonly at: number }
  | { readonly type: 'FAIL'; readonly at: number }
  | { readonly type: 'READY'; readonly at: number }
  | { readonly type: 'DRAIN'; readonly at: number }
  | { readonly type: 'TRIP'; readonly at: number };

/** The cycle that is measured. */
export const CYCLE = ['OK', 'FAIL', 'FAIL', 'FAIL', 'OK'] as const;
/** From birth to `healthy`. */
export const WAKE = ['READY', 'READY'] as const;
/** Changes of state in one cycle. */
export const CHANGES_PER_CYCLE = 2;

const FALL = 3;
const HOPELESS = 1_000;
const MINUTE_MS = 60_000;

/** What the tripwire asks before it throws; the bench of crashes sets it. */
export const tripwire: { trips: (address: string) => boolean } = { trips: () => false };

export const instanceMachine = setup({
  types: {
    context: {} as InstanceContext,
    events: {} as InstanceEvent,
    input: {} as InstanceInput,
  },
  guards: {
    isLastStraw: ({ context }) => context.streak >= FALL - 1,
    isHopeless: ({ context }) => context.streak >= HOPELESS,
    mayServe: ({ context }) => context.weight > 0,
    isUnused: ({ context }) => context.passed === 0,
  },
  delays: {
    boot: 20 * MINUTE_MS,
    start: 15 * MINUTE_MS,
    silence: ({ context }) => 10 * MINUTE_MS + (context.bornAt % 1_000),
    patience: ({ context }) => 12 * MINUTE_MS + context.changes,
    drain: 30 * MINUTE_MS,
  },
  actions: {
    pass: assign({
      passed: ({ context }) => context.passed + 1,
      streak: 0,
      lastOkAt: ({ context, event }) => ('at' in event ? event.at : context.lastOkAt),
      lastCode: 'L7OK',
    }),
    fail: assign({
      failed: ({ context }) => context.failed + 1,
      streak: ({ context }) => context.streak + 1,
      lastFailAt: ({ context, event }) => ('at' in event ? event.at : context.lastFailAt),
      lastCode: 'L4TOUT',
    }),
    count: assign({ changes: ({ context }) => context.changes + 1 }),
    restWeight: assign({ weight: 1 }),
    trip: assign({
      lastCode: ({ context }) => {
        if (tripwire.trips(context.address)) throw trippedError;
        return 'tripped';
      },
    }),
    changed: effect<{ readonly to: string }>(),
    landed: effect<void>(),
  },
}).createMachine({
  id: 'bench-instance',
  initial: 'provisioning',
  context: ({ input }) => ({
    address: input.address,
    providerId: input.providerId,
    weight: 1,
    passed: 0,
    failed: 0,
    streak: 0,
    changes: 0,
    bornAt: input.bornAt,
    lastOkAt: 0,
    lastFailAt: 0,
    lastCode: 'none',
  }),
  states: {
    provisioning: {
      on: { READY: 'starting', TRIP: { actions: ['trip', 'landed'] } },
      after: { boot: 'failed' },
    },
    starting: { on: { READY: 'healthy' }, after: { start: 'failed' } },
    healthy: {
      entry: ['restWeight', { type: 'changed', params: { to: 'healthy' } }],
      exit: ['count'],
      on: {
        OK: { guard: 'mayServe', actions: ['pass'] },
        FAIL: [
          { guard: 'isLastStraw', target: 'degraded', actions: ['fail'] },
          { actions: ['fail'] },
        ],
        DRAIN: 'draining',
      },
      after: { silence: 'degraded' },
    },
    degraded: {
      entry: [{ type: 'changed', params: { to: 'degraded' } }],
      exit: ['count'],
      on: {
        OK: { target: 'healthy', actions: ['pass'] },
        FAIL: [{ guard: 'isHopeless', target: 'failed' }, { actions: ['fail'] }],
        DRAIN: [{ guard: 'isUnused', target: 'gone' }, { target: 'draining' }],
      },
      after: { patience: 'failed' },
    },
    draining: { on: { OK: 'drained' }, after: { drain: 'drained' } },
    drained: {},
    failed: {},
    gone: {},
  },
});

/** Made once: a stack trace is not what a restart is measured for. */
const trippedError = new Error('tripped');
