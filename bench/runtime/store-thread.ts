/**
 * What runs in the threads of the store's benches: the store, or a shard of cells on the real host.
 * They are linked as the threads of a node are: mesh, codec, remote store, group commit.
 *
 * A shard loads its cells, then does its work: `flood` keeps every cell busy with decisions and tells
 * how long so many of them took; `serve` asks every cell once, tells when all have answered, and goes on
 * deciding until it is killed.
 */
import type { MessagePort } from 'node:worker_threads';
import { openSqliteStore } from '../../src/adapters/sqlite/open.js';
import { systemClock } from '../../src/adapters/system/clock.js';
import { noFailpoints } from '../../src/adapters/system/failpoints.js';
import { systemIds, systemRandom } from '../../src/adapters/system/identity.js';
import type { LinkPorts } from '../../src/adapters/threads/link.js';
import { createMesh, type Mesh, type Peer } from '../../src/adapters/threads/mesh.js';
import { createRemoteStore } from '../../src/adapters/threads/remote-store.js';
import { serveStore } from '../../src/adapters/threads/serve-store.js';
import { openStage } from '../../src/adapters/threads/stage.js';
import type { Log } from '../../src/ports/log.js';
import { createHost, type Host } from '../../src/runtime/host.js';
import { createPlacement } from '../../src/runtime/placement.js';
import { rehearse as playScene } from '../../src/runtime/rehearsal.js';
import {
  addressAt,
  addressesOf,
  type CellEars,
  cellType,
  indexOf,
  storedScene,
} from './store-cell.js';

export interface StoreTask {
  readonly role: 'store';
  readonly control: MessagePort;
  readonly file: string;
}

export interface ShardTask {
  readonly role: 'shard';
  readonly control: MessagePort;
  readonly thread: string;
  readonly shards: number;
  readonly incarnation: number;
  readonly store: LinkPorts;
  readonly work: Flood | Serve;
}

export interface Flood {
  readonly kind: 'flood';
  readonly cells: number;
  /** Messages on their way to each cell. */
  readonly depth: number;
  readonly warmUp: number;
  readonly decisions: number;
}

export interface Serve {
  readonly kind: 'serve';
  readonly cells: number;
  /** Per cell: how many of its decisions were acknowledged, over all lives. */
  readonly acknowledged: SharedArrayBuffer;
}

/** What main hears from a thread. */
export type Word =
  | { readonly type: 'ready'; readonly ms: number }
  | { readonly type: 'served'; readonly cells: number }
  | { readonly type: 'flooded'; readonly ms: number };

/** Never ends by itself: main cuts it off. */
export function runWorker(task: StoreTask | ShardTask): Promise<void> {
  return new Promise((_, reject) => {
    if (task.role === 'store') openStore(task);
    else openShard(task).catch(reject);
  });
}

export function rehearse(isOver: () => boolean): Promise<void> {
  const house = { clock: systemClock(), ids: systemIds(), random: systemRandom(), isOver };
  return playScene(storedScene, { ...house, open: openStage });
}

function openStore({ control, file }: StoreTask): void {
  const opened = openSqliteStore({
    file,
    durability: 'full',
    node: 'bench',
    epoch: 1,
    run: 'bench',
    failpoints: noFailpoints,
    clock: systemClock(),
  });
  if (!opened.ok) throw new Error(opened.failure.message);
  const mesh = createMesh({
    ...meshBase('store', 1),
    deliver: () => undefined,
    store: serveStore(opened.value),
  });
  control.on('message', ({ peer, ports }: { peer: Peer; ports: LinkPorts }) =>
    mesh.attach(peer, ports),
  );
  control.on('close', () => void opened.value.close());
  say(control, { type: 'ready', ms: 0 });
}

async function openShard(task: ShardTask): Promise<void> {
  const startedAt = performance.now();
  const { thread, incarnation, shards, control, work } = task;
  const store = createRemoteStore({ placed: { thread, shards } });
  const ears: { now: CellEars } = {
    now: { touched: () => undefined, answered: () => undefined },
  };
  const mesh: Mesh = createMesh({
    ...meshBase(thread, incarnation),
    deliver: (envelope) => host.send(envelope),
    store,
    storePeer: 'store',
  });
  const host = createHost({
    thread,
    incarnation,
    types: [
      cellType({
        touched: (params) => ears.now.touched(params),
        answered: (params) => ears.now.answered(params),
      }),
    ],
    services: [],
    placement: createPlacement(shards),
    clock: systemClock(),
    ids: systemIds(),
    random: systemRandom(),
    log: QUIET,
    metrics: NO_METRICS,
    store,
    ports: {},
    remote: mesh,
    generation: () => 1,
  });
  mesh.attach({ name: 'store', incarnation: 1 }, task.store);
  const started = await host.start();
  if (!started.ok) throw new Error(started.failure.message);
  say(control, { type: 'ready', ms: performance.now() - startedAt });
  if (work.kind === 'flood') flood(host, { control, work, ears });
  else serve(host, { control, work, ears });
}

interface Job<W> {
  readonly control: MessagePort;
  readonly work: W;
  readonly ears: { now: CellEars };
}

function flood(host: Host, { control, work, ears }: Job<Flood>): void {
  const { depth, warmUp, decisions } = work;
  const cells = addressesOf(work.cells);
  const byAddress = new Map<string, (typeof cells)[number]>(cells.map((cell) => [cell, cell]));
  let stored = 0;
  let sent = 0;
  let startedAt = 0;
  const touch = (cell: (typeof cells)[number] | undefined): void => {
    if (cell === undefined || sent >= warmUp + decisions) return;
    sent += 1;
    host.tell(cell, { type: 'touch' }, 'bench');
  };
  ears.now = {
    answered: () => undefined,
    touched: ({ address }) => {
      stored += 1;
      if (stored === warmUp) startedAt = performance.now();
      if (stored === warmUp + decisions) {
        say(control, { type: 'flooded', ms: performance.now() - startedAt });
      }
      touch(byAddress.get(address));
    },
  };
  for (let round = 0; round < depth; round += 1) for (const cell of cells) touch(cell);
}

function serve(host: Host, { control, work, ears }: Job<Serve>): void {
  const cells = addressesOf(work.cells);
  const acknowledged = new Int32Array(work.acknowledged);
  let answered = 0;
  ears.now = {
    touched: ({ address, touches }) => {
      const index = indexOf(address);
      Atomics.store(acknowledged, index, touches);
      host.tell(addressAt((index + STRIDE) % cells.length), { type: 'touch' }, 'bench');
    },
    answered: () => {
      answered += 1;
      if (answered < cells.length) return;
      say(control, { type: 'served', cells: answered });
      for (const cell of cells.slice(0, IN_FLIGHT)) host.tell(cell, { type: 'touch' }, 'bench');
    },
  };
  for (const cell of cells) host.tell(cell, { type: 'probe' }, 'bench');
}

/** Decisions under way when a shard is killed. */
const IN_FLIGHT = 64;
/** The next cell to decide: every cell comes to it. */
const STRIDE = 7;

function say(control: MessagePort, word: Word): void {
  control.postMessage(word);
}

export function meshBase(thread: string, incarnation: number) {
  return { thread, incarnation, log: QUIET, settle: () => undefined, answer: () => null };
}

const nothing = (): undefined => undefined;

export const QUIET: Log = { debug: nothing, info: nothing, warn: nothing, error: console.error };

const NO_METRICS = { count: nothing, observe: nothing, gauge: nothing };
