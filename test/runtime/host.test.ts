/** The host on the real store: order, commit protocol, crash, quarantine, restore, bounds, fairness. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Address, addressOf } from '../../machines/model/ids.js';
import type { Message } from '../../machines/model/messages.js';
import { fail } from '../../machines/model/result.js';
import type { Store } from '../../src/ports/store.js';
import { MAILBOX_MESSAGES_MAX } from '../../src/runtime/limits.js';
import { GROUP, memoryStore, type ToyEvent, type ToyWorld, toyWorld } from '../support/toy-node.js';

const tell = (world: ToyWorld, message: ToyEvent | Message, to: Address = GROUP): void =>
  world.host.tell(to, message, 'test');

async function totalOf(world: ToyWorld, to: Address = GROUP): Promise<unknown> {
  const answer = world.host.ask(to, { type: 'peek' });
  await world.clock.advance(10_000);
  const outcome = await answer;
  return outcome.ok ? (outcome.value as { total: number }).total : outcome.failure.code;
}

/** A store that can be made to fail, or to hold its answers back. */
function moody(store: Store) {
  const mood = { unavailable: false, reject: false, held: undefined as Promise<void> | undefined };
  const wrapped: Store = {
    ...store,
    commit: async (decisions) => {
      await mood.held;
      if (mood.unavailable) {
        return decisions.map(() => fail({ code: 'unavailable', message: 'disk full' } as const));
      }
      if (mood.reject) {
        return decisions.map(() => fail({ code: 'rejected', message: 'bad row' } as const));
      }
      return store.commit(decisions);
    },
  };
  return { mood, wrapped };
}

test('[RT-16] messages of one sender arrive in order, and each decision is stored', async () => {
  const world = await toyWorld();
  for (let by = 1; by <= 5; by += 1) tell(world, { type: 'add', by });
  assert.equal(await totalOf(world), 15);
  const journal = await world.store.journal(0, 100);
  assert.ok(journal.ok);
  assert.deepEqual(
    journal.value.map(({ numbers }) => numbers['total']),
    [1, 3, 6, 10, 15],
  );
});

test('[RT-4] protective effects leave before the commit, durable ones after it', async () => {
  const { mood, wrapped } = moody(memoryStore());
  let release = (): void => undefined;
  mood.held = new Promise((resolve) => {
    release = resolve;
  });
  const world = await toyWorld({ store: wrapped });
  world.said.length = 0;
  tell(world, { type: 'add', by: 1 });
  await world.clock.settle();
  assert.deepEqual(world.said, ['activated 0', 'reflex 1']);
  release();
  await world.clock.settle();
  assert.deepEqual(world.said, ['activated 0', 'reflex 1', 'decided 1']);
});

test('[RT-4] a durable effect without a record crashes the actor and does nothing', async () => {
  const world = await toyWorld();
  tell(world, { type: 'unrecorded' });
  await world.clock.advance(60_000);
  assert.ok(!world.said.includes('never'));
  assert.ok(world.log.lines.some(({ message }) => message === 'actor crashed'));
});

test('[RT-7] an unavailable store keeps decisions waiting, reflexes go on, then all commit', async () => {
  const { mood, wrapped } = moody(memoryStore());
  const world = await toyWorld({ store: wrapped });
  mood.unavailable = true;
  for (let by = 1; by <= 3; by += 1) tell(world, { type: 'add', by });
  await world.clock.advance(1_000);
  assert.equal(world.host.reflexOnly, 'disk full');
  assert.deepEqual(world.said.filter((what) => what.startsWith('reflex')).length, 3);
  assert.ok(!world.said.some((what) => what.startsWith('decided')));
  mood.unavailable = false;
  await world.clock.advance(10_000);
  assert.deepEqual(
    world.said.filter((what) => what.startsWith('decided')),
    ['decided 1', 'decided 2', 'decided 3'],
  );
  assert.equal(world.host.reflexOnly, undefined);
});

test('[RT-7] however long the store is away, reflexes go on and what waits is bounded', async () => {
  const { mood, wrapped } = moody(memoryStore());
  const world = await toyWorld({ store: wrapped });
  mood.unavailable = true;
  for (let n = 0; n < 500; n += 1) tell(world, { type: 'add', by: 1 });
  for (let n = 0; n < 10; n += 1) tell(world, { type: 'reflex', by: 1 }, addressOf('backend', 'b'));
  await world.clock.advance(5_000);
  assert.equal(world.said.filter((what) => what === 'only reflex 1').length, 10);
  mood.unavailable = false;
  await world.clock.advance(60_000);
  assert.equal(await totalOf(world), 500);
});

test('[RT-8] a refused decision drops its effects and the actor comes back as it was stored', async () => {
  const { mood, wrapped } = moody(memoryStore());
  const world = await toyWorld({ store: wrapped });
  tell(world, { type: 'add', by: 5 });
  await world.clock.advance(1);
  mood.reject = true;
  tell(world, { type: 'add', by: 100 });
  await world.clock.settle();
  mood.reject = false;
  await world.clock.advance(10_000);
  assert.ok(!world.said.includes('decided 100'));
  assert.equal(await totalOf(world), 5);
});

