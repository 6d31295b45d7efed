/**
 * A host with toy actors on the real store in memory, for tests of the runtime itself.
 *
 *   group/<t/g>   stored: counts, spawns instances, crashes, names durable and protective effects
 *   instance/<id> stored, spawned only
 *   backend/<n>   not stored, remembers its seed
 */
import { assign, setup } from 'xstate';
import {
  type Activated,
  effect,
  type RecordParams,
  type SpawnParams,
  type Stamped,
} from '../../machines/model/effects.js';
import { type Address, addressOf } from '../../machines/model/ids.js';
import type { Message } from '../../machines/model/messages.js';
import { openSqliteStore } from '../../src/adapters/sqlite/open.js';
import { systemClock } from '../../src/adapters/system/clock.js';
import { noFailpoints } from '../../src/adapters/system/failpoints.js';
import type { Store } from '../../src/ports/store.js';
import { type ActorType, durable, observed, protective } from '../../src/runtime/actor-type.js';
import { createHost, type Host } from '../../src/runtime/host.js';
import type { HostOptions, Remote } from '../../src/runtime/kernel.js';
import { createSinglePlacement, type Placement } from '../../src/runtime/placement.js';
import { createVirtualClock, type VirtualClock } from '../../src/runtime/virtual-clock.js';
import { numberedIds, rememberingLog, rememberingMetrics, seededRandom } from './quiet.js';

export type ToyEvent =
  | Activated
  | { readonly type: 'add'; readonly by: number }
  | { readonly type: 'peek' }
  | { readonly type: 'reflex'; readonly by: number }
  /** Acts at once and is recorded; nothing waits for the record. */
  | { readonly type: 'flinch'; readonly by: number }
  | { readonly type: 'explode' }
  | { readonly type: 'implode' }
  | { readonly type: 'breed'; readonly child: string }
  | { readonly type: 'sleep' }
  | { readonly type: 'leave' }
  | { readonly type: 'unrecorded' }
  | { readonly type: 'work'; readonly fails: boolean }
  | { readonly type: 'worked' };

interface ToyContext {
  readonly total: number;
  readonly children: number;
}

const toy = setup({
  types: {
    context: {} as ToyContext,
    events: {} as Stamped<ToyEvent>,
    input: {} as { readonly address: Address; readonly total?: number },
  },
  actions: {
    add: assign({
      total: ({ context, event }) => context.total + ('by' in event ? event.by : 0),
    }),
    adopt: assign({
      children: ({ event }) => (event.type === 'activated' ? event.children.length : 0),
    }),
    record: effect<RecordParams>(),
    spawn: effect<SpawnParams>(),
    forget: effect<void>(),
    say: effect<{ readonly what: string }>(),
    shout: effect<{ readonly what: string }>(),
    hum: effect<{ readonly what: string }>(),
    answer: effect<{ readonly replyTo: string | undefined; readonly total: number }>(),
    crashInEffect: effect<void>(),
    startWork: effect<{ readonly fails: boolean }>(),
  },
  guards: {
    explodes: (): boolean => {
      throw new Error('boom');
    },
  },
  delays: { nap: 1_000 },
}).createMachine({
  id: 'toy',
  context: ({ input }) => ({ total: input.total ?? 0, children: 0 }),
  initial: 'awake',
  on: {
    activated: {
      actions: [
        'adopt',
        { type: 'hum', params: ({ context }) => ({ what: `activated ${context.total}` }) },
      ],
    },
    add: {
      actions: [
        'add',
        { type: 'record', params: ({ context, event }) => added(context.total, event) },
        {
          type: 'shout',
          params: ({ event }) => ({ what: `reflex ${'by' in event ? event.by : 0}` }),
        },
        {
          type: 'say',
          params: ({ event }) => ({ what: `decided ${'by' in event ? event.by : 0}` }),
        },
      ],
    },
    reflex: {
      actions: [
        'add',
        { type: 'shout', params: ({ event }) => ({ what: `only reflex ${event.by}` }) },
      ],
    },
    flinch: {
      actions: [
        { type: 'record', params: { event: 'toy.flinched', rule: 'T', numbers: {} } },
        { type: 'shout', params: ({ event }) => ({ what: `flinched ${event.by}` }) },
      ],
    },
    peek: {
      actions: {
        type: 'answer',
        params: ({ context, event }) => ({ replyTo: event.meta.replyTo, total: context.total }),
      },
    },
    explode: { guard: 'explodes' },
    implode: { actions: ['crashInEffect'] },
    breed: {
      actions: [
        {
          type: 'spawn',
          params: ({ event }) => ({
            address: addressOf('instance', event.child),
            input: { total: 7 },
          }),
        },
        {
          type: 'record',
          params: ({ event }) => ({
            event: 'child.requested',
            rule: 'T',
            numbers: { child: event.child },
          }),
        },
      ],
    },
    leave: {
      actions: [
        { type: 'record', params: { event: 'toy.left', rule: 'T', numbers: {} } },
        'forget',
      ],
    },
    unrecorded: { actions: { type: 'say', params: { what: 'never' } } },
    work: { actions: { type: 'startWork', params: ({ event }) => ({ fails: event.fails }) } },
    worked: { actions: { type: 'hum', params: { what: 'worked' } } },
  },
  states: {
    awake: { on: { sleep: 'asleep' } },
    asleep: {
      after: { nap: { target: 'awake', actions: { type: 'hum', params: { what: 'woke' } } } },
    },
  },
});

