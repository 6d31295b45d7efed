/**
 * What this release writes for the stored actors: every kind is walked through its states on a real host
 * and a real store, with effects that do nothing, and the rows it leaves there are kept, at most two for
 * each state value: the first, and the one that says most. The same seeds, the same rows.
 */
import { type Address, addressOf, kindOf } from '../../machines/model/ids.js';
import type { Json, JsonObject } from '../../machines/model/json.js';
import { castOf } from '../../src/app/roles.js';
import type { Store, StoredCell } from '../../src/ports/store.js';
import type { ActorType } from '../../src/runtime/actor-type.js';
import { createHost, type Host } from '../../src/runtime/host.js';
import { createSinglePlacement } from '../../src/runtime/placement.js';
import { createStepper } from '../../src/runtime/stepper.js';
import { createVirtualClock, type VirtualClock } from '../../src/runtime/virtual-clock.js';
import { SAMPLES, type Samples } from './machine-samples.js';
import { numberedIds, rememberingLog, rememberingMetrics, seededRandom } from './quiet.js';
import { createWalker, type Drawn } from './random-walk.js';
import { SCRIPTS, type Script } from './snapshot-scripts.js';
import type { Seen } from './three-ways.js';
import { memoryStore } from './toy-node.js';

const WALK_STEPS = 60;

/** The stored actor types of the node, whose effects are named and do nothing. */
export const STORED_TYPES: readonly ActorType[] = castOf(['main', 'shard', 'dataplane', 'outbox'])
  .types.filter(({ stored }) => stored)
  .map(({ companion: _companion, dispose: _dispose, effects, ...type }) => ({
    ...type,
    isShown: () => true,
    view: ({ value, context, timers }) => ({
      ...{ value, context },
      timers: timers.map(({ id, dueAtMs }) => ({ id, dueAtMs })),
    }),
    effects: Object.fromEntries(
      Object.entries(effects).map(([name, row]) => [name, { ...row, perform: () => undefined }]),
    ),
  }));

export interface Life {
  readonly host: Host;
  readonly clock: VirtualClock;
  readonly store: Store;
  readonly log: ReturnType<typeof rememberingLog>;
}

/** A host of all stored types on this store. */
export async function liveOn(store: Store, startAtMs: number, incarnation = 1): Promise<Life> {
  const clock = createVirtualClock(startAtMs);
  const log = rememberingLog();
  const host = createHost({
    thread: 'main',
    incarnation,
    types: STORED_TYPES,
    services: [],
    placement: createSinglePlacement(),
    clock,
    ids: numberedIds(`d${incarnation}`),
    random: seededRandom(incarnation),
    log,
    metrics: rememberingMetrics(),
    store,
    ports: {},
    remote: { send: () => false, reply: () => undefined },
    generation: () => 1,
  });
  const started = await host.start();
  if (!started.ok) throw new Error(started.failure.message);
  return { host, clock, store, log };
}

/** When walks begin: what they store is the same on every machine and every day. */
export const WALKED_FROM_MS = Date.UTC(2026, 0, 1);

/** Walks on until `enough` of the rows so far, or that many times. */
export async function walkedRows(
  type: ActorType,
  walksMax: number,
  enough: (rows: readonly StoredCell[], walks: number) => boolean = () => false,
): Promise<readonly StoredCell[]> {
  const kept = new Map<string, StoredCell>();
  const rows = (): readonly StoredCell[] => [...kept.values()];
  for (const script of SCRIPTS[type.kind] ?? []) {
    for (const row of await walkOnce(type, scripted(script), 0)) keep(kept, row);
  }
  for (let walk = 1; walk <= walksMax && !enough(rows(), walk); walk += 1) {
    const walker = createWalker(seededRandom(walk), samplesOf(type));
    const draw: Draw = (now, step) => (step < WALK_STEPS ? walker.next(now) : undefined);
    for (const row of await walkOnce(type, draw, walk)) keep(kept, row);
  }
  return rows();
}

type Draw = (now: Seen, step: number) => Drawn | undefined;

function scripted(script: Script): Draw {
  return (now, step) => {
    const line = script[step];
    if (line === undefined) return undefined;
    return { event: typeof line === 'function' ? line(now.context) : line, fired: false };
  };
}

function samplesOf(type: ActorType): Samples {
  const samples = SAMPLES[type.machine.id];
  if (samples === undefined) throw new Error(`no samples of ${type.machine.id}`);
  return samples;
}