test('[RT-12] everything acknowledged is there in the next life', async () => {
  const world = await toyWorld();
  for (let by = 1; by <= 4; by += 1) tell(world, { type: 'add', by });
  await world.clock.settle();
  await world.host.stop();
  const next = await world.again();
  assert.equal(await totalOf(next), 10);
});

test('[RT-5] a change that recorded nothing is gone in the next life, as it must be derivable', async () => {
  const world = await toyWorld();
  tell(world, { type: 'add', by: 1 });
  tell(world, { type: 'reflex', by: 10 });
  assert.equal(await totalOf(world), 11);
  const next = await world.again();
  assert.equal(await totalOf(next), 1);
});

test('[RT-17] a spawned child exists from the commit on, with its parent, and in the next life', async () => {
  const world = await toyWorld();
  const child = 'i-00ff-0123456789ab00';
  tell(world, { type: 'breed', child });
  await world.clock.settle();
  assert.equal(await totalOf(world, addressOf('instance', child)), 7);
  const next = await world.again();
  assert.equal(await totalOf(next, addressOf('instance', child)), 7);
  assert.equal(next.host.views('group')[0]?.['children'], 1);
});

test('[RT-72] a child that acts at its birth does so after that commit, and once', async () => {
  let takes = true;
  const away = { code: 'unavailable', message: 'the disk is away' } as const;
  const wrap = (store: Store): Store => ({
    ...store,
    commit: async (all) => (takes ? store.commit(all) : all.map(() => fail(away))),
  });
  const world = await toyWorld({ actsAtBirth: true, wrap });
  const child = addressOf('instance', 'i-00ff-0123456789ab00');
  takes = false;
  tell(world, { type: 'breed', child: 'i-00ff-0123456789ab00' });
  await world.clock.advance(1_000);
  assert.deepEqual(heard(world), []);
  takes = true;
  await world.clock.advance(10_000);
  assert.deepEqual(heard(world), ['activated 7']);
  const rows = await world.store.load(['instance']);
  assert.equal(rows.ok && rows.value.length, 1);
  assert.equal(rows.ok && rows.value[0]?.version, 1, 'its first step had no commit of its own');
  await world.again();
  assert.deepEqual(heard(world), ['activated 7', 'activated 7'], 'as any other in its next life');
  assert.equal(await totalOf(world, child), 7);
});

const heard = ({ said }: ToyWorld) => said.filter((what) => what === 'activated 7');

test('[RT-17] nobody but a parent starts an actor that is not implicit', async () => {
  const world = await toyWorld();
  const stranger = addressOf('instance', 'i-0000-0123456789ab00');
  assert.equal(await totalOf(world, stranger), 'no-actor');
  assert.equal(world.host.deadLetters.counts()['no-actor'], 1);
});

test('[RT-50] an actor that was never told what to be answers, but is no object to operators', async () => {
  const world = await toyWorld();
  const backend = addressOf('backend', 'nobody');
  assert.equal(await totalOf(world, backend), 0);
  assert.deepEqual(world.host.views('backend'), []);
  tell(world, { type: 'add', by: 2 }, backend);
  await world.clock.settle();
  assert.equal(world.host.views('backend')[0]?.['total'], 2);
});

test('[RT-18] an actor that forgets itself is gone now and in the next life', async () => {
  const world = await toyWorld();
  tell(world, { type: 'add', by: 1 });
  tell(world, { type: 'leave' });
  await world.clock.settle();
  assert.deepEqual(world.host.views('group'), []);
  assert.deepEqual((await world.again()).host.views('group'), []);
});

test('[RT-10] a deadline outlives the life it was set in and does not start again', async () => {
  const world = await toyWorld();
  tell(world, { type: 'sleep' });
  await world.clock.advance(400);
  assert.equal(world.host.views('group')[0]?.['value'], 'asleep');
  await world.host.stop();
  const next = await world.again();
  await next.clock.advance(599);
  assert.equal(next.host.views('group')[0]?.['value'], 'asleep');
  await next.clock.advance(1);
  assert.equal(next.host.views('group')[0]?.['value'], 'awake');
});

test('[RT-10] a stepped wall clock ends no wait early while the node runs', async () => {
  const world = await toyWorld();
  tell(world, { type: 'sleep' });
  await world.clock.advance(100);
  world.clock.stepWall(3_600_000);
  await world.clock.advance(800);
  assert.equal(world.host.views('group')[0]?.['value'], 'asleep');
  await world.clock.advance(100);
  assert.equal(world.host.views('group')[0]?.['value'], 'awake');
});

test('[RT-9] a row of an unknown machine version is quarantined and kept, never guessed', async () => {
  const world = await toyWorld();
  tell(world, { type: 'add', by: 3 });
  await world.clock.settle();
  const newer = await toyWorld({
    store: world.store,
    clock: world.clock,
    incarnation: 9,
    version: 2,
  });
  assert.equal(newer.host.actorViews()[0]?.['quarantined'], true);
  assert.equal(newer.host.views('group')[0]?.['total'], 3);
  const back = await toyWorld({ store: world.store, clock: world.clock, incarnation: 10 });
  assert.equal(await totalOf(back), 3);
});

