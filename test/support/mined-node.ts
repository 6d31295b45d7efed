/**
 * Actors that throw where and as often as a test lays a fuse: in a step, in an effect, in `activated`, in
 * their companion, in outside work, in their view. Everything else about them works, so that what is
 * left of a crash can be told exactly.
 *
 *   group/<t/g>     stored, implicit; adds up numbers and says so
 *   instance/<id>   the same, spawned only
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
import { fail } from '../../machines/model/result.js';
import type { Store } from '../../src/ports/store.js';
import { type ActorType, durable, observed, protective } from '../../src/runtime/actor-type.js';
import { createHost, type Host } from '../../src/runtime/host.js';
import { createSinglePlacement } from '../../src/runtime/placement.js';
import { createVirtualClock, type VirtualClock } from '../../src/runtime/virtual-clock.js';
import { numberedIds, rememberingLog, rememberingMetrics, seededRandom } from './quiet.js';
import { memoryStore } from './toy-node.js';

export const PLACES = ['step', 'now', 'later', 'activated', 'companion', 'work'] as const;
export type Place = (typeof PLACES)[number] | 'peek' | 'view' | 'dispose';

export type MineEvent =
  | Activated
  /** Recorded; `now` is said at once and `later` after the commit. */
  | { readonly type: 'add'; readonly by: number; readonly note?: unknown }
  | { readonly type: 'peek' }
  | { readonly type: 'breed'; readonly child: string }
  | { readonly type: 'nap' }
  | { readonly type: 'leave' }
  | { readonly type: 'toil' }
  | { readonly type: 'toiled' };

interface MineContext {
  readonly total: number;
  readonly heard: readonly string[];
}

export interface MinedNode {
  readonly host: Host;
  readonly clock: VirtualClock;
  readonly store: Store;
  readonly metrics: ReturnType<typeof rememberingMetrics>;
  readonly log: ReturnType<typeof rememberingLog>;
  /** What effects said, in order, each with its actor. */
  readonly said: string[];
  /** How often each place still throws, for every actor; or for one: `place actor`. */
  readonly fuses: Map<string, number>;
  readonly mood: { commit: 'works' | 'held' | 'refused once' };
  /** Companions that are open. */
  readonly open: Set<object>;
  tell(message: MineEvent, to?: Address): void;
}

export const MINE = addressOf('group', 't/mine');

export interface MinedOptions {
  readonly clock?: VirtualClock;
  readonly store?: Store;
}

export async function minedNode(options: MinedOptions = {}): Promise<MinedNode> {
  const clock = options.clock ?? createVirtualClock();
  const base = options.store ?? memoryStore(clock);
  const mood: MinedNode['mood'] = { commit: 'works' };
  const said: string[] = [];
  const fuses = new Map<string, number>();
  const open = new Set<object>();
  const log = rememberingLog();
  const metrics = rememberingMetrics();
  const commit: Store['commit'] = async (decisions) => {
    while (mood.commit === 'held') await new Promise<void>((resolve) => clock.after(10, resolve));
    if (mood.commit === 'works') return base.commit(decisions);
    mood.commit = 'works';
    return decisions.map(() => fail({ code: 'rejected', message: 'refused' } as const));
  };
  const host = createHost({
    thread: 'main',
    incarnation: 1,
    types: mineTypes({ said, fuses, open }),
    services: [],
    placement: createSinglePlacement(),
    clock,
    ids: numberedIds(),
    random: seededRandom(1),
    log,
    metrics,
    store: { ...base, commit },
    ports: {},
    remote: { send: () => false, reply: () => undefined },
    generation: () => 1,
  });
  const started = await host.start();
  if (!started.ok) throw new Error(started.failure.message);
  const tell = (message: MineEvent, to = MINE): void => host.tell(to, message, 'test');
  return { host, clock, store: base, metrics, log, said, fuses, mood, open, tell };
}

/** Laid before a step and looked at in it: machines are pure, so a test's mines lie beside them. */
let armed: Map<string, number> = new Map();

function blow(place: Place, actor: string): void {
  for (const fuse of [place, `${place} ${actor}`]) {
    const left = armed.get(fuse) ?? 0;
    if (left <= 0) continue;
    armed.set(fuse, left - 1);
    throw new Error(`mine at ${place}`);
  }
}

