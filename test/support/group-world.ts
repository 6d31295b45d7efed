/**
 * A small world for one group: the real machines of the group and its instances, their real effect
 * tables, and scripted neighbours (provider, frontends, backends, tenant) on virtual time.
 *
 * Input:  a seed, a spec, faults by name. Output: what every neighbour saw, and the first broken law.
 *
 * Commits take time; until then durable effects wait. `crash` loses the process: snapshots in flight,
 * mailboxes and answers are gone, cells come back from what was committed, with their deadlines.
 */
import type { AnyMachineSnapshot } from 'xstate';
import { groupActor } from '../../actors/group-actor.js';
import { instanceActor } from '../../actors/instance-actor.js';
import type { GroupMemory } from '../../machines/group-memory.js';
import type { InstanceMemory } from '../../machines/instance-memory.js';
import { assert } from '../../machines/model/assert.js';
import type { GroupSpec } from '../../machines/model/desired.js';
import type { RecordParams, SpawnParams } from '../../machines/model/effects.js';
import { type Address, addressOf, kindOf } from '../../machines/model/ids.js';
import type { Json, JsonObject } from '../../machines/model/json.js';
import type { Message } from '../../machines/model/messages.js';
import type { ActorType, Scope } from '../../src/runtime/actor-type.js';
import { createStepper, type Stepper } from '../../src/runtime/stepper.js';
import { createLaws } from './group-laws.js';
import { createNeighbours, type Neighbours } from './group-neighbours.js';

interface State {
  readonly value: Json;
  readonly context: JsonObject;
  readonly timers: ReadonlyMap<string, number>;
}

interface Cell {
  readonly address: Address;
  readonly type: ActorType;
  readonly stepper: Stepper;
  snapshot: AnyMachineSnapshot;
  timers: Map<string, number>;
  committed: State | undefined;
}

