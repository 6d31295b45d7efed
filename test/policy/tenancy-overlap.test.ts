/** Late commits: whatever order ids become visible in, each event is taken once. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  GAP_IDS_MAX,
  GAP_MS,
  type Gap,
  overlapAfter,
  readOverlap,
} from '../../src/policy/tenancy-overlap.js';
import { seedOfRun } from '../support/seed.js';

const RUNS = 500;

describe('the overlap', () => {
  test('[TE-53] whatever order ids become visible in, within the window each is taken once', () => {
    const arbDelays = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(arbDelays, (delays) => {
        const taken: number[] = [];
        let books: { head: number; gaps: readonly Gap[] } = { head: 0, gaps: [] };
        for (let round = 0; round <= 8; round += 1) {
          const after = overlapAfter(books.gaps, null) ?? books.head;
          const events = delays
            .map((delay, index) => ({ id: index + 1, visibleAt: Math.floor(index / 8) + delay }))
            .filter(({ id, visibleAt }) => id > after && visibleAt <= round);
          const read = readOverlap({ ...books, events, at: round * 5_000 });
          taken.push(...read.fresh.map(({ id }) => id));
          books = read;
        }
        for (let round = 9; round <= 12; round += 1) {
          const after = overlapAfter(books.gaps, null) ?? books.head;
          const events = delays
            .map((_, index) => ({ id: index + 1 }))
            .filter(({ id }) => id > after);
          const read = readOverlap({ ...books, events, at: round * 5_000 });
          taken.push(...read.fresh.map(({ id }) => id));
          books = read;
        }
        const all = delays.map((_, index) => index + 1);
        assert.deepEqual(
          taken.toSorted((a, b) => a - b),
          all,
        );
      }),
      { seed: seedOfRun(), numRuns: RUNS },
    );
  });

  const page = (...ids: number[]) => ids.map((id) => ({ id }));

  test('[TE-53] an id that stays away is let go', () => {
    const first = readOverlap({ head: 42, gaps: [], events: page(44), at: 0 });
    assert.deepEqual(first.gaps, [{ id: 43, sinceMs: 0 }]);
    assert.equal(overlapAfter(first.gaps, null), 42);
    const later = readOverlap({ ...first, events: page(44), at: GAP_MS });
    assert.deepEqual([later.gaps, later.fresh], [[], []]);
    assert.equal(overlapAfter(later.gaps, null), undefined);
  });

  test('[TE-53] a long hole is none of late commits', () => {
    const wide = readOverlap({ head: 42, gaps: [], events: page(44 + GAP_IDS_MAX), at: 0 });
    assert.deepEqual(wide.gaps, []);
    const narrow = readOverlap({ head: 42, gaps: [], events: page(43 + GAP_IDS_MAX), at: 0 });
    assert.equal(narrow.gaps.length, GAP_IDS_MAX);
  });

  test('[TE-54] what is looked for once more begins before it', () => {
    assert.equal(overlapAfter([], 50), 49);
    assert.equal(overlapAfter([{ id: 44, sinceMs: 0 }], 50), 43);
  });
});
