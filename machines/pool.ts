/**
 * Address pool: passes each frontend that asks for an address of its range to one of its blocks, which have
 * the books (block.ts), and back when it gives one back.
 *
 * Input:  the range, `pool.allocate` and `pool.release` of frontends, words of its blocks.
 * Output: requests for blocks. Which block, its actor knows by heart (src/policy/pool-index.ts).
 *
 *   frontend ─ pool.allocate ─► pool ─ block.allocate ─► block ─ pool.allocated ─► frontend
 *
 * Rules: [FE-23] a change of range takes no address away; [FE-52] an allocation takes as long, and writes as
 * much, however many there are; what was kept in the pool's own row moves to blocks and is lost on no way.
 */
import { assign, setup } from 'xstate';
import { assert } from './model/assert.js';
import type { PoolRangeSpec } from './model/desired.js';
import {
  type Activated,
  type ChildRow,
  effect,
  type RecordParams,
  type Stamped,
} from './model/effects.js';
import { type Address, type FrontendName, keyOf } from './model/ids.js';
import type { PoolMessage } from './model/messages.js';

export type PoolEvent = Stamped<PoolMessage> | Stamped<Activated>;

export interface PoolMemory {
  readonly name: string;
  readonly spec: PoolRangeSpec | null;
  /** Of releases that knew no blocks: frontend → its address, until a block has it on disk. */
  readonly allocations: Readonly<Record<string, string>>;
}

export interface RouteParams {
  readonly name: string;
  readonly cidr: string | null;
  readonly frontend: FrontendName;
}

/** What the books are opened with. */
export interface BooksParams {
  readonly name: string;
  readonly cidr: string | null;
  readonly blocks: readonly ChildRow[];
  readonly allocations: PoolMemory['allocations'];
}

export interface RangeParams {
  readonly cidr: string;
}

export interface NoteParams {
  readonly frontend: FrontendName;
  readonly address: string | null;
}

interface Args {
  readonly context: PoolMemory;
  readonly event: PoolEvent;
}

type EventOf<T extends PoolEvent['type']> = Extract<PoolEvent, { readonly type: T }>;

/** The event as a `type`; the chart uses a word only where such an event arrives. */
function as<T extends PoolEvent['type']>(event: PoolEvent, type: T): EventOf<T> {
  assert(event.type === type, `${event.type} is not ${type}`);
  return event as EventOf<T>;
}

function routeOf({ context, event }: Args): RouteParams {
  assert('frontend' in event, `${event.type} names no frontend`);
  const { name, spec } = context;
  return { name, cidr: spec?.cidr ?? null, frontend: event.frontend };
}

function booksOf({ context, event }: Args): BooksParams {
  const { name, spec, allocations } = context;
  return { name, cidr: spec?.cidr ?? null, blocks: as(event, 'activated').children, allocations };
}

function withoutAdopted({ context, event }: Args): PoolMemory['allocations'] {
  const adopted = new Set<string>(as(event, 'block.adopted').frontends);
  const left = Object.entries(context.allocations).filter(([one]) => !adopted.has(one));
  return Object.fromEntries(left);
}

function moved({ context }: Args): RecordParams {
  const left = Object.keys(context.allocations).length;
  return { event: 'pool.moved', rule: 'FE-52', numbers: { left } };
}

function changed({ context }: Args): RecordParams {
  return { event: 'pool.range_changed', rule: 'FE-23', numbers: { cidr: context.spec?.cidr } };
}

const takesRange = [
  'adopt',
  {
    type: 'useRange',
    params: ({ event }: Args): RangeParams => ({ cidr: as(event, 'pool.desired').spec.cidr }),
  },
] as const;

export const poolMachine = setup({
  types: {
    context: {} as PoolMemory,
    events: {} as PoolEvent,
    input: {} as { readonly address: Address },
  },
  actions: {
    adopt: assign({ spec: ({ event }) => as(event, 'pool.desired').spec }),
    letGo: assign((args) => ({ allocations: withoutAdopted(args) })),
    /** From the rows of its blocks; what no block has yet is told to one. */
    openBooks: effect<BooksParams>(),
    useRange: effect<RangeParams>(),
    /** To the block that has the frontend's address, or to one with room. */
    route: effect<RouteParams>(),
    routeBack: effect<RouteParams>(),
    note: effect<NoteParams>(),
    record: effect<RecordParams>(),
  },
  guards: {
    isOtherRange: ({ context, event }) =>
      as(event, 'pool.desired').spec.cidr !== context.spec?.cidr,
    isAwaited: ({ context, event }) =>
      as(event, 'block.adopted').frontends.some((one) => context.allocations[one] !== undefined),
  },
}).createMachine({
  id: 'pool',
  description: 'Gives frontends addresses of a range.',
  context: ({ input }) => ({ name: keyOf(input.address), spec: null, allocations: {} }),
  initial: 'empty',
  on: {
    activated: { actions: { type: 'openBooks', params: booksOf } },
    'pool.allocate': { actions: { type: 'route', params: routeOf } },
    'pool.release': { actions: { type: 'routeBack', params: routeOf } },
    'block.told': {
      actions: {
        type: 'note',
        params: ({ event }): NoteParams => {
          const { frontend, address } = as(event, 'block.told');
          return { frontend, address };
        },
      },
    },
  },
  states: {
    empty: {
      description: 'Addressed, but without a range yet.',
      on: { 'pool.desired': { target: 'open', actions: takesRange } },
    },
    open: {
      description: 'Passes on who asks.',
      on: {
        'pool.desired': [
          {
            guard: 'isOtherRange',
            actions: [...takesRange, { type: 'record', params: changed }],
          },
          { actions: takesRange },
        ],
        'block.adopted': {
          guard: 'isAwaited',
          actions: ['letGo', { type: 'record', params: moved }],
        },
      },
    },
  },
});