interface Due {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** Anything an actor may be told, with its fields. */
export type Said = Message & { readonly [field: string]: unknown };

export interface Recorded extends RecordParams {
  readonly atMs: number;
  readonly actor: Address;
}

export interface Faults {
  /** Chance that a message is lost. */
  loss: number;
  /** Chance that the provider answers `unavailable`, having done what was asked or not. */
  unavailable: number;
  /** Chance that the provider refuses a create for good. */
  quota: number;
}

export interface GroupWorld {
  readonly faults: Faults;
  readonly neighbours: Neighbours;
  readonly records: readonly Recorded[];
  readonly replies: Readonly<Record<string, Json>>;
  now(): number;
  chance(): number;
  /** Puts a message into an actor's mailbox; nobody of ours: into the neighbours' hands. */
  tell(to: Address, message: Said, ask?: string): void;
  later(delayMs: number, run: () => void): void;
  /** Tells an actor of this life of the process; lost when it ends before. */
  answer(to: Address, message: Message): void;
  run(forMs: number): void;
  crash(): void;
  group(): GroupMemory;
  instances(): readonly InstanceMemory[];
  /** The chart's own value, as JSON text. */
  chartOf(address: Address): string;
  timerOf(address: Address, name: string): number | undefined;
}

const COMMIT_MS = 3;
const HOP_MS = 1;
const steppers = {
  group: createStepper(groupActor.machine),
  instance: createStepper(instanceActor.machine),
};

export function createGroupWorld(spec: GroupSpec, seed: number): GroupWorld {
  const random = randomOf(seed);
  const heap: Due[] = [];
  const cells = new Map<Address, Cell>();
  const records: Recorded[] = [];
  const replies: Record<string, Json> = {};
  const faults: Faults = { loss: 0, unavailable: 0, quota: 0 };
  const groupAddress = addressOf('group', spec.key);
  let nowMs = 1_700_000_000_000;
  let order = 0;
  let steps = 0;
  let life = 1;

  const later = (delayMs: number, run: () => void): void => {
    heap.push({ atMs: nowMs + delayMs, order: order++, run });
  };
  const inThisLife = (run: () => void): (() => void) => {
    const born = life;
    return () => {
      if (born === life) run();
    };
  };
  const nextId = (): string => `0190${(steps++).toString(16).padStart(28, '0')}`;

  const world: GroupWorld = {
    faults,
    records,
    replies,
    neighbours: createNeighbours(() => world, spec),
    now: () => nowMs,
    chance: random,
    later,
    tell: (to, message, ask) => {
      if (kindOf(to) !== 'group' && kindOf(to) !== 'instance') {
        return later(HOP_MS, () => world.neighbours.receive(to, message));
      }
      later(
        HOP_MS,
        inThisLife(() => deliver(to, message, ask)),
      );
    },
    answer: (to, message) => {
      if (random() < faults.loss) return;
      later(
        HOP_MS,
        inThisLife(() => deliver(to, message)),
      );
    },
    run: (forMs) => {
      const endMs = nowMs + forMs;
      for (let due = pop(heap, endMs); due !== undefined; due = pop(heap, endMs)) {
        nowMs = due.atMs;
        due.run();
      }
      nowMs = endMs;
    },
    crash: () => {
      life += 1;
      for (const cell of [...cells.values()]) comeBack(cell);
      for (const frontend of spec.frontends) {
        world.answer(groupAddress, { type: 'publish.request', frontend } as Message);
      }
    },
    group: () => (cells.get(groupAddress)?.snapshot.context ?? {}) as GroupMemory,
    instances: () =>
      [...cells.values()]
        .filter(({ address }) => kindOf(address) === 'instance')
        .map(({ snapshot }) => snapshot.context as unknown as InstanceMemory),
    chartOf: (address) => JSON.stringify(cells.get(address)?.snapshot.value),
    timerOf: (address, name) =>
      [...(cells.get(address)?.timers ?? [])].find(([id]) => id.includes(name))?.[1],
  };
  const laws = createLaws(world);

  function comeBack(cell: Cell): void {
    if (cell.committed === undefined) return void cells.delete(cell.address);
    const { value, context, timers } = cell.committed;
    cell.snapshot = cell.stepper.restore(value, context);
    cell.timers = new Map();
    for (const [id, dueAtMs] of timers) arm(cell, id, dueAtMs - nowMs);
    activate(cell);
  }

  function activate(cell: Cell): void {
    const children = () =>
      [...cells.values()]
        .filter(({ address }) => cell.address === groupAddress && address !== groupAddress)
        .map(({ address, snapshot }) => ({
          address,
          value: snapshot.value,
          context: snapshot.context,
        }));
    later(
      0,
      inThisLife(() =>
        deliver(cell.address, { type: 'activated', children: children() } as Message),
      ),
    );
  }

  function create(address: Address, input: JsonObject): Cell {
    const kind = kindOf(address);
    assert(kind === 'group' || kind === 'instance', `${address} is none of ours`);
    const stepper = steppers[kind];
    const type = kind === 'group' ? groupActor : instanceActor;
    const step = stepper.initial({ ...input, address, meta: metaFor(address) as unknown as Json });
    assert(step.effects.length === 0, 'an initial state has no effects');
    const cell = {
      address,
      type,
      stepper,
      snapshot: step.snapshot,
      timers: new Map<string, number>(),
    };
    return { ...cell, committed: undefined };
  }

  function metaFor(from: Address, ask?: string) {
    const id = nextId();
    const base = { at: nowMs, random: random(), id, cause: id, from };
    return ask === undefined ? base : { ...base, replyTo: ask };
  }

  function deliver(to: Address, message: Message, ask?: string): void {
    if (to === groupAddress && !cells.has(to)) {
      const fresh = create(to, {});
      cells.set(to, fresh);
      deliver(to, { type: 'activated', children: [] } as Message);
    }
    const cell = cells.get(to);
    if (cell !== undefined) take(cell, message, ask);
  }

  function take(cell: Cell, message: Message, ask?: string): void {
    const meta = metaFor(cell.address, ask);
    const before = JSON.stringify(cell.snapshot.value);
    const step = cell.stepper.step(cell.snapshot, { ...message, meta } as Message);
    cell.snapshot = step.snapshot;
    for (const timer of step.timers) {
      if (timer.op === 'arm') arm(cell, timer.id, timer.delayMs);
      else cell.timers.delete(timer.id);
    }
    const of = (type: string) => step.effects.filter((effect) => effect.type === type);
    const recorded = of('record').map(({ params }) => params as RecordParams);
    const spawns = of('spawn').map(({ params }) => params as SpawnParams);
    const forget = of('forget').length > 0;
    const moved = JSON.stringify(step.snapshot.value) !== before;
    const performed = step.effects.filter(({ type }) => !RESERVED.has(type));
    const rowOf = (type: string) => {
      const row = cell.type.effects[type];
      assert(row !== undefined, `no row for the effect ${type}`);
      return row;
    };
    const durable = performed.filter(({ type }) => rowOf(type).class === 'durable');
    assert(durable.length === 0 || recorded.length > 0, `${durable[0]?.type} without a record`);
    for (const record of recorded) records.push({ ...record, atMs: nowMs, actor: cell.address });
    const scope = scopeOf(cell.address);
    for (const { type, params } of performed) {
      if (rowOf(type).class !== 'durable') rowOf(type).perform(params, worldOf(scope));
    }
    laws.afterStep(cell.address, spawns.length);
    if (recorded.length === 0 && spawns.length === 0 && !forget && !moved) return;
    const state = stateOf(cell);
    const children = spawns.map((spawn) => create(spawn.address, spawn.input as JsonObject));
    later(
      COMMIT_MS,
      inThisLife(() => {
        cell.committed = state;
        for (const child of children) {
          child.committed = stateOf(child);
          cells.set(child.address, child);
          activate(child);
        }
        for (const { type, params } of durable) rowOf(type).perform(params, worldOf(scope));
        if (forget) cells.delete(cell.address);
      }),
    );
  }

  function arm(cell: Cell, id: string, delayMs: number): void {
    const dueAtMs = nowMs + Math.max(0, delayMs);
    cell.timers.set(id, dueAtMs);
    later(
      Math.max(0, delayMs),
      inThisLife(() => {
        if (cell.timers.get(id) !== dueAtMs || cells.get(cell.address) !== cell) return;
        cell.timers.delete(id);
        take(cell, { type: id });
      }),
    );
  }

  function scopeOf(self: Address): Scope {
    const unavailable = () => assert(false, 'no such thing in this world');
    return {
      self,
      cause: self,
      clock: {
        now: () => nowMs,
        monotonic: () => nowMs,
        after: () => unavailable,
        soon: unavailable,
      },
      log: {} as Scope['log'],
      tell: (to, message) => {
        if (random() >= faults.loss) world.tell(to, message as Said);
      },
      reply: (replyTo, body) => {
        if (replyTo !== undefined) replies[replyTo] = body;
      },
      run: unavailable,
    };
  }

  return world;
}

const RESERVED = new Set(['record', 'spawn', 'forget']);

function worldOf(scope: Scope) {
  return { scope, ports: {}, companion: undefined };
}

function stateOf({ snapshot, timers }: Cell): State {
  const { value, context } = JSON.parse(
    JSON.stringify({ value: snapshot.value, context: snapshot.context }),
  ) as State;
  return { value, context, timers: new Map(timers) };
}

/** Takes out what is due first, in order of time and then of arrival. */
function pop(heap: Due[], endMs: number): Due | undefined {
  let first = -1;
  for (const [index, due] of heap.entries()) {
    const best = heap[first];
    if (due.atMs > endMs) continue;
    const earlier = best === undefined || due.atMs < best.atMs;
    if (earlier || (due.atMs === best?.atMs && due.order < best.order)) first = index;
  }
  return first < 0 ? undefined : heap.splice(first, 1)[0];
}

/** A small seeded generator (mulberry32): the same seed is the same world. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
