/** Rules GR-*: one group among scripted neighbours, as scenarios. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recounted } from '../../machines/group-memory.js';
import { STEPS_PER_EVENT_MAX } from '../../machines/group-steps.js';
import type { GroupSpec } from '../../machines/model/desired.js';
import { addressOf } from '../../machines/model/ids.js';
import type { InstanceState } from '../../machines/model/messages.js';
import { MICROSTEPS_MAX } from '../../src/runtime/limits.js';
import { TERMS } from '../support/book.js';
import { assertConverged, desired, GROUP, scale } from '../support/group-drive.js';
import { groupSpec, MINUTE_MS, WEB } from '../support/group-spec.js';
import type { GroupWorld } from '../support/group-types.js';
import { createGroupWorld } from '../support/group-world.js';

/** A world whose group has heard what to be; `settle` lets it get there. */
function started(change: Partial<GroupSpec> = {}, settleMs = 10_000): GroupWorld {
  const spec = groupSpec(change);
  const world = createGroupWorld(spec, 7);
  world.tell(GROUP, { type: 'group.desired', spec });
  world.run(settleMs);
  return world;
}

function inState(world: GroupWorld, ...states: InstanceState[]) {
  return world.instances().filter(({ state }) => states.includes(state));
}

function eventsOf(world: GroupWorld, from = 0): string[] {
  return world.records.slice(from).map(({ event }) => event);
}

function count(events: readonly string[], event: string): number {
  return events.filter((each) => each === event).length;
}

test('[GR-8] [GR-12] group: creates what is wanted, intent first', () => {
  const world = started();
  assertConverged(world, 3);
  const requested = world.records.filter(({ event }) => event === 'instance.requested');
  assert.equal(requested.length, 3);
  for (const { publish, numbers } of requested) {
    assert.equal(publish?.aggregateKind, 'instance');
    assert.equal(publish.data['state'], 'requested');
    assert.equal(numbers['wanted'], 3);
  }
  assert.equal(new Set(requested.map(({ publish }) => publish?.data['token'])).size, 3);
});

test('[GR-2] group: at its size it does nothing more', () => {
  const world = started();
  const before = world.records.length;
  world.run(10 * MINUTE_MS);
  assert.deepEqual(eventsOf(world, before), []);
});

test('[GR-14] group: knows nothing, creates nothing', () => {
  const world = createGroupWorld(groupSpec(), 7);
  scale(world, 2, 'early');
  world.run(10 * MINUTE_MS);
  assert.deepEqual(world.neighbours.calls, []);
  assert.deepEqual(world.replies['early'], {
    ok: false,
    refusal: {
      code: 'not-found',
      rule: 'GR-14',
      message: 'no group is called acme/web: see "switchyard get groups"',
    },
  });
});

test('[GR-15] group: an older intent changes nothing', () => {
  const world = started({ generation: 5 });
  const before = world.records.length;
  desired(world, groupSpec({ size: 0, generation: 4 }));
  world.run(MINUTE_MS);
  assert.deepEqual(eventsOf(world, before), []);
  assertConverged(world, 3);
});

test('[GR-15] group: the same intent in a newer generation is no news', () => {
  const world = started();
  const before = world.records.length;
  desired(world, groupSpec({ generation: 2 }));
  world.run(MINUTE_MS);
  assert.deepEqual(eventsOf(world, before), []);
});

test('[GR-32] group: that it has come to rest is told once, and again after another step', () => {
  const world = started();
  const reached = (from = 0) =>
    eventsOf(world, from).filter((event) => /converged|stalled/.test(event));
  assert.deepEqual(reached(), ['group.converged']);
  assert.equal(world.records.at(-1)?.publish?.data['serving'], 3);
  const before = world.records.length;
  world.run(10 * MINUTE_MS);
  desired(world, groupSpec({ generation: 2 }));
  world.run(MINUTE_MS);
  assert.deepEqual(reached(before), []);
  world.neighbours.onCreate = 'quota';
  desired(world, groupSpec({ generation: 3, size: 4 }));
  world.run(2 * MINUTE_MS);
  assert.deepEqual(reached(before), ['group.stalled']);
  const { numbers } = world.records.findLast(({ event }) => event === 'group.stalled') ?? {};
  assert.deepEqual([numbers?.['desired'], numbers?.['actual']], [4, 3]);
  assert.match(String(numbers?.['problem']), /never served/);
  world.neighbours.onCreate = undefined;
  world.run(60 * MINUTE_MS);
  assert.deepEqual(reached(before), ['group.stalled', 'group.converged']);
});

