/**
 * The cells of a group's test world: real machines with their real effect tables, on virtual time.
 *
 * Input: messages. Output: what the effect tables tell, records, commits that take time. A crash loses
 * every snapshot that was not committed; deadlines come back as they were committed.
 */
import { agentActor } from '../../actors/agent-actor.js';
import { frontendActor } from '../../actors/frontend-actor.js';
import { groupActor } from '../../actors/group-actor.js';
import { instanceActor } from '../../actors/instance-actor.js';
import { overrideActor } from '../../actors/override-actor.js';
import { assert } from '../../machines/model/assert.js';
import type { Meta, OneOrMany, RecordParams, SpawnParams } from '../../machines/model/effects.js';
import { type Address, keyOf, kindOf } from '../../machines/model/ids.js';
import type { Json, JsonObject } from '../../machines/model/json.js';
import type { Message } from '../../machines/model/messages.js';
import type { ActorType, Scope } from '../../src/runtime/actor-type.js';
import {
  type CollectedEffect,
  type Configuration,
  createStepper,
  type Step,
  type Stepper,
} from '../../src/runtime/stepper.js';

/** What cells need of the world around them. */
export interface Host {
  now(): number;
  chance(): number;
  /** Runs unless the process ends before. */
  later(delayMs: number, run: () => void): void;
  send(to: Address, message: Message): void;
  reply(replyTo: string | undefined, body: Json): void;
  recorded(actor: Address, record: RecordParams): void;
  stepped(actor: Address, spawned: number): void;
  storeDown(): boolean;
}

export interface Cells {
  deliver(to: Address, message: Message, ask?: string): void;
  /** Everything comes back from what was committed. */
  restart(): void;
  addresses(): readonly Address[];
  contextOf(address: Address): JsonObject | undefined;
  valueOf(address: Address): Json | undefined;
  timersOf(address: Address): ReadonlyMap<string, number>;
}

interface State {
  readonly value: Json;
  readonly context: JsonObject;
  readonly timers: ReadonlyMap<string, number>;
}

interface Cell {
  readonly address: Address;
  readonly type: ActorType;
  readonly stepper: Stepper;
  configuration: Configuration;
  context: JsonObject;
  timers: Map<string, number>;
  committed: State | undefined;
}

const COMMIT_MS = 3;
const COMMIT_RETRY_MS = 100;
const RESERVED = new Set(['record', 'spawn', 'forget']);
const TYPES = {
  agent: { type: agentActor, stepper: createStepper(agentActor.machine) },
  frontend: { type: frontendActor, stepper: createStepper(frontendActor.machine) },
  group: { type: groupActor, stepper: createStepper(groupActor.machine) },
  instance: { type: instanceActor, stepper: createStepper(instanceActor.machine) },
  override: { type: overrideActor, stepper: createStepper(overrideActor.machine) },
} as const;

/** Instances of the group, and the book beside each. */
function isChild(address: Address, of: Address): boolean {
  if (kindOf(address) === 'override') return keyOf(address) === of;
  return kindOf(of) === 'group' && kindOf(address) === 'instance';
}

