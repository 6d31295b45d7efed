/** Lives of an actor: what a crash, a refusal, a farewell or a stop in the middle of things leaves behind. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf } from '../../machines/model/ids.js';
import type { Store } from '../../src/ports/store.js';
import type { ServiceType } from '../../src/runtime/actor-type.js';
import { THREAD_MESSAGES_MAX } from '../../src/runtime/limits.js';
import { CAT, heardBy, hostOver, phaseOf, stateOf, tell, world } from '../support/cat-node.js';
import { memoryStore } from '../support/toy-node.js';

test('[RT-22] a firing whose timer was armed again before it was taken counts for nothing', async () => {
  const node = await world();
  tell(node, { type: 'note' }, addressOf('backend', 'b'));
  await node.clock.advance(1_050);
  assert.equal(node.host.views('backend')[0]?.['value'], 'pair');
});

test('[RT-25] the first event after a crash is `activated`, then what is tried again, then the rest', async () => {
  const node = await world();
  tell(node, { type: 'note' });
  await node.clock.settle();
  tell(node, { type: 'break' });
  tell(node, { type: 'note' });
  await node.clock.advance(60_000);
  assert.equal(node.host.actorViews()[0]?.['restarts'], 3);
  assert.deepEqual(heardBy(node), ['activated', 'note', 'activated', 'note']);
});

test('[RT-24] an actor that crashes after the wall clock was stepped keeps its deadlines', async () => {
  const node = await world();
  tell(node, { type: 'wait' });
  await node.clock.advance(100);
  node.clock.stepWall(3_600_000);
  tell(node, { type: 'break' });
  await node.clock.advance(800);
  assert.equal(stateOf(node), 'waiting');
  await node.clock.advance(100);
  assert.equal(stateOf(node), 'over');
});

test('[RT-26] an effect that fails after its commit never leaves its actor down', async () => {
  const node = await world();
  tell(node, { type: 'note' });
  await node.clock.settle();
  node.mood.commit = 'held';
  tell(node, { type: 'note', fails: true });
  tell(node, { type: 'note', fails: true });
  await node.clock.settle();
  tell(node, { type: 'break' });
  await node.clock.advance(1_000);
  assert.equal(phaseOf(node), 'restarting');
  node.mood.commit = 'works';
  await node.clock.advance(60_000);
  assert.equal(phaseOf(node), 'idle');
  assert.equal(node.acts.length, 3);
});

test('[RT-27] a quarantined actor stays so when what it had decided is refused, and comes back', async () => {
  const node = await world();
  tell(node, { type: 'note' });
  await node.clock.settle();
  node.mood.companion = 'throws';
  tell(node, { type: 'break' });
  await node.clock.advance(120_000);
  assert.equal(phaseOf(node), 'quarantined');
  node.mood.companion = 'works';
  assert.ok(node.host.resume(CAT));
  await node.clock.settle();
  node.mood.commit = 'held';
  tell(node, { type: 'note' });
  tell(node, { type: 'note' });
  await node.clock.settle();
  for (let n = 0; n < 6; n += 1) tell(node, { type: 'break' });
  await node.clock.advance(60_000);
  node.mood.commit = 'stale';
  await node.clock.advance(60_000);
  node.mood.commit = 'works';
  await node.clock.advance(60_000);
  assert.equal(node.host.actorViews().length, 1);
  node.host.resume(CAT);
  await node.clock.advance(10_000);
  tell(node, { type: 'note' });
  await node.clock.settle();
  assert.equal(phaseOf(node), 'idle');
});

test('[RT-28] what was refused behind a decision that has to wait waits with it, in order', async () => {
  const node = await world();
  tell(node, { type: 'note' });
  await node.clock.settle();
  node.mood.commit = 'half-away';
  tell(node, { type: 'note' });
  tell(node, { type: 'note' });
  tell(node, { type: 'note' });
  await node.clock.advance(10_000);
  const journal = await node.store.journal(0, 10);
  assert.equal(journal.ok && journal.value.length, 4);
  assert.equal(phaseOf(node), 'idle');
  assert.equal(node.acts.length, 4);
});

test('[RT-29] an actor that is leaving takes nothing more, and whoever asks is told', async () => {
  const node = await world();
  tell(node, { type: 'note' });
  await node.clock.settle();
  node.mood.commit = 'held';
  tell(node, { type: 'leave' });
  tell(node, { type: 'note' });
  const answer = node.host.ask(CAT, { type: 'peek' });
  await node.clock.settle();
  node.mood.commit = 'works';
  await node.clock.advance(10);
  const outcome = await answer;
  assert.ok(!outcome.ok && outcome.failure.code === 'no-actor');
  assert.equal(node.host.deadLetters.counts()['no-actor'], 1, 'only the question');
  const journal = await node.store.journal(0, 10);
  assert.equal(journal.ok && journal.value.length, 3);
  assert.deepEqual(heardBy(node), ['activated', 'note'], 'what was told is for whoever comes next');
});

test('[RT-30] a stop closes every companion, whatever one of them does, and nothing comes back', async () => {
  const node = await world();
  for (const name of ['a', 'b', 'c']) tell(node, { type: 'note' }, addressOf('group', `t/${name}`));
  await node.clock.settle();
  tell(node, { type: 'break' }, addressOf('group', 't/b'));
  await node.clock.settle();
  node.mood.close = 'rejects';
  await node.host.stop();
  await node.clock.advance(60_000);
  assert.equal(node.companions.length, 4, 'one of them came back once');
  assert.ok(node.companions.every(({ open }) => !open));
  const outcome = await node.host.ask(CAT, { type: 'peek' });
  assert.ok(!outcome.ok && outcome.failure.code === 'stopping');
});

test('[RT-30] a stop does not wait for a store that never answers', async () => {
  const node = await world();
  node.mood.commit = 'held';
  tell(node, { type: 'note' });
  await node.clock.settle();
  const stopped = node.host.stop();
  await node.clock.advance(10_000);
  await stopped;
  assert.deepEqual(
    node.companions.map(({ open }) => open),
    [false],
  );
});

test('[RT-31] a companion that cannot be made crashes its own actor, not the one that wrote to it', async () => {
  const node = await world();
  node.mood.companion = 'throws';
  tell(node, { type: 'note' });
  await node.clock.advance(1);
  assert.equal(phaseOf(node), 'restarting');
  node.mood.companion = 'works';
  await node.clock.advance(10_000);
  assert.deepEqual(heardBy(node), ['activated', 'note']);
});

test('[RT-32] messages that come before the actors are loaded are bounded, and refused beyond', async () => {
  const store = memoryStore();
  const loading = new Promise<void>(() => undefined);
  const slow: Store = { ...store, load: (kinds) => loading.then(() => store.load(kinds)) };
  const { host } = hostOver({ store: slow });
  for (let n = 0; n < THREAD_MESSAGES_MAX + 3; n += 1) host.tell(CAT, { type: 'note' }, 'test');
  assert.equal(host.deadLetters.counts()['mailbox-full'], 3);
});

test('[RT-33] a service that throws, at a message or at its start, is started afresh with its settings', async () => {
  const heard: string[] = [];
  let fragile = true;
  const service: ServiceType = {
    kind: 'provider',
    start: () => {
      if (fragile) throw new Error('no start');
      return {
        receive: ({ type }) => {
          heard.push(type);
          if (type === 'break') throw new Error('broken');
        },
        view: () => ({}),
        stop: () => Promise.reject(new Error('no stop')),
      };
    },
  };
  const node = await world({ services: [service] });
  const to = addressOf('provider', 'p');
  tell(node, { type: 'provider.settings' }, to);
  fragile = false;
  tell(node, { type: 'break' }, to);
  tell(node, { type: 'work' }, to);
  await node.clock.settle();
  assert.deepEqual(heard, ['break', 'provider.settings', 'work']);
  assert.equal(node.host.deadLetters.counts().poison, 2);
  await node.host.stop();
});

test('[RT-34] a question to an actor that is there but takes nothing is not answered "no such actor"', async () => {
  const node = await world();
  node.mood.companion = 'throws';
  tell(node, { type: 'note' });
  await node.clock.advance(120_000);
  assert.equal(phaseOf(node), 'quarantined');
  const outcome = await node.host.ask(CAT, { type: 'peek' });
  assert.ok(!outcome.ok && outcome.failure.code === 'not-taken');
});
