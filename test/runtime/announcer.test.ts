/** The outbox is told once of all that one answer of the store acknowledged. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Message } from '../../machines/model/messages.js';
import { createAnnouncer } from '../../src/runtime/announcer.js';
import type { Envelope } from '../../src/runtime/envelope.js';
import { GROUP } from '../support/toy-node.js';

test('[RT-26] the outbox is told of the newest row, and of nothing when there is none', () => {
  const sent: Envelope[] = [];
  const announcer = createAnnouncer((envelope) => void sent.push(envelope));
  announcer.flush();
  for (const seq of [4, 7, 5]) announcer.appended(seq, GROUP, `d-${seq}`);
  announcer.flush();
  announcer.flush();
  announcer.appended(8, GROUP, 'd-8');
  announcer.flush();
  const told = sent.map(({ to, cause, body }) => [to, cause, body as Message]);
  assert.deepEqual(told, [
    ['outbox/main', 'd-7', { type: 'outbox.appended', seq: 7 }],
    ['outbox/main', 'd-8', { type: 'outbox.appended', seq: 8 }],
  ]);
});
