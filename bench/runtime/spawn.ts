/**
 * G7: how fast instances come to life. Ours: a parent's `spawn` effects, committed with its decision by
 * a store in memory, hosted, started and told `activated`. Baseline: children spawned by one XState
 * root in one assignment, their first timers armed.
 */
import { createLiveActors } from '../baselines/live-actors.js';
import { type BenchRow, median, ratioAtLeast, rowOf } from '../rows.js';
import { createCellWorld } from './cells.js';
import { each, interleaved, type Lab, type Outcome, type Params, param } from './probe.js';

export const spawnSection = { ids: ['G7'], rows: spawnRows };

const SIZES = {
  tiny: { rounds: 1, actors: 100 },
  full: { rounds: 3, actors: 100_000 },
};
/** Made before the clock starts, so that the code is warm. */
const FIRST = 1_000;

async function spawnRows(lab: Lab): Promise<readonly BenchRow[]> {
  const { rounds, ...params } = SIZES[lab.scale];
  const { cells, live } = await interleaved(lab, rounds, {
    cells: { probe: 'spawn-cells', params },
    live: { probe: 'spawn-live', params },
  });
  const row = {
    id: 'G7',
    question: `spawning ${params.actors} instance cells against XState children`,
    unit: 'spawns/s',
    value: median(each(cells, 'perS')),
    baseline: median(each(live, 'perS')),
    must: ratioAtLeast(5),
    stretch: ratioAtLeast(10),
  };
  return [rowOf(row, lab.scale)];
}

export const spawnProbes = { 'spawn-cells': spawnCells, 'spawn-live': spawnLive };

async function spawnCells(params: Params): Promise<Outcome> {
  const world = await createCellWorld();
  await world.spawn('instance', FIRST);
  const startedAt = performance.now();
  await world.spawn('instance', param(params, 'actors'));
  const seconds = (performance.now() - startedAt) / 1_000;
  const checksum = world.host.views('instance').length;
  await world.host.stop();
  return { perS: param(params, 'actors') / seconds, checksum };
}

async function spawnLive(params: Params): Promise<Outcome> {
  const live = createLiveActors();
  live.spawn(FIRST);
  const startedAt = performance.now();
  live.spawn(param(params, 'actors'));
  const seconds = (performance.now() - startedAt) / 1_000;
  const checksum = live.children.length;
  live.stop();
  return { perS: param(params, 'actors') / seconds, checksum };
}
