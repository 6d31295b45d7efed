/** Scenarios IG-*: a group whose members are well and should go nevertheless, or sick all at once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf } from '../../machines/model/ids.js';
import {
  agedSpec,
  drains,
  HOUR_MS,
  inState,
  living,
  otherTemplate,
  watching,
} from '../support/group-ages.js';
import { assertConverged, desired } from '../support/group-drive.js';
import { MINUTE_MS } from '../support/group-spec.js';
import type { GroupWorld } from '../support/group-types.js';

const DRAIN_MS = 5 * MINUTE_MS;

/** Members created `ages` hours ago, the oldest first. */
function bornAt(ages: readonly number[]): GroupWorld {
  const size = ages.length;
  const world = living(agedSpec({}, { size: 1, maxSize: 2 * size }));
  for (const [index, age] of ages.entries()) {
    desired(world, agedSpec({}, { size: index + 1, maxSize: 2 * size, generation: 2 + index }));
    world.run((age - (ages[index + 1] ?? 0)) * HOUR_MS);
  }
  return world;
}

/** From now on. */
function rule(world: GroupWorld, rules: Parameters<typeof agedSpec>[0]): void {
  desired(world, agedSpec(rules, { generation: 99 }));
}

test('[IG-36] of two members past their eligible age the oldest goes, the other waits for it', () => {
  const world = bornAt([506, 505, 10]);
  const [oldest, second, youngest] = world.instances();
  rule(world, { eligibleAgeMs: 504 * HOUR_MS });
  world.run(MINUTE_MS);
  assert.deepEqual(
    inState(world, 'draining').map(({ id, drain }) => [id, drain?.reason]),
    [[oldest?.id, 'eligible-expiry']],
  );
  assert.equal(inState(world, 'serving').length, 3);
  world.run(DRAIN_MS - 2 * MINUTE_MS);
  assert.equal(inState(world, 'draining').length, 1);
  world.run(2 * DRAIN_MS);
  assert.deepEqual(
    drains(world).map(({ id, reason }) => [id, reason]),
    [oldest, second].map((one) => [addressOf('instance', one?.id ?? ''), 'eligible-expiry']),
  );
  assert.ok(inState(world, 'serving').some(({ id }) => id === youngest?.id));
});

test('[IG-37] forced expiry goes one beyond the budget, eligible expiry never', () => {
  for (const [rules, expired] of [
    [{ forcedAgeMs: 720 * HOUR_MS }, 1],
    [{ eligibleAgeMs: 720 * HOUR_MS }, 0],
  ] as const) {
    const world = bornAt([722, 721, 1]);
    const [oldest, , youngest] = world.instances();
    // Its place is not filled: nothing new comes to serve.
    world.neighbours.newborn = 'unknown';
    world.tell(addressOf('instance', youngest?.id ?? ''), {
      type: 'operator.drain',
      reason: 'x',
      force: true,
    });
    world.run(MINUTE_MS);
    rule(world, rules);
    world.run(MINUTE_MS);
    const followed = world.instances().flatMap(({ replaces }) => replaces ?? []);
    assert.deepEqual(followed, expired === 1 ? [oldest?.id] : []);
  }
});

test('[IG-49] three members of one age are replaced one after another, each with its whole drain', () => {
  const world = living(agedSpec({ eligibleAgeMs: 504 * HOUR_MS }));
  const born = world.instances().map(({ id }) => addressOf('instance', id));
  world.run(450 * HOUR_MS);
  watching(world, { forMs: 55 * HOUR_MS, everyMs: MINUTE_MS }, () => {
    assert.ok(inState(world, 'draining').length <= 1, 'one at a time');
    assert.ok(inState(world, 'serving').length >= 3, 'never fewer than wanted');
  });
  assert.deepEqual(new Set(drains(world).map(({ id }) => id)), new Set(born));
  assert.ok(drains(world).every(({ lastedMs }) => lastedMs >= DRAIN_MS));
  assert.equal(world.neighbours.calls.filter(({ type }) => type === 'provider.create').length, 6);
  assertConverged(world, 3);
});

test('[IG-50] a group that is told five times while one is replaced deletes nobody else', () => {
  const world = living(agedSpec({}));
  const youngest = world.instances().at(-1);
  assert.ok(youngest);
  world.tell(addressOf('instance', youngest.id), { type: 'operator.replace', reason: 'x' });
  world.run(10_000);
  for (let time = 2; time < 7; time += 1) {
    desired(world, agedSpec({}, { generation: time }));
    world.run(1_000);
  }
  world.run(10 * MINUTE_MS);
  assert.deepEqual(
    drains(world).map(({ id }) => id),
    [addressOf('instance', youngest.id)],
  );
  assertConverged(world, 3);
});

