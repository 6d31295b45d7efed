/**
 * Address block: the books of one part of an address pool, `block/<pool>/<first address>`.
 *
 * Input:  requests of frontends, by way of their pool, which says what its range is.
 * Output: `record` of each allocation, and answers to the frontend and to the pool. An answer leaves only
 *         after its allocation is on disk: an address that was spoken of can be lost by no crash.
 *
 * Rules: [FE-20] [FE-21] which address, src/policy/address-pool.ts; [FE-22] a frontend that asks again
 * gets the address it has; [FE-23] a change of range takes no address away; [FE-24] releasing what
 * one does not have is answered as done; [FE-25] a full range is told to who asks, and changes nothing;
 * [FE-52] an allocation is written with few others, however many the pool has.
 */
import { assign, setup } from 'xstate';
import { firstFree } from '../src/policy/address-pool.js';
import { assert } from './model/assert.js';
import { type Activated, effect, type RecordParams, type Stamped } from './model/effects.js';
import { type Address, addressOf, type FrontendName, keyOf } from './model/ids.js';
import type { JsonObject } from './model/json.js';
import type { BlockMessage, FrontendMessage, PoolMessage } from './model/messages.js';

export type BlockEvent = Stamped<BlockMessage> | Stamped<Activated>;

export interface BlockMemory {
  readonly pool: string;
  /** First address of the block. */
  readonly first: string;
  /** Frontend → its address. */
  readonly allocations: Readonly<Record<string, string>>;
}

export interface BlockLetter {
  readonly to: Address;
  readonly message: FrontendMessage | PoolMessage;
}

/** To who asked, and to the pool. */
export interface BlockAnswer {
  readonly letters: readonly BlockLetter[];
}

interface Args {
  readonly context: BlockMemory;
  readonly event: BlockEvent;
}

export function newBlock(address: Address): BlockMemory {
  const key = keyOf(address);
  const slash = key.indexOf('/');
  return { pool: key.slice(0, slash), first: key.slice(slash + 1), allocations: {} };
}

export function addressOfBlock(pool: string, first: string): Address {
  return addressOf('block', `${pool}/${first}`);
}

function frontendIn({ event }: Args): FrontendName {
  assert('frontend' in event, `${event.type} names no frontend`);
  return event.frontend;
}

function broughtBy(event: BlockEvent): Readonly<Record<string, string>> {
  assert(event.type === 'block.adopt', `${event.type} brings nothing`);
  return event.allocations;
}

function heldBy(args: Args): string | undefined {
  return args.context.allocations[frontendIn(args)];
}

function freeIn({ context, event }: Args) {
  assert(event.type === 'block.allocate', `${event.type} allocates nothing`);
  return firstFree(event.cidr, Object.values(context.allocations), context.first);
}

function without(args: Args): BlockMemory['allocations'] {
  const { [frontendIn(args)]: _given, ...allocations } = args.context.allocations;
  return allocations;
}

// --- answers ----------------------------------------------------------------------------------------

function tells(args: Args, message: FrontendMessage, address: string | null): BlockAnswer {
  const frontend = frontendIn(args);
  const pool = addressOf('pool', args.context.pool);
  return {
    letters: [
      { to: addressOf('frontend', frontend), message },
      { to: pool, message: { type: 'block.told', frontend, address } },
    ],
  };
}

function allocatedTo(args: Args): BlockAnswer {
  const address = heldBy(args);
  const { pool } = args.context;
  assert(address !== undefined, `block of ${pool} answers without an address`);
  return tells(args, { type: 'pool.allocated', pool, address }, address);
}

function releasedTo(args: Args): BlockAnswer {
  return tells(args, { type: 'pool.released', pool: args.context.pool }, null);
}

function exhaustedFor(args: Args): BlockAnswer {
  const { pool, first } = args.context;
  const message = `pool "${pool}" has no address to give in its block from ${first}; it is asked again`;
  return tells(args, { type: 'pool.exhausted', pool, message }, null);
}

function adoptedBy({ context, event }: Args): BlockAnswer {
  const frontends = Object.keys(broughtBy(event)) as FrontendName[];
  const to = addressOf('pool', context.pool);
  return { letters: [{ to, message: { type: 'block.adopted', frontends } }] };
}

// --- records ----------------------------------------------------------------------------------------

function made(args: Args): RecordParams {
  const frontend = frontendIn(args);
  return recordOf(args.context, 'allocation.made', { frontend, address: heldBy(args) });
}

/** Asked again: the first answer may be lost, or its commit still on the way; this one waits for it. */
function confirmed(args: Args): RecordParams {
  const numbers = { frontend: frontendIn(args), address: heldBy(args) };
  return { event: 'allocation.confirmed', rule: 'FE-22', numbers };
}

function released(args: Args): RecordParams {
  return recordOf(args.context, 'allocation.released', { frontend: frontendIn(args) });
}

/** Nobody has another address than before: the feed need not hear of it. */
function tookOver({ context }: Args): RecordParams {
  const given = Object.keys(context.allocations).length;
  return { event: 'allocation.adopted', rule: 'FE-52', numbers: { given } };
}

function recordOf(memory: BlockMemory, event: string, numbers: JsonObject): RecordParams {
  const { pool, first, allocations } = memory;
  const given = Object.keys(allocations).length;
  const aggregate = { aggregateKind: 'block', aggregateId: `${pool}/${first}` };
  const publish = { ...aggregate, data: blockShape(memory) };
  return { event, rule: 'FE-20', numbers: { ...numbers, given }, publish };
}

/** The block as the feed sees it. */
export function blockShape({ pool, first, allocations }: BlockMemory): JsonObject {
  return { pool, first, allocations };
}

export const blockMachine = setup({
  types: {
    context: {} as BlockMemory,
    events: {} as BlockEvent,
    input: {} as { readonly address: Address },
  },
  actions: {
    give: assign((args) => {
      const free = freeIn(args);
      assert(free.ok, `block ${args.context.first} gives what it does not have`);
      const allocations = { ...args.context.allocations, [frontendIn(args)]: free.value };
      return { allocations };
    }),
    takeBack: assign((args) => ({ allocations: without(args) })),
    takeOver: assign(({ context, event }) => ({
      allocations: { ...broughtBy(event), ...context.allocations },
    })),
    /** After the commit: what this answer speaks of is on disk. */
    answerDecided: effect<BlockAnswer>(),
    /** Changes nothing, so there is nothing to wait for. */
    answer: effect<BlockAnswer>(),
    record: effect<RecordParams>(),
  },
  guards: {
    holdsOne: (args) => heldBy(args) !== undefined,
    hasRoom: (args) => freeIn(args).ok,
    bringsNews: ({ context, event }) =>
      Object.keys(broughtBy(event)).some((one) => context.allocations[one] === undefined),
  },
}).createMachine({
  id: 'block',
  description: 'Has the books of some addresses of a pool.',
  context: ({ input }) => newBlock(input.address),
  initial: 'open',
  states: {
    open: {
      description: 'Gives and takes back.',
      on: {
        'block.allocate': [
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
        'block.release': [
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
        'block.adopt': [
          {
            guard: 'bringsNews',
            actions: [
              'takeOver',
              { type: 'record', params: tookOver },
              { type: 'answerDecided', params: adoptedBy },
            ],
          },
          { actions: { type: 'answer', params: adoptedBy } },
        ],
      },
    },
  },
});
