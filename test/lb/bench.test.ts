/** The bench of the diff core, tiny: it must run and answer, whatever the machine does meanwhile. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bench } from '../../bench/lb-diff.js';

test('[LB-3] bench: a tiny run answers every question', async () => {
  const { bench: name, rows } = await bench({ scale: 'tiny' });
  assert.equal(name, 'lb-diff');
  assert.deepEqual(
    rows.map(({ id, unit, verdict }) => [id, unit, verdict]),
    [
      ['unchanged', 'ms', 'unjudged'],
      ['one-change', 'ms', 'unjudged'],
    ],
  );
  assert.ok(rows.every(({ value, baseline }) => value > 0 && (baseline ?? 0) > 0));
});
