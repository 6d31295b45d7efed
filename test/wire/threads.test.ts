/** Control messages between main and its threads: what is understood, and that nothing else is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addressOf } from '../../machines/model/ids.js';
import { decodeFromThread, type FromThread } from '../../src/wire/from-thread.js';
import { decodeToThread, type ToThread } from '../../src/wire/to-thread.js';
import { createVitals } from '../../src/wire/vitals.js';
import { seedOfRun } from '../support/seed.js';

const port = { postMessage: () => undefined };

const TO: readonly ToThread[] = [
  {
    type: 'start',
    role: 'shard',
    thread: 'shard-1',
    incarnation: 1,
    settings: { cores: 2 },
    vitals: createVitals(),
    heartbeatMs: 500,
    quarantine: [addressOf('group', 't/g')],
  },
  { type: 'link', peer: 'store', incarnation: 2, bulk: port, urgent: port },
  { type: 'unlink', peer: 'store', incarnation: 2, reason: 'died: out of memory' },
  { type: 'stop', deadlineMs: 5_000 },
];

const FROM: readonly FromThread[] = [
  { type: 'ready', thread: 'shard-1', incarnation: 1 },
  { type: 'failed', code: 'locked', message: 'the database is in use' },
  { type: 'distrust', peer: 'shard-0', incarnation: 2, message: 'no msgpack' },
  { type: 'stopped', reason: 'asked to' },
];

for (const [side, decode, messages] of [
  ['to', decodeToThread, TO],
  ['from', decodeFromThread, FROM],
] as const) {
  for (const message of messages) {
    test(`[WI-2] ${side} thread, ${message.type}: understood whole, refused in part`, () => {
      assert.deepEqual(decode(message), { ok: true, value: message });
      for (const missing of Object.keys(message)) {
        const { [missing]: _, ...rest } = message as unknown as Record<string, unknown>;
        assert.equal(decode(rest).ok, false, `without ${missing}`);
        assert.equal(decode({ ...rest, [missing]: {} }).ok && missing !== 'settings', false);
      }
    });
  }

  test(`[WI-2] ${side} thread: anything else is a failure value`, () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        assert.equal(decode(value).ok, false);
      }),
      { seed: seedOfRun(), numRuns: 500 },
    );
  });
}
