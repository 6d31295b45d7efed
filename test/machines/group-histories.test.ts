/**
 * Rules GR-* and IN-* as laws: whatever happens to a group, in whatever order, nothing forbidden is done
 * on the way (test/support/group-laws.ts), and when the world is kind again it converges.
 */
import { test } from 'node:test';
import fc from 'fast-check';
import { wantedOf } from '../../machines/group-memory.js';
import { addressOf } from '../../machines/model/ids.js';
import { assertConverged, desired, scale } from '../support/group-drive.js';
import { groupSpec, MINUTE_MS, WEB } from '../support/group-spec.js';
import type { GroupWorld } from '../support/group-types.js';
import { createGroupWorld } from '../support/group-world.js';
import { seedOfRun } from '../support/seed.js';

const ACTS = [
  'crash',
  'die',
  'down',
  'up',
  'scale',
  'replace',
  'drain',
  'ack',
  'freeze',
  'thaw',
] as const;

interface Act {
  readonly act: (typeof ACTS)[number];
  readonly whom: number;
  readonly waitMs: number;
}

const actArb: fc.Arbitrary<Act> = fc.record({
  act: fc.constantFrom(...ACTS),
  whom: fc.nat({ max: 6 }),
  waitMs: fc.oneof(fc.nat({ max: 100 }), fc.nat({ max: 30_000 }), fc.nat({ max: 8 * MINUTE_MS })),
});

function perform(world: GroupWorld, { act, whom }: Act): void {
  const all = world.instances();
  const target = all[whom % Math.max(1, all.length)];
  if (act === 'crash') return world.crash();
  if (act === 'freeze') return void world.neighbours.frozen.add(WEB);
  if (act === 'thaw') return void world.neighbours.frozen.delete(WEB);
  if (act === 'scale') return scale(world, whom, 'scale');
  if (target === undefined) return;
  if (act === 'die') return world.neighbours.die(target.id);
  if (act === 'down' || act === 'up') return world.neighbours.setHealth(target.id, act);
  const verb = { replace: 'operator.replace', drain: 'operator.drain', ack: 'operator.ackDrain' };
  const message = { type: verb[act], reason: 'history', force: false };
  world.tell(addressOf('instance', target.id), message, act);
}

const historyArb = fc.record({
  seed: fc.nat(),
  mode: fc.constantFrom('create-first' as const, 'delete-first' as const),
  loss: fc.constantFrom(0, 0.05, 0.3),
  unavailable: fc.constantFrom(0, 0.1, 0.5),
  quota: fc.constantFrom(0, 0.2),
  acts: fc.array(actArb, { maxLength: 25 }),
});

test('[GR-2] [GR-3] [GR-6] [IN-1] [IN-3] [IN-6] [IN-11] group: any history converges', () => {
  fc.assert(
    fc.property(historyArb, ({ seed, mode, acts, ...faults }) => {
      const spec = groupSpec({ replace: mode });
      const world = createGroupWorld(spec, seed);
      Object.assign(world.faults, faults);
      desired(world, spec);
      for (const act of acts) {
        world.run(act.waitMs);
        perform(world, act);
      }
      Object.assign(world.faults, { loss: 0, unavailable: 0, quota: 0 });
      world.neighbours.frozen.clear();
      for (const { id } of world.instances()) world.neighbours.setHealth(id, 'up');
      desired(world, spec);
      world.run(120 * MINUTE_MS);
      assertConverged(world, wantedOf(world.group()));
    }),
    { seed: seedOfRun(), numRuns: 60 },
  );
});
