/** The judge of every bench: what counts as reached, and the statistics it is fed with. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  all,
  atMost,
  conclusionOf,
  median,
  percentile,
  ratioAtLeast,
  ratioAtMost,
  rounded,
  rowOf,
  wanted,
} from '../../bench/rows.js';

const CASES = [
  { name: 'at the bound', value: 560, baseline: 2_800, must: atMost(560, 'B'), pass: true },
  { name: 'above the bound', value: 561, baseline: 2_800, must: atMost(560, 'B'), pass: false },
  { name: 'a ratio reached', value: 100, baseline: 10, must: ratioAtLeast(10), pass: true },
  { name: 'a ratio missed', value: 99, baseline: 10, must: ratioAtLeast(10), pass: false },
  { name: 'a ratio kept', value: 15, baseline: 10, must: ratioAtMost(1.5), pass: true },
  { name: 'a ratio exceeded', value: 16, baseline: 10, must: ratioAtMost(1.5), pass: false },
  {
    name: 'one of two missed',
    value: 500,
    baseline: 1_000,
    must: all(atMost(560, 'B'), ratioAtMost(0.2)),
    pass: false,
  },
] as const;

for (const { name, value, baseline, must, pass } of CASES) {
  test(`[TI-13] bench rows: ${name} ${pass ? 'passes' : 'falls short'} at full scale, and is not judged tiny`, () => {
    const measured = { id: 'X', question: 'x', unit: 'u', value, baseline, must };
    assert.equal(rowOf(measured, 'full').verdict, pass ? 'pass' : 'falls-short');
    assert.equal(rowOf(measured, 'tiny').verdict, 'unjudged');
  });
}

test('[TI-13] bench rows: a must that cannot be judged is not reached', () => {
  const row = { id: 'X', question: 'x', unit: 'u', value: 1, must: ratioAtLeast(1) };
  assert.equal(rowOf(row, 'full').verdict, 'falls-short');
  const unknown = { ...row, value: Number.NaN, baseline: 1 };
  assert.equal(rowOf(unknown, 'full').verdict, 'falls-short');
});

test('[TI-13] bench rows: a must about what is right is judged at any scale', () => {
  const row = { id: 'X', question: 'x', unit: 'u', must: atMost(0, 'wrong'), always: true };
  for (const scale of ['tiny', 'full'] as const) {
    assert.equal(rowOf({ ...row, value: 1 }, scale).verdict, 'falls-short');
    assert.equal(rowOf({ ...row, value: 0 }, scale).verdict, 'pass');
  }
});

const ROW = { question: 'x', unit: 'u' };
const STRETCHING = { ...ROW, must: atMost(10, 'u'), stretch: atMost(5, 'u') };

test('[TI-13] bench rows: a stretch counts only beyond the must, and a row without a must informs', () => {
  const verdicts = [5, 6, 11].map(
    (value) => rowOf({ ...STRETCHING, id: 'X', value }, 'full').verdict,
  );
  assert.deepEqual(verdicts, ['stretch', 'pass', 'falls-short']);
  const { verdict } = rowOf({ ...ROW, id: 'X', value: 1, stretch: atMost(5, 'u') }, 'full');
  assert.equal(verdict, 'informs');
});

test('[TI-13] bench rows: the conclusion counts the verdicts and names what falls short', () => {
  const rows = [
    ...[5, 6, 7].map((value) => rowOf({ ...STRETCHING, id: `G${value}`, value }, 'full')),
    rowOf({ ...ROW, id: 'peer', value: 1 }, 'full'),
  ];
  const short = ['G1', 'G2'].map((id) => rowOf({ ...STRETCHING, id, value: 11 }, 'full'));
  assert.equal(
    conclusionOf(rows),
    '3 of 3 musts hold, 1 of them with their stretch; 1 for information',
  );
  assert.equal(
    conclusionOf([...rows, ...short]),
    '3 of 5 musts hold, 1 of them with their stretch; G1, G2 fall short; 1 for information',
  );
  const [first] = short;
  assert.match(conclusionOf(first === undefined ? [] : [first]), /; G1 falls short$/);
  assert.match(
    conclusionOf([rowOf({ ...STRETCHING, id: 'G1', value: 1 }, 'tiny')]),
    /1 not judged$/,
  );
});

test('[TI-13] bench rows: a row is asked for by its name or by its family', () => {
  const cases: readonly (readonly [string, readonly string[], boolean])[] = [
    ['G9', [], true],
    ['G9', ['G9'], true],
    ['G9-linear', ['G9'], true],
    ['G9-linear', ['G9-linear'], true],
    ['G9', ['G9-linear'], false],
    ['G11', ['G1'], false],
  ];
  for (const [id, only, asked] of cases) assert.equal(wanted(id, only), asked, `${id} of ${only}`);
});

test('[TI-13] bench rows: a percentile is one of the values, and no share of them is greater', () => {
  const values = fc.array(fc.integer(), { minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (seen, share) => {
      const found = percentile(seen, share);
      const below = seen.filter((value) => value < found).length;
      assert.ok(seen.includes(found));
      assert.ok(below <= share * seen.length);
    }),
  );
  assert.equal(median([3, 1, 2]), 2);
  assert.ok(Number.isNaN(median([])));
});

test('[TI-13] bench rows: numbers are told with the digits two runs may have in common', () => {
  assert.deepEqual([1234.5678, 12.345678, 0.00012345678].map(rounded), [1235, 12.35, 0.0001235]);
});
