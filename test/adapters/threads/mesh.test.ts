/** Links and the mesh over real message channels: who is believed, what is kept, what is never silent. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf } from '../../../machines/model/ids.js';
import type { Json } from '../../../machines/model/json.js';
import { ok } from '../../../machines/model/result.js';
import { linkPorts } from '../../../src/adapters/threads/link.js';
import { createMesh, type Mesh, type MeshOptions } from '../../../src/adapters/threads/mesh.js';
import { helloOf } from '../../../src/wire/hello.js';
import { BATCH_BYTES_MAX, BATCH_ENVELOPES_MAX, LINK_QUEUE_MAX } from '../../../src/wire/limits.js';
import type { LinkFrame } from '../../../src/wire/link-frame.js';
import {
  bare,
  envelope,
  helloBytes,
  huge,
  hugeText,
  LANES,
  pair,
  settled,
} from '../../support/link-lab.js';
import { rememberingLog } from '../../support/quiet.js';

test('[WI-8] link: messages arrive in order, in batches of bounded size', async () => {
  const { a, b } = pair();
  const sent = Array.from({ length: 3 * BATCH_ENVELOPES_MAX + 7 }, (_, n) => `m${n}`);
  for (const type of sent) a.opened.send(envelope(type));
  await settled();
  assert.deepEqual(b.types(), sent);
  assert.equal(b.frames.length, 4);
  a.opened.close();
});

test('[WI-8] link: one message that does not fit is named and lost; its companions arrive', async () => {
  const { a, b } = pair();
  for (const item of [envelope('one'), huge(), envelope('two')]) a.opened.send(item);
  await settled();
  assert.deepEqual(b.types(), ['one', 'two']);
  assert.equal(a.log.lines.filter(({ level }) => level === 'error').length, 1);
  a.opened.close();
});

test('[WI-8] [WI-23] link: a batch that was too large leaves in halves, each readable', async () => {
  const { a, b } = pair();
  const sent = Array.from({ length: 7 }, (_, n) => `m${n}`);
  for (const type of sent) {
    const to = addressOf('group', `t/${type}`);
    a.opened.send(envelope(type, { to, body: { type, [type]: 'x'.repeat(BATCH_BYTES_MAX / 3) } }));
  }
  await settled();
  assert.deepEqual(b.types(), sent);
  assert.ok(b.frames.length > 1);
  a.opened.close();
});

test('[WI-9] link: what was sent before a close still leaves, and a close is seen once by each', async () => {
  const { a, b } = pair();
  a.opened.send(envelope('last'));
  a.opened.close();
  a.opened.close();
  await settled();
  assert.deepEqual(b.types(), ['last']);
  assert.deepEqual([a.state.closed, b.state.closed], [1, 1]);
});

for (const lane of LANES) {
  for (const [name, change] of [
    ['another wire', { hello: 99 }],
    ['other shapes', { structuresHash: 'other' }],
    ['another thread', { thread: 'c' }],
    ['another life', { incarnation: 2 }],
    ['the other port', { lane: lane === 'bulk' ? 'urgent' : 'bulk' }],
  ] as const) {
    test(`[WI-4] link: on its ${lane} port a hello of ${name} closes it`, async () => {
      const { a, far, distrusted } = bare();
      far[lane].postMessage(helloBytes({ ...helloOf('b', 1, lane), ...change }));
      await settled();
      assert.equal(a.state.closed, 1);
      assert.equal(distrusted.length, 1);
    });
  }
}

test('[WI-9] link: a frame that cannot be read closes it, and nothing after it is believed', async () => {
  const { a, say, greet, distrusted } = bare();
  const good: LinkFrame = { type: 'reply', to: 'a:1:1', body: null };
  greet();
  say('urgent', good, '\x01\x02\x03', good);
  await settled();
  assert.deepEqual(a.frames, [good]);
  assert.equal(a.state.closed, 1);
  assert.equal(a.log.lines.length, 1);
  assert.equal(distrusted.length, 1);
});

interface Thread {
  readonly mesh: Mesh;
  readonly got: string[];
  readonly answers: { replyTo: string; outcome: unknown }[];
  readonly log: ReturnType<typeof rememberingLog>;
}

function threadOf(name: string, answer: MeshOptions['answer'] = () => null): Thread {
  const got: string[] = [];
  const answers: Thread['answers'] = [];
  const log = rememberingLog();
  const mesh = createMesh({
    thread: name,
    incarnation: 1,
    log,
    deliver: ({ body }) => void got.push(body.type),
    settle: (replyTo, outcome) => void answers.push({ replyTo, outcome }),
    answer,
    queryTimeoutMs: 50,
  });
  return { mesh, got, answers, log };
}

function join(one: Thread, other: Thread, names: readonly [string, string]): void {
  const [near, far] = linkPorts();
  one.mesh.attach({ name: names[1], incarnation: 1 }, near);
  other.mesh.attach({ name: names[0], incarnation: 1 }, far);
}

test('[WI-10] mesh: what is sent to a peer that is being replaced reaches its successor, in order', async () => {
  const [a, first, second] = [threadOf('a'), threadOf('b'), threadOf('b')];
  join(a, first, ['a', 'b']);
  a.mesh.send('b', envelope('to the first'));
  await settled();
  first.mesh.close();
  await settled();
  assert.deepEqual(a.mesh.peers(), []);
  for (const type of ['x', 'y', 'z']) assert.equal(a.mesh.send('b', envelope(type)), true);
  assert.equal(a.mesh.send('b', envelope('a question', { replyTo: 'a:1:1' })), false);
  join(a, second, ['a', 'b']);
  await settled();
  assert.deepEqual(first.got, ['to the first']);
  assert.deepEqual(second.got, ['x', 'y', 'z']);
  a.mesh.close();
});

test('[WI-10] mesh: what waits for a peer that is away is bounded, and the sender is told', () => {
  const { mesh } = threadOf('a');
  for (let n = 0; n < LINK_QUEUE_MAX; n += 1) assert.equal(mesh.send('b', envelope(`m${n}`)), true);
  assert.equal(mesh.send('b', envelope('one too many')), 'link-full');
});

test('[WI-11] mesh: a query ends with its answer, with its peer, or at its deadline', async () => {
  let release = (): void => undefined;
  const never = new Promise<Json>(() => undefined);
  const b = threadOf('b', (name, args) => {
    if (name === 'echo') return args;
    if (name === 'throws') return Promise.reject(new Error('no'));
    if (name === 'huge') return hugeText();
    release();
    return never;
  });
  const a = threadOf('a');
  join(a, b, ['a', 'b']);
  assert.deepEqual(await a.mesh.query('b', 'echo', { n: 1 }), { n: 1 });
  assert.equal(await a.mesh.query('b', 'throws', null), null);
  assert.equal(await a.mesh.query('b', 'huge', null), null);
  assert.equal(await a.mesh.query('b', 'echo', hugeText()), undefined);
  assert.equal(await a.mesh.query('nobody', 'echo', 1), undefined);
  assert.equal(await a.mesh.query('b', 'hangs', null), undefined);
  const asked = new Promise<void>((resolve) => {
    release = resolve;
  });
  const lost = a.mesh.query('b', 'hangs', null);
  await asked;
  b.mesh.close();
  assert.equal(await lost, undefined);
});

const isOk = (outcome: unknown): boolean => (outcome as { readonly ok: boolean }).ok;

test('[WI-11] mesh: a reply goes to the thread that asked; one that does not fit says so', async () => {
  const [a, b, c] = [threadOf('a'), threadOf('b'), threadOf('c')];
  join(a, b, ['a', 'b']);
  join(a, c, ['a', 'c']);
  a.mesh.reply('c', 'c:1:7', ok('yes'));
  a.mesh.reply('b', 'b:1:8', ok(hugeText()));
  a.mesh.reply('nobody', 'nobody:1:1', ok('lost'));
  await settled();
  assert.deepEqual(c.answers, [{ replyTo: 'c:1:7', outcome: { ok: true, value: 'yes' } }]);
  const [failed] = b.answers;
  assert.equal(failed?.replyTo, 'b:1:8');
  assert.ok(!isOk(failed?.outcome));
  a.mesh.close();
});

test('[WI-10] mesh: a peer that is linked again is linked once', async () => {
  const [a, first, second] = [threadOf('a'), threadOf('b'), threadOf('b')];
  join(a, first, ['a', 'b']);
  join(a, second, ['a', 'b']);
  await settled();
  a.mesh.send('b', envelope('hello'));
  await settled();
  assert.deepEqual([first.got, second.got], [[], ['hello']]);
  assert.deepEqual(a.mesh.peers(), ['b']);
  a.mesh.close();
});
