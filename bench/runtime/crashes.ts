/**
 * G8, G9: what a crash costs. The cells are stored and hosted as any; the message that makes them throw
 * is tried again after the restart and then handled.
 *
 * G8, one at a time: from the throw to the end of the first message handled afterwards. The back-off of
 * the first restart is as configured, but nobody waits for it: the clock leaps over it, so what is
 * left is the runtime's own time.
 * G9, all at once, on the machine's own clock: from the first throw until the last cell has handled its
 * message, the back-offs of all of them included. Linear: the busy time of ten times as many cells
 * is about ten times as long.
 */
import { performance } from 'node:perf_hooks';
import type { Address } from '../../machines/model/ids.js';
import { atMost, type BenchRow, median, percentile, ratioAtMost, rowOf } from '../rows.js';
import { type CellWorld, createCellWorld } from './cells.js';
import { leapingClock } from './leaping-clock.js';
import { tripwire } from './machine.js';
import { each, interleaved, type Lab, type Outcome, type Params, param } from './probe.js';

export const crashSection = { ids: ['G8', 'G9'], rows: crashRows };

const SIZES = {
  tiny: { rounds: 1, crashes: 100, few: 20, many: 100 },
  full: { rounds: 5, crashes: 10_000, few: 1_000, many: 10_000 },
};
/** How many times as long per cell a storm may take when it is ten times as large. */
const LINEAR = 1.5;

async function crashRows(lab: Lab): Promise<readonly BenchRow[]> {
  const { rounds, crashes, few, many } = SIZES[lab.scale];
  const { one } = await interleaved(lab, rounds, {
    one: { probe: 'crash-one', params: { crashes } },
  });
  const storms = await interleaved(lab, rounds, {
    few: { probe: 'crash-storm', params: { few, crashes: few } },
    many: { probe: 'crash-storm', params: { few, crashes: many } },
  });
  const perCell = (outcomes: readonly Outcome[]) => median(each(outcomes, 'busyUsPerCell'));
  return [
    rowOf(
      {
        id: 'G8',
        question: 'crash to first message handled again, p50, back-off left out',
        unit: 'µs',
        value: median(each(one, 'p50Us')),
        must: atMost(10, 'µs'),
      },
      lab.scale,
    ),
    rowOf(
      {
        id: 'G9',
        question: `${many} cells crash at once until all handle messages again, back-off included`,
        unit: 'ms',
        value: median(each(storms.many, 'ms')),
        must: atMost(150, 'ms'),
        stretch: atMost(60, 'ms'),
      },
      lab.scale,
    ),
    rowOf(
      {
        id: 'G9-linear',
        question: `busy time per crashed cell, ${many} against ${few} of them`,
        unit: 'µs',
        value: perCell(storms.many),
        baseline: perCell(storms.few),
        must: ratioAtMost(LINEAR),
      },
      lab.scale,
    ),
  ];
}

export const crashProbes = { 'crash-one': crashOne, 'crash-storm': crashStorm };

async function crashOne(params: Params): Promise<Outcome> {
  const crashes = param(params, 'crashes');
  const { clock, pump, pumpUntil } = leapingClock();
  let thrownAt = 0;
  let landedAt = 0;
  const onLanded = (): void => {
    landedAt = performance.now();
  };
  const making = createCellWorld({ clock, onLanded });
  const world = await pump(making);
  await pump(world.spawn('instance', crashes));
  const tookUs: number[] = [];
  for (const to of world.addresses('instance')) {
    let armed = true;
    landedAt = 0;
    tripwire.trips = () => {
      if (!armed) return false;
      armed = false;
      thrownAt = performance.now();
      return true;
    };
    world.host.tell(to, { type: 'TRIP' }, 'bench');
    await pumpUntil(() => landedAt > 0);
    tookUs.push((landedAt - thrownAt) * 1_000);
  }
  const checksum = world.counters.landed.count;
  if (checksum !== crashes) throw new Error(`${checksum} of ${crashes} came back`);
  return { p50Us: percentile(tookUs, 0.5), p99Us: percentile(tookUs, 0.99), crashes: checksum };
}

async function crashStorm(params: Params): Promise<Outcome> {
  const crashes = param(params, 'crashes');
  const warm = param(params, 'few');
  const world = await createCellWorld();
  await world.spawn('instance', warm + crashes);
  const addresses = world.addresses('instance');
  await storm(world, addresses.slice(0, warm));
  const outcome = await storm(world, addresses.slice(warm));
  await world.host.stop();
  return outcome;
}

async function storm(world: CellWorld, addresses: readonly Address[]): Promise<Outcome> {
  const tripped: string[] = [];
  // Turns go round: all have crashed once before any of them is back.
  tripwire.trips = (address) => tripped.length < addresses.length && tripped.push(address) > 0;
  const landed = world.counters.landed.reach(world.counters.landed.count + addresses.length);
  const before = performance.eventLoopUtilization();
  const startedAt = performance.now();
  for (const to of addresses) world.host.tell(to, { type: 'TRIP' }, 'bench');
  await landed;
  const ms = performance.now() - startedAt;
  const { active } = performance.eventLoopUtilization(before);
  const { size } = new Set(tripped);
  if (size !== addresses.length) throw new Error(`${size} crashed`);
  return { ms, busyUsPerCell: (active * 1_000) / addresses.length };
}
