/** The outbox where not only the sink refuses: rivals, losses, operators, artifacts, and the end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { passLimits } from '../../actors/outbox-backlog.js';
import { outboxConditions } from '../../actors/outbox-conditions.js';
import { finish, runPass } from '../../actors/outbox-pass.js';
import { artifactNameOf } from '../../src/feed/artifacts.js';
import { feedHash } from '../../src/ports/feed-chain.js';
import { feedEvent } from '../support/feed-events.js';
import { assertWhole, attemptsOf, feedOf, fill } from '../support/outbox-feeds.js';
import { createOutboxWorld, OUTBOX_SETTINGS } from '../support/outbox-world.js';

test('[OB-10] outbox: while another publisher has it nothing is sent; then everything', async () => {
  const world = createOutboxWorld();
  fill(world, 'a1 a2');
  world.outbox.claimedForMs = 5_000;
  await world.run(3);
  assert.equal(feedOf(world), '');
  assert.equal(world.machine.value, 'waiting');
  world.outbox.claimedForMs = 0;
  await world.run();
  assert.equal(feedOf(world), 'a1 a2');
});

test('[FD-9] [OB-3] outbox: when somebody else writes the feed it resumes behind it, burning no attempt', async () => {
  const world = createOutboxWorld();
  fill(world, 'a1');
  await world.run();
  world.sink.intrude();
  fill(world, 'a2 b1');
  world.send({ type: 'outbox.appended' });
  await world.run(1);
  assert.equal(world.machine.value, 'open');
  assert.equal(attemptsOf(world), 'a2 pending 0, b1 pending 0');
  await world.run();
  assert.equal(feedOf(world), 'a1 of-another-1 a2 b1');
});

test('[OB-13] outbox: a feed that lost its end is a condition, and whole again once republished', async () => {
  const world = createOutboxWorld();
  fill(world, 'a1 b1 a2 b2');
  await world.run();
  const whole = feedOf(world);
  world.sink.forgetFrom(3);
  await world.restart();
  assert.deepEqual(world.machine.context.lost, { head: 2, expected: 4 });
  const [condition] = outboxConditions(world.machine.context);
  assert.equal(condition?.['type'], 'feed-lost-events');
  await world.amend({ verb: 'republish', sinceMs: 0 });
  await world.run();
  assert.equal(feedOf(world), whole);
  assertWhole(world, 'republished');
  assert.equal(world.machine.context.lost, null);
});

test('[OB-11] [OB-12] outbox: a dead row that is sent again says what its tombstone said', async () => {
  const world = createOutboxWorld({ maxAttempts: 1 });
  world.sink.refuses.add('a2');
  fill(world, 'a1 a2 a3');
  await world.run();
  world.sink.refuses.clear();
  await world.amend({ verb: 'requeue', row: '2' });
  await world.run();
  assert.equal(feedOf(world), 'a1 a2.tombstone a3 a2');
  const [first, tombstone, third, late] = world.sink.taken;
  assert.ok(first && tombstone && third && late);
  assert.equal(tombstone.previousHash, feedHash(first));
  assert.equal(third.previousHash, feedHash(tombstone));
  assert.equal(late.previousHash, tombstone.previousHash);
  assert.deepEqual(
    world.records.map(({ event }) => event),
    ['outbox.dead_lettered', 'outbox.requeued'],
  );
});

test('[AR-2] [OB-2] outbox: an artifact is in the sink before the event that names it; lost, only its lane waits', async () => {
  const world = createOutboxWorld();
  const { ref, checksum } = artifactNameOf('large');
  const digest = ref.slice('sha256/'.length);
  world.outbox.append(feedEvent(1, { artifactRef: ref, checksum, data: {} }));
  fill(world, 'a1');
  await world.run(1);
  assert.equal(feedOf(world), 'a1');
  assert.equal(world.machine.value, 'waiting');
  world.outbox.artifacts.set(digest, Buffer.from('damaged').toString('base64'));
  await world.run(2);
  assert.equal(feedOf(world), 'a1');
  world.outbox.artifacts.set(digest, Buffer.from('large').toString('base64'));
  await world.run();
  assert.equal(feedOf(world), 'a1 event-1');
  assert.equal(Buffer.from(world.sink.artifacts.get(ref) ?? '').toString(), 'large');
});

test('[OB-4] outbox: an event whose artifact is lost for good is buried, and its tombstone names none', async () => {
  const world = createOutboxWorld();
  const { ref, checksum } = artifactNameOf('large');
  world.outbox.append(feedEvent(1, { artifactRef: ref, checksum, data: {} }));
  await world.run();
  assert.equal(feedOf(world), 'event-1.tombstone');
  const [tombstone] = world.sink.taken;
  assert.ok(tombstone && !('artifactRef' in tombstone) && !('checksum' in tombstone));
});

test('[OB-13] outbox: what the feed loses while we write it is a condition at the next event', async () => {
  const world = createOutboxWorld();
  fill(world, 'a1 b1 a2');
  await world.run();
  world.sink.forgetFrom(2);
  fill(world, 'b2');
  world.send({ type: 'outbox.appended' });
  await world.run();
  assert.deepEqual(world.machine.context.lost, { head: 1, expected: 3 });
  await world.amend({ verb: 'republish', sinceMs: 0 });
  await world.run();
  assert.equal(world.machine.context.lost, null);
});

test('[OB-12] outbox: republished, tombstones come again too, each in its place', async () => {
  const world = createOutboxWorld({ maxAttempts: 2 });
  world.sink.refuses.add('a2');
  fill(world, 'a1 b1 a2 a3 b2');
  await world.run();
  const whole = feedOf(world);
  world.sink.forgetFrom(2);
  await world.restart();
  await world.amend({ verb: 'republish', sinceMs: 0 });
  await world.run();
  assert.deepEqual(feedOf(world).split(' ').sort(), whole.split(' ').sort());
  assertWhole(world, 'republished');
});

test('[OB-2] outbox: a clock that is set back holds up no lane', async () => {
  const world = createOutboxWorld();
  world.sink.refuses.add('a1');
  fill(world, 'a1');
  await world.run(1);
  world.sink.refuses.clear();
  world.clock.stepWall(-86_400_000);
  const startMs = world.clock.monotonic();
  await world.run();
  assert.equal(feedOf(world), 'a1');
  assert.equal(world.clock.monotonic() - startMs, 1_000);
});

test('[OB-12] outbox: what was put back is sent also when the store was away meanwhile', async () => {
  const world = createOutboxWorld({ maxAttempts: 1 });
  world.sink.refuses.add('a1');
  fill(world, 'a1 b1');
  await world.run();
  const before = world.backlog.doneSeq;
  world.sink.refuses.clear();
  // A lane that waits for long: until then only what is new, or put back, is looked at.
  world.backlog.lanes.set('c', { headSeq: 9, dueAtMs: Number.POSITIVE_INFINITY });
  await world.amend({ verb: 'requeue', row: '1' });
  world.outbox.failures = 1;
  await world.pass();
  world.backlog.doneSeq = before;
  await runPass(world.ports, world.backlog, { settings: OUTBOX_SETTINGS, clock: world.clock });
  assert.match(feedOf(world), / a1$/);
});

test('[OB-14] outbox: a stop sends what is there yet; a sink that hangs does not hold it up', async () => {
  const world = createOutboxWorld({ batchSize: 2 });
  fill(world, 'a1');
  await world.run();
  fill(world, 'a2 a3 a4 b1 b2');
  await finish(world.ports, world.backlog, world.clock);
  assert.equal(feedOf(world), 'a1 a2 a3 a4 b1 b2');
  fill(world, 'a5');
  world.sink.append = () => new Promise(() => undefined);
  const ended = finish(world.ports, world.backlog, world.clock);
  await world.clock.advance(passLimits.finishMs);
  await ended;
});

test('[OB-15] outbox: what cannot be read is refused in a lane of its own, and dead without a grave', async () => {
  const world = createOutboxWorld({ maxAttempts: 2 });
  fill(world, 'a1 a2 a3');
  const row = world.outbox.rows.get(2);
  assert.ok(row);
  const event = { ...row.event, eventId: '', orderingKey: 'illegible/2' };
  world.outbox.rows.set(2, { ...row, event, damaged: 'no JSON' });
  await world.run();
  assert.equal(feedOf(world), 'a1 a3');
  assert.equal(world.outbox.rows.get(2)?.lastError, 'no JSON');
  assert.equal(attemptsOf(world), ' dead 2');
});

test('[OB-6] O4: 150 rows go in passes of 64, 64 and 22; a long backlog in larger and larger ones', async () => {
  const sizes = async (rows: number): Promise<readonly number[]> => {
    const world = createOutboxWorld({ batchSize: 64 });
    fill(world, Array.from({ length: rows }, (_, index) => `a${index + 1}`).join(' '));
    await world.run();
    assertWhole(world, `${rows} rows`);
    return world.sink.calls.map((call) => call.length);
  };
  assert.deepEqual(await sizes(150), [64, 64, 22]);
  const long = await sizes(4_000);
  assert.deepEqual(long.slice(0, 7), [64, 64, 64, 64, 64, 128, 256]);
  assert.equal(Math.max(...long), passLimits.batchMax);
});
