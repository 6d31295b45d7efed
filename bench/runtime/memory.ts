/**
 * G1: what one instance weighs that does nothing but wait for its timer.
 *
 * Counted: heapUsed + external + arrayBuffers after a full collection, with N more of them than
 * before, divided by N: the cell, its committed state, its armed timer, its place in its host and its
 * parent. Fixed costs (code, the host itself) are there before the first reading.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createLiveActors } from '../baselines/live-actors.js';
import { all, atMost, type BenchRow, ratioAtMost, rowOf } from '../rows.js';
import { createCellWorld } from './cells.js';
import { each, interleaved, type Lab, type Outcome, type Params, param } from './probe.js';

export const memorySection = { ids: ['G1'], rows: memoryRows };

const ACTORS = { tiny: 2_000, full: 100_000 };
const FIRST = 500;
const COLLECTIONS = 4;

async function memoryRows(lab: Lab): Promise<readonly BenchRow[]> {
  const params = { actors: ACTORS[lab.scale] };
  const { cells, live } = await interleaved(lab, 1, {
    cells: { probe: 'memory-cells', params },
    live: { probe: 'memory-live', params },
  });
  const row = {
    id: 'G1',
    question: `bytes per idle instance cell, ${params.actors}, against an XState child actor`,
    unit: 'B',
    value: each(cells, 'bytes')[0] ?? Number.NaN,
    baseline: each(live, 'bytes')[0] ?? Number.NaN,
    must: all(atMost(560, 'B'), ratioAtMost(0.2)),
    stretch: atMost(300, 'B'),
  };
  return [rowOf(row, lab.scale)];
}

export const memoryProbes = { 'memory-cells': weighCells, 'memory-live': weighLive };

async function weighCells(params: Params): Promise<Outcome> {
  const world = await createCellWorld();
  await world.spawn('instance', FIRST);
  const before = await memoryBytes();
  await world.spawn('instance', param(params, 'actors'));
  const bytes = ((await memoryBytes()) - before) / param(params, 'actors');
  const checksum = world.host.views('instance').length;
  await world.host.stop();
  return { bytes, checksum };
}

async function weighLive(params: Params): Promise<Outcome> {
  const live = createLiveActors();
  live.spawn(FIRST);
  const before = await memoryBytes();
  live.spawn(param(params, 'actors'));
  const bytes = ((await memoryBytes()) - before) / param(params, 'actors');
  const checksum = live.children.length;
  live.stop();
  return { bytes, checksum };
}

export async function memoryBytes(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let round = 0; round < COLLECTIONS; round += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + external + arrayBuffers;
}
