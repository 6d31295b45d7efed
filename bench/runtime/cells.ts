/**
 * Our side of every comparison: a real host on the machine's own clock, ids and chance, with a parent
 * that spawns cells of the measured machine and a barrier to wait behind.
 *
 *   group/bench/web   breeds: `spawn` effects, many per decision, acknowledged by a store in memory
 *   instance/…        stored: each change of state is a decision
 *   backend/…         not stored, as the health of a backend is not: no decision, all is the machine
 *   pool/barrier      its answer says that what was sent before has been handled
 */
import { enqueueActions, setup } from 'xstate';
import { effect, type SpawnParams, type Stamped } from '../../machines/model/effects.js';
import { type Address, addressOf, groupKeyOf, instanceIdFor } from '../../machines/model/ids.js';
import { systemClock } from '../../src/adapters/system/clock.js';
import { systemIds, systemRandom } from '../../src/adapters/system/identity.js';
import type { Clock } from '../../src/ports/clock.js';
import type { Log } from '../../src/ports/log.js';
import type { Metrics } from '../../src/ports/metrics.js';
import { type ActorType, observed } from '../../src/runtime/actor-type.js';
import { createHost, type Host } from '../../src/runtime/host.js';
import type { Remote } from '../../src/runtime/kernel.js';
import { type Counter, createCounter } from './counter.js';
import { type InstanceContext, instanceMachine } from './machine.js';
import { type CountingStore, forgetfulStore } from './memory-store.js';

export type CellKind = 'instance' | 'backend';
/** The runtime chooses the path by itself; `generic` forbids it the compiled one. */
export type Path = 'compiled' | 'generic';

interface Breed {
  readonly type: 'breed';
  readonly kind: CellKind;
  readonly from: number;
  readonly count: number;
}

const breeder = setup({
  types: { events: {} as Stamped<Breed> },
  actions: { spawn: effect<SpawnParams>() },
}).createMachine({
  id: 'bench-breeder',
  on: {
    breed: {
      actions: enqueueActions(({ enqueue, event }) => {
        for (let index = event.from; index < event.from + event.count; index += 1) {
          const address = addressOf(event.kind, keyOf(index));
          const input = { providerId: `vm-${index}`, bornAt: event.meta.at };
          enqueue({ type: 'spawn', params: { address, input } });
        }
      }),
    },
  },
});

interface Passing {
  readonly replyTo: string | undefined;
}

const barrierMachine = setup({
  types: { events: {} as Stamped<{ readonly type: 'PASS' }> },
  actions: { passed: effect<Passing>() },
}).createMachine({
  id: 'bench-barrier',
  on: {
    PASS: {
      actions: { type: 'passed', params: ({ event }) => ({ replyTo: event.meta.replyTo }) },
    },
  },
});

const GROUP = groupKeyOf('bench', 'web');
const PARENT = addressOf('group', GROUP);
/** Answers when what was sent before has been handled. */
export const BARRIER = addressOf('pool', 'barrier');
/** Children in one decision, and decisions that may be under way. */
const LITTER = 100;
const WAVE = 32;

/** Names as long as real ones: an id carries its group's slot and the decision that made it. */
export function keyOf(index: number): string {
  return instanceIdFor(GROUP, index.toString(16).padStart(32, '0'), 0);
}

export interface Counters {
  /** Cells that were started. */
  readonly started: Counter;
  /** `changed` effects performed. */
  readonly changed: Counter;
  /** `landed` effects performed: a message that crashed an actor before has been handled. */
  readonly landed: Counter;
  readonly passed: Counter;
}

export interface CellWorld {
  readonly host: Host;
  readonly store: CountingStore;
  readonly counters: Counters;
  /** Makes `count` more cells of a kind and answers when all are started. */
  spawn(kind: CellKind, count: number): Promise<void>;
  /** Answers when everything sent so far has been handled. */
  settled(): Promise<void>;
  addresses(kind: CellKind): readonly Address[];
  /** What all cells of a kind have counted, summed up. */
  totals(kind: CellKind): Totals;
}

