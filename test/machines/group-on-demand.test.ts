/** Rules GR-26..GR-29: instances beside the size, and groups whose tenant sleeps. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GroupSpec } from '../../machines/model/desired.js';
import type { JsonObject } from '../../machines/model/json.js';
import { agedSpec, HOUR_MS, inState, living } from '../support/group-ages.js';
import { desired, GROUP } from '../support/group-drive.js';
import { MINUTE_MS } from '../support/group-spec.js';
import type { GroupWorld } from '../support/group-types.js';

let asked = 0;

/** The answer, once there is one. */
function ask(world: GroupWorld, message: JsonObject & { readonly type: string }): JsonObject {
  asked += 1;
  world.tell(GROUP, { reason: 'by hand', ...message }, `ask ${asked}`);
  world.run(1_000);
  return world.replies[`ask ${asked}`] as JsonObject;
}

const create = (world: GroupWorld, key: string): JsonObject =>
  ask(world, { type: 'operator.createInstance', key });

const remove = (world: GroupWorld, instance: string, force = false): JsonObject =>
  ask(world, { type: 'operator.deleteInstance', instance, force });

function onDemand(world: GroupWorld) {
  return world.instances().filter((one) => one.onDemand);
}

function creates(world: GroupWorld): number {
  return world.neighbours.calls.filter(({ type }) => type === 'provider.create').length;
}

/** Alive in the cell's eyes: of the group itself. */
function managed(world: GroupWorld): number {
  return inState(world, 'serving').filter((one) => !one.onDemand).length;
}

test('[GR-27] on demand: a key makes one instance, however often and across a crash', () => {
  const world = living(agedSpec({}));
  const first = create(world, 'job-1');
  assert.equal(first['created'], true);
  assert.deepEqual(create(world, 'job-1'), { ...first, state: 'serving', created: false });
  world.crash();
  world.run(1_000);
  const again = create(world, 'job-1');
  assert.deepEqual([again['instance'], again['created']], [first['instance'], false]);
  assert.notEqual(create(world, 'job-2')['instance'], first['instance']);
  world.run(10_000);
  assert.deepEqual(
    onDemand(world).map(({ key, state }) => [key, state]),
    [
      ['job-1', 'serving'],
      ['job-2', 'serving'],
    ],
  );
});

test('[GR-27] on demand: an answer tells of what is on disk', () => {
  const world = living(agedSpec({}));
  world.faults.storeDown = true;
  assert.equal(create(world, 'job-1'), undefined);
  world.crash();
  world.faults.storeDown = false;
  world.run(10_000);
  assert.deepEqual(onDemand(world), []);
  assert.equal(create(world, 'job-1')['created'], true);
});

test('[GR-27] on demand: bad keys and more than maxSize are refused, a refused create frees its key', () => {
  const world = living(agedSpec({}, { maxSize: 3 }));
  for (const key of ['', 'two words', 'x'.repeat(129), 'ü']) {
    assert.equal(create(world, key)['ok'], false, key);
  }
  world.neighbours.onCreate = 'quota';
  const refused = create(world, 'job-1');
  world.run(1_000);
  world.neighbours.onCreate = 'made';
  const again = create(world, 'job-1');
  assert.equal(again['created'], true);
  assert.notEqual(again['instance'], refused['instance']);
  for (const key of ['job-2', 'job-3']) assert.equal(create(world, key)['ok'], true);
  assert.equal(create(world, 'job-4')['ok'], false);
});

test('[GR-27] on demand: a deletion drains, is answered the same way ever after, and is not for members', () => {
  const world = living(agedSpec({}));
  const made = create(world, 'job-1');
  world.run(10_000);
  const name = String(made['instance']);
  assert.equal(remove(world, 'job-1')['status'], 'deleting');
  assert.deepEqual(remove(world, name), { ok: true, instance: name, status: 'deleting' });
  assert.equal(inState(world, 'draining')[0]?.drain?.reason, 'operator');
  world.run(10 * MINUTE_MS);
  assert.equal(remove(world, 'job-1')['status'], 'deleted');
  assert.equal(create(world, 'job-1')['state'], 'deleted');
  world.run(HOUR_MS);
  assert.equal(remove(world, 'job-1')['status'], 'unknown');
  assert.equal(create(world, 'job-1')['created'], true);
  const [member] = world.instances().filter((one) => !one.onDemand);
  assert.equal(remove(world, String(member?.id))['ok'], false);
  assert.equal(managed(world), 3);
});

test('[IG-4] [GR-26] on demand: scaling to one and to none leaves instances on demand alone', () => {
  const world = living(agedSpec({}, { size: 1 }));
  for (const key of ['a', 'b']) create(world, key);
  world.run(10 * MINUTE_MS);
  assert.deepEqual([managed(world), onDemand(world).length], [1, 2]);
  desired(world, agedSpec({}, { size: 0, generation: 2 }));
  world.run(10 * MINUTE_MS);
  assert.equal(managed(world), 0);
  assert.equal(inState(world, 'serving').length, 2);
  assert.equal(world.neighbours.statuses.at(-1)?.onDemand, 2);
});

