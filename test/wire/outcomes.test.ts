/** What a pass came to as one text: what was packed is read, anything else is not believed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Outcome, packOutcomes, readOutcomes } from '../../src/wire/outcomes.js';
import { seedOfRun } from '../support/seed.js';

const text = fc.string({ unit: fc.constantFrom('a', '"', '\\', '\n', 'é', '😀') });
const outcome: fc.Arbitrary<Outcome> = fc.record(
  {
    seq: fc.nat(),
    controlVersion: fc.nat(),
    error: text,
    dead: fc.constant(true as const),
    previousHash: text,
    head: fc.record({ key: text, hash: text }),
  },
  { requiredKeys: ['seq'], noNullPrototype: true },
);

const bySeq = (outcomes: readonly Outcome[]): readonly string[] =>
  outcomes
    .map((one) => JSON.stringify(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1))))
    .sort();

test('[WI-1] outcomes: each comes back as it was packed', () => {
  fc.assert(
    fc.property(fc.array(outcome, { maxLength: 8 }), (outcomes) => {
      assert.deepEqual(bySeq(readOutcomes(packOutcomes(outcomes)) ?? []), bySeq(outcomes));
    }),
    { seed: seedOfRun(), numRuns: 300 },
  );
});

test('[WI-2] outcomes: what is no text of them is none', () => {
  const odd = [
    ...[
      '',
      '{',
      'null',
      '7',
      '[]',
      '[[],[]]',
      '[[1],[],[]]',
      '[[1,2],[],[]]',
      '[["1",2,"h"],[],[]]',
    ],
    ...[
      '[[1,2,3],[],[]]',
      '[[1,2,"h"],[0,"k"],[]]',
      '[[],[],[{}]]',
      '[[],[],[{"seq":1,"dead":false}]]',
    ],
    ...['[[],[],[null]]', '[[1,2,"h"],[],{}]'],
  ];
  for (const one of odd) assert.equal(readOutcomes(one), undefined, one);
  assert.deepEqual(readOutcomes('[[],[],[]]'), []);
});
