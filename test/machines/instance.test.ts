/** Rules IN-*: one instance on its way into service, through restarts and orders. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf, type FrontendName } from '../../machines/model/ids.js';
import {
  answered,
  calls,
  events,
  GROUP,
  named,
  only,
  started,
  verb,
} from '../support/group-drive.js';
import { groupSpec, MINUTE_MS, WEB } from '../support/group-spec.js';
import { createGroupWorld } from '../support/group-world.js';

test('[IN-5] instance: from intent to service, each step on record', () => {
  const world = started();
  const instance = only(world);
  assert.equal(instance.state, 'serving');
  assert.deepEqual(events(world, instance), [
    'instance.creating',
    'instance.created',
    'instance.ready',
  ]);
  assert.equal(world.group().members[instance.id]?.inService, true);
  const ready = world.records.find(({ event }) => event === 'instance.ready');
  assert.equal(ready?.publish?.tenantId, 'acme');
  assert.equal(ready.publish.data['state'], 'serving');
  assert.equal(ready.publish.data['address'], instance.ip);
});

test('[IN-5] instance: with nothing to probe it serves as soon as it exists', () => {
  const { backend: _none, ...rest } = groupSpec({ size: 1 });
  const world = createGroupWorld(rest, 11);
  world.neighbours.newborn = 'unknown';
  world.tell(GROUP, { type: 'group.desired', spec: rest });
  world.run(1_000);
  assert.equal(only(world).state, 'serving');
});

test('[IN-5] instance: an unknown, paused or disabled backend moves no state', () => {
  const world = started();
  for (const health of ['unknown', 'paused', 'disabled'] as const) {
    world.neighbours.setHealth(only(world).id, health);
    world.run(10 * MINUTE_MS);
    assert.equal(only(world).state, 'serving', health);
  }
});

test('[IN-5] instance: registered with a first verdict, serving with the first up', () => {
  const world = started({}, 0);
  world.neighbours.newborn = 'down';
  world.run(MINUTE_MS);
  assert.equal(only(world).state, 'registered');
  world.neighbours.setHealth(only(world).id, 'up');
  world.run(100);
  assert.equal(only(world).state, 'serving');
});

test('[IN-5] instance: never served in time, it leaves without a drain', () => {
  const world = started({}, 0);
  world.neighbours.newborn = 'down';
  world.run(11 * MINUTE_MS);
  const [first] = world.instances();
  assert.equal(first?.drain?.note, 'did not serve in time');
  assert.equal(first.drain.endedBy, 'never-served');
  assert.equal(first.state, 'deleted');
});

test('[IN-5] instance: suspect is not overdue before its grace and patience are over', () => {
  const world = started({ health: { ...groupSpec().health, graceMs: 8 * MINUTE_MS } });
  world.neighbours.setHealth(only(world).id, 'down');
  world.run(12 * MINUTE_MS);
  assert.deepEqual(events(world, only(world)).slice(-1), ['instance.unhealthy']);
  world.run(MINUTE_MS + 1_000);
  assert.ok(events(world, only(world)).includes('instance.overdue'));
});

test('[IN-1] instance: patience with a suspect survives a restart', () => {
  const world = started({}, MINUTE_MS);
  world.neighbours.setHealth(only(world).id, 'down');
  world.run(4 * MINUTE_MS);
  world.crash();
  world.run(50_000);
  assert.deepEqual(events(world, only(world)).slice(-1), ['instance.unhealthy']);
  world.run(11_000);
  assert.ok(events(world, only(world)).includes('instance.overdue'));
});

// --- creating -----------------------------------------------------------------------------------

test('[IN-3] instance: nothing is asked of the provider before it is durable', () => {
  const world = started({}, 4);
  assert.equal(world.instances().length, 1);
  world.faults.storeDown = true;
  world.run(MINUTE_MS);
  assert.deepEqual(world.neighbours.calls, []);
  world.faults.storeDown = false;
  world.run(1_000);
  assert.equal(only(world).state, 'serving');
});

test('[IN-3] instance: after a crash it is looked up, and adopted', () => {
  const world = started({}, 1_000, 'made-unanswered');
  assert.equal(only(world).state, 'creating');
  world.crash();
  world.run(30_000);
  assert.equal(only(world).state, 'serving');
  assert.deepEqual(calls(world, only(world).token), ['provider.create', 'provider.find']);
  assert.equal(world.neighbours.made.size, 1);
});

test('[IN-3] instance: an unknown outcome is looked up after it had time to show', () => {
  const world = started({}, 2_000, 'unavailable');
  assert.deepEqual(calls(world, only(world).token), ['provider.create']);
  world.neighbours.onCreate = 'made';
  world.run(30_000);
  assert.deepEqual(calls(world, only(world).token), [
    'provider.create',
    'provider.find',
    'provider.create',
  ]);
  assert.equal(world.instances().length, 1, 'the same instance, the same token');
  assert.equal(only(world).state, 'serving');
});

test('[IN-3] instance: a create nobody answers is looked up in the end', () => {
  const world = started({}, 0, 'unanswered');
  world.run(MINUTE_MS);
  world.neighbours.onCreate = 'made';
  world.run(10 * MINUTE_MS);
  assert.equal(only(world).state, 'serving');
});

test('[IN-4] instance: a definite refusal fails it, visibly, for a while', () => {
  const world = started({}, 30, 'quota');
  const failed = only(world);
  assert.equal(failed.state, 'failed');
  assert.equal(failed.problem, 'quota: no luck: quota');
  assert.deepEqual(events(world, failed), ['instance.creating', 'instance.failed']);
  world.neighbours.onCreate = undefined;
  world.run(29 * MINUTE_MS);
  assert.equal(named(world, failed).state, 'failed');
  world.run(2 * MINUTE_MS);
  assert.equal(
    world.instances().some(({ id }) => id === failed.id),
    false,
  );
  assert.equal(world.group().members[failed.id], undefined, 'its group forgot it too');
});

test('[IN-4] instance: told to leave while creating, it is found out before it goes', () => {
  const rows = [
    ['made', 1],
    ['unavailable', 0],
    ['made-unavailable', 1],
  ] as const;
  for (const [onCreate, deletes] of rows) {
    const world = started({}, 10, onCreate);
    world.tell(GROUP, {
      type: 'operator.scale',
      size: 0,
      owner: 'ops',
      reason: 'none',
      forMs: null,
    });
    world.run(MINUTE_MS);
    assert.equal(only(world).state, 'deleted', onCreate);
    const asked = world.neighbours.calls.filter(({ type }) => type === 'provider.delete');
    assert.equal(asked.length, deletes, onCreate);
    assert.equal(world.neighbours.made.size, 0, onCreate);
  }
});

test('[IN-4] instance: a create that shows after it was given up is deleted', () => {
  const world = started({}, 30, 'quota');
  const { id, token } = only(world);
  world.answer(addressOf('instance', id), { type: 'provider.created', token, ...LATE } as never);
  world.run(1_000);
  const gone = world.neighbours.calls.find(({ type }) => type === 'provider.delete');
  assert.deepEqual(gone, { type: 'provider.delete', providerId: 'p-late' });
  assert.equal(named(world, only(world)).state, 'deleted');
});

const LATE = { providerId: 'p-late', address: '127.64.9.9' };

// --- restarts, intent, operators ------------------------------------------------------------------

test('[IN-8] instance: after a restart it tells everything and decides nothing', () => {
  const world = started();
  const before = { levels: world.neighbours.levels, records: world.records.length };
  const watches = () => world.neighbours.calls.filter(({ type }) => type === 'provider.watch');
  assert.equal(watches().length, 0);
  world.crash();
  world.run(1_000);
  assert.ok(world.neighbours.levels > before.levels);
  assert.equal(watches().length, 1);
  assert.equal(world.records.length, before.records);
  assert.equal(world.group().members[only(world).id]?.inService, true);
});

test('[IN-8] instance: a new frontend is told, the template stays its own', () => {
  const world = started();
  const other = 'acme/other' as FrontendName;
  const { template } = groupSpec();
  const change = { template: { ...template, infraHash: 'new' }, generation: 2 };
  // No room for a successor: it stays, drifted as it is.
  const spec = groupSpec({ size: 1, maxSize: 1, frontends: [WEB, other], ...change });
  world.tell(GROUP, { type: 'group.desired', spec });
  world.run(1_000);
  assert.equal(world.neighbours.asOf(other, only(world).id)?.phase, 'in');
  assert.equal(only(world).spec.template.infraHash, 'abc123');
});

test('[IN-10] instance: an order that makes no sense is refused with its rule', () => {
  const world = started();
  const old = only(world);
  verb(world, old, 'operator.ackDrain');
  world.run(10);
  assert.deepEqual(world.replies['operator.ackDrain'], {
    ok: false,
    refusal: { code: 'refused', rule: 'IN-10', message: `${old.id} is serving, not draining` },
  });
  world.neighbours.die(old.id);
  world.run(1_000);
  for (const type of ['operator.drain', 'operator.replace']) {
    verb(world, old, type);
    world.run(10);
    assert.equal(answered(world, type), false, type);
  }
});

test('[IN-10] instance: a repeated order is a no-op', () => {
  const world = started();
  const old = only(world);
  for (const type of ['operator.replace', 'operator.drain', 'operator.ackDrain']) {
    verb(world, old, type, `first ${type}`);
    world.run(10);
    const known = world.records.length;
    verb(world, old, type, `second ${type}`);
    world.run(1);
    assert.deepEqual([answered(world, `first ${type}`)], [true], type);
    assert.equal(answered(world, `second ${type}`), true, type);
    assert.ok(world.records.length - known <= 1, type);
  }
});

test('[IN-10] instance: an order is answered once it is durable', () => {
  const world = started();
  world.faults.storeDown = true;
  verb(world, only(world), 'operator.drain');
  world.run(1_000);
  assert.equal(answered(world, 'operator.drain'), undefined);
  world.faults.storeDown = false;
  world.run(1_000);
  assert.equal(answered(world, 'operator.drain'), true);
});
