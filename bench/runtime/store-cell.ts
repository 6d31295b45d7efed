/**
 * The stored cell that the store's benches drive: every `touch` is a decision with a new state, a
 * journal entry and a feed event; `probe` is answered from memory. One timer is armed at any time.
 */
import { assign, setup } from 'xstate';
import { effect, type RecordParams, type Stamped } from '../../machines/model/effects.js';
import { type Address, addressOf, instanceIdFor, keyOf } from '../../machines/model/ids.js';
import { type ActorType, durable, observed } from '../../src/runtime/actor-type.js';
import { type Envelope, OUTSIDE } from '../../src/runtime/envelope.js';
import type { Scene } from '../../src/runtime/rehearsal.js';

interface CellContext {
  readonly address: string;
  readonly group: string;
  readonly touches: number;
  readonly health: string;
  readonly sinceMs: number;
  readonly weight: number;
}

type CellEvent = { readonly type: 'touch' } | { readonly type: 'probe' };

interface Touched {
  readonly address: string;
  readonly touches: number;
}

const machine = setup({
  types: {
    context: {} as CellContext,
    events: {} as Stamped<CellEvent>,
    input: {} as { readonly address: Address },
  },
  actions: {
    touch: assign({
      touches: ({ context }) => context.touches + 1,
      sinceMs: ({ event }) => event.meta.at,
    }),
    record: effect<RecordParams>(),
    touched: effect<Touched>(),
    answer: effect<Touched>(),
  },
  delays: { patience: 3_600_000 },
}).createMachine({
  id: 'bench-stored-cell',
  context: ({ input }) => ({
    address: input.address,
    group: 'bench/web',
    touches: 0,
    health: 'passing',
    sinceMs: 0,
    weight: 100,
  }),
  initial: 'idle',
  on: {
    probe: { actions: { type: 'answer', params: ({ context }) => seen(context) } },
    touch: {
      actions: [
        'touch',
        { type: 'record', params: ({ context }) => recordOf(context) },
        { type: 'touched', params: ({ context }) => seen(context) },
      ],
    },
  },
  states: { idle: { after: { patience: 'tired' } }, tired: {} },
});

function seen({ address, touches }: CellContext): Touched {
  return { address, touches };
}

function recordOf({ address, touches }: CellContext): RecordParams {
  const aggregateId = keyOf(address as Address);
  const publish = { aggregateKind: 'instance', aggregateId, data: { touches, health: 'passing' } };
  return { event: 'instance.touched', rule: 'bench', numbers: { touches }, publish };
}

export interface CellEars {
  /** A decision is stored. */
  touched(params: Touched): void;
  answered(params: Touched): void;
}

export function cellType(ears: CellEars): ActorType {
  return {
    kind: 'instance',
    machine,
    version: 1,
    stored: true,
    implicit: true,
    effects: {
      touched: durable<Touched>((params) => ears.touched(params)),
      answer: observed<Touched>((params) => ears.answered(params)),
    },
    view: ({ address }) => ({ address }),
  };
}

/** Digits of the number in an address, and what stands before and behind it. */
const DIGITS = 8;
const PREFIX = addressOf(
  'instance',
  instanceIdFor('bench/web' as never, '0190'.padEnd(32, '0'), 0),
);
const BEGIN = PREFIX.slice(0, -DIGITS - 2);
const END = PREFIX.slice(-2);

/** Cells of one group: all of them live in the same shard. */
export function addressesOf(count: number): readonly Address[] {
  return Array.from({ length: count }, (_, index) => addressAt(index));
}

export function addressAt(index: number): Address {
  return `${BEGIN}${index.toString(16).padStart(DIGITS, '0')}${END}` as Address;
}

export function indexOf(address: string): number {
  return Number.parseInt(address.slice(BEGIN.length, -END.length), 16);
}

/** What a thread of such cells rehearses. */
export const storedScene: Scene = {
  types: [cellType({ touched: () => undefined, answered: () => undefined })],
  opening: addressesOf(100).map((to) => envelope(to, 'touch')),
  plays: () => true,
  again: (rows, take) => rows.replaceAll(BEGIN, `${BEGIN.slice(0, -4)}${1_000 + take}`),
  ask: ({ address }) => envelope(address, 'probe'),
};

function envelope(to: Address, type: string): Envelope {
  return { to, from: OUTSIDE, cause: 'bench', body: { type } as never };
}
