/**
 * Address pool: gives each frontend that asks one address of a range, and takes it back.
 *
 * Input:  the range, `pool.allocate` and `pool.release` of frontends.
 * Output: `record` of each allocation, and answers. An answer leaves only after its allocation is on
 *         disk: an address that was spoken of can be lost by no crash.
 *
 * Rules: [FE-20] [FE-21] which address, src/policy/address-pool.ts; [FE-22] a frontend that asks again
 * gets the address it has; [FE-23] a change of range takes no address away; [FE-24] releasing what
 * one does not have is answered as done; [FE-25] a full range is told to who asks, and changes nothing.
 */
import { assign, setup } from 'xstate';
import { firstFree } from '../src/policy/address-pool.js';
import { assert } from './model/assert.js';
import type { PoolRangeSpec } from './model/desired.js';
import { type Activated, effect, type RecordParams, type Stamped } from './model/effects.js';
import { type Address, addressOf, type FrontendName, keyOf } from './model/ids.js';
import type { JsonObject } from './model/json.js';
import type { FrontendMessage, PoolMessage } from './model/messages.js';

export type PoolEvent = Stamped<PoolMessage> | Stamped<Activated>;

export interface PoolMemory {
  readonly name: string;
  readonly spec: PoolRangeSpec | null;
  /** Frontend → its address. */
  readonly allocations: Readonly<Record<string, string>>;
}

export interface PoolAnswer {
  readonly to: Address;
  readonly message: FrontendMessage;
}

interface Args {
  readonly context: PoolMemory;
  readonly event: PoolEvent;
}

function frontendIn({ event }: Args): FrontendName {
  assert(
    event.type === 'pool.allocate' || event.type === 'pool.release',
    `${event.type} names no frontend`,
  );
  return event.frontend;
}

function heldBy(args: Args): string | undefined {
  return args.context.allocations[frontendIn(args)];
}

function freeIn({ context }: Args) {
  assert(context.spec !== null, `pool ${context.name} allocates without a range`);
  return firstFree(context.spec.cidr, Object.values(context.allocations));
}

function answerTo(args: Args, message: FrontendMessage): PoolAnswer {
  return { to: addressOf('frontend', frontendIn(args)), message };
}

function allocatedTo(args: Args): PoolAnswer {
  const address = heldBy(args);
  assert(address !== undefined, `pool ${args.context.name} answers without an address`);
  return answerTo(args, { type: 'pool.allocated', pool: args.context.name, address });
}

function releasedTo(args: Args): PoolAnswer {
  return answerTo(args, { type: 'pool.released', pool: args.context.name });
}

function exhaustedFor(args: Args): PoolAnswer {
  const pool = args.context.name;
  const free = args.context.spec === null ? undefined : freeIn(args);
  const why = free === undefined || free.ok ? 'it has no range yet' : free.failure.message;
  return answerTo(args, {
    type: 'pool.exhausted',
    pool,
    message: `pool "${pool}" has no address to give: ${why}`,
  });
}

function without(memory: PoolMemory, frontend: FrontendName): PoolMemory {
  const { [frontend]: _given, ...allocations } = memory.allocations;
  return { ...memory, allocations };
}

function made(args: Args): RecordParams {
  const frontend = frontendIn(args);
  return recordOf(args.context, 'allocation.made', { frontend, address: heldBy(args) });
}

/** Asked again: the first answer may be lost, or its commit still on the way; this one waits for it. */
function confirmed(args: Args): RecordParams {
  const numbers = { frontend: frontendIn(args), address: heldBy(args) };
  return { event: 'allocation.confirmed', rule: 'FE-22', numbers };
}

function released({ context, event }: Args): RecordParams {
  const frontend = frontendIn({ context, event });
  return recordOf(context, 'allocation.released', { frontend });
}

function recordOf(memory: PoolMemory, event: string, numbers: JsonObject): RecordParams {
  return {
    event,
    rule: 'FE-20',
    numbers: { ...numbers, given: Object.keys(memory.allocations).length },
    publish: { aggregateKind: 'pool', aggregateId: memory.name, data: poolShape(memory) },
  };
}

/** The pool as operators and the feed see it. */
export function poolShape(memory: PoolMemory): JsonObject {
  return { name: memory.name, cidr: memory.spec?.cidr, allocations: memory.allocations };
}

export const poolMachine = setup({
  types: {
    context: {} as PoolMemory,
    events: {} as PoolEvent,
    input: {} as { readonly address: Address },
  },
  actions: {
    adopt: assign({
      spec: ({ context, event }) => (event.type === 'pool.desired' ? event.spec : context.spec),
    }),
    give: assign((args) => {
      const free = freeIn(args);
      assert(free.ok, `pool ${args.context.name} gives what it does not have`);
      const allocations = { ...args.context.allocations, [frontendIn(args)]: free.value };
      return { allocations };
    }),
    takeBack: assign((args) => without(args.context, frontendIn(args))),
    /** After the commit: what this answer speaks of is on disk. */
    answerDecided: effect<PoolAnswer>(),
    /** Changes nothing, so there is nothing to wait for. */
    answer: effect<PoolAnswer>(),
    record: effect<RecordParams>(),
  },
  guards: {
    holdsOne: (args) => heldBy(args) !== undefined,
    hasRoom: (args) => args.context.spec !== null && freeIn(args).ok,
  },
}).createMachine({
  id: 'pool',
  description: 'Gives frontends addresses of a range.',
  context: ({ input }) => ({ name: keyOf(input.address), spec: null, allocations: {} }),
  initial: 'empty',
  on: {
    'pool.allocate': { actions: { type: 'answer', params: exhaustedFor } },
    'pool.release': { actions: { type: 'answer', params: releasedTo } },
  },
  states: {
    empty: {
      description: 'Addressed, but without a range yet.',
      on: { 'pool.desired': { target: 'open', actions: 'adopt' } },
    },
    open: {
      description: 'Gives and takes back.',
      on: {
        'pool.desired': { actions: 'adopt' },
        'pool.allocate': [
          {
            guard: 'holdsOne',
            actions: [
              { type: 'record', params: confirmed },
              { type: 'answerDecided', params: allocatedTo },
            ],
          },
          {
            guard: 'hasRoom',
            actions: [
              'give',
              { type: 'record', params: made },
              { type: 'answerDecided', params: allocatedTo },
            ],
          },
          { actions: { type: 'answer', params: exhaustedFor } },
        ],
        'pool.release': [
          {
            guard: 'holdsOne',
            actions: [
              'takeBack',
              { type: 'record', params: released },
              { type: 'answerDecided', params: releasedTo },
            ],
          },
          { actions: { type: 'answer', params: releasedTo } },
        ],
      },
    },
  },
});
