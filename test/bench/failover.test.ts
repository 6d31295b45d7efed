/** The bench of a failover, tiny: a whole daemon, real listeners that stop, and an answer. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bench } from '../../bench/failover.js';

test('[TI-13] bench: a tiny run of the failover answers every question', async () => {
  const { rows } = await bench({ scale: 'tiny' });
  assert.deepEqual(
    rows.map(({ id }) => id),
    ['p50', 'p99', 'own-p50', 'own-p99'],
  );
  for (const { value, baseline } of rows) {
    assert.ok(Number.isFinite(value) && Number.isFinite(baseline), 'every backend left its VIP');
  }
});
