/**
 * One actor that hears, acts, waits and leaves, on a host whose store and companions have moods: for
 * tests of what is left behind when things go wrong in the middle.
 */
import assert from 'node:assert/strict';
import { assign, setup } from 'xstate';
import {
  type Activated,
  effect,
  type RecordParams,
  type Stamped,
} from '../../machines/model/effects.js';
import { type Address, addressOf } from '../../machines/model/ids.js';
import type { Message } from '../../machines/model/messages.js';
import { fail } from '../../machines/model/result.js';
import type { Store } from '../../src/ports/store.js';
import { type ActorType, durable, observed } from '../../src/runtime/actor-type.js';
import { createHost, type Host } from '../../src/runtime/host.js';
import type { HostOptions } from '../../src/runtime/kernel.js';
import { createSinglePlacement } from '../../src/runtime/placement.js';
import { createVirtualClock } from '../../src/runtime/virtual-clock.js';
import { numberedIds, rememberingLog, rememberingMetrics, seededRandom } from './quiet.js';
import { memoryStore } from './toy-node.js';

type Event =
  | Activated
  | { readonly type: 'note'; readonly fails?: boolean }
  | { readonly type: 'break' }
  | { readonly type: 'wait' }
  | { readonly type: 'leave' }
  | { readonly type: 'peek' };

const RECORD = { event: 'cat.noted', rule: 'T', numbers: {} } as const;

const cat = setup({
  types: {
    context: {} as { readonly heard: readonly string[] },
    events: {} as Stamped<Event>,
    input: {} as { readonly address: Address },
  },
  actions: {
    hear: assign({ heard: ({ context, event }) => [...context.heard, event.type] }),
    record: effect<RecordParams>(),
    forget: effect<void>(),
    act: effect<{ readonly fails: boolean }>(),
    answer: effect<{ readonly replyTo: string | undefined; readonly heard: readonly string[] }>(),
  },
  guards: {
    breaks: (): boolean => {
      throw new Error('broken');
    },
  },
  delays: { long: 1_000 },
}).createMachine({
  id: 'cat',
  context: { heard: [] },
  initial: 'idle',
  on: {
    activated: { actions: 'hear' },
    note: {
      actions: [
        'hear',
        { type: 'record', params: RECORD },
        { type: 'act', params: ({ event }) => ({ fails: event.fails === true }) },
      ],
    },
    break: { guard: 'breaks' },
    leave: {
      actions: [
        { type: 'record', params: RECORD },
        { type: 'act', params: { fails: false } },
        'forget',
      ],
    },
    peek: {
      actions: {
        type: 'answer',
        params: ({ context, event }) => ({ replyTo: event.meta.replyTo, heard: context.heard }),
      },
    },
  },
  states: {
    idle: { on: { wait: 'waiting' } },
    waiting: { after: { long: 'over' } },
    over: {},
  },
});

/** Both are due at once; the first begins both anew, so the second must never come. */
const twins = setup({
  types: { events: {} as Stamped<Event> },
  delays: { one: 100, two: 100 },
}).createMachine({
  id: 'twins',
  initial: 'pair',
  states: {
    pair: { after: { one: { target: 'pair', reenter: true }, two: 'over' } },
    over: {},
  },
});

interface Companion {
  open: boolean;
}

export const CAT = addressOf('group', 't/cat');

export interface World {
  readonly host: Host;
  readonly clock: ReturnType<typeof createVirtualClock>;
  readonly store: Store;
  readonly companions: Companion[];
  readonly acts: number[];
  readonly log: ReturnType<typeof rememberingLog>;
  readonly mood: Mood;
}

/** How the outside behaves. */
export interface Mood {
  commit: 'works' | 'held' | 'rejects' | 'stale' | 'half-away' | 'away';
  companion: 'works' | 'throws';
  close: 'works' | 'rejects';
}

export async function world(over: Partial<HostOptions> = {}): Promise<World> {
  const made = hostOver(over);
  const started = await made.host.start();
  assert.ok(started.ok);
  return made;
}

export function hostOver(over: Partial<HostOptions>): World {
  const clock = createVirtualClock();
  const base = memoryStore(clock);
  const companions: Companion[] = [];
  const acts: number[] = [];
  const mood: Mood = { commit: 'works', companion: 'works', close: 'works' };
  const log = rememberingLog();
  const store: Store = {
    ...base,
    commit: async (decisions) => {
      const first = mood.commit;
      while (mood.commit === 'held') {
        await new Promise<void>((resolve) => void clock.after(1, resolve));
      }
      if (mood.commit === 'half-away') {
        mood.commit = 'works';
        const [head, ...rest] = decisions;
        const away = fail({ code: 'unavailable', message: 'full' } as const);
        return head === undefined ? [] : [away, ...(await base.commit(rest))];
      }
      const code = { rejects: 'rejected', stale: 'stale', away: 'unavailable' } as const;
      const refused = mood.commit === 'works' ? undefined : code[mood.commit as keyof typeof code];
      if (refused === undefined) return base.commit(decisions);
      return decisions.map(() => fail({ code: refused, message: first }));
    },
  };
  const host = createHost({
    thread: 'main',
    incarnation: 1,
    types: [catType(companions, acts, mood), twinsType],
    services: [],
    placement: createSinglePlacement(),
    clock,
    ids: numberedIds(),
    random: seededRandom(1),
    log,
    metrics: rememberingMetrics(),
    store,
    ports: {},
    remote: { send: () => false, reply: () => undefined },
    generation: () => 1,
    ...over,
  });
  return { host, clock, store, companions, acts, log, mood };
}

function catType(companions: Companion[], acts: number[], mood: Mood): ActorType {
  const type: ActorType<unknown, Companion> = {
    kind: 'group',
    machine: cat,
    version: 1,
    stored: true,
    implicit: true,
    effects: {
      act: durable<{ fails: boolean }>(({ fails }) => {
        acts.push(acts.length);
        if (fails) throw new Error('effect failed');
      }),
      answer: observed<{ replyTo: string | undefined; heard: readonly string[] }>(
        ({ replyTo, heard }, { scope }) => scope.reply(replyTo, [...heard]),
      ),
    },
    companion: () => {
      if (mood.companion === 'throws') throw new Error('no companion');
      const made = { open: true };
      companions.push(made);
      return made;
    },
    dispose: async (companion) => {
      companion.open = false;
      if (mood.close === 'rejects') throw new Error('close failed');
    },
    view: ({ value, context, timers }) => ({
      value,
      ...context,
      timers: timers.map(({ dueAtMs }) => dueAtMs),
    }),
  };
  return type as unknown as ActorType;
}

const twinsType: ActorType = {
  kind: 'backend',
  machine: twins,
  version: 1,
  stored: false,
  implicit: true,
  effects: {},
  view: ({ value }) => ({ value }),
};

export const tell = ({ host }: World, message: Message | Event, to: Address = CAT): void =>
  host.tell(to, message, 'test');

export const stateOf = ({ host }: World): unknown => host.views('group')[0]?.['value'];
export const heardBy = ({ host }: World): unknown => host.views('group')[0]?.['heard'];
export const phaseOf = ({ host }: World): unknown => host.actorViews()[0]?.['state'];
