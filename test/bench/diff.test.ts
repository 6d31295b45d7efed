/**
 * The bench of the diff core, tiny: every row answers, and what was measured was done: each side finds
 * the same changes, and a site as wanted costs no op.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bench } from '../../bench/diff.js';

const CASES = ['unchanged', 'one', 'percent', 'all'];
const QUESTIONS = [
  ...CASES.flatMap((name) => [name, `${name}-microdiff`, `${name}-fast-json-patch`]),
  ...['bytes-actual', 'bytes-wanted', 'ops', 'ip6-unchanged', 'ip6-bytes'],
  ...['records', 'records-shuffled', 'audit'],
  ...['vip-same', 'vip-changed', 'table-counts', 'table-fill', 'table-digest'],
];

test('[TI-13] bench: a tiny run of the diff answers every question', async () => {
  const { bench: name, rows } = await bench({ scale: 'tiny' });
  assert.equal(name, 'diff');
  assert.deepEqual(
    rows.map(({ id }) => id),
    QUESTIONS,
  );
  const measured = rows.filter(({ id }) => id !== 'ops' && !id.includes('bytes'));
  assert.ok(measured.every(({ value, baseline = 1 }) => value > 0 && baseline > 0));
  const ops = rows.find(({ id }) => id === 'ops');
  assert.deepEqual([ops?.value, ops?.verdict], [0, 'pass'], 'judged at any size');
});

test('[TI-13] bench: rows of the diff are measured alone, or by family', async () => {
  const { rows } = await bench({ scale: 'tiny', only: ['audit', 'table'] });
  assert.deepEqual(
    rows.map(({ id }) => id),
    ['audit', 'table-counts', 'table-fill', 'table-digest'],
  );
});