function added(total: number, event: ToyEvent): RecordParams {
  const by = 'by' in event ? event.by : 0;
  const data = { total };
  const publish = { aggregateKind: 'group', aggregateId: 't/g', data };
  return { event: 'toy.added', rule: 'T', numbers: { by, total }, publish };
}

export interface ToyWorld {
  readonly host: Host;
  readonly clock: VirtualClock;
  readonly store: Store;
  /** What effects said, in order. */
  readonly said: string[];
  readonly log: ReturnType<typeof rememberingLog>;
  readonly metrics: ReturnType<typeof rememberingMetrics>;
  /** A second host on the same store and clock: the next life. */
  again(): Promise<ToyWorld>;
}

export interface ToyOptions {
  readonly store?: Store;
  readonly clock?: VirtualClock;
  readonly said?: string[];
  readonly incarnation?: number;
  readonly wrap?: (store: Store) => Store;
  readonly version?: number;
  readonly thread?: string;
  readonly placement?: Placement;
  readonly migrate?: NonNullable<ActorType['migrate']>;
  /** Of instances. */
  readonly actsAtBirth?: boolean;
}

export const GROUP = addressOf('group', 't/g');

export async function toyWorld(options: ToyOptions = {}): Promise<ToyWorld> {
  const clock = options.clock ?? createVirtualClock();
  const said = options.said ?? [];
  const store = options.store ?? memoryStore(clock);
  const log = rememberingLog();
  const metrics = rememberingMetrics();
  const incarnation = options.incarnation ?? 1;
  const host = createHost({
    thread: options.thread ?? 'main',
    incarnation,
    types: toyTypes(said, options),
    services: [],
    placement: options.placement ?? createSinglePlacement(),
    clock,
    ids: numberedIds(`${options.thread ?? 'd'}${incarnation}`),
    random: seededRandom(incarnation),
    log,
    metrics,
    store: options.wrap?.(store) ?? store,
    ports: {},
    remote: NOWHERE,
    generation: () => 1,
  } satisfies HostOptions);
  const started = await host.start();
  if (!started.ok) throw new Error(started.failure.message);
  await clock.settle();
  const next = { ...options, store, clock, said, incarnation: incarnation + 1 };
  return { host, clock, store, said, log, metrics, again: () => toyWorld(next) };
}

const NOWHERE: Remote = { send: () => false, reply: () => undefined };

/** On a virtual clock, whoever decides must have a store on the same one: else no run is like another. */
export function memoryStore(clock: { now(): number } = systemClock()): Store {
  const opened = openSqliteStore({
    file: ':memory:',
    durability: 'full',
    node: 'test',
    epoch: 1,
    failpoints: noFailpoints,
    clock,
  });
  if (!opened.ok) throw new Error(opened.failure.message);
  return opened.value;
}

function toyTypes(said: string[], options: ToyOptions): readonly ActorType[] {
  const { version = 1, migrate } = options;
  const say = (params: { readonly what: string }) => void said.push(params.what);
  const base = {
    machine: toy,
    version,
    ...(migrate === undefined ? {} : { migrate }),
    effects: {
      say: durable(say),
      shout: protective(say),
      hum: observed(say),
      answer: observed<{ replyTo: string | undefined; total: number }>((params, { scope }) =>
        scope.reply(params.replyTo, { total: params.total }),
      ),
      crashInEffect: observed(() => {
        throw new Error('effect body failed');
      }),
      startWork: observed<{ fails: boolean }>(({ fails }, { scope }) =>
        scope.run(async (): Promise<Message> => {
          if (fails) throw new Error('work rejected');
          return { type: 'worked' };
        }),
      ),
    },
    view: (cell: { address: Address; value: unknown; context: object }) => ({
      address: cell.address,
      value: String(cell.value),
      ...cell.context,
    }),
    coalesce: (message: Message) => {
      if (message.type === 'unreadable') throw new Error('a key that is not there');
      return message.type === 'peek-level' ? 'peek' : undefined;
    },
    isSample: (message: Message) => {
      if (message.type === 'unreadable') throw new Error('a key that is not there');
      return false;
    },
  };
  return [
    { ...base, kind: 'group', stored: true, implicit: true },
    {
      ...base,
      kind: 'instance',
      stored: true,
      implicit: false,
      actsAtBirth: options.actsAtBirth === true,
    },
    {
      ...base,
      kind: 'backend',
      stored: false,
      implicit: true,
      seed: 'add',
      isShown: ({ context }) => context['total'] !== 0,
    },
  ];
}
