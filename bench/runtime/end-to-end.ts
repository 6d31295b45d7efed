/**
 * G6: from the main thread over the real link to 10,000 actors in a worker thread. A sweep sends one
 * event of the cycle to each of them as an envelope of its own and ends with the answer to a question
 * sent last. The baseline is fed over the same link, envelope by envelope; only what takes them in
 * differs: our host, or live XState actors.
 */
import { Worker } from 'node:worker_threads';
import { type Address, addressOf } from '../../machines/model/ids.js';
import { linkPorts } from '../../src/adapters/threads/link.js';
import { createMesh, type Mesh } from '../../src/adapters/threads/mesh.js';
import { type BenchRow, median, ratioAtLeast, rowOf } from '../rows.js';
import { BARRIER, keyOf, SILENT, type Totals } from './cells.js';
import { timed } from './cycles.js';
import { each, interleaved, type Lab, type Outcome, type Params, param } from './probe.js';
import { sendWhenTaken } from './send-when-taken.js';

export const endToEndSection = { ids: ['G6'], rows: endToEndRows };

const SIZES = {
  tiny: { rounds: 1, actors: 50, warmUpCycles: 1, budgetMs: 0 },
  full: { rounds: 5, actors: 10_000, warmUpCycles: 3, budgetMs: 1_500 },
};

async function endToEndRows(lab: Lab): Promise<readonly BenchRow[]> {
  const { rounds, ...params } = SIZES[lab.scale];
  const { cells, live } = await interleaved(lab, rounds, {
    cells: { probe: 'end-to-end', params: { ...params, live: 0 } },
    live: { probe: 'end-to-end', params: { ...params, live: 1 } },
  });
  const row = {
    id: 'G6',
    question: `events from main over a link to ${params.actors} cells in a worker, against live XState actors there`,
    unit: 'events/s',
    value: median(each(cells, 'perS')),
    baseline: median(each(live, 'perS')),
    must: ratioAtLeast(8),
    stretch: ratioAtLeast(15),
  };
  return [rowOf(row, lab.scale)];
}

export const endToEndProbes = { 'end-to-end': endToEnd };

/** Names of the two threads; the first is the one that asks. */
export const MAIN = 'main';
export const SHARD = 'shard-0';
/** What main may ask the worker. */
export const READY = 'ready';
export const TOTALS = 'totals';

/** Spawning and the sums over all actors take the worker longer than a query usually may. */
const QUERY_TIMEOUT_MS = 120_000;

async function endToEnd(params: Params): Promise<Outcome> {
  const asked = new Map<string, () => void>();
  const mesh = createMesh({
    thread: MAIN,
    incarnation: 1,
    log: SILENT,
    deliver: () => undefined,
    settle: (replyTo) => asked.get(replyTo)?.(),
    answer: () => null,
    queryTimeoutMs: QUERY_TIMEOUT_MS,
  });
  const worker = startWorker(mesh, params);
  await mesh.query(SHARD, READY, null);
  const addresses = Array.from({ length: param(params, 'actors') }, (_, index) =>
    addressOf('backend', keyOf(index)),
  );
  const outcome = await timed(params, {
    sweep: async (type) => {
      await sendAll(mesh, addresses, type);
      await passBarrier(mesh, asked);
    },
    totals: async () => (await mesh.query(SHARD, TOTALS, null)) as unknown as Totals,
  });
  mesh.close();
  await worker.terminate();
  return outcome;
}

function startWorker(mesh: Mesh, params: Params): Worker {
  const [near, far] = linkPorts();
  const worker = new Worker(new URL('./end-to-end-worker.js', import.meta.url), {
    workerData: { ports: far, params },
    transferList: [far.bulk, far.urgent],
  });
  worker.on('error', (error) => {
    throw error;
  });
  mesh.attach({ name: SHARD, incarnation: 1 }, near);
  return worker;
}

async function sendAll(mesh: Mesh, to: readonly Address[], type: string): Promise<void> {
  for (const address of to) {
    const body = { type, at: Date.now() };
    const waits = sendWhenTaken(mesh, SHARD, { to: address, from: OUTSIDE, cause: 'bench', body });
    if (waits !== undefined) await waits;
  }
}

const OUTSIDE = addressOf('reload', 'bench');

async function passBarrier(mesh: Mesh, asked: Map<string, () => void>): Promise<void> {
  const replyTo = `${MAIN}:1:${asked.size + 1}`;
  const passed = new Promise<void>((resolve) => asked.set(replyTo, resolve));
  const body = { type: 'PASS' };
  await sendWhenTaken(mesh, SHARD, { to: BARRIER, from: OUTSIDE, cause: 'bench', body, replyTo });
  await passed;
}