test('[IG-57] all ten go silent while they run: none is drained, one successor at a time, loudly', () => {
  const spec = agedSpec({}, { size: 10, maxSize: 20, resyncIntervalMs: MINUTE_MS });
  const world = living(spec);
  world.neighbours.newborn = 'unknown';
  for (const { id } of world.instances()) world.neighbours.setHealth(id, 'down');
  watching(world, { forMs: 30 * MINUTE_MS, everyMs: MINUTE_MS }, () => {
    assert.equal(
      inState(world, 'draining', 'deleting').filter(({ servedAtMs }) => servedAtMs !== null).length,
      0,
    );
    assert.ok(inState(world, 'creating', 'booting').length <= 1);
  });
  assert.equal(world.group().breaker?.state, 'open');
  const [opened] = world.records.filter(({ event }) => event === 'group.breaker_changed');
  assert.equal(opened?.publish?.data['breaker'], 'open');
  assert.match(JSON.stringify(opened?.publish?.data['conditions']), /breaker-open/);
  world.neighbours.newborn = 'up';
  for (const { id } of world.instances()) world.neighbours.setHealth(id, 'up');
  world.run(60 * MINUTE_MS);
  assert.equal(world.group().breaker, null);
  assertConverged(world, 10);
});

test('[GR-23] group: one that is dead for sure is replaced while the breaker is open', () => {
  const world = living(agedSpec({}, { size: 5, maxSize: 10, resyncIntervalMs: MINUTE_MS }));
  const [dies, ...others] = world.instances();
  for (const { id } of others.slice(0, 3)) world.neighbours.setHealth(id, 'down');
  world.run(MINUTE_MS);
  assert.equal(world.group().breaker?.state, 'open');
  world.neighbours.die(dies?.id as never);
  world.run(MINUTE_MS);
  assert.ok(
    world.instances().some(({ replaces, state }) => replaces === dies?.id && state === 'serving'),
  );
});

// --- drift ------------------------------------------------------------------------------------

test('[GR-21] [GR-20] group: another template rolls through the group, two at a time', () => {
  const spec = agedSpec({ max: 2 }, { size: 6, maxSize: 12 });
  const world = living(spec);
  desired(world, otherTemplate(spec, 'new', 2));
  let most = 0;
  watching(world, { forMs: 40 * MINUTE_MS, everyMs: 10_000 }, () => {
    most = Math.max(most, inState(world, 'draining').length);
    assert.ok(inState(world, 'serving').length >= 6);
  });
  assert.equal(most, 2);
  assertConverged(world, 6);
  const hashes = inState(world, 'serving').map((one) => one.spec.template.infraHash);
  assert.deepEqual(new Set(hashes), new Set(['new']));
});

test('[GR-21] group: variables alone replace nobody, another provider does', () => {
  const spec = agedSpec({});
  const world = living(spec);
  desired(world, { ...spec, template: { ...spec.template, vars: { a: 'b' } }, generation: 2 });
  world.run(HOUR_MS);
  assert.deepEqual(drains(world), []);
  desired(world, { ...spec, template: { ...spec.template, provider: 'cloud' }, generation: 3 });
  world.run(HOUR_MS);
  assert.deepEqual(
    drains(world).map(({ reason }) => reason),
    Array(3).fill('config-drift'),
  );
});

test('[GR-20] [GR-25] group: drift waits for the window, and says so', () => {
  // The world begins on 2023-11-14 at 22:13 UTC.
  const rules = { windows: [{ cron: '0 2 * * *', durationMs: HOUR_MS }] };
  const spec = agedSpec(rules, { maxSize: 9 });
  const world = living(spec);
  desired(world, otherTemplate(spec, 'new', 2));
  world.run(3 * HOUR_MS);
  assert.deepEqual(drains(world), []);
  assert.equal(world.group().waiting?.why, 'window');
  world.run(2 * HOUR_MS);
  assert.equal(drains(world).length, 3);
  assertConverged(world, 3);
  assert.equal(world.group().waiting, null);
});

test('[GR-16] group: a template that never serves is not tried hot, and nobody leaves for it', () => {
  const spec = agedSpec({}, { resyncIntervalMs: MINUTE_MS });
  const world = living(spec);
  world.neighbours.onCreate = 'quota';
  desired(world, otherTemplate(spec, 'bad', 2));
  world.run(20 * MINUTE_MS);
  const asked = world.neighbours.calls.filter(({ type }) => type === 'provider.create').length - 3;
  assert.ok(asked > 3 && asked < 20, `${asked} in twenty minutes`);
  assert.equal(inState(world, 'serving').length, 3);
  assert.ok((world.group().trouble?.failures ?? 0) > 3);
  world.neighbours.onCreate = undefined;
  world.run(30 * MINUTE_MS);
  assertConverged(world, 3);
  assert.equal(world.group().trouble, null);
});
