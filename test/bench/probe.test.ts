/** The bench of probes, tiny: it must run and answer, beside haproxy where it is installed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bench } from '../../bench/probe.js';

test('[TI-13] bench: a tiny run of the probes answers every question, and no check of a sound backend fails', async () => {
  const { bench: name, rows } = await bench({ scale: 'tiny' });
  assert.equal(name, 'probe');
  const ids = rows.map(({ id }) => id).filter((id) => id !== 'haproxy');
  assert.deepEqual(ids, ['tcp', 'lag-p50', 'lag-p99', 'lag-failed']);
  const [{ value, baseline = 0 } = { value: 0 }] = rows;
  assert.ok(value > 0 && baseline > 0);
  assert.equal(rows.at(-1)?.value, 0);
});