test('[GR-26] on demand: one that dies or never boots is not replaced, and stops no create', () => {
  const world = living(agedSpec({}, { resyncIntervalMs: MINUTE_MS }));
  create(world, 'a');
  world.run(10_000);
  world.neighbours.die(onDemand(world)[0]?.id as never);
  world.neighbours.newborn = 'unknown';
  create(world, 'b');
  world.run(20 * MINUTE_MS);
  assert.equal(creates(world), 5);
  assert.equal(world.group().trouble, null);
  assert.deepEqual(
    onDemand(world).map(({ state }) => state),
    ['deleted', 'deleted'],
  );
  assert.equal(managed(world), 3);
});

test('[GR-28] on demand: too old is drained, and nobody follows', () => {
  const rules = agedSpec({}).disruption;
  assert.ok(rules);
  const spec = agedSpec(
    { ...rules, expiry: { onDemandAgeMs: 10 * HOUR_MS } },
    { resyncIntervalMs: MINUTE_MS },
  );
  const world = living(spec);
  create(world, 'a');
  world.run(9 * HOUR_MS - MINUTE_MS);
  create(world, 'b');
  world.run(HOUR_MS + 2 * MINUTE_MS);
  assert.deepEqual(
    onDemand(world).map(({ key, drain }) => [key, drain?.reason]),
    [
      ['a', 'ondemand-expiry'],
      ['b', undefined],
    ],
  );
  assert.deepEqual([managed(world), creates(world)], [3, 5]);
});

// --- sleep ------------------------------------------------------------------------------------

function sleeping(spec: GroupSpec, generation: number): GroupSpec {
  return { ...spec, generation, asleep: true };
}

test('[IG-41] [GR-29] asleep: members drain, none is created or replaced, the size stands, awake all come back', () => {
  const spec = agedSpec({}, { size: 2 });
  const world = living(spec);
  create(world, 'a');
  world.neighbours.die(world.instances()[0]?.id as never);
  desired(world, sleeping(spec, 2));
  world.run(MINUTE_MS);
  const made = creates(world);
  world.run(HOUR_MS / 6);
  assert.equal(creates(world), made);
  assert.deepEqual([managed(world), onDemand(world).length], [0, 1]);
  assert.equal(world.neighbours.statuses.at(-1)?.converged, true);
  assert.equal(world.group().spec?.size, 2);
  desired(world, { ...spec, generation: 3 });
  world.run(MINUTE_MS);
  assert.equal(managed(world), 2);
});

test('[GR-29] asleep: an instance on demand may be made, and its tenant hears of it', () => {
  const spec = agedSpec({});
  const world = living(sleeping(spec, 1));
  assert.equal(create(world, 'a')['created'], true);
  world.run(MINUTE_MS);
  assert.deepEqual([managed(world), creates(world)], [0, 1]);
  assert.equal(world.neighbours.statuses.at(-1)?.onDemand, 1);
});

test('[SG-11] on demand: one that is to be deleted goes when the guard lets it, over a crash; by force again at once', () => {
  const world = living(agedSpec({}));
  create(world, 'job-1');
  world.run(10_000);
  world.neighbours.guardLetsGo = false;
  assert.equal(remove(world, 'job-1')['status'], 'deleting');
  assert.equal(remove(world, 'job-1')['status'], 'deleting');
  world.run(10 * MINUTE_MS);
  const wished = world.records.filter(({ event }) => event === 'group.departure_wished');
  assert.equal(wished.length, 1);
  assert.equal(onDemand(world)[0]?.state, 'serving');
  world.neighbours.guardLetsGo = true;
  world.crash();
  world.run(2 * MINUTE_MS);
  assert.equal(onDemand(world)[0]?.state, 'draining');
  assert.equal(onDemand(world)[0]?.drain?.lastMayGo, false);
  world.neighbours.guardLetsGo = false;
  remove(world, 'job-1', true);
  assert.equal(onDemand(world)[0]?.drain?.lastMayGo, true, 'it was let go before');
});

test('[SG-11] on demand: what the guard was not asked for does not go by its word', () => {
  const world = living(agedSpec({}));
  create(world, 'job-1');
  world.run(10_000);
  const [one] = onDemand(world);
  const id = one?.id ?? '';
  world.tell(GROUP, { type: 'guard.granted', to: 0, sinceMs: 1, id });
  world.neighbours.guardLetsGo = false;
  remove(world, 'job-1');
  world.tell(GROUP, { type: 'guard.granted', to: 0, sinceMs: 1, id });
  world.run(MINUTE_MS);
  assert.equal(onDemand(world)[0]?.state, 'serving');
  assert.equal(managed(world), 3);
});
