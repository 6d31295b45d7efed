/**
 * Rules GR-20..GR-24 as laws of histories: whatever happens to a group whose templates change and whose
 * members grow old, no voluntary act takes more away than its budget (test/support/group-laws.ts), and
 * in the end all are as wanted.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { groupActor } from '../../actors/group-actor.js';
import { addressOf } from '../../machines/model/ids.js';
import { agedSpec, inState, otherTemplate } from '../support/group-ages.js';
import { assertConverged, desired, scale } from '../support/group-drive.js';
import { MINUTE_MS } from '../support/group-spec.js';
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
  'drift',
  'drift',
  'age',
] as const;

const actArb = fc.record({
  act: fc.constantFrom(...ACTS),
  whom: fc.nat({ max: 8 }),
  waitMs: fc.oneof(fc.nat({ max: 100 }), fc.nat({ max: 30_000 }), fc.nat({ max: 12 * MINUTE_MS })),
});

const historyArb = fc.record({
  seed: fc.nat(),
  mode: fc.constantFrom('create-first' as const, 'delete-first' as const),
  max: fc.integer({ min: 1, max: 3 }),
  size: fc.integer({ min: 1, max: 5 }),
  room: fc.integer({ min: 0, max: 3 }),
  forced: fc.boolean(),
  loss: fc.constantFrom(0, 0.05, 0.3),
  acts: fc.array(actArb, { maxLength: 25 }),
});

function act(world: GroupWorld, what: (typeof ACTS)[number], whom: number): void {
  const all = world.instances();
  const target = all[whom % Math.max(1, all.length)];
  if (what === 'crash') return world.crash();
  if (what === 'age') return world.run(60 * MINUTE_MS);
  if (what === 'scale') return scale(world, whom, 'scale');
  if (target === undefined) return;
  if (what === 'die') return world.neighbours.die(target.id);
  if (what === 'down' || what === 'up') return world.neighbours.setHealth(target.id, what);
  const verb = what === 'replace' ? 'operator.replace' : 'operator.drain';
  world.tell(addressOf('instance', target.id), { type: verb, reason: 'history', force: false });
}

test('[GR-20] [GR-21] [GR-22] [GR-23] group: no history takes away more than the budget', () => {
  fc.assert(
    fc.property(historyArb, ({ seed, mode, max, size, room, forced, loss, acts }) => {
      const ages = {
        eligibleAgeMs: 60 * MINUTE_MS,
        ...(forced ? { forcedAgeMs: 90 * MINUTE_MS } : {}),
      };
      const shape = { replace: mode, size, maxSize: size + room, resyncIntervalMs: MINUTE_MS };
      let spec = agedSpec({ max, ...ages }, shape);
      const world = createGroupWorld(spec, seed);
      world.faults.loss = loss;
      desired(world, spec);
      for (const one of acts) {
        world.run(one.waitMs);
        if (one.act === 'drift') {
          spec = otherTemplate(spec, `hash${one.whom}`, spec.generation + 1);
          desired(world, spec);
        } else {
          act(world, one.act, one.whom);
        }
      }
      world.faults.loss = 0;
      for (const { id } of world.instances()) world.neighbours.setHealth(id, 'up');
      // One more than wanted must have room, or nobody in service can be replaced.
      const last = { ...agedSpec({ max }, { ...shape, size: size + 2, maxSize: size + 6 }) };
      spec = otherTemplate(last, 'last', spec.generation + 1);
      desired(world, spec);
      world.run(5 * 60 * MINUTE_MS);
      assertConverged(world, size + 2);
      const hashes = inState(world, 'serving').map((one) => one.spec.template.infraHash);
      assert.deepEqual(new Set(hashes), new Set(['last']));
      assert.equal(world.group().waiting, null);
    }),
    { seed: seedOfRun(), numRuns: 25 },
  );
});

test('[GR-9] [GR-21] group: delete-first, a template that never serves leaves no group that waits for ever', () => {
  const spec = agedSpec({ max: 1 }, { replace: 'delete-first', size: 3, maxSize: 6 });
  const world = createGroupWorld({ ...spec, resyncIntervalMs: MINUTE_MS }, 7);
  const told = (next: typeof spec): void =>
    desired(world, { ...next, resyncIntervalMs: MINUTE_MS });
  told(spec);
  world.run(10_000);
  world.neighbours.onCreate = 'quota';
  told(otherTemplate(spec, 'broken', 2));
  world.run(5 * MINUTE_MS);
  assert.ok(world.group().trouble !== null, 'its successor fails');
  const smaller = { ...otherTemplate(spec, 'broken', 3), size: 2 };
  told(smaller);
  world.run(5 * MINUTE_MS);
  world.neighbours.onCreate = undefined;
  told(otherTemplate(smaller, 'sound', 4));
  world.run(60 * MINUTE_MS);
  assertConverged(world, 2);
  const hashes = inState(world, 'serving').map((one) => one.spec.template.infraHash);
  assert.deepEqual(new Set(hashes), new Set(['sound']));
  assert.equal(world.group().trouble, null);
});

test('[RT-65] group: a row of version 1 has nothing tripped and nobody waiting', () => {
  const base = { value: 'removing', timers: [], machineVersion: 1 };
  const overrides = { size: 'an order' };
  for (const [before, after] of [
    [{ key: 'acme/web' }, { overrides: {} }],
    [{ key: 'acme/web', overrides }, { overrides }],
    [{ key: 'acme/web', override: { size: 3 } }, { overrides: {} }],
  ] as const) {
    const { context } =
      groupActor.migrate?.({ ...base, context: before }) ?? assert.fail('no migration');
    const shrink = { floor: 0, wish: null, told: null };
    const none = { breaker: null, waiting: null, shrink, reached: null, movingSinceMs: null };
    assert.deepEqual(context, { key: 'acme/web', ...none, ...after });
  }
});
