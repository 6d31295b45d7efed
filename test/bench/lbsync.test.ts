/** The bench of lbsync, tiny: a real simulator is filled and audited, and an audit at rest writes nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bench } from '../../bench/lbsync.js';

test('[TI-13] [LB-71] bench: a tiny run of lbsync answers every question, with no op at rest', async () => {
  const { bench: name, rows } = await bench({ scale: 'tiny' });
  assert.equal(name, 'lbsync');
  assert.deepEqual(
    rows.map(({ id }) => id),
    ['sync', 'sync-ours', 'audit', 'audit-ours', 'audit-ops'],
  );
  const times = rows.filter(({ unit }) => unit === 'ms');
  assert.ok(times.every(({ value }) => value > 0));
  const ops = rows.find(({ id }) => id === 'audit-ops');
  assert.deepEqual([ops?.value, ops?.verdict], [0, 'pass'], 'judged at any size');
});
