/** Scenarios IG-*: sizes, queues, retries, restarts and records of one group. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { viewOf } from '../../machines/instance-messages.js';
import { addressOf } from '../../machines/model/ids.js';
import type { JsonObject } from '../../machines/model/json.js';
import { nextStep } from '../../src/policy/scale.js';
import { books, idOf, member, named as stepName } from '../support/books.js';
import {
  agedSpec,
  drains,
  HOUR_MS,
  inState,
  living,
  otherTemplate,
} from '../support/group-ages.js';
import { answered, assertConverged, desired, GROUP, named, verb } from '../support/group-drive.js';
import { groupSpec, MINUTE_MS } from '../support/group-spec.js';
import type { GroupWorld } from '../support/group-types.js';
import { createGroupWorld } from '../support/group-world.js';

function asked(world: GroupWorld, type: string): number {
  return world.neighbours.calls.filter((call) => call.type === type).length;
}

/** When creates were asked for, in seconds since the first. */
function createdAt(world: GroupWorld): readonly number[] {
  const times = world.records
    .filter(({ event }) => event === 'instance.requested')
    .map(({ atMs }) => atMs);
  return times.map((atMs) => (atMs - (times[0] ?? 0)) / 1_000);
}

test('[IG-2] size 1 of three aged 10, 5 and 0 minutes: the two older leave, by a drain', () => {
  const world = living(agedSpec({}, { size: 1 }));
  for (const size of [2, 3]) {
    world.run(5 * MINUTE_MS);
    desired(world, agedSpec({}, { size, generation: size }));
  }
  world.run(10_000);
  const [oldest, second] = world.instances();
  desired(world, agedSpec({}, { size: 1, generation: 9 }));
  world.run(10 * MINUTE_MS);
  assert.deepEqual(
    drains(world).map(({ id, reason }) => [id, reason]),
    [oldest, second].map((one) => [addressOf('instance', one?.id ?? ''), 'scale-down']),
  );
  assertConverged(world, 1);
});

test('[IG-5] a group nobody wants any more drains all, and leaves neither itself nor a timer', () => {
  const world = living(agedSpec({ eligibleAgeMs: 10 * HOUR_MS }));
  world.tell(GROUP, { type: 'group.removed', reason: 'group-removed' });
  world.run(10 * MINUTE_MS);
  assert.equal(world.neighbours.made.size, 0);
  assert.equal(drains(world).length, 3);
  const told = world.records.length;
  world.run(20 * HOUR_MS);
  assert.equal(world.group(), undefined);
  assert.equal(world.records.length, told);
});

test('[IG-8] at its size nothing is created but a replacement, and that one once', () => {
  const three = [member(1), member(2), member(3)];
  const tired = [member(1, { replaceWanted: true }), member(2), member(3)];
  const follower = member(4, { state: 'booting', replaces: idOf(1) });
  for (const [given, expected] of [
    [three, 'rest'],
    [tired, 'create for 1'],
    [[...tired, follower], 'rest'],
  ] as const) {
    assert.equal(stepName(nextStep(books([...given]))), expected);
  }
});

test('[IG-10] one of three is deleted by somebody: one create; a report of nobody: none', () => {
  const world = living(agedSpec({}));
  world.tell(GROUP, { type: 'instance.forgotten', id: 'i-0000-0190aaaabbbb00' });
  world.run(1_000);
  assert.equal(asked(world, 'provider.create'), 3);
  world.neighbours.die(world.instances()[0]?.id as never);
  world.run(1_000);
  assert.equal(asked(world, 'provider.create'), 4);
});

test('[IG-11] what cannot be decided is not done: while the store takes nothing, no provider is called', () => {
  const spec = agedSpec({});
  const world = createGroupWorld(spec, 7);
  world.faults.storeDown = true;
  desired(world, spec);
  world.run(MINUTE_MS);
  assert.equal(world.neighbours.calls.length, 0);
  world.crash();
  world.faults.storeDown = false;
  world.run(MINUTE_MS);
  assert.equal(world.neighbours.calls.length, 0, 'nothing is replayed');
  desired(world, spec);
  world.run(10_000);
  assertConverged(world, 3);
});

test('[IG-12] a thousand events, most of them lost: in the end nothing is missing', () => {
  const world = living(groupSpec());
  world.faults.loss = 0.9;
  for (let event = 0; event < 1_001; event += 1) {
    world.tell(GROUP, { type: 'group.desired', spec: groupSpec({ generation: 2 + event }) });
  }
  desired(world, groupSpec({ size: 5, generation: 2_000 }));
  world.run(1_000);
  world.faults.loss = 0;
  world.run(30 * MINUTE_MS);
  assertConverged(world, 5);
});

test('[IG-13] a wish of its tenant that meets a store that is full waits, and the newest counts', () => {
  const spec = groupSpec();
  const world = living(spec);
  world.faults.storeDown = true;
  desired(world, { ...spec, asleep: true, generation: 2 });
  world.run(MINUTE_MS);
  assert.equal(inState(world, 'serving').length, 3);
  desired(world, { ...spec, size: 2, generation: 3 });
  world.faults.storeDown = false;
  world.run(20 * MINUTE_MS);
  assertConverged(world, 2);
});

test('[IG-17] creates that always fail: after 5, 10, 20 … 120 s, then every 120 s, never forgotten', () => {
  const spec = agedSpec({}, { size: 1, resyncIntervalMs: MINUTE_MS });
  const world = createGroupWorld(spec, 7);
  world.neighbours.onCreate = 'quota';
  desired(world, spec);
  world.run(2 * HOUR_MS);
  const times = createdAt(world);
  const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0));
  const nominal = [5, 10, 20, 40, 80, ...Array(gaps.length - 5).fill(120)];
  assert.ok(gaps.length > 30, `${gaps.length} in two hours`);
  for (const [index, gap] of gaps.entries()) {
    const least = nominal[index];
    assert.ok(gap >= least && gap < least * 1.25 + 1, `${index}: ${gap} of ${least}`);
  }
  assert.match(JSON.stringify(world.records.at(-1)), /creates-stopped|create_failed|quota/);
});