const mine = setup({
  types: {
    context: {} as MineContext & { readonly self: string },
    events: {} as Stamped<MineEvent>,
    input: {} as { readonly address: Address },
  },
  actions: {
    hear: assign({ heard: ({ context, event }) => [...context.heard, wordOf(event)].slice(-16) }),
    add: assign({
      total: ({ context, event }) => context.total + ('by' in event ? event.by : 0),
    }),
    record: effect<RecordParams>(),
    spawn: effect<SpawnParams>(),
    forget: effect<void>(),
    now: effect<{ readonly by: number }>(),
    later: effect<{ readonly by: number }>(),
    work: effect<void>(),
    answer: effect<{ readonly replyTo: string | undefined; readonly total: number }>(),
  },
  guards: {
    steps: ({ context }) => whole('step', context.self),
    peeks: ({ context }) => whole('peek', context.self),
    activates: ({ context }) => whole('activated', context.self),
  },
  delays: { rest: 1_000 },
}).createMachine({
  id: 'mine',
  context: ({ input }) => ({ total: 0, heard: [], self: input.address }),
  initial: 'awake',
  on: {
    activated: { guard: 'activates', actions: 'hear' },
    add: {
      guard: 'steps',
      actions: [
        'hear',
        'add',
        { type: 'record', params: ({ event }) => recorded(event.by) },
        { type: 'now', params: ({ event }) => ({ by: event.by }) },
        { type: 'later', params: ({ event }) => ({ by: event.by }) },
      ],
    },
    peek: {
      guard: 'peeks',
      actions: {
        type: 'answer',
        params: ({ context, event }) => ({ replyTo: event.meta.replyTo, total: context.total }),
      },
    },
    breed: {
      actions: [
        { type: 'record', params: recorded(0) },
        {
          type: 'spawn',
          params: ({ event }) => ({ address: addressOf('instance', event.child), input: {} }),
        },
      ],
    },
    leave: { actions: [{ type: 'record', params: recorded(0) }, 'forget'] },
    toil: { actions: ['hear', 'work'] },
    toiled: { actions: 'hear' },
  },
  states: {
    awake: { on: { nap: 'asleep' } },
    asleep: { after: { rest: 'awake' } },
  },
});

function whole(place: Place, actor: string): boolean {
  blow(place, actor);
  return true;
}

function wordOf(event: MineEvent): string {
  return event.type === 'add' ? `add ${event.by}` : event.type;
}

function recorded(by: number): RecordParams {
  return { event: 'mine.added', rule: 'T', numbers: { by } };
}

type Laid = Pick<MinedNode, 'said' | 'fuses' | 'open'>;

function mineTypes({ said, fuses, open }: Laid): readonly ActorType[] {
  armed = fuses;
  const type: Omit<ActorType<unknown, object>, 'kind' | 'implicit'> = {
    machine: mine,
    version: 1,
    stored: true,
    effects: {
      now: protective<{ by: number }>(({ by }, { scope }) => {
        blow('now', scope.self);
        said.push(`now ${scope.self} ${by}`);
      }),
      later: durable<{ by: number }>(({ by }, { scope }) => {
        blow('later', scope.self);
        said.push(`later ${scope.self} ${by}`);
      }),
      work: observed((_, { scope }) =>
        scope.run(async (): Promise<Message> => {
          blow('work', scope.self);
          return { type: 'toiled' };
        }),
      ),
      answer: observed<{ replyTo: string | undefined; total: number }>((params, { scope }) =>
        scope.reply(params.replyTo, params.total),
      ),
    },
    companion: (scope) => {
      blow('companion', scope.self);
      const made = {};
      open.add(made);
      return made;
    },
    dispose: (companion) => {
      open.delete(companion);
      blow('dispose', 'any');
    },
    view: ({ address, value, context }) => {
      blow('view', address);
      return { address, value, ...context };
    },
  };
  return [
    { ...type, kind: 'group', implicit: true },
    { ...type, kind: 'instance', implicit: false },
  ] as unknown as readonly ActorType[];
}

/** As operators see it; undefined: no such actor. */
export function seen({ host }: MinedNode, address: Address = MINE) {
  return host.actorViews().find((view) => view['address'] === address);
}

export function totalOf({ host }: MinedNode, address: Address = MINE): unknown {
  return host.views('group').find((view) => view['address'] === address)?.['total'];
}

export function heardBy({ host }: MinedNode, address: Address = MINE): unknown {
  return host.views('group').find((view) => view['address'] === address)?.['heard'];
}
