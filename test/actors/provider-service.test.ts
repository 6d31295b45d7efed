/** The provider service at its desk: who is served when, what is answered, whose death is told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWorkQueue, PROVIDER_QUEUE_MAX, workOf } from '../../actors/provider-queue.js';
import { addressOf } from '../../machines/model/ids.js';
import type { Message } from '../../machines/model/messages.js';
import {
  actor,
  callsOf,
  causeOf,
  create,
  instance,
  openDesk,
  PROVIDER,
  toldOf,
} from '../support/provider-desk.js';

test('[PR-15] provider service: requests made before the settings are answered after', async () => {
  const desk = openDesk();
  desk.ask(1, create(1));
  desk.ask(2, { type: 'provider.find', token: 'token-2' });
  await desk.clock.settle();
  assert.deepEqual(toldOf(desk), []);
  desk.configure();
  await desk.clock.settle();
  assert.deepEqual([...toldOf(desk)].sort(), [
    'instance/i-0000-1 provider.created',
    'instance/i-0000-2 provider.absent',
  ]);
  const [made] = desk.world.instances.values();
  assert.deepEqual(made?.tags, {
    installation: 'here',
    node: 'edge-1',
    epoch: 1,
    tenant: 'red',
    group: 'red/web',
    instance: 'i-0000-1',
  });
});

test('[PR-15] provider service: every failure comes back to who asked', async () => {
  const desk = openDesk();
  desk.configure();
  const failure = { code: 'unavailable', message: 'away' } as const;
  for (const call of ['create', 'find', 'delete'] as const) {
    desk.world.failures.push({ call, failure });
  }
  desk.ask(1, create(1));
  desk.ask(2, { type: 'provider.find', token: 'token-2' });
  desk.ask(3, { type: 'provider.delete', providerId: 'p3' });
  await desk.clock.settle();
  const answers = desk.told.map(({ message }) => message);
  assert.deepEqual(
    answers.toSorted((a, b) => (a.type < b.type ? -1 : 1)),
    [
      { type: 'provider.createFailed', token: 'token-1', failure },
      { type: 'provider.deleteFailed', providerId: 'p3', failure },
      { type: 'provider.findFailed', token: 'token-2', failure },
    ],
  );
});

test('[PR-15] provider service: a driver that throws is ignorance and keeps no place', async () => {
  const desk = openDesk();
  desk.configure({ concurrency: 1 });
  await desk.clock.settle();
  desk.world.instances.get = () => {
    throw new TypeError('a bug');
  };
  desk.ask(1, { type: 'provider.watch', providerId: 'p1' });
  desk.ask(2, { type: 'provider.find', token: 'token-2' });
  await desk.clock.settle();
  assert.deepEqual(toldOf(desk), ['instance/i-0000-2 provider.absent']);
});

test('[PR-13] provider service: deletes go first, creates last', async () => {
  const desk = openDesk();
  desk.ask(1, create(1));
  desk.ask(2, { type: 'provider.find', token: 'token-2' });
  desk.ask(3, { type: 'provider.delete', providerId: 'p3' });
  desk.configure({ concurrency: 1 });
  await desk.clock.settle();
  assert.deepEqual(callsOf(desk), ['delete', 'find', 'create']);
});

test('[PR-13] provider service: slow creates leave a place for a delete', async () => {
  const desk = openDesk();
  desk.world.latencyMs = { create: 60_000 };
  desk.configure({ concurrency: 3 });
  await desk.clock.settle();
  for (const index of [1, 2, 3]) desk.ask(index, create(index));
  desk.ask(4, { type: 'provider.delete', providerId: 'p4' });
  await desk.clock.settle();
  assert.deepEqual(callsOf(desk), ['create', 'create', 'delete']);
  assert.deepEqual(toldOf(desk), ['instance/i-0000-4 provider.deleted']);
});

test('[PR-16] provider service: creates keep to their rate, look-ups do not care', async () => {
  const desk = openDesk();
  desk.configure({ createRate: 2 });
  await desk.clock.settle();
  for (let index = 0; index < 6; index += 1) desk.ask(index, create(index));
  const created = (): number => callsOf(desk).filter((call) => call === 'create').length;
  await desk.clock.settle();
  assert.equal(created(), 2);
  desk.ask(9, { type: 'provider.find', token: 'token-9' });
  await desk.clock.settle();
  assert.equal(callsOf(desk).at(-1), 'find');
  await desk.clock.advance(1_000);
  assert.equal(created(), 4);
  await desk.clock.advance(1_000);
  assert.equal(created(), 6);
});

test('[PR-16] provider service: never more calls at once than allowed', async () => {
  const desk = openDesk();
  desk.world.latencyMs = { find: 100 };
  desk.configure({ concurrency: 3 });
  await desk.clock.settle();
  for (let index = 0; index < 8; index += 1) {
    desk.ask(index, { type: 'provider.find', token: `token-${index}` });
  }
  const counts: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    counts.push(callsOf(desk).length);
    await desk.clock.advance(100);
  }
  assert.deepEqual(counts, [3, 6, 8]);
});

test('[PR-15] provider service: a request repeated meanwhile is one call and one answer', async () => {
  const desk = openDesk();
  desk.world.latencyMs = { create: 100 };
  desk.configure();
  await desk.clock.settle();
  for (let times = 0; times < 3; times += 1) desk.ask(1, create(1));
  await desk.clock.advance(100);
  assert.deepEqual(callsOf(desk), ['create']);
  assert.deepEqual(toldOf(desk), ['instance/i-0000-1 provider.created']);
});

test('[PR-14] provider service: what does not fit is refused, not dropped', () => {
  const queue = createWorkQueue(2);
  const put = (index: number): boolean =>
    queue.put(workOf(create(index), { from: actor(index), cause: causeOf(index) }));
  assert.deepEqual([put(1), put(2), put(2), put(3)], [true, true, true, false]);
  assert.equal(
    queue.next(() => false),
    undefined,
  );
  assert.equal(queue.next(() => true)?.key, 'provider.create token-1');
  assert.equal(put(3), true);
});

test('[PR-14] provider service: a full queue answers with a failure', async () => {
  const desk = openDesk();
  for (let index = 0; index <= PROVIDER_QUEUE_MAX; index += 1) {
    desk.ask(index, { type: 'provider.find', token: `token-${index}` });
  }
  assert.deepEqual(toldOf(desk), [`instance/i-0000-${PROVIDER_QUEUE_MAX} provider.findFailed`]);
});

test('[PR-17] provider service: a death is told to the instance, whoever started it', async () => {
  const desk = openDesk();
  desk.configure();
  desk.ask(1, create(1));
  await desk.clock.settle();
  const [providerId] = desk.world.instances.keys();
  assert.ok(providerId);
  await desk.stop();
  desk.restart();
  desk.configure();
  await desk.clock.settle();
  desk.told.length = 0;
  desk.world.kill(providerId, 'killed by SIGKILL');
  assert.deepEqual(desk.told, [
    {
      to: actor(1),
      message: { type: 'provider.exited', providerId, detail: 'killed by SIGKILL' },
      cause: PROVIDER,
    },
  ]);
});

test('[PR-17] provider service: who died while nobody looked is told on opening', async () => {
  const desk = openDesk();
  desk.configure();
  desk.ask(1, create(1));
  await desk.clock.settle();
  await desk.stop();
  for (const providerId of desk.world.instances.keys()) desk.world.kill(providerId, 'gone');
  desk.told.length = 0;
  desk.restart();
  desk.configure();
  await desk.clock.settle();
  assert.deepEqual(toldOf(desk), ['instance/i-0000-1 provider.exited']);
});

test('[PR-17] provider service: watching what the provider does not know is a death', async () => {
  const desk = openDesk();
  desk.configure();
  desk.ask(1, { type: 'provider.watch', providerId: 'p1' });
  await desk.clock.settle();
  assert.deepEqual(toldOf(desk), ['instance/i-0000-1 provider.exited']);
});

test('[PR-17] provider service: a watch that fails is not a death and is tried again', async () => {
  const desk = openDesk();
  desk.configure();
  await desk.clock.settle();
  const failure = { code: 'unavailable', message: 'away' } as const;
  desk.world.failures.push({ call: 'watch', failure });
  desk.ask(1, create(1));
  await desk.clock.settle();
  assert.deepEqual(toldOf(desk), ['instance/i-0000-1 provider.created']);
  await desk.clock.advance(5_000);
  assert.equal(desk.world.calls.filter(({ call }) => call === 'watch').length, 2);
});

test('[PR-15] provider service: an answer that found no room is no request', async () => {
  const desk = openDesk();
  desk.configure();
  await desk.clock.settle();
  const before = [desk.world.calls.length, toldOf(desk).length];
  const to = addressOf('instance', 'i-0000-1');
  desk.ask(1, { type: 'delivery.refused', to, message: 'provider.created' } as never);
  await desk.clock.settle();
  assert.deepEqual([desk.world.calls.length, toldOf(desk).length], before);
});

test('[PR-18] provider service: new settings reopen the driver once it is at rest', async () => {
  const desk = openDesk();
  desk.world.latencyMs = { create: 100 };
  desk.configure();
  await desk.clock.settle();
  desk.ask(1, create(1));
  desk.configure({ concurrency: 2 });
  desk.ask(2, create(2));
  await desk.clock.settle();
  assert.equal(desk.opens, 1);
  await desk.clock.advance(100);
  assert.equal(desk.opens, 2);
  await desk.clock.advance(100);
  assert.equal(desk.world.instances.size, 2);
  desk.configure({ concurrency: 2 });
  await desk.clock.settle();
  assert.equal(desk.opens, 2, 'the same settings again change nothing');
});

test('[PR-18] provider service: a driver that does not open is tried again, requests wait', async () => {
  const desk = openDesk();
  desk.refusals.push('no such folder');
  desk.configure();
  desk.ask(1, create(1));
  await desk.clock.settle();
  assert.equal(desk.view()['lastError'], 'no such folder');
  assert.deepEqual(toldOf(desk), []);
  await desk.clock.advance(5_000);
  assert.deepEqual(toldOf(desk), ['instance/i-0000-1 provider.created']);
  assert.equal(desk.view()['lastError'], undefined);
});

test('[SU-26] provider service: whatever it says about a request follows from that request', async () => {
  const desk = openDesk();
  desk.configure({ maxInstances: 1, concurrency: 2 });
  desk.ask(1, create(1));
  desk.ask(2, { type: 'provider.find', token: 'nobody' });
  await desk.clock.advance(60_000);
  // Full, then what is there goes.
  desk.ask(3, create(3));
  await desk.clock.advance(60_000);
  const created = desk.told.find(({ message }) => message.type === 'provider.created');
  assert.ok(created !== undefined);
  const { providerId } = created.message as Message & { readonly providerId: string };
  desk.ask(4, { type: 'provider.delete', providerId });
  await desk.clock.advance(60_000);
  const answers = desk.told.map(({ message, cause }) => `${message.type} ${cause}`);
  assert.deepEqual(answers.sort(), [
    'provider.absent wish-2',
    'provider.createFailed wish-3',
    'provider.created wish-1',
    'provider.deleted wish-4',
  ]);
});

test('[PR-17] provider service: who asks how an instance is does not become who hears of its death', async () => {
  const desk = openDesk();
  desk.configure();
  desk.ask(1, create(1));
  await desk.clock.settle();
  const [providerId = ''] = desk.world.instances.keys();
  desk.askFrom(addressOf('agent', instance(1)), { type: 'provider.poll', providerId });
  await desk.clock.settle();
  desk.world.kill(providerId, 'its host burned');
  await desk.clock.settle();
  assert.deepEqual(toldOf(desk), [
    'instance/i-0000-1 provider.created',
    'agent/i-0000-1 provider.status',
    'instance/i-0000-1 provider.exited',
  ]);
});

test('[PR-15] provider service: nothing is asked while answers have no room, and all of it after', async () => {
  const desk = openDesk();
  desk.configure();
  await desk.clock.settle();
  desk.crowd(true);
  for (let index = 0; index < 10; index += 1) desk.ask(index, create(index));
  desk.ask(11, { type: 'provider.find', token: 'token-11' });
  await desk.clock.advance(60_000);
  assert.deepEqual(callsOf(desk), []);
  desk.crowd(false);
  await desk.clock.advance(100);
  assert.equal(desk.told.length, 11);
  assert.equal(desk.world.instances.size, 10);
});
