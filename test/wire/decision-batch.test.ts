/** Decisions as one text and its numbers: what was packed is read, anything else is not believed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { packBatch, readBatch } from '../../src/wire/decision-batch.js';
import { REQUEST_DECISIONS_MAX } from '../../src/wire/limits.js';
import type { Cell, Decision, Entry, Publish } from '../../src/wire/packed-decision.js';
import { isPackedDecision } from '../../src/wire/packed-decision.js';
import { seedOfRun } from '../support/seed.js';

/** Characters of one, two and three bytes, and both halves of one that has four. */
const text = fc.string({
  unit: fc.constantFrom('a', '/', '"', '\n', '\u0000', 'é', '✓', '\ud83d', '\ude00'),
});
const address = text.map((key) => `group/x${key}`);
const orNull = <T>(some: fc.Arbitrary<T>) => fc.option(some, { nil: null });
const number = fc.oneof(fc.integer(), fc.constantFrom(1_795_929_655_631, 0.5, -1));

const publish: fc.Arbitrary<Publish> = fc.tuple(text, text, orNull(text), orNull(text), text);
const entry: fc.Arbitrary<Entry> = fc.tuple(text, text, text, orNull(publish));
const cell: fc.Arbitrary<Cell> = fc.tuple(
  ...([address, orNull(address), text, number, text] as const),
  ...([number, number, text, text, text] as const),
);
const decision: fc.Arbitrary<Decision> = fc.tuple(
  ...([text, number, address, text, text, number, number, fc.boolean()] as const),
  ...([orNull(cell), fc.array(cell, { maxLength: 3 }), fc.array(entry, { maxLength: 3 })] as const),
);
const decisions = fc.array(decision, { maxLength: 5 });

test('[WI-2] decisions: what was packed is what is read', () => {
  fc.assert(
    fc.property(decisions, (some) => {
      assert.deepEqual(readBatch(packBatch(some)), some);
    }),
    { seed: seedOfRun(), numRuns: 300 },
  );
});

/** One number is another, one is gone or too many, the text is shorter or longer. */
const bend = fc.record({
  at: fc.nat(),
  to: fc.oneof(
    fc.integer({ min: -2, max: 40 }),
    fc.constantFrom(0.5, Number.NaN, 2 ** 53, 'x', null),
  ),
  gone: fc.nat(2),
  more: fc.constantFrom(0, 0, 1),
  textLess: fc.constantFrom(0, 0, 1, 7),
});

test('[WI-2] decisions: bent ones are refused, or are decisions all the same', () => {
  fc.assert(
    fc.property(decisions, bend, (some, { at, to, gone, more, textLess }) => {
      const [texts, packed] = packBatch(some);
      const numbers = [...packed];
      numbers.splice(at % numbers.length, gone, ...Array.from({ length: more }, () => to));
      const read = readBatch([texts.slice(textLess), numbers]);
      assert.ok(read === undefined || read.every(isPackedDecision));
    }),
    { seed: seedOfRun(), numRuns: 1_000 },
  );
});

test('[WI-3] decisions: no more of them than one request may have', () => {
  const one = ['d', 1, 'group/x', '', 'shard-1', 1, 1, false, null, [], []] as const;
  const of = (count: number) => packBatch(Array.from({ length: count }, () => one));
  assert.equal(readBatch(of(REQUEST_DECISIONS_MAX))?.length, REQUEST_DECISIONS_MAX);
  assert.equal(readBatch(of(REQUEST_DECISIONS_MAX + 1)), undefined);
});