export function createCells(host: Host): Cells {
  const cells = new Map<Address, Cell>();
  let ids = 0;

  function metaFor(from: Address, ask?: string): Meta {
    ids += 1;
    const id = `0190${ids.toString(16).padStart(28, '0')}`;
    const base = { at: host.now(), random: host.chance(), id, cause: id, from };
    return ask === undefined ? base : { ...base, replyTo: ask };
  }

  function create(address: Address, input: JsonObject): Cell {
    const { type, stepper } = typeOf(address);
    const step = stepper.initial({ ...input, address, meta: { ...metaFor(address) } });
    assert(step.effects.length === 0, 'an initial state has no effects');
    const timers = new Map<string, number>();
    const { configuration, context } = step;
    return { address, type, stepper, configuration, context, timers, committed: undefined };
  }

  /** The first event of every life. */
  function activate(cell: Cell): void {
    host.later(0, () => {
      const children = [...cells.values()]
        .filter(({ address }) => isChild(address, cell.address))
        .map(({ address, configuration: { value }, context }) => ({ address, value, context }));
      if (cells.get(cell.address) === cell) take(cell, { type: 'activated', children } as Message);
    });
  }

  function deliver(to: Address, message: Message, ask?: string): void {
    const known = cells.get(to);
    if (known !== undefined) return take(known, message, ask);
    if (!typeOf(to).type.implicit) return;
    const fresh = create(to, {});
    cells.set(to, fresh);
    take(fresh, { type: 'activated', children: [] } as Message);
    take(fresh, message, ask);
  }

  function take(cell: Cell, message: Message, ask?: string): void {
    const before = cell.configuration;
    const event = { ...message, meta: metaFor(cell.address, ask) };
    const step = cell.stepper.step(before, cell.context, event);
    cell.configuration = step.configuration;
    cell.context = step.context;
    for (const timer of step.timers) {
      if (timer.op === 'arm') arm(cell, timer.id, timer.delayMs);
      else cell.timers.delete(timer.id);
    }
    for (const record of paramsOf<RecordParams>(step, 'record')) {
      host.recorded(cell.address, record);
    }
    perform(cell, effectsOf(cell, step, false));
    const spawns = paramsOf<SpawnParams>(step, 'spawn');
    host.stepped(cell.address, spawns.length);
    const decides = step.effects.some(({ type }) => RESERVED.has(type));
    if (decides || cell.configuration !== before) commit(cell, step, spawns);
  }

  function commit(cell: Cell, step: Step, spawns: readonly SpawnParams[]): void {
    const state = stateOf(cell);
    const children = spawns.map(({ address, input }) => create(address, input as JsonObject));
    const settle = (): void => {
      if (host.storeDown()) return host.later(COMMIT_RETRY_MS, settle);
      cell.committed = state;
      for (const child of children) {
        child.committed = stateOf(child);
        cells.set(child.address, child);
        activate(child);
      }
      perform(cell, effectsOf(cell, step, true));
      if (step.effects.some(({ type }) => type === 'forget')) cells.delete(cell.address);
    };
    host.later(COMMIT_MS, settle);
  }

  function arm(cell: Cell, id: string, delayMs: number): void {
    const waitMs = Math.max(0, delayMs);
    const dueAtMs = host.now() + waitMs;
    cell.timers.set(id, dueAtMs);
    host.later(waitMs, () => {
      if (cell.timers.get(id) !== dueAtMs || cells.get(cell.address) !== cell) return;
      cell.timers.delete(id);
      take(cell, { type: id });
    });
  }

  function perform(cell: Cell, effects: readonly CollectedEffect[]): void {
    const world = { scope: scopeOf(cell.address, host), ports: {}, companion: undefined };
    for (const { type, params } of effects) cell.type.effects[type]?.perform(params, world);
  }

  function restore(cell: Cell): void {
    if (cell.committed === undefined || !cell.type.stored) return void cells.delete(cell.address);
    const { value, context, timers } = cell.committed;
    cell.configuration = cell.stepper.restore(value);
    cell.context = context;
    cell.timers = new Map();
    for (const [id, dueAtMs] of timers) arm(cell, id, dueAtMs - host.now());
    activate(cell);
  }

  return {
    deliver,
    restart: () => {
      for (const cell of [...cells.values()]) restore(cell);
    },
    addresses: () => [...cells.keys()],
    contextOf: (address) => cells.get(address)?.context,
    valueOf: (address) => cells.get(address)?.configuration.value,
    timersOf: (address) => cells.get(address)?.timers ?? new Map(),
  };
}

function typeOf(address: Address) {
  const kind = kindOf(address);
  assert(kind in TYPES, `${address} is none of ours`);
  return TYPES[kind as keyof typeof TYPES];
}

function paramsOf<P>({ effects }: Step, type: string): readonly P[] {
  return effects
    .filter((effect) => effect.type === type)
    .flatMap(({ params }) => params as OneOrMany<P>);
}

/** Effects that wait for the commit, or those that do not; as strict as the runtime. */
function effectsOf(cell: Cell, { effects }: Step, durable: boolean): readonly CollectedEffect[] {
  const performed = effects.filter(({ type }) => !RESERVED.has(type));
  const classes = performed.map(({ type }) => cell.type.effects[type]?.class);
  assert(!classes.includes(undefined), `no row for one of ${performed.map(({ type }) => type)}`);
  const records = effects.some(({ type }) => type === 'record');
  assert(records || !classes.includes('durable'), 'RT-4: a durable effect without a record');
  return performed.filter((_, index) => (classes[index] === 'durable') === durable);
}

function scopeOf(self: Address, host: Host): Scope {
  const unavailable = () => assert(false, 'no such thing in this world');
  const { now } = host;
  const clock = { now, monotonic: now, after: () => unavailable, soon: unavailable };
  const log = {} as Scope['log'];
  return {
    self,
    cause: self,
    clock,
    log,
    tell: host.send,
    reply: host.reply,
    watch: () => undefined,
    unwatch: () => undefined,
    run: unavailable,
  };
}

function stateOf({ configuration: { value }, context, timers }: Cell): State {
  const plain = JSON.parse(JSON.stringify({ value, context })) as State;
  return { ...plain, timers: new Map(timers) };
}
