/** The bench of tenancy, tiny: a whole daemon and the example tenant manager. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bench } from '../../bench/tenancy.js';

test('[TI-13] bench: a tiny run of tenancy answers every question', async () => {
  const { rows } = await bench({ scale: 'tiny' });
  assert.deepEqual(
    rows.map(({ id }) => id),
    ['pages', 'replay', 'settled'],
  );
  for (const { value } of rows) assert.ok(Number.isFinite(value) && value > 0);
});
