/** Scenarios IG-*: scaling, deaths, drains and restarts of one group. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InstanceMemory } from '../../machines/instance-memory.js';
import { templateSpec } from '../../src/config/specs.js';
import { agedSpec, inState, living } from '../support/group-ages.js';
import { answered, assertConverged, desired, verb } from '../support/group-drive.js';
import { MINUTE_MS } from '../support/group-spec.js';
import type { GroupWorld } from '../support/group-types.js';

const DRAIN_MS = 5 * MINUTE_MS;

function asked(world: GroupWorld, type: string): number {
  return world.neighbours.calls.filter((call) => call.type === type).length;
}

/** Three that serve, one of them about to be drained by hand. */
function draining(): { readonly world: GroupWorld; readonly one: InstanceMemory } {
  const world = living(agedSpec({}));
  const [one] = world.instances();
  assert.ok(one);
  verb(world, one, 'operator.drain');
  world.run(1_000);
  assert.deepEqual(
    inState(world, 'draining').map(({ id }) => id),
    [one.id],
  );
  return { world, one };
}

test('[IG-1] [IG-3] a group of two creates exactly two, and then nothing, however often it is told', () => {
  const world = living(agedSpec({}, { size: 2 }));
  const tags = world.instances().map(({ onDemand, spec }) => [onDemand, spec.tenant, spec.name]);
  assert.deepEqual(tags, Array(2).fill([false, 'acme', 'web']));
  for (const generation of [2, 3]) {
    desired(world, agedSpec({}, { size: 2, generation }));
    world.run(MINUTE_MS);
  }
  assert.deepEqual([asked(world, 'provider.create'), asked(world, 'provider.delete')], [2, 0]);
});

test('[IG-6] [IG-51] one create of three is refused: three serve within ten seconds, by four creates', () => {
  const world = living(agedSpec({}), 0);
  let creates = 0;
  Object.defineProperty(world.neighbours, 'onCreate', {
    get: () => {
      creates += 1;
      return creates === 2 ? 'quota' : 'made';
    },
  });
  world.run(10_000);
  assert.equal(inState(world, 'failed').length, 1);
  assert.equal(inState(world, 'serving').length, 3);
  assert.equal(asked(world, 'provider.create'), 4);
});

test('[IG-20] a death is made good at once, without a drain', () => {
  const world = living(agedSpec({}));
  const [one] = world.instances();
  assert.ok(one);
  world.neighbours.die(one.id);
  world.run(1_000);
  assert.equal(world.records.filter(({ event }) => event === 'instance.draining').length, 0);
  assertConverged(world, 3);
});

test('[IG-28] without a word a drain lasts its whole time, and ends in one delete', () => {
  const { world } = draining();
  world.run(DRAIN_MS - 2_000);
  assert.equal(asked(world, 'provider.delete'), 0);
  world.run(2_000);
  assert.equal(asked(world, 'provider.delete'), 1);
  world.run(30 * MINUTE_MS);
  assert.equal(asked(world, 'provider.delete'), 1);
});

test('[IG-29] [IG-35] an acknowledged drain ends at once; only what drains can be acknowledged', () => {
  const { world, one } = draining();
  const other = inState(world, 'serving')[0] ?? assert.fail('nobody serves');
  verb(world, other, 'operator.ackDrain', 'healthy');
  world.run(40_000);
  verb(world, one, 'operator.ackDrain', 'first');
  world.run(1_000);
  assert.equal(asked(world, 'provider.delete'), 1);
  verb(world, one, 'operator.ackDrain', 'second');
  world.run(DRAIN_MS);
  assert.deepEqual(
    ['healthy', 'first', 'second'].map((ask) => answered(world, ask)),
    [false, true, true],
  );
  assert.equal(asked(world, 'provider.delete'), 1);
});

test('[IG-34] a group that is told anything while one drains deletes nobody', () => {
  const { world, one } = draining();
  desired(world, agedSpec({}, { generation: 2 }));
  world.run(DRAIN_MS - 10_000);
  assert.equal(asked(world, 'provider.delete'), 0);
  assert.deepEqual(
    inState(world, 'draining').map(({ id }) => id),
    [one.id],
  );
});

test('[IG-40] variables and the order of keys leave the hash of a template alone, all else changes it', () => {
  const hashOf = (template: object): string =>
    templateSpec({ templates: { web: template } } as never, 'web').infraHash;
  const spec = { image: 'a', size: 2, args: { x: 1, y: [1, 2] } };
  const base = hashOf({ provider: 'p', spec, vars: {} });
  const turned = { args: { y: [1, 2], x: 1 }, size: 2, image: 'a' };
  assert.equal(hashOf({ provider: 'p', spec: turned, vars: { log: 'debug' } }), base);
  for (const other of [{ ...spec, image: 'b' }, { ...spec, args: { x: 1, y: [2, 1] } }, {}]) {
    assert.notEqual(hashOf({ provider: 'p', spec: other, vars: {} }), base);
  }
});

test('[IG-52] one drains, another vanishes, the first is acknowledged: three again, by themselves', () => {
  const { world, one } = draining();
  const other = inState(world, 'serving')[0] ?? assert.fail('nobody serves');
  world.neighbours.die(other.id);
  world.run(1_000);
  verb(world, one, 'operator.ackDrain');
  world.run(MINUTE_MS);
  assertConverged(world, 3);
});

test('[IG-53] a crash moves no deadline of a drain, and it ends in one delete', () => {
  const { world, one } = draining();
  const deadlineMs = inState(world, 'draining')[0]?.drain?.deadlineMs ?? 0;
  world.run(100_000);
  world.crash();
  world.run(deadlineMs - world.now() - 1_000);
  assert.equal(asked(world, 'provider.delete'), 0);
  world.run(2_000);
  assert.equal(asked(world, 'provider.delete'), 1);
  assert.equal(world.instances().find(({ id }) => id === one.id)?.drain?.deadlineMs, deadlineMs);
});
