/** What benches send over a link arrives, however full the link is: otherwise a sweep never ends. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { sendWhenTaken } from '../../bench/runtime/send-when-taken.js';
import { addressOf } from '../../machines/model/ids.js';
import { linkPorts } from '../../src/adapters/threads/link.js';
import { createMesh, type Mesh } from '../../src/adapters/threads/mesh.js';
import { CREDIT_ENVELOPES, LINK_QUEUE_MAX } from '../../src/wire/limits.js';
import { rememberingLog } from '../support/quiet.js';

/** What has left arrives within these, or never. */
const TURNS_MAX = 1_000;
const MORE_THAN_FITS = CREDIT_ENVELOPES + LINK_QUEUE_MAX + 100;

test('[TI-13] bench: more than a link takes is waited for, and arrives once and in order', async () => {
  const got: string[] = [];
  const [a, b] = [meshOf('a', []), meshOf('b', got)];
  const [near, far] = linkPorts();
  a.attach({ name: 'b', incarnation: 1 }, near);
  b.attach({ name: 'a', incarnation: 1 }, far);
  let waited = 0;
  for (let n = 0; n < MORE_THAN_FITS; n += 1) {
    const taken = sendWhenTaken(a, 'b', letter(`m${n}`));
    if (taken === undefined) continue;
    waited += 1;
    await taken;
  }
  assert.ok(waited > 0, 'the link was full at least once');
  for (let turn = 0; turn < TURNS_MAX && got.length < MORE_THAN_FITS; turn += 1) await nextTurn();
  assert.deepEqual(
    got,
    Array.from({ length: MORE_THAN_FITS }, (_, n) => `m${n}`),
  );
  a.close();
});

function letter(type: string) {
  const [to, from] = [addressOf('group', 't/g'), addressOf('tenant', 't')];
  return { to, from, cause: 'c', body: { type } };
}

function meshOf(thread: string, got: string[]): Mesh {
  return createMesh({
    thread,
    incarnation: 1,
    log: rememberingLog(),
    deliver: ({ body }) => void got.push(body.type),
    settle: () => undefined,
    answer: () => null,
  });
}
