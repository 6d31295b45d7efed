/**
 * Compiled machines against XState itself: walks nobody planned, over every machine of the project and
 * over machines nobody wrote, compared at every step (test/support/three-ways.ts).
 *
 * `STEPS=1000000 SEED=… npm test` walks further.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALL_MACHINES } from '../../machines/all-machines.js';
import { createStepper } from '../../src/runtime/stepper.js';
import { SAMPLES } from '../support/machine-samples.js';
import { seededRandom } from '../support/quiet.js';
import { pick, type RandomMachineOptions, randomMachine } from '../support/random-machines.js';
import { createWalker } from '../support/random-walk.js';
import { seedOfRun } from '../support/seed.js';
import { type ThreeWays, threeWays } from '../support/three-ways.js';

/** Of all walks together. */
const STEPS = Number(process.env['STEPS'] ?? 0) || 100_000;
/** Shares of them. */
const OF_EACH_MACHINE = 0.05;
const OF_RANDOM_MACHINES = 0.44;
const OF_MACHINES_BEYOND = 0.06;
/** A life of a machine of the project; then another one starts. */
const LIFE_STEPS = 60;
const WALK_STEPS = 120;

interface Tally {
  steps: number;
  lives: number;
  /** Steps that ended in another state value. */
  moved: number;
  learned: number;
  threw: number;
  compiled: number;
}

const empty = (): Tally => ({ steps: 0, lives: 0, moved: 0, learned: 0, threw: 0, compiled: 0 });

/** One step in three ways, counted. */
function advance(tally: Tally, ways: ThreeWays, [event, fired]: Parameters<ThreeWays['step']>) {
  const { value, context } = ways.now;
  const before = JSON.stringify(value);
  const went = ways.step(event, fired);
  tally.steps += 1;
  if (!went) tally.threw += 1;
  else if (JSON.stringify(ways.now.value) !== before) tally.moved += 1;
  else if (JSON.stringify(ways.now.context) !== JSON.stringify(context)) tally.learned += 1;
}

function say(what: string, tally: Tally): void {
  console.log(`# ${what}: ${JSON.stringify(tally)}`);
}

/** A failure names the walk that shows it. */
function explained(seed: number, walk: () => void): void {
  try {
    walk();
  } catch (cause) {
    throw new Error(`walk ${seed}: ${(cause as Error).message}`, { cause });
  }
}

for (const [index, { name, machine }] of ALL_MACHINES.entries()) {
  test(`[RT-51] ${name}: compiled, on XState's core and live it does the same`, () => {
    const samples = SAMPLES[name];
    assert.ok(samples !== undefined, `no samples for ${name}`);
    const tally = empty();
    for (let seed = seedOfRun() + index; tally.steps < STEPS * OF_EACH_MACHINE; seed += 101) {
      explained(seed, () => {
        const walker = createWalker(seededRandom(seed), samples);
        const ways = threeWays(machine, samples.input);
        assert.ok(ways !== undefined, 'it starts');
        tally.lives += 1;
        for (let step = 0; step < LIFE_STEPS; step += 1) {
          const { event, fired } = walker.next(ways.now);
          advance(tally, ways, [event, fired]);
        }
      });
    }
    say(name, tally);
    assert.ok(tally.threw < tally.steps / 2, 'most messages are understood');
    // Who has but one state gets nowhere else: it learns.
    const way = Object.keys(machine.states).length > 1 ? tally.moved : tally.learned;
    assert.ok(way > tally.lives / 2, 'the walk gets somewhere');
  });
}

test('[RT-52] every machine of the project is compiled', () => {
  const refused = ALL_MACHINES.map(({ name, machine }) => ({ name, ...createStepper(machine) }))
    .filter(({ compiled }) => !compiled)
    .map(({ name, refusals }) => `${name}: ${refusals}`);
  assert.deepEqual(refused, []);
});

function walkRandomMachine(seed: number, options: RandomMachineOptions, tally: Tally): void {
  const random = seededRandom(seed);
  const { machine, types } = randomMachine(random, options);
  const ways = threeWays(machine, { n: 3 });
  if (createStepper(machine).compiled) tally.compiled += 1;
  tally.lives += 1;
  if (ways === undefined) return;
  for (let step = 0; step < WALK_STEPS && !ways.done; step += 1) {
    const due = Object.keys(ways.now.timers);
    const fired = due.length > 0 && random.next() < 0.25;
    const event = { type: pick(random, fired ? due : types), by: step % 7 };
    advance(tally, ways, [event, fired]);
  }
  // Who is done takes nothing more.
  if (ways.done) for (const type of types) advance(tally, ways, [{ type }]);
}

test('[RT-51] compiled: machines nobody wrote do what XState does', () => {
  const tally = empty();
  for (let seed = seedOfRun(); tally.steps < STEPS * OF_RANDOM_MACHINES; seed += 7919) {
    explained(seed, () => walkRandomMachine(seed >>> 0, { beyond: false }, tally));
  }
  say('random machines', tally);
  // What is left out could stand in more places than are kept.
  assert.ok(tally.compiled > tally.lives * 0.95, 'they are of the subset');
  assert.ok(tally.moved > tally.steps / 20, 'they move');
  assert.ok(tally.threw > 0 && tally.threw < tally.steps / 4, 'some break, most do not');
});

test('[RT-52] compiled: what the compiler refuses runs on XState’s core, and does the same', () => {
  const tally = empty();
  for (let seed = seedOfRun() + 1; tally.steps < STEPS * OF_MACHINES_BEYOND; seed += 7919) {
    explained(seed, () => walkRandomMachine(seed >>> 0, { beyond: true }, tally));
  }
  say('random machines beyond the subset', tally);
  assert.ok(tally.compiled < tally.lives / 2, 'most are refused');
});
