/** Rules IN-12 and IN-13: which level an acknowledgement answers, and frontends an instance left. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FrontendName } from '../../machines/model/ids.js';
import { addressOf } from '../../machines/model/ids.js';
import { desired, drain, named, only, started, verb } from '../support/group-drive.js';
import { groupSpec, MINUTE_MS, WEB } from '../support/group-spec.js';
import type { GroupWorld } from '../support/group-types.js';

const API = 'acme/api' as FrontendName;

/** WEB says that it is out, of this level. */
function sayOut(world: GroupWorld, level: number): void {
  const { id } = only(world);
  const ack = { frontend: WEB, member: id, level, phase: 'out', weight: 0 } as const;
  world.answer(addressOf('instance', id), { type: 'member.acknowledged', ack } as never);
  world.run(10);
}

test('[IN-12] instance: an acknowledgement of an earlier level removes nothing', () => {
  const world = started();
  const old = only(world);
  drain(world, old);
  world.run(1_000);
  const { level: draining } = named(world, old);
  world.neighbours.frozen.add(WEB);
  verb(world, old, 'operator.ackDrain');
  world.run(1_000);
  const { state, level } = named(world, old);
  assert.equal(state, 'drained');
  assert.ok(level > draining && draining > old.level);
  for (const stale of [old.level, draining, level + 1]) {
    sayOut(world, stale);
    assert.equal(named(world, old).state, 'drained', `of level ${stale - level}`);
  }
  sayOut(world, level);
  assert.notEqual(named(world, old).state, 'drained');
});

test('[IN-12] instance: levels only rise, also over a restart that forgot the newest', () => {
  const world = started();
  const old = only(world);
  world.faults.storeDown = true;
  world.neighbours.die(old.id);
  world.run(100);
  const told = named(world, old).level;
  assert.ok(told > old.level, 'a death is told before it is durable');
  world.crash();
  assert.equal(named(world, old).level, old.level);
  world.run(10);
  assert.ok(named(world, old).level > told);
});

test('[IN-13] instance: a frontend it was taken from is told, and holds the delete', () => {
  const world = started({ frontends: [WEB, API] });
  const old = only(world);
  world.neighbours.frozen.add(API);
  desired(world, groupSpec({ size: 1, maxSize: 2, frontends: [WEB], generation: 2 }));
  world.run(1_000);
  assert.deepEqual(named(world, old).former, [API]);
  assert.equal(named(world, old).state, 'serving');
  drain(world, old);
  world.run(6 * MINUTE_MS);
  assert.equal(named(world, old).state, 'draining');
  assert.equal(world.neighbours.asOf(API, old.id)?.phase, 'in');
  world.neighbours.frozen.clear();
  world.crash();
  world.run(10 * MINUTE_MS);
  assert.equal(world.neighbours.asOf(API, old.id), undefined);
  assert.equal(named(world, old).state, 'deleted');
  assert.equal(named(world, old).drain?.endedBy, 'deadline');
});

test('[IN-13] instance: given back to a frontend, it is in there again', () => {
  const world = started({ frontends: [WEB] });
  const old = only(world);
  desired(world, groupSpec({ size: 1, maxSize: 2, frontends: [], generation: 2 }));
  world.run(1_000);
  assert.deepEqual(named(world, old).former, []);
  assert.equal(world.neighbours.asOf(WEB, old.id), undefined);
  desired(world, groupSpec({ size: 1, maxSize: 2, frontends: [WEB], generation: 3 }));
  world.run(1_000);
  assert.equal(world.neighbours.asOf(WEB, old.id)?.phase, 'in');
  assert.equal(named(world, old).acks[WEB]?.phase, 'in');
});