export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly changes: number;
}

export interface CellWorldOptions {
  readonly path?: Path;
  readonly clock?: Clock;
  /** Name of the host's thread, and its way to others; alone when absent. */
  readonly thread?: string;
  readonly remote?: Remote;
  readonly onLanded?: () => void;
}

export async function createCellWorld(options: CellWorldOptions = {}): Promise<CellWorld> {
  const store = forgetfulStore();
  const counters = {
    started: createCounter(),
    changed: createCounter(),
    landed: createCounter(),
    passed: createCounter(),
  };
  const thread = options.thread ?? 'main';
  const host = createHost({
    thread,
    incarnation: 1,
    types: typesOf(counters, options),
    services: [],
    placement: { shards: [thread], threadOf: () => thread },
    clock: options.clock ?? systemClock(),
    ids: systemIds(),
    random: systemRandom(),
    log: SILENT,
    metrics: UNCOUNTED,
    store,
    ports: {},
    remote: options.remote ?? NOWHERE,
    generation: () => 1,
    ...(options.path === 'generic' ? { path: 'generic' as const } : {}),
  });
  const started = await host.start();
  if (!started.ok) throw new Error(started.failure.message);
  return worldOf(host, store, counters);
}

function worldOf(host: Host, store: CountingStore, counters: Counters): CellWorld {
  const made = { instance: 0, backend: 0 };

  const settled = (): Promise<void> => {
    const passed = counters.passed.reach(counters.passed.count + 1);
    host.tell(BARRIER, { type: 'PASS' }, 'bench');
    return passed;
  };

  const spawn = async (kind: CellKind, count: number): Promise<void> => {
    const end = made[kind] + count;
    while (made[kind] < end) {
      const before = counters.started.count;
      const first = made[kind];
      for (let litter = 0; litter < WAVE && made[kind] < end; litter += 1) {
        const size = Math.min(LITTER, end - made[kind]);
        const body = { type: 'breed', kind, from: made[kind], count: size };
        host.tell(PARENT, body, 'bench');
        made[kind] += size;
      }
      await counters.started.reach(before + made[kind] - first);
    }
    await settled();
  };

  return {
    host,
    store,
    counters,
    spawn,
    settled,
    addresses: (kind) => Array.from({ length: made[kind] }, (_, n) => addressOf(kind, keyOf(n))),
    totals: (kind) => sumOf(host.views(kind) as unknown as readonly InstanceContext[]),
  };
}

export function sumOf(contexts: Iterable<Totals>): Totals {
  let [passed, failed, changes] = [0, 0, 0];
  for (const context of contexts) {
    passed += context.passed;
    failed += context.failed;
    changes += context.changes;
  }
  return { passed, failed, changes };
}

function typesOf(counters: Counters, options: CellWorldOptions): readonly ActorType[] {
  const { started, changed, landed, passed } = counters;
  const landing = options.onLanded ?? (() => undefined);
  const view: ActorType['view'] = ({ context }) => context;
  const cell = {
    machine: instanceMachine,
    version: 1,
    implicit: false,
    view,
    companion: () => started.add(),
    effects: {
      changed: observed(() => changed.add()),
      landed: observed(() => {
        landing();
        landed.add();
      }),
    },
  };
  return [
    { ...cell, kind: 'instance', stored: true },
    { ...cell, kind: 'backend', stored: false },
    {
      kind: 'group',
      machine: breeder,
      version: 1,
      stored: true,
      implicit: true,
      effects: {},
      view,
    },
    {
      kind: 'pool',
      machine: barrierMachine,
      version: 1,
      stored: false,
      implicit: true,
      effects: {
        passed: observed<Passing>(({ replyTo }, { scope }) => {
          scope.reply(replyTo, null);
          passed.add();
        }),
      },
      view,
    },
  ];
}

const nothing = (): void => undefined;
export const SILENT: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const UNCOUNTED: Metrics = { count: nothing, gauge: nothing, observe: nothing };
const NOWHERE: Remote = { send: () => false, reply: nothing };
