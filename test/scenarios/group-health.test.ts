/** Scenarios IG-*: what deaths, silence, agents and notices of the provider do to a group. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InstanceMemory } from '../../machines/instance-memory.js';
import { addressOf } from '../../machines/model/ids.js';
import { attended, polledAt } from '../support/group-agents.js';
import { agedSpec, drains, HOUR_MS, inState, living } from '../support/group-ages.js';
import { assertConverged, named, verb } from '../support/group-drive.js';
import { MINUTE_MS } from '../support/group-spec.js';
import type { GroupWorld } from '../support/group-types.js';

const DRAIN_MS = 5 * MINUTE_MS;

function second(world: GroupWorld): InstanceMemory {
  return world.instances()[1] ?? assert.fail('there are three');
}

function asked(world: GroupWorld, type: string): number {
  return world.neighbours.calls.filter((call) => call.type === type).length;
}

function notice(world: GroupWorld, { id }: InstanceMemory, inMs?: number, name = 'n-1'): void {
  const deadlineMs = inMs === undefined ? {} : { deadlineMs: world.now() + inMs };
  const told = { id: name, ...deadlineMs };
  world.tell(addressOf('instance', id), { type: 'instance.notice', notice: told });
}

test('[IG-21] the provider no longer knows one: another at once, and deleting nothing succeeds', () => {
  const { world, close } = attended();
  const { id, providerId, token } = second(world);
  (world.neighbours.made as Map<string, unknown>).delete(token);
  close(id);
  world.run(2_000);
  assert.equal(named(world, { id } as InstanceMemory).state, 'deleted');
  assert.ok(
    world.neighbours.calls.some((call) => call.type === 'provider.delete'),
    providerId ?? '',
  );
  assert.equal(drains(world).length, 0);
  assert.ok(world.instances().some(({ replaces }) => replaces === id));
});

test('[IG-24] a stream that ends and comes back replaces nobody', () => {
  const { world, close, run } = attended();
  const { id } = second(world);
  close(id);
  run(20_000, [id]);
  run(HOUR_MS / 2);
  assert.equal(polledAt(world), 3);
  assert.equal(asked(world, 'provider.create'), 3);
});

test('[IG-15] what is heard again is looked into again, however soon: nothing is lost to an earlier word', () => {
  const { world, close, report } = attended();
  const { id } = second(world);
  const looks: number[] = [];
  for (const [boot, afterMs] of [
    [1, 0],
    [2, 10_000],
    [3, 109_000],
    [4, 2_000],
  ] as const) {
    world.run(afterMs);
    report(id, { boot, seq: 0 });
    world.run(10);
    const before = polledAt(world);
    close(id, boot);
    close(id, boot);
    world.run(1_000);
    looks.push(polledAt(world) - before);
    report(id, { boot, seq: 1 });
  }
  assert.deepEqual(looks, [1, 1, 1, 1], 'the same end twice is one look');
  assert.equal(asked(world, 'provider.create'), 3);
});

test('[IG-25] an agent that stays away is replaced when it has missed three reports, by a drain', () => {
  const { world, close, report, run } = attended();
  const { id } = second(world);
  const lastMs = world.now();
  report(id);
  run(50_000, [id]);
  close(id);
  run(120_000, [id]);
  assert.deepEqual([asked(world, 'provider.create'), inState(world, 'suspect').length], [3, 0]);
  run(60_000, [id]);
  const { sinceMs = 0 } = world.instances().find(({ replaces }) => replaces === id) ?? {};
  assert.ok(sinceMs >= lastMs + 180_000, 'not before three intervals');
  const begun = world.records.find(({ event }) => event === 'instance.unhealthy');
  assert.ok(Math.abs((begun?.atMs ?? 0) - lastMs - 180_000) < 1_000);
  run(2 * DRAIN_MS);
  assert.deepEqual(
    drains(world).map(({ id: drained, reason }) => [drained, reason]),
    [[addressOf('instance', id), 'replaced']],
  );
});

test('[IG-26] what was never created is never asked about; one that runs and reports is left alone', () => {
  const { world, run, close } = attended();
  world.neighbours.onCreate = 'unanswered';
  world.tell(addressOf('group', second(world).spec.key), {
    type: 'operator.createInstance',
    key: 'job',
    reason: 'x',
  });
  run(10_000);
  const creating = inState(world, 'creating')[0] ?? assert.fail('one is being created');
  close(creating.id);
  run(MINUTE_MS);
  assert.equal(polledAt(world), 0);
  run(10 * MINUTE_MS);
  assert.equal(inState(world, 'serving').length, 3);
});

test('[IG-27] a replacement that cannot be made is tried again and told of, and nobody leaves for it', () => {
  const world = living(agedSpec({}, { resyncIntervalMs: MINUTE_MS }));
  world.neighbours.onCreate = 'quota';
  verb(world, second(world), 'operator.replace');
  world.run(5 * MINUTE_MS);
  assert.deepEqual(drains(world), []);
  assert.equal(inState(world, 'serving').length, 3);
  assert.ok(asked(world, 'provider.create') >= 3 + 4);
  assert.match(JSON.stringify(world.records.at(-1)?.publish?.data ?? ''), /quota/);
  world.neighbours.onCreate = 'made';
  world.run(20 * MINUTE_MS);
  assertConverged(world, 3);
  assert.equal(drains(world).length, 1);
});

test('[IG-31] without a drain time one goes at once, and a group may take longer than others', () => {
  for (const timeoutMs of [0, 10 * MINUTE_MS]) {
    const world = living(agedSpec({}, { drain: { timeoutMs, holdMaxMs: 15 * MINUTE_MS } }));
    const { id } = second(world);
    verb(world, second(world), 'operator.replace');
    world.run(20 * MINUTE_MS);
    const [drain] = drains(world);
    assert.equal(drain?.id, addressOf('instance', id));
    const lasted = drain?.lastedMs ?? -1;
    assert.ok(lasted >= timeoutMs && lasted < timeoutMs + 1_000, `${lasted} of ${timeoutMs}`);
  }
});

test('[IG-33] a notice drains at once, another is made at once, and the same notice again does nothing', () => {
  const world = living(agedSpec({}));
  const one = second(world);
  notice(world, one);
  world.run(1_000);
  const order = world.records
    .filter(({ event }) => event === 'instance.draining' || event === 'instance.requested')
    .slice(-2)
    .map(({ event }) => event);
  assert.deepEqual(order, ['instance.draining', 'instance.requested']);
  assert.equal(world.neighbours.made.size, 4);
  world.run(MINUTE_MS);
  const before = world.records.length;
  notice(world, one);
  world.run(1_000);
  assert.equal(world.records.length, before);
  assert.equal(named(world, one).drain?.reason, 'termination-notice');
  assert.ok(world.instances().some(({ replaces }) => replaces === one.id));
  world.run(DRAIN_MS);
  assertConverged(world, 3);
  assert.equal(asked(world, 'provider.create'), 4);
});

test('[IG-54] the provider ends it in 120 s and says so every minute: one drain to that time, one create', () => {
  const world = living(agedSpec({}));
  const one = second(world);
  const deadlineMs = world.now() + 120_000;
  for (let minute = 0; minute < 3; minute += 1) {
    notice(world, one, deadlineMs - world.now());
    world.run(59_000);
  }
  assert.deepEqual(
    drains(world).map(({ lastedMs }) => Math.round(lastedMs / 1_000)),
    [120],
  );
  world.run(MINUTE_MS);
  assert.equal(named(world, one).drain?.deadlineMs, deadlineMs);
  assert.deepEqual([asked(world, 'provider.create'), asked(world, 'provider.delete')], [4, 1]);
  assert.equal(world.group().trouble, null);
});
