/** The bench of a large reload, tiny: a whole daemon, a file that does not change, and no effects. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bench } from '../../bench/reload.js';

test('[TI-13] [RE-5] bench: a tiny run of the reload answers every question, and leaves nothing behind', async () => {
  const { rows } = await bench({ scale: 'tiny' });
  assert.deepEqual(
    rows.map(({ id }) => id),
    ['stall', 'effects', 'check'],
  );
  const effects = rows.find(({ id }) => id === 'effects');
  assert.deepEqual([effects?.value, effects?.verdict], [0, 'pass'], 'judged at any size');
});
