/**
 * Links under load: how far a sender may run ahead, what waits where, and what never waits.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Message } from '../../../machines/model/messages.js';
import { linkPorts } from '../../../src/adapters/threads/link.js';
import { createMesh } from '../../../src/adapters/threads/mesh.js';
import type { Envelope } from '../../../src/runtime/envelope.js';
import { createCodec } from '../../../src/wire/codec.js';
import {
  BATCH_BYTES_MAX,
  BATCH_BYTES_TARGET,
  CREDIT_ENVELOPES,
  LINK_QUEUE_MAX,
} from '../../../src/wire/limits.js';
import { decodeFrame, type LinkFrame } from '../../../src/wire/link-frame.js';
import {
  bare,
  bytesOf,
  envelope,
  huge,
  LANES,
  link,
  pair,
  settled,
} from '../../support/link-lab.js';
import { rememberingLog } from '../../support/quiet.js';
import { seedOfRun } from '../../support/seed.js';

const numbered = (count: number, from = 0): readonly string[] =>
  Array.from({ length: count }, (_, n) => `m${from + n}`);

const REPLY: LinkFrame = { type: 'reply', to: 'b:1:1', body: null };
const WATCH = { target: 'group/t/g', watcher: 'tenant/t' } as const;
const DOWN = { ...WATCH, type: 'down', incarnation: 1, reason: 'forgotten' } as LinkFrame;

test('[WI-20] [WI-21] link: a peer without room is sent its credit and no more; the rest waits, bounded, and then goes on', async () => {
  let room = false;
  const { a, b } = pair({ hasRoom: () => room });
  const all = numbered(CREDIT_ENVELOPES + LINK_QUEUE_MAX);
  for (const type of all) assert.ok(a.opened.send(envelope(type)), type);
  assert.equal(a.opened.send(envelope('one too many')), false);
  await settled();
  assert.deepEqual(b.types(), all.slice(0, CREDIT_ENVELOPES));
  assert.equal(a.opened.unsent().length, LINK_QUEUE_MAX);
  room = true;
  while (a.opened.unsent().length > 0) await settled();
  await settled();
  assert.deepEqual(b.types(), all);
  assert.deepEqual([a.state.closed, b.state.closed], [0, 0]);
  a.opened.close();
});

test('[WI-8] link: a batch is bounded in bytes too, and neither much smaller nor larger once sizes are known', async () => {
  const { a, far } = bare();
  const codec = createCodec();
  const batches: { readonly bytes: number; readonly count: number }[] = [];
  far.bulk.on('message', (bytes: string) => {
    const decoded = decodeFrame(codec, bytes);
    // The hello comes first, and is no frame.
    if (!decoded.ok || decoded.value.type !== 'envelopes') return;
    batches.push({ bytes: bytes.length, count: decoded.value.items.length });
  });
  const text = 'x'.repeat(3_000);
  const large = (type: string): Envelope => envelope(type, { body: { type, text } as Message });
  for (const type of numbered(500)) a.opened.send(large(type));
  await settled();
  assert.equal(
    batches.reduce((sum, { count }) => sum + count, 0),
    500,
  );
  for (const { bytes, count } of batches) assert.ok(count === 1 || bytes <= BATCH_BYTES_MAX);
  for (const { bytes } of batches.slice(8, -1)) {
    assert.ok(
      bytes > BATCH_BYTES_TARGET / 2 && bytes <= 1.1 * BATCH_BYTES_TARGET,
      `${bytes} bytes`,
    );
  }
  a.opened.close();
});

test('[WI-22] link: answers and ends pass while envelopes wait for credit, and close nothing', async () => {
  const { a, b } = pair({ hasRoom: () => false });
  for (const type of numbered(CREDIT_ENVELOPES + 10)) a.opened.send(envelope(type));
  for (const frame of [REPLY, DOWN]) assert.ok(a.opened.post(frame).ok);
  await settled();
  assert.deepEqual(
    b.frames.filter(({ type }) => type !== 'envelopes'),
    [REPLY, DOWN],
  );
  assert.equal(a.opened.unsent().length, 10);
  a.opened.close();
});

test('[WI-22] link: a watch comes after what was told before it', async () => {
  const { a, b } = pair();
  a.opened.send(envelope('told first'));
  a.opened.post({ ...WATCH, type: 'watch' } as LinkFrame);
  await settled();
  assert.deepEqual(
    b.frames.map(({ type }) => type),
    ['envelopes', 'watch'],
  );
  a.opened.close();
});

test('[WI-20] link: half a million messages arrive in order, never further ahead than the credit', async () => {
  const { a, b } = pair();
  let ahead = 0;
  let sent = 0;
  let taken = 0;
  b.opened.onFrame((frame) => {
    if (frame.type === 'envelopes') taken += frame.items.length;
    ahead = Math.max(ahead, sent - a.opened.unsent().length - taken);
    // What is kept for looking at is not what is measured.
    b.frames.length = 0;
  });
  let expected = 0;
  b.opened.onFrame((frame) => {
    if (frame.type !== 'envelopes') return;
    for (const { body } of frame.items) assert.equal(body.type, `m${expected++}`);
  });
  while (sent < 500_000) {
    for (let n = 0; n < 20_000 && a.opened.send(envelope(`m${sent}`)); n += 1) sent += 1;
    await settled();
  }
  while (taken < sent) await settled();
  assert.equal(expected, sent);
  assert.ok(ahead <= CREDIT_ENVELOPES, `${ahead} ahead`);
  a.opened.close();
});

const LIES: readonly (readonly [string, readonly LinkFrame[]])[] = [
  ['takes in more than it was sent', [{ type: 'credit', received: 1 }]],
  [
    'sends more than it may',
    Array.from({ length: CREDIT_ENVELOPES / 128 + 1 }, () => ({
      type: 'envelopes' as const,
      received: 0,
      items: Array.from({ length: 128 }, () => ({ v: 1, incarnation: 1, ...envelope('x') })),
    })) as never,
  ],
  ['sends envelopes on its urgent port', []],
];
for (const [what, frames] of LIES) {
  test(`[WI-20] [WI-22] link: a peer that ${what} is not believed any more`, async () => {
    const { a, say, greet, distrusted } = bare({ hasRoom: () => false });
    greet();
    for (const frame of frames) say(frame.type === 'credit' ? 'urgent' : 'bulk', frame);
    if (frames.length === 0) say('urgent', { type: 'envelopes', received: 0, items: [] });
    await settled();
    assert.equal(a.state.closed, 1);
    assert.equal(distrusted.length, 1);
  });
}

test('[WI-2] [WI-9] link: whatever bytes come on either port, it closes or goes on, and never throws', async () => {
  const good = [REPLY, DOWN, { type: 'query', id: 1, name: 'views', args: null } as LinkFrame];
  const bytes = fc.oneof(
    fc
      .uint8Array({ minLength: 1, maxLength: 40 })
      .map((some) => Buffer.from(some).toString('latin1')),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
    fc.tuple(fc.constantFrom(...good), fc.nat(60), fc.nat(255)).map(([frame, at, byte]) => {
      const changed = Buffer.from(bytesOf(frame), 'latin1');
      changed[at % changed.length] = byte;
      return changed.toString('latin1');
    }),
  );
  const message = fc.record({ lane: fc.constantFrom(...LANES), bytes, greets: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 6 }), async (messages) => {
      const { a, far, greet, distrusted } = bare();
      if (messages[0]?.greets === true) greet();
      for (const { lane, bytes: some } of messages) far[lane].postMessage(some);
      await settled();
      assert.equal(distrusted.length, a.state.closed);
      far.bulk.close();
      await settled();
      assert.equal(a.state.closed, 1);
    }),
    { seed: seedOfRun(), numRuns: 300 },
  );
});

test('[WI-21] mesh: what cannot cross is told to its sender, what cannot wait too, and the dead peer takes nothing with it', async () => {
  const lost: Envelope[] = [];
  const [near, far] = linkPorts();
  const mesh = createMesh({
    thread: 'a',
    incarnation: 1,
    log: rememberingLog(),
    deliver: () => undefined,
    settle: () => undefined,
    answer: () => null,
    undelivered: (letter) => void lost.push(letter),
  });
  mesh.attach({ name: 'b', incarnation: 1 }, near);
  const full = link(far, ['b', 'a'], { hasRoom: () => false });
  const tooLarge = huge();
  mesh.send('b', tooLarge);
  await settled();
  assert.deepEqual(lost, [tooLarge]);

  const all = numbered(CREDIT_ENVELOPES + LINK_QUEUE_MAX - 1);
  for (const type of all) assert.equal(mesh.send('b', envelope(type)), true);
  assert.equal(mesh.send('b', envelope('asked', { replyTo: 'a:1:1' })), true);
  assert.equal(mesh.send('b', envelope('one too many')), 'link-full');
  await settled();
  full.opened.close();
  await settled();
  const [nearer, farther] = linkPorts();
  mesh.attach({ name: 'b', incarnation: 2 }, nearer);
  const successor = link(farther, ['b', 'a'], { self: { thread: 'b', incarnation: 2 } });
  while (successor.types().length < LINK_QUEUE_MAX - 1) await settled();
  assert.deepEqual(successor.types(), all.slice(CREDIT_ENVELOPES), 'what waited, and no question');
  mesh.close();
});
