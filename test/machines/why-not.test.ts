/** Rules GR-30, SG-10 and IN-19: what is asked about is explained, and nothing changes by the question. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupGates } from '../../machines/group-gates.js';
import { newGroup } from '../../machines/group-memory.js';
import { removalBegun } from '../../machines/group-shrink.js';
import { addressOf } from '../../machines/model/ids.js';
import type { JsonObject } from '../../machines/model/json.js';
import { TERMS } from '../support/book.js';
import { agedSpec, HOUR_MS, inState, living, otherTemplate } from '../support/group-ages.js';
import { desired, GROUP, verb } from '../support/group-drive.js';
import { MINUTE_MS, WEB } from '../support/group-spec.js';
import type { GroupWorld } from '../support/group-types.js';

/** Its member is there, its own row was lost: it is removed before anybody said what it is. */
function removedUnheard() {
  const meta = { at: 1, random: 0, id: '01', cause: '01', from: GROUP, replyTo: undefined };
  const fresh = newGroup(GROUP);
  return { memory: { ...fresh, ...removalBegun(fresh, 'group-removed') }, meta };
}

function whyNot(world: GroupWorld, to = GROUP): JsonObject {
  const before = world.records.length;
  world.tell(to, { type: 'operator.whyNot' }, 'why');
  world.run(10);
  assert.equal(world.records.length, before);
  return world.replies['why'] as JsonObject;
}

/** Names of the gates that hold. */
function holding(answer: JsonObject): readonly unknown[] {
  const gates = answer['gates'] as readonly JsonObject[];
  return gates.filter(({ state }) => state === 'holds').map(({ gate }) => gate);
}

test('[GR-30] why-not: each gate of a group says so when it holds, and only then', () => {
  const spec = agedSpec({}, { resyncIntervalMs: MINUTE_MS });
  const world = living(spec);
  assert.deepEqual(holding(whyNot(world)), []);
  desired(world, { ...spec, asleep: true, generation: 2 });
  world.run(10 * MINUTE_MS);
  assert.deepEqual(holding(whyNot(world)), ['sleep']);

  const failing = living(spec);
  failing.neighbours.onCreate = 'quota';
  desired(failing, { ...spec, size: 4, generation: 2 });
  failing.run(MINUTE_MS);
  assert.deepEqual(holding(whyNot(failing)), ['creates', 'budget']);

  const sick = living(spec);
  for (const { id } of sick.instances()) sick.neighbours.setHealth(id, 'down');
  sick.run(1_000);
  assert.deepEqual(holding(whyNot(sick)), ['budget', 'breaker']);

  const windows = [{ cron: '0 2 * * *', durationMs: HOUR_MS }];
  const drifted = living(agedSpec({ windows }, { maxSize: 3 }));
  desired(drifted, otherTemplate(agedSpec({ windows }, { maxSize: 3 }), 'new', 2));
  drifted.run(1_000);
  const answer = whyNot(drifted);
  assert.deepEqual(holding(answer), ['room', 'window']);
  assert.equal((answer['replace'] as readonly unknown[]).length, 3);
});

test('[SG-10] why-not: a removal of too many says that it waits for the shrink guard', () => {
  const spec = agedSpec({}, { resyncIntervalMs: MINUTE_MS });
  const world = living(spec);
  world.neighbours.guardLetsGo = false;
  desired(world, { ...spec, size: 1, generation: 2 });
  world.run(1_000);
  assert.deepEqual(holding(whyNot(world)), ['shrink']);
});

test('[GR-30] why-not: a group that ends before it was ever told what to be answers too', () => {
  const { memory, meta } = removedUnheard();
  const answer = groupGates(memory, meta);
  assert.equal(answer['wanted'], 0);
  assert.deepEqual(holding(answer), ['removal']);
});

test('[IN-19] why-not: an instance tells what it waits for', () => {
  const world = living(agedSpec({}));
  const one = world.instances()[0] ?? assert.fail('there is one');
  const at = addressOf('instance', one.id);
  assert.deepEqual(holding(whyNot(world, at)), []);
  world.neighbours.frozen.add(WEB);
  verb(world, one, 'operator.drain');
  world.run(1_000);
  assert.deepEqual(holding(whyNot(world, at)), ['frontend', 'drain']);
  const other = inState(world, 'serving')[0] ?? assert.fail('others serve');
  world.tell(addressOf('instance', other.id), {
    type: 'operator.quarantine',
    force: false,
    ...TERMS,
  });
  world.run(1_000);
  assert.deepEqual(holding(whyNot(world, addressOf('instance', other.id))), ['quarantine']);
});

test('[GR-23] why-not: an operator may replace an unhealthy one while the breaker is open', () => {
  const world = living(agedSpec({}, { size: 5, maxSize: 10, resyncIntervalMs: MINUTE_MS }));
  const [one, two, ...others] = world.instances();
  for (const sick of [one, two, ...others.slice(1)]) {
    world.neighbours.setHealth(sick?.id as never, 'down');
  }
  world.run(1_000);
  verb(world, one ?? assert.fail('there is one'), 'operator.replace');
  world.run(MINUTE_MS);
  assert.equal(world.group().breaker?.state, 'open');
  const leaving = (id: string | undefined) => world.group().members[id as never]?.leaving;
  assert.deepEqual([leaving(one?.id), leaving(two?.id)], ['replaced', undefined]);
});
