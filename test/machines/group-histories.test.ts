/**
 * Rules GR-* and IN-* as laws: whatever happens to a group, in whatever order, nothing forbidden is done
 * on the way (test/support/group-laws.ts), and when the world is kind again it converges.
 */
import { test } from 'node:test';
import fc from 'fast-check';
import { wantedOf } from '../../machines/group-memory.js';
import { addressOf } from '../../machines/model/ids.js';
import { TERMS } from '../support/book.js';
import { assertConverged, desired, GROUP, scale } from '../support/group-drive.js';
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
  'demand',
  'undemand',
  'sleep',
  'wake',
  'notice',
  'quarantine',
  'release',
  'force',
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

function demand(world: GroupWorld, whom: number): void {
  const key = `job-${whom}`;
  world.tell(GROUP, { type: 'operator.createInstance', key, reason: 'history' }, 'demand');
}

function undemand(world: GroupWorld, instance: string): void {
  const message = { type: 'operator.deleteInstance', instance, reason: 'history', force: false };
  world.tell(GROUP, message, 'undemand');
}

/** Its tenant falls asleep, or wakes. */
function turn(world: GroupWorld, asleep: boolean): void {
  const { spec } = world.group() ?? {};
  if (spec == null) return;
  const { asleep: _, ...awake } = spec;
  const generation = spec.generation + 1;
  desired(world, asleep ? { ...awake, asleep: true, generation } : { ...awake, generation });
}

function say(world: GroupWorld, id: string, act: 'notice' | 'quarantine'): void {
  const notice = { id: 'n', deadlineMs: world.now() + 2 * MINUTE_MS };
  const message =
    act === 'notice'
      ? { type: 'instance.notice', notice }
      : { type: 'operator.quarantine', force: false, ...TERMS, forMs: 10 * MINUTE_MS };
  world.tell(addressOf('instance', id), message, act);
}

function perform(world: GroupWorld, { act, whom }: Act): void {
  const all = world.instances();
  const target = all[whom % Math.max(1, all.length)];
  if (act === 'crash') return world.crash();
  if (act === 'freeze') return void world.neighbours.frozen.add(WEB);
  if (act === 'thaw') return void world.neighbours.frozen.delete(WEB);
  if (act === 'scale') return scale(world, whom, 'scale');
  if (act === 'demand') return demand(world, whom);
  if (act === 'undemand') return undemand(world, `job-${whom}`);
  if (act === 'sleep' || act === 'wake') return turn(world, act === 'sleep');
  if (target === undefined) return;
  if (act === 'die') return world.neighbours.die(target.id);
  if (act === 'down' || act === 'up') return world.neighbours.setHealth(target.id, act);
  if (act === 'notice' || act === 'quarantine') return say(world, target.id, act);
  const verb = { replace: 'operator.replace', drain: 'operator.drain', ack: 'operator.ackDrain' };
  const type = act === 'release' ? 'operator.release' : verb[act === 'force' ? 'drain' : act];
  const message = { type, reason: 'history', force: act === 'force' };
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

test('[GR-2] [GR-3] [GR-6] [GR-26] [GR-27] [GR-29] [IN-1] [IN-3] [IN-6] [IN-11] [IN-18] group: any history converges', () => {
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
      world.run(MINUTE_MS);
      // Those on demand stay as long as their askers want.
      for (const { id, onDemand } of world.instances()) if (onDemand) undemand(world, id);
      const generation = (world.group()?.spec?.generation ?? 0) + 1;
      desired(world, { ...spec, generation });
      world.run(120 * MINUTE_MS);
      assertConverged(world, wantedOf(world.group()));
    }),
    { seed: seedOfRun(), numRuns: 60 },
  );
});