test('[IG-18] [GR-31] what can never be made is asked for once in retry.max; another template at once', () => {
  const spec = agedSpec({}, { size: 1, resyncIntervalMs: MINUTE_MS });
  const world = createGroupWorld(spec, 7);
  world.neighbours.onCreate = 'permanent';
  desired(world, spec);
  world.run(110_000);
  assert.equal(asked(world, 'provider.create'), 1);
  assert.match(JSON.stringify(world.records.at(-1)?.publish?.data), /creates-stopped/);
  world.run(5 * MINUTE_MS);
  const tried = asked(world, 'provider.create');
  assert.ok(tried === 3 || tried === 4, `${tried} in seven minutes`);
  world.neighbours.onCreate = 'made';
  desired(world, otherTemplate(spec, 'mended', 2));
  world.run(1_000);
  assertConverged(world, 1);
});

// --- restarts and records -----------------------------------------------------------------------

test('[IG-32] whoever looks at a drain again finds its first deadline and reason, also after a crash', () => {
  const world = living(agedSpec({}));
  const one = world.instances()[0] ?? assert.fail('there is one');
  verb(world, one, 'operator.drain');
  world.run(1_000);
  const seen = (): unknown => {
    const { reason, startedAt, deadline } = viewOf(named(world, one))['drain'] as JsonObject;
    return { reason, startedAt, deadline };
  };
  const first = seen();
  for (const disturb of [() => world.crash(), () => verb(world, one, 'operator.drain', 'again')]) {
    world.run(MINUTE_MS);
    disturb();
    world.run(1_000);
    assert.deepEqual(seen(), first);
  }
});

test('[IG-42] three that are never heard of are given up at their boot timeout, and tried again', () => {
  const spec = agedSpec({}, { resyncIntervalMs: MINUTE_MS });
  const world = createGroupWorld(spec, 7);
  world.neighbours.newborn = 'unknown';
  desired(world, spec);
  world.run(9 * MINUTE_MS);
  assert.equal(world.neighbours.made.size, 3);
  world.run(MINUTE_MS + 3_000);
  assert.equal(inState(world, 'deleted').length, 3);
  assert.equal(world.group().trouble?.failures, 3);
  world.neighbours.newborn = 'up';
  world.run(30 * MINUTE_MS);
  assertConverged(world, 3);
});

test('[IG-43] what is deleted is shown for its retention, and purged then', () => {
  const world = living(agedSpec({}));
  const one = world.instances()[0] ?? assert.fail('there is one');
  world.neighbours.die(one.id);
  world.run(5 * MINUTE_MS);
  assert.equal(named(world, one).state, 'deleted');
  world.run(26 * MINUTE_MS);
  assert.ok(!world.instances().some(({ id }) => id === one.id));
  assert.equal(world.group().members[one.id], undefined);
});

test('[IG-44] a crash at any moment of a create leaves three instances, none of them twice', () => {
  for (let atMs = 0; atMs < 60; atMs += 1) {
    const spec = agedSpec({}, { resyncIntervalMs: MINUTE_MS });
    const world = createGroupWorld(spec, atMs);
    desired(world, spec);
    world.run(atMs);
    world.crash();
    desired(world, spec);
    world.run(5 * MINUTE_MS);
    assertConverged(world, 3);
    const ofInstance = [...world.neighbours.made.values()].map(({ instance }) => instance);
    assert.equal(new Set(ofInstance).size, ofInstance.length, `at ${atMs} ms`);
  }
});

test('[IG-45] a provider without room refuses, and is asked again when it may have some', () => {
  const spec = agedSpec({}, { size: 1, resyncIntervalMs: MINUTE_MS });
  const world = createGroupWorld(spec, 7);
  world.neighbours.onCreate = 'quota';
  desired(world, spec);
  world.run(1_000);
  assert.equal(inState(world, 'failed').length, 1);
  world.neighbours.onCreate = 'made';
  world.run(10_000);
  assertConverged(world, 1);
});

test('[IG-47] who is none of its own is deleted by no group, and without a call', () => {
  const world = living(agedSpec({}));
  const message = { type: 'operator.deleteInstance', instance: 'i-0000-0190aaaabbbb00' };
  world.tell(GROUP, { ...message, reason: 'x', force: false }, 'stranger');
  const [own] = world.instances();
  world.tell(GROUP, { ...message, instance: own?.id, reason: 'x', force: false }, 'own');
  world.run(MINUTE_MS);
  assert.equal((world.replies['stranger'] as JsonObject)['status'], 'unknown');
  assert.equal(answered(world, 'own'), false);
  assert.equal(asked(world, 'provider.delete'), 0);
});

test('[IG-56] a daemon that ends in the middle of five creates: its successor ends at exactly five', () => {
  for (const after of [1, 2, 3, 4]) {
    const spec = agedSpec({}, { size: 5, maxSize: 10, resyncIntervalMs: MINUTE_MS });
    const world = createGroupWorld(spec, after);
    desired(world, spec);
    while (asked(world, 'provider.create') < after) world.run(1);
    world.crash();
    world.run(5 * MINUTE_MS);
    assertConverged(world, 5);
    const tokens = world.neighbours.calls.flatMap((call) =>
      call.type === 'provider.create' ? [call.token] : [],
    );
    assert.equal(new Set(tokens).size, 5);
  }
});