function keep(kept: Map<string, StoredCell>, row: StoredCell): void {
  const key = JSON.stringify(row.value);
  const most = kept.get(`${key} most`);
  if (!kept.has(`${key} first`)) kept.set(`${key} first`, row);
  else if (most === undefined || sizeOf(row) > sizeOf(most)) kept.set(`${key} most`, row);
}

function sizeOf({ context }: StoredCell): number {
  return JSON.stringify(context).length;
}

async function walkOnce(type: ActorType, draw: Draw, seed: number): Promise<readonly StoredCell[]> {
  const address = samplesOf(type).input['address'] as Address;
  const store = memoryStore({ now: () => WALKED_FROM_MS });
  if (!type.implicit) await spawn(store, type, address);
  const life = await liveOn(store, WALKED_FROM_MS);
  const { host, clock } = life;
  const random = seededRandom(seed);
  const rows: StoredCell[] = [];
  let row = await rowAt(store, address);
  for (let step = 0; row !== undefined || type.implicit; step += 1) {
    if (row !== undefined) rows.push(row);
    const drawn = draw(seenOf(life, address, row), step);
    if (drawn === undefined) break;
    const { meta: _meta, ...body } = drawn.event as { readonly type: string; meta?: unknown };
    const due = row?.timers.find(({ id }) => id === body.type);
    if (due !== undefined) await clock.advance(Math.max(0, due.dueAtMs - clock.now()));
    else if (!drawn.fired) host.tell(address, body, `walk-${step}`);
    await clock.advance(Math.floor(random.next() * 200));
    row = await rowAt(store, address);
  }
  await host.stop();
  await store.close();
  return rows;
}

export async function rowAt(store: Store, address: Address): Promise<StoredCell | undefined> {
  const found = await store.loadFamily(address);
  return found.ok ? found.value.find((row) => row.address === address) : undefined;
}

/** As it is now, which may be further than what is stored; its timers as stored. */
function seenOf({ host }: Life, address: Address, row: StoredCell | undefined): Seen {
  const timers = Object.fromEntries((row?.timers ?? []).map(({ id, dueAtMs }) => [id, dueAtMs]));
  const seen: { value: Json; context: JsonObject } = { value: '', context: {} };
  host.glance((frame) => {
    if (frame.address === address) Object.assign(seen, frame);
    return true;
  });
  return { value: seen.value, context: seen.context, effects: [], timers };
}

/** The first row of an actor that only a parent starts. */
async function spawn(store: Store, type: ActorType, address: Address): Promise<void> {
  const { machineId, hash, initial } = createStepper(type.machine);
  const from = addressOf('group', 'acme/web');
  const meta = { at: WALKED_FROM_MS, random: 0.5, id: 'spawn', cause: 'walk', from };
  const { configuration, context, timers } = initial({ ...samplesOf(type).input, meta });
  const row = {
    ...{ address, parent: from, machine: machineId, machineVersion: type.version, version: 1 },
    ...{ machineHash: hash, value: configuration.value, context },
    timers: timers.flatMap((timer) =>
      timer.op === 'arm' ? [{ id: timer.id, dueAtMs: WALKED_FROM_MS + timer.delayMs }] : [],
    ),
  };
  const [outcome] = await store.commit([
    {
      ...{ id: 'spawn', at: WALKED_FROM_MS, actor: from, cause: 'walk', thread: 'main' },
      ...{ incarnation: 1, spawns: [row], forget: false, records: [], configGeneration: 1 },
    },
  ]);
  if (outcome?.ok !== true) throw new Error(`not spawned: ${JSON.stringify(outcome)}`);
}

/** The type of a stored actor's kind. */
export function typeOf(address: Address): ActorType {
  const found = STORED_TYPES.find(({ kind }) => kind === kindOf(address));
  if (found === undefined) throw new Error(`${address} is of no stored kind`);
  return found;
}

interface States {
  readonly [name: string]: { readonly id: string; readonly states: States };
}

/** Ids of the states of a machine that have no states of their own. */
export function leavesOf({ machine }: ActorType): readonly string[] {
  const leaves = (states: States): readonly string[] =>
    Object.values(states).flatMap((state) =>
      Object.keys(state.states).length === 0 ? [state.id] : leaves(state.states),
    );
  return leaves(machine.states);
}

/** The leaves a state value names. */
export function leavesIn(value: Json, at: string): readonly string[] {
  if (typeof value === 'string') return [`${at}.${value}`];
  return Object.entries(value as JsonObject).flatMap(([name, within]) =>
    leavesIn(within as Json, `${at}.${name}`),
  );
}
