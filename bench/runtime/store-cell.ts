/**
 * The stored cell that the store's benches drive: every `touch` is a decision with a new state, a
 * journal entry and a feed event; `probe` is answered from memory. One timer is armed at any time.
 */
import { assign, setup } from 'xstate';
import { effect, type RecordParams, type Stamped } from '../../machines/model/effects.js';
import { type Address, addressOf, instanceIdFor, keyOf } from '../../machines/model/ids.js';
import { type ActorType, durable, observed } from '../../src/runtime/actor-type.js';

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

/** Cells of one group: all of them live in the same shard. */
export function addressesOf(count: number): readonly Address[] {
  return Array.from({ length: count }, (_, index) =>
    addressOf(
      'instance',
      instanceIdFor('bench/web' as never, `0190${index.toString(16).padStart(28, '0')}`, 0),
    ),
  );
}