test('[RT-19] the decisions of an older life are refused once a newer one wrote', async () => {
  const old = await toyWorld();
  tell(old, { type: 'add', by: 1 });
  await old.clock.settle();
  const next = await old.again();
  tell(next, { type: 'add', by: 10 });
  await next.clock.settle();
  tell(old, { type: 'add', by: 100 });
  await old.clock.settle();
  assert.ok(!old.said.includes('decided 100'));
  assert.equal(await totalOf(next), 11);
});

test('[SU-1] a crash keeps the committed state, and siblings never notice', async () => {
  const world = await toyWorld();
  const sibling = addressOf('group', 't/other');
  tell(world, { type: 'add', by: 2 });
  tell(world, { type: 'explode' });
  tell(world, { type: 'add', by: 3 }, sibling);
  assert.equal(await totalOf(world, sibling), 3);
  await world.clock.advance(10_000);
  assert.equal(await totalOf(world), 2);
});

test('[SU-2] a poison message is tried three times, then is a dead letter', async () => {
  const world = await toyWorld();
  tell(world, { type: 'explode' });
  await world.clock.advance(60_000);
  assert.equal(world.host.deadLetters.counts().poison, 1);
  assert.equal(world.host.actorViews()[0]?.['restarts'], 3);
  tell(world, { type: 'add', by: 1 });
  assert.equal(await totalOf(world), 1);
});

test('[SU-3] crashing more often than allowed ends in quarantine; resume brings it back', async () => {
  const world = await toyWorld();
  tell(world, { type: 'add', by: 4 });
  for (let n = 0; n < 4; n += 1) {
    tell(world, { type: 'implode' });
    tell(world, { type: 'implode' });
    await world.clock.advance(5_000);
  }
  assert.equal(world.host.actorViews()[0]?.['quarantined'], true);
  assert.equal(world.host.views('group')[0]?.['total'], 4);
  const buried = world.host.deadLetters.counts().quarantined ?? 0;
  tell(world, { type: 'add', by: 1 });
  await world.clock.settle();
  assert.equal(world.host.deadLetters.counts().quarantined, buried + 1);
  assert.ok(world.host.resume(GROUP));
  assert.equal(await totalOf(world), 4);
  assert.equal(world.host.resume(GROUP), false);
});

test('[RT-20] outside work answers with an event; a rejection crashes; a late answer is dropped', async () => {
  const world = await toyWorld();
  tell(world, { type: 'work', fails: false });
  await world.clock.settle();
  assert.ok(world.said.includes('worked'));
  world.said.length = 0;
  tell(world, { type: 'work', fails: true });
  await world.clock.advance(5_000);
  assert.equal(world.host.actorViews()[0]?.['restarts'], 1);
  tell(world, { type: 'work', fails: false });
  tell(world, { type: 'explode' });
  await world.clock.advance(60_000);
  assert.ok(!world.said.includes('worked'));
  assert.ok((world.host.deadLetters.counts()['stale-incarnation'] ?? 0) >= 1);
});

test('[RT-21] an actor that is not stored comes back with the seed it was given last', async () => {
  const world = await toyWorld();
  const backend = addressOf('backend', 'b');
  tell(world, { type: 'add', by: 1 }, backend);
  tell(world, { type: 'add', by: 20 }, backend);
  await world.clock.settle();
  tell(world, { type: 'implode' }, backend);
  await world.clock.advance(5_000);
  assert.equal(await totalOf(world, backend), 20);
});

test('[RT-2] a flooded actor takes what it may hold; the sender is told, nothing is silent', async () => {
  const world = await toyWorld();
  const extra = 50;
  for (let n = 0; n < MAILBOX_MESSAGES_MAX + extra; n += 1) tell(world, { type: 'add', by: 1 });
  await world.clock.advance(1_000);
  assert.equal(await totalOf(world), MAILBOX_MESSAGES_MAX);
  assert.equal(world.host.deadLetters.counts()['mailbox-full'], extra);
});

test('[RT-11] a busy actor does not keep another from its turn', async () => {
  const world = await toyWorld();
  const quiet = addressOf('group', 't/quiet');
  for (let n = 0; n < 1_000; n += 1) tell(world, { type: 'reflex', by: 1 });
  tell(world, { type: 'reflex', by: 7 }, quiet);
  await world.clock.settle();
  const place = world.said.indexOf('only reflex 7');
  assert.ok(place >= 0 && place <= 70, `answered after ${place} turns of the busy one`);
});

test('[RT-14] an ask to nobody fails at once, and one to a stopped host too', async () => {
  const world = await toyWorld();
  const answer = world.host.ask(addressOf('outbox', 'main'), { type: 'peek' });
  await world.clock.settle();
  const outcome = await answer;
  assert.ok(!outcome.ok && outcome.failure.code === 'no-actor');
});