test('[GR-13] group: a large group is created in bounded bursts', () => {
  assert.ok(STEPS_PER_EVENT_MAX < MICROSTEPS_MAX - 8, 'room for what else one event moves');
  const world = started({ size: 100, maxSize: 200 });
  assertConverged(world, 100);
});

test('[GR-13] group: it goes on by itself, also while nothing it has made has been answered', () => {
  const spec = groupSpec({ size: 100, maxSize: 200 });
  const world = createGroupWorld(spec, 7);
  world.neighbours.onCreate = 'unanswered';
  world.tell(GROUP, { type: 'group.desired', spec });
  world.run(1_000);
  assert.equal(count(eventsOf(world), 'instance.requested'), 100);
});

test('[GR-17] group: an operator sets the size within its limits', () => {
  const world = started();
  for (const [ask, size] of [
    ['negative', -1],
    ['half', 1.5],
    ['too many', 7],
  ] as const) {
    scale(world, size, ask);
    world.run(10);
    assert.deepEqual((world.replies[ask] as { ok: boolean }).ok, false, ask);
  }
  scale(world, 5, 'fine');
  world.run(10_000);
  assert.deepEqual((world.replies['fine'] as { ok: boolean }).ok, true);
  assertConverged(world, 5);
  const orders = world.records.filter(({ event }) => event === 'override.set');
  assert.equal(orders.length, 1);
});

test('[GR-17] group: an operator size survives a restart and a new intent', () => {
  const world = started();
  scale(world, 2, 'less');
  world.run(10 * MINUTE_MS);
  world.crash();
  desired(world, groupSpec({ maxSize: 5, generation: 2 }));
  world.run(MINUTE_MS);
  assertConverged(world, 2);
});

test('[OV-3] group: an operator size yields when the configured size itself changes', () => {
  const world = started();
  scale(world, 2, 'less');
  world.run(10 * MINUTE_MS);
  desired(world, groupSpec({ size: 4, generation: 2 }));
  world.run(MINUTE_MS);
  assertConverged(world, 4);
  assert.deepEqual(world.group().overrides, {});
});

test('[OV-4] group: an operator size ends at its time', () => {
  const world = started();
  scale(world, 2, 'less', TERMS.forMs);
  world.run(TERMS.forMs - MINUTE_MS);
  assertConverged(world, 2);
  world.run(2 * MINUTE_MS);
  assertConverged(world, 3);
});

test('[GR-7] group: scaled down, the oldest serving drains for its whole time', () => {
  const world = started();
  const [oldest] = world.instances();
  desired(world, groupSpec({ size: 2, generation: 2 }));
  world.run(4 * MINUTE_MS);
  assert.deepEqual(
    inState(world, 'draining').map(({ id }) => id),
    [oldest?.id],
  );
  assert.equal(world.neighbours.made.size, 3, 'nothing is deleted while it drains');
  world.run(2 * MINUTE_MS);
  assertConverged(world, 2);
});

test('[GR-4] group: replacing keeps the size in service throughout', () => {
  const world = started();
  const [old] = world.instances();
  assert.ok(old);
  world.tell(
    addressOf('instance', old.id),
    { type: 'operator.replace', reason: 'x' } as never,
    'r',
  );
  world.run(10_000);
  assert.equal((world.replies['r'] as { ok: boolean }).ok, true);
  const successor = world.instances().find(({ replaces }) => replaces === old.id);
  assert.equal(successor?.state, 'serving');
  assert.deepEqual(
    inState(world, 'draining').map(({ id }) => id),
    [old.id],
  );
  const ready = world.records.findIndex(
    ({ event, publish }) => event === 'instance.ready' && publish?.aggregateId === successor.id,
  );
  const leaves = world.records.findIndex(({ event }) => event === 'group.drain_ordered');
  assert.ok(ready >= 0 && ready < leaves, 'the successor serves before the predecessor leaves');
  world.run(10 * MINUTE_MS);
  assertConverged(world, 3);
});

