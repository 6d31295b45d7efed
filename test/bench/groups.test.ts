/** The bench of groups, tiny: a whole node on a simulated cloud, filled, healed and started again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bench } from '../../bench/groups.js';

test('[TI-13] bench: a tiny run of the groups answers every question', async () => {
  const { rows } = await bench({ scale: 'tiny' });
  assert.deepEqual(
    rows.map(({ id }) => id),
    [
      'fill',
      'bytes',
      'heal',
      'replace-p50',
      'replace-p99',
      'restart-first',
      'restart-all',
      'resync',
    ],
  );
  for (const { id, value } of rows)
    assert.ok(Number.isFinite(value) && value >= 0, `${id} ${value}`);
});
