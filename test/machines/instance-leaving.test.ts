/** Rules IN-*: one instance on its way out: drains, holds, deletes and deaths. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InstanceMemory } from '../../machines/instance-memory.js';
import { addressOf } from '../../machines/model/ids.js';
import {
  answered,
  drain,
  events,
  GROUP,
  named,
  only,
  started,
  verb,
} from '../support/group-drive.js';
import { MINUTE_MS, WEB } from '../support/group-spec.js';
import type { GroupWorld } from '../support/group-types.js';

test('[IN-6] instance: what ends a drain', () => {
  const rows: [string, string, number, (world: GroupWorld, id: InstanceMemory) => void][] = [
    ['the deadline', 'deadline', 5 * MINUTE_MS, () => undefined],
    ['an operator', 'acknowledged', 1_000, (world, id) => verb(world, id, 'operator.ackDrain')],
    ['its death', 'died', 1_000, (world, { id }) => world.neighbours.die(id)],
  ];
  for (const [what, endedBy, waitMs, end] of rows) {
    const world = started();
    const old = only(world);
    drain(world, old);
    world.run(1_000);
    assert.equal(named(world, old).state, 'draining', what);
    assert.equal(world.neighbours.asOf(WEB, old.id)?.phase, 'drain', what);
    end(world, old);
    world.run(waitMs);
    assert.equal(named(world, old).drain?.endedBy, endedBy, what);
    assert.equal(named(world, old).state, 'deleted', what);
    const timedOut = world.records.filter(({ event }) => event === 'instance.drain_timed_out');
    assert.equal(timedOut.length, endedBy === 'deadline' ? 1 : 0, what);
    assert.equal(world.neighbours.asOf(WEB, old.id), undefined, what);
  }
});

test('[IN-6] instance: a frozen frontend holds the drain, at most for the hold', () => {
  const world = started();
  const old = only(world);
  world.neighbours.frozen.add(WEB);
  drain(world, old);
  world.run(14 * MINUTE_MS);
  assert.equal(named(world, old).state, 'draining');
  assert.equal(world.neighbours.made.has(old.token), true);
  world.run(20 * MINUTE_MS);
  assert.equal(named(world, old).drain?.endedBy, 'unverified');
  assert.equal(named(world, old).state, 'deleted');
  const drained = world.records.find(({ event }) => event === 'instance.drained');
  assert.deepEqual(drained?.numbers['heldBy'], [WEB]);
});

test('[IN-6] instance: a frontend that never removes it is on record too', () => {
  const world = started();
  const old = only(world);
  drain(world, old);
  world.run(MINUTE_MS);
  world.neighbours.frozen.add(WEB);
  world.run(18 * MINUTE_MS);
  assert.equal(named(world, old).state, 'drained');
  assert.equal(named(world, old).drain?.endedBy, 'deadline');
  world.run(2 * MINUTE_MS);
  assert.equal(named(world, old).state, 'deleted');
  assert.equal(named(world, old).drain?.endedBy, 'unverified');
});

test('[IN-6] instance: an early acknowledgement still waits for the frontends', () => {
  const world = started();
  const old = only(world);
  world.neighbours.frozen.add(WEB);
  drain(world, old);
  world.run(1_000);
  verb(world, old, 'operator.ackDrain');
  world.run(MINUTE_MS);
  assert.equal(answered(world, 'operator.ackDrain'), true);
  assert.equal(named(world, old).state, 'draining');
  world.neighbours.frozen.clear();
  world.run(2 * MINUTE_MS);
  assert.equal(named(world, old).drain?.endedBy, 'acknowledged');
});

test('[IN-6] instance: without frontends nothing is waited for but the deadline', () => {
  const world = started({ frontends: [] });
  const old = only(world);
  drain(world, old);
  world.run(5 * MINUTE_MS + 100);
  assert.equal(named(world, old).state, 'deleted');
});

test('[IN-6] instance: the last member is let go when its group wants none', () => {
  const world = started();
  const old = only(world);
  drain(world, old);
  world.run(1_000);
  assert.equal(world.neighbours.asOf(WEB, old.id)?.lastMayGo, false);
  world.tell(GROUP, { type: 'group.removed', reason: 'group-removed' });
  world.run(1_000);
  assert.equal(world.neighbours.asOf(WEB, old.id)?.lastMayGo, true);
});

test('[IN-1] instance: a drain ends at its first deadline, whatever restarts', () => {
  const world = started();
  const old = only(world);
  drain(world, old);
  world.run(100_000);
  const deadlineMs = named(world, old).drain?.deadlineMs ?? 0;
  world.crash();
  world.run(50_000);
  world.crash();
  world.run(deadlineMs - world.now() - 100);
  assert.equal(named(world, old).state, 'draining');
  world.run(1_000);
  assert.equal(named(world, old).state, 'deleted');
  const deletes = world.neighbours.calls.filter(({ type }) => type === 'provider.delete');
  assert.equal(deletes.length, 1);
});

test('[IN-2] instance: acknowledgements of another phase or frontend count for nothing', () => {
  const world = started();
  const old = only(world);
  world.neighbours.frozen.add(WEB);
  drain(world, old);
  world.run(100);
  const own = { frontend: WEB, member: old.id };
  const rows = [
    { ...own, phase: 'in', weight: 100 },
    { ...own, phase: 'drain', weight: 100 },
    { ...own, frontend: 'acme/other', phase: 'out', weight: 0 },
    { ...own, member: 'i-0000-000000000000', phase: 'drain', weight: 0 },
  ];
  for (const ack of rows) {
    world.answer(addressOf('instance', old.id), { type: 'member.acknowledged', ack } as never);
    world.run(10);
    assert.match(world.chartOf(addressOf('instance', old.id)), /holding/, JSON.stringify(ack));
  }
});

test('[IN-2] instance: what was acknowledged before the drain says nothing about it', () => {
  const world = started();
  const old = only(world);
  world.neighbours.frozen.add(WEB);
  const ack = { frontend: WEB, member: old.id, phase: 'out', weight: 0 };
  world.answer(addressOf('instance', old.id), { type: 'member.acknowledged', ack } as never);
  world.run(10);
  drain(world, old);
  world.run(MINUTE_MS);
  assert.match(world.chartOf(addressOf('instance', old.id)), /holding/);
});

test('[IN-9] instance: a refused delete is tried again until it is done', () => {
  const world = started();
  const old = only(world);
  world.faults.unavailable = 1;
  drain(world, old);
  world.run(30 * MINUTE_MS);
  assert.equal(named(world, old).state, 'deleting');
  assert.match(named(world, old).problem ?? '', /unavailable/);
  const tries = events(world, old).filter((event) => event === 'instance.delete_failed').length;
  assert.ok(tries > 8 && tries < 25, `${tries} tries in 25 minutes`);
  world.crash();
  world.run(1);
  assert.equal(named(world, old).failures, tries);
  world.faults.unavailable = 0;
  world.run(3 * MINUTE_MS);
  assert.equal(named(world, old).state, 'deleted');
});

// --- death --------------------------------------------------------------------------------------

test('[IN-7] instance: a death reaches its frontends while the store is down', () => {
  const world = started();
  const old = only(world);
  world.faults.storeDown = true;
  world.neighbours.die(old.id);
  world.run(100);
  assert.equal(world.neighbours.asOf(WEB, old.id), undefined);
  world.run(MINUTE_MS);
  const deletes = world.neighbours.calls.filter(({ type }) => type === 'provider.delete');
  assert.deepEqual(deletes, [], 'nothing is deleted before it is durable');
  assert.equal(world.neighbours.made.size, 1, 'and nothing is created');
  world.faults.storeDown = false;
  world.run(MINUTE_MS);
  assert.equal(named(world, old).state, 'deleted');
});

test('[IN-7] instance: only the word about its own life counts', () => {
  const world = started();
  const { id } = only(world);
  const rumour = { type: 'provider.exited', providerId: 'p-999', detail: 'not me' };
  world.answer(addressOf('instance', id), rumour as never);
  world.run(1_000);
  assert.equal(only(world).state, 'serving');
});

test('[IN-8] instance: a death during a restart is heard of afterwards', () => {
  const world = started();
  const old = only(world);
  world.neighbours.die(old.id);
  world.crash();
  world.run(MINUTE_MS);
  assert.equal(named(world, old).state, 'deleted');
  assert.ok(events(world, old).includes('instance.lost'));
});