test('[GR-4] group: delete-first never has a surplus member', () => {
  const world = started({ replace: 'delete-first', maxSize: 3 });
  const [old] = world.instances();
  assert.ok(old);
  world.tell(addressOf('instance', old.id), { type: 'operator.replace', reason: 'x' } as never);
  world.run(10_000);
  assert.equal(inState(world, 'draining').length, 1);
  assert.equal(inState(world, 'serving').length, 3);
  world.run(10 * MINUTE_MS);
  assertConverged(world, 3);
});

test('[GR-4] group: a member down for too long is replaced, one that recovers is not', () => {
  const world = started();
  const [sick, flaky] = world.instances();
  assert.ok(sick && flaky);
  world.neighbours.setHealth(sick.id, 'down');
  world.neighbours.setHealth(flaky.id, 'down');
  world.run(MINUTE_MS);
  world.neighbours.setHealth(flaky.id, 'up');
  assert.equal(world.instances().length, 3);
  world.run(6 * MINUTE_MS);
  const replaced = world.instances().flatMap(({ replaces }) => replaces ?? []);
  assert.deepEqual(replaced, [sick.id]);
  world.run(10 * MINUTE_MS);
  assertConverged(world, 3);
});

test('[GR-2] group: a dead member is missed at once', () => {
  const world = started();
  const [victim] = world.instances();
  assert.ok(victim);
  world.neighbours.die(victim.id);
  world.run(1_000);
  assertConverged(world, 3);
  assert.equal(count(eventsOf(world), 'group.create_failed'), 0, 'it had served');
});

test('[GR-11] [GR-16] group: one refused create is tried again after its back-off', () => {
  const world = started({}, 0);
  world.neighbours.onCreate = 'quota';
  world.run(30);
  world.neighbours.onCreate = undefined;
  world.run(4_000);
  const creates = world.neighbours.calls.filter(({ type }) => type === 'provider.create');
  assert.equal(creates.length, 3);
  assert.equal(inState(world, 'failed').length, 3);
  const status = world.neighbours.statuses.at(-1);
  assert.match(status?.problem ?? '', /3 in a row never served.*quota/);
  world.run(5 * MINUTE_MS);
  assertConverged(world, 3);
});

test('[GR-16] group: the back-off survives a restart', () => {
  const world = started({}, 0);
  world.neighbours.onCreate = 'quota';
  world.run(1_000);
  const dueAtMs = world.timerOf(GROUP, 'createBackoff');
  assert.ok(dueAtMs !== undefined);
  world.crash();
  world.run(1_000);
  assert.equal(world.timerOf(GROUP, 'createBackoff'), dueAtMs);
  assert.equal(world.group().trouble?.failures, 3);
});

test('[GR-9] group: creates that never serve are tried one at a time, and still retried', () => {
  const world = started({}, 0);
  world.neighbours.onCreate = 'quota';
  world.run(20 * MINUTE_MS);
  const requested = count(eventsOf(world), 'instance.requested');
  assert.ok(requested > 6 && requested < 20, `${requested} in twenty minutes`);
  world.neighbours.onCreate = undefined;
  world.run(5 * MINUTE_MS);
  assertConverged(world, 3);
  assert.equal(world.group().trouble, null);
  assert.equal(count(eventsOf(world), 'group.create_recovered'), 1);
});

test('[GR-18] group: removed, it stays until the last member is gone', () => {
  const world = started();
  world.tell(GROUP, { type: 'group.removed', reason: 'tenant-removed' } as never);
  world.run(MINUTE_MS);
  assert.equal(inState(world, 'draining').length, 3);
  for (const { drain } of world.instances()) assert.equal(drain?.lastMayGo, true);
  assert.equal(world.neighbours.statuses.at(-1)?.removed, false);
  world.run(10 * MINUTE_MS);
  assert.equal(world.neighbours.statuses.at(-1)?.removed, true);
  assert.equal(world.neighbours.made.size, 0);
  assert.deepEqual(world.instances(), [], 'nobody is kept for a group that is gone');
});

