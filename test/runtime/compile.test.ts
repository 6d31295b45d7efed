/** Compiled machines against XState itself: walks nobody planned, compared at every step. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../support/quiet.js';
import { pick, randomMachine } from '../support/random-machines.js';
import { seedOfRun } from '../support/seed.js';
import { threeWays } from '../support/three-ways.js';

const MACHINES = Number(process.env['MACHINES'] ?? 2_000);
const STEPS_EACH = 30;

function walkMachine(
  seed: number,
  beyond: boolean,
): { steps: number; compiled: boolean; threw: number; moved: number } {
  const random = seededRandom(seed);
  const { machine, types } = randomMachine(random, { beyond });
  const ways = threeWays(machine, { n: 3 });
  let steps = 0;
  let threw = 0;
  let moved = 0;
  if (ways === undefined) return { steps, compiled: false, threw: 1, moved };
  for (; steps < STEPS_EACH && !ways.done; steps += 1) {
    const due = Object.keys(ways.now.timers);
    const fires = due.length > 0 && random.next() < 0.25;
    const event = fires
      ? { type: pick(random, due) }
      : { type: pick(random, types), by: steps % 7 };
    const before = ways.now;
    if (!ways.step(event, fires)) threw += 1;
    else if (JSON.stringify(before.value) !== JSON.stringify(ways.now.value)) moved += 1;
  }
  if (ways.done) ways.step({ type: 'go' });
  return { steps, compiled: ways.compiled, threw, moved };
}

for (const beyond of [false, true]) {
  test(`[RT-51] compiled: random machines${beyond ? ' beyond the subset' : ''} do what XState does`, () => {
    const seed = seedOfRun();
    const all = { machines: 0, compiled: 0, steps: 0, threw: 0, moved: 0 };
    for (let index = 0; index < (beyond ? MACHINES / 4 : MACHINES); index += 1) {
      const one = (seed + index * 7919) >>> 0;
      try {
        const { steps, compiled, threw, moved } = walkMachine(one, beyond);
        all.machines += 1;
        all.steps += steps;
        all.threw += threw;
        all.moved += moved;
        if (compiled) all.compiled += 1;
      } catch (error) {
        console.log(`machine of seed ${one}`);
        (error as Error).message = `machine of seed ${one}: ${(error as Error).message}`;
        throw error;
      }
    }
    console.log(all);
    assert.ok(all.steps > 1);
  });
}
