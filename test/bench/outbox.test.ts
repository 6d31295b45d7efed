/** The bench of the outbox, tiny: store thread, actor, file sink, and an answer to every question. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bench } from '../../bench/outbox.js';

test('[TI-13] bench: a tiny run of the outbox answers every question', async () => {
  const { rows } = await bench({ scale: 'tiny' });
  assert.deepEqual(
    rows.map(({ id }) => id),
    [
      ...['append', 'latency-p50', 'latency-p99', 'drain'],
      ...['nats-latency-p50', 'nats-latency-p99', 'nats-drain', 'lanes', 'idle', 'take-over'],
    ],
  );
  for (const { id, value } of rows) assert.ok(Number.isFinite(value), id);
});