test('[GR-18] group: removed while creating, nothing is left behind', () => {
  const world = started({}, 10);
  world.tell(GROUP, { type: 'group.removed', reason: 'group-removed' } as never);
  world.run(10 * MINUTE_MS);
  assert.equal(world.neighbours.made.size, 0);
  assert.deepEqual(world.instances(), []);
});

test('[GR-18] group: wanted again before it was gone, it comes back', () => {
  const world = started();
  world.tell(GROUP, { type: 'group.removed', reason: 'tenant-removed' } as never);
  world.run(MINUTE_MS);
  desired(world, groupSpec({ generation: 2 }));
  world.run(10 * MINUTE_MS);
  assertConverged(world, 3);
});

test('[GR-18] group: without members it is forgotten at once', () => {
  const world = started({ size: 0 });
  world.tell(GROUP, { type: 'group.removed', reason: 'group-removed' } as never);
  world.run(100);
  assert.equal(world.neighbours.statuses.at(-1)?.removed, true);
  assert.equal(world.chartOf(GROUP), undefined);
});

test('[GR-10] group: a lost drain is ordered again', () => {
  const world = started();
  world.faults.loss = 1;
  desired(world, groupSpec({ size: 2, generation: 2 }));
  world.run(500);
  const { to = 0, sinceMs = 0 } = world.group().shrink.wish ?? {};
  world.tell(GROUP, { type: 'guard.granted', to, sinceMs } as never);
  world.run(500);
  assert.equal(inState(world, 'draining').length, 0);
  world.faults.loss = 0;
  world.run(2 * MINUTE_MS);
  assert.equal(inState(world, 'draining').length, 1);
  assert.ok(eventsOf(world).includes('group.drain_repeated'));
});

test('[GR-10] group: after a restart its members are the stored ones', () => {
  const world = started({ size: 1 });
  const [first] = world.instances();
  assert.ok(first);
  world.neighbours.die(first.id);
  world.run(29 * MINUTE_MS);
  assert.equal(world.group().members[first.id]?.state, 'deleted');
  world.faults.loss = 1;
  world.run(2 * MINUTE_MS);
  world.faults.loss = 0;
  assert.ok(world.group().members[first.id], 'nobody told it that the member is forgotten');
  world.crash();
  world.run(1_000);
  assert.equal(world.group().members[first.id], undefined);
  assertConverged(world, 1);
});

test('[RT-9] [GR-10] group: a member whose row cannot be read is what was last known of it', () => {
  const world = started();
  const before = world.group();
  const [first, ...others] = world.instances();
  assert.ok(first);
  const rowOf = (child: { readonly id: string }) => ({
    address: addressOf('instance', child.id),
    value: 'any',
    context: child as never,
  });
  const lost = { ...rowOf(first), value: null, context: {}, unreadable: true };
  const { members } = recounted(before, [lost, ...others.map(rowOf)]);
  assert.deepEqual(members?.[first.id], before.members[first.id]);
  assert.deepEqual(Object.keys(members ?? {}).sort(), Object.keys(before.members).sort());
  const stranger = { ...lost, address: addressOf('instance', 'i-00ff-0123456789ab00') };
  assert.deepEqual(recounted(before, [stranger]).members, {});
});

test('[GR-10] group: in service, members are asked and frontends left alone', () => {
  const world = started();
  const before = world.neighbours.levels;
  world.run(10 * MINUTE_MS);
  assert.equal(world.neighbours.levels, before);
});

test('[GR-10] group: a frontend that asks is answered for every member', () => {
  const world = started();
  const before = world.instances().map(({ id }) => world.neighbours.asOf(WEB, id)?.phase);
  world.tell(GROUP, { type: 'publish.request', frontend: WEB } as never);
  world.run(1_000);
  assert.deepEqual(before, ['in', 'in', 'in']);
  assert.ok(world.neighbours.levels > 3, 'levels were told again');
});
