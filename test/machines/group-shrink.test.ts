/** Rules SG-4 and SG-5: a group does not shrink before it may, and asks for no more than it has to. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertConverged, desired, GROUP, scale } from '../support/group-drive.js';
import { groupSpec, MINUTE_MS } from '../support/group-spec.js';
import type { GroupWorld } from '../support/group-types.js';
import { createGroupWorld } from '../support/group-world.js';

function guarded(): GroupWorld {
  const world = createGroupWorld(groupSpec({ size: 3 }), 7);
  desired(world, groupSpec({ size: 3 }));
  world.run(10_000);
  world.neighbours.guardLetsGo = false;
  return world;
}

const letGo = (world: GroupWorld): void => {
  world.neighbours.guardLetsGo = true;
  // The group asks again at its next look.
  world.run(3 * MINUTE_MS);
};

const made = (world: GroupWorld): number => world.neighbours.made.size;

test('[SG-4] group: a smaller size waits for the guard, and what dies meanwhile is not made again', () => {
  const world = guarded();
  desired(world, groupSpec({ size: 1, generation: 2 }));
  world.run(30 * MINUTE_MS);
  assert.equal(made(world), 3);
  const [first] = world.instances();
  assert.ok(first);
  world.neighbours.die(first.id);
  world.run(5 * MINUTE_MS);
  assert.equal(made(world), 2);
  letGo(world);
  world.run(10 * MINUTE_MS);
  assertConverged(world, 1);
});

test('[SG-4] group: a removal waits for the guard over a crash, and its tenant is told', () => {
  const world = guarded();
  world.tell(GROUP, { type: 'group.removed', reason: 'tenant-removed' });
  world.run(MINUTE_MS);
  world.crash();
  world.run(1_000);
  world.tell(GROUP, { type: 'group.removed', reason: 'tenant-removed' });
  world.run(10 * MINUTE_MS);
  assert.equal(made(world), 3);
  assert.equal(world.neighbours.statuses.at(-1)?.held, true);
  letGo(world);
  world.run(60 * MINUTE_MS);
  assert.equal(made(world), 0);
  assert.equal(world.neighbours.statuses.at(-1)?.removed, true);
});

test('[SG-5] group: wanted again, it gives the removal up', () => {
  const world = guarded();
  world.tell(GROUP, { type: 'group.removed', reason: 'group-removed' });
  world.run(MINUTE_MS);
  desired(world, groupSpec({ size: 3, generation: 2 }));
  letGo(world);
  assertConverged(world, 3);
});

test('[SG-5] group: what costs nobody needs no word', () => {
  const world = guarded();
  desired(world, groupSpec({ size: 5, maxSize: 6, generation: 2 }));
  world.run(10_000);
  assert.equal(made(world), 5);
  scale(world, 6, 'up');
  world.run(10_000);
  assert.equal(made(world), 6);
  const empty = createGroupWorld(groupSpec({ size: 0 }), 7);
  desired(empty, groupSpec({ size: 0 }));
  empty.neighbours.guardLetsGo = false;
  empty.tell(GROUP, { type: 'group.removed', reason: 'group-removed' });
  empty.run(MINUTE_MS);
  assert.equal(empty.neighbours.statuses.at(-1)?.removed, true);
});

test('[SG-7] group: a wish is the same one after a crash', () => {
  const world = guarded();
  world.tell(GROUP, { type: 'group.removed', reason: 'tenant-removed' });
  world.run(MINUTE_MS);
  const before = world.group().shrink.wish;
  world.crash();
  world.run(MINUTE_MS);
  world.tell(GROUP, { type: 'group.removed', reason: 'tenant-removed' });
  world.run(MINUTE_MS);
  assert.deepEqual(world.group().shrink.wish, before);
  desired(world, groupSpec({ size: 3 }));
  world.run(MINUTE_MS);
  world.crash();
  world.run(MINUTE_MS);
  assert.equal(world.group().shrink.wish, null, 'what was given up does not come back');
});
