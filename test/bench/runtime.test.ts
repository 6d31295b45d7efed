/**
 * The benches of the runtime, tiny: each must run and answer, whatever the machine does meanwhile. That
 * the work was done as meant is checked by the benches themselves, which throw otherwise.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bench } from '../../bench/runtime.js';

const QUESTIONS = [
  ...['G1', 'G2', 'G3', 'G2-stored', 'G4', 'G5', 'G6', 'G7', 'G8', 'G9', 'G9-linear'],
  ...['G10-p50', 'G10-p99', 'G10-wrong', 'G11'],
];
/** Of each peer that can be counted on to be installed. */
const PEERS = [
  ...['peer-ring-nact', 'peer-ring-comedy', 'peer-pingpong-nact', 'peer-pingpong-comedy'],
  ...['peer-spawn-nact', 'peer-spawn-comedy', 'peer-bytes-nact', 'peer-bytes-comedy'],
  'peer-oneway-comedy',
];
/** Rows that count what went wrong. */
const NOUGHT = ['G10-wrong'];

test('[TI-13] bench: a tiny run of the runtime answers every question', async () => {
  const told: string[] = [];
  const { bench: name, rows } = await bench({
    scale: 'tiny',
    progress: (line) => void told.push(line),
  });
  assert.equal(name, 'runtime');
  const ids = rows.map(({ id }) => id).filter((id) => !id.endsWith('-erlang'));
  assert.deepEqual(ids, [...QUESTIONS, ...PEERS]);
  const meaningless = rows.filter(
    ({ id, value, baseline = 1, ratio = 1 }) =>
      !NOUGHT.includes(id) &&
      ![value, baseline, ratio].every((number) => Number.isFinite(number) && number > 0),
  );
  assert.deepEqual(meaningless, [], told.join('\n'));
  const short = rows.filter(({ verdict }) => verdict === 'falls-short');
  assert.deepEqual(short, [], told.join('\n'));
  assert.ok(told.length >= rows.length / 2, 'long work says what it is doing');
});

test('[TI-13] bench: rows are measured alone, by a name that only some of a section have too', async () => {
  const { rows } = await bench({ scale: 'tiny', only: ['G2-stored', 'G9-linear'] });
  assert.deepEqual(
    rows.map(({ id }) => id),
    ['G2-stored', 'G9-linear'],
  );
  assert.deepEqual((await bench({ scale: 'tiny', only: ['G99'] })).rows, []);
});

test('[TI-13] bench: one row is measured alone', async () => {
  const { rows } = await bench({ scale: 'tiny', only: ['G9'] });
  assert.deepEqual(
    rows.map(({ id }) => id),
    ['G9', 'G9-linear'],
  );
});
