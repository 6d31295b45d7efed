/** Nothing a thread does to a message is silent: what is slow, late, unreadable or cannot cross has a name. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Address, addressOf } from '../../machines/model/ids.js';
import type { Message } from '../../machines/model/messages.js';
import { MAILBOX_MESSAGES_MAX, SLOW_TURN_MS } from '../../src/runtime/limits.js';
import { createVirtualClock } from '../../src/runtime/virtual-clock.js';
import { GROUP, toyWorld } from '../support/toy-node.js';

const OTHER = addressOf('group', 't/other');
const UNREADABLE: Message = { type: 'unreadable' };

test('[RT-62] a turn that takes too long is reported with its actor, a short one is not', async () => {
  const clock = createVirtualClock();
  let late = 0;
  const slow = { ...clock, monotonic: () => clock.monotonic() + late };
  const said: string[] = [];
  /** What the toy says takes it some time. */
  said.push = (...words) => {
    late += words.includes('reflex 7') ? SLOW_TURN_MS + 1 : 0;
    return words.length;
  };
  const { host, log } = await toyWorld({ clock: slow, said });
  for (const [to, by] of [
    [OTHER, 1],
    [GROUP, 7],
    [OTHER, 2],
  ] as const) {
    host.tell(to, { type: 'add', by } as Message, 'test');
    await clock.settle();
  }
  const slowTurns = log.lines.filter(({ message }) => message === 'slow turn');
  assert.deepEqual(
    slowTurns.map(({ fields }) => (fields as { actor: Address }).actor),
    [GROUP],
  );
});

test('[RT-14] an answer that comes too late is counted, and settles nothing', async () => {
  const { host, metrics, clock } = await toyWorld();
  const asked = host.ask(GROUP, { type: 'sleep' }, 100);
  await clock.advance(200);
  assert.equal((await asked).ok, false);
  assert.equal(metrics.counts['late_replies_total'], undefined);
  host.settle('main:1:1', { ok: true, value: 'late' });
  assert.equal(metrics.counts['late_replies_total'], 1);
});

test('[SU-24] a message whose key cannot be read is its receiver’s trouble, never its sender’s', async () => {
  const { host, clock } = await toyWorld();
  host.tell(GROUP, UNREADABLE, 'test');
  for (let n = 0; n < MAILBOX_MESSAGES_MAX; n += 1) host.tell(GROUP, UNREADABLE, 'test');
  assert.equal(host.deadLetters.counts()['mailbox-full'], 1);
  await clock.settle();
  host.tell(GROUP, { type: 'add', by: 2 } as Message, 'test');
  await clock.settle();
  assert.equal(host.views('group')[0]?.['total'], 2);
});

test('[WI-21] what cannot cross is a dead letter, its sender is told, and a question is answered', async () => {
  const { host, clock, metrics } = await toyWorld();
  const letter = { to: OTHER, from: GROUP, cause: 'test', body: { type: 'add' } };
  host.undelivered(letter);
  await clock.settle();
  assert.equal(host.deadLetters.counts()['too-large'], 1);
  const asked = host.ask(GROUP, { type: 'sleep' }, 10_000);
  host.undelivered({ ...letter, from: addressOf('reload', 'outside'), replyTo: 'main:1:1' });
  const answer = await asked;
  assert.deepEqual(answer.ok ? answer : answer.failure.code, 'not-taken');
  assert.equal(metrics.counts['dead_letters_total'], 2);
});

test('[RT-60] a thread says how much waits in it: in mailboxes, and to be loaded', async () => {
  const { host, clock } = await toyWorld();
  for (let n = 0; n < 10; n += 1) host.tell(GROUP, { type: 'sleep' }, 'test');
  assert.equal(host.waiting, 10);
  await clock.settle();
  assert.equal(host.waiting, 0);
});
