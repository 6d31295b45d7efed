/** The shrink guard's laws: a table of its bounds, and any history of wishes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addressOf } from '../../machines/model/ids.js';
import {
  judgeRemoval,
  limitOf,
  type Removal,
  type RemovalWish,
  type ShrinkBooks,
  type ShrinkRule,
  usedOf,
} from '../../src/policy/shrink.js';
import { seedOfRun } from '../support/seed.js';

const RULE: ShrinkRule = { share: 0.25, min: 3, windowMs: 600_000 };

const wishOf = (name: string, count: number, sinceMs = 0): RemovalWish => ({
  object: addressOf('group', name),
  to: 0,
  count,
  sinceMs,
});

const went = (count: number, atMs: number, confirmed = false): Removal => ({
  ...wishOf(`gone-${atMs}`, count),
  atMs,
  confirmed,
});

const cases = [
  { name: 'three may always go', total: 4, removals: [], count: 3, verdict: 'fits' },
  { name: 'a fourth of few may not', total: 4, removals: [], count: 4, verdict: 'beyond' },
  { name: 'a quarter may go', total: 100, removals: [], count: 25, verdict: 'fits' },
  { name: 'more than a quarter waits', total: 100, removals: [], count: 26, verdict: 'beyond' },
  {
    name: 'what went within the window counts, and the quarter is of what there was',
    total: 80,
    removals: [went(20, 400_000)],
    count: 6,
    verdict: 'beyond',
  },
  {
    name: 'up to the quarter of what there was',
    total: 80,
    removals: [went(20, 400_000)],
    count: 5,
    verdict: 'fits',
  },
  {
    name: 'what went before the window does not count',
    total: 80,
    removals: [went(20, 0)],
    count: 20,
    verdict: 'fits',
  },
  {
    name: 'what was confirmed does not count',
    total: 80,
    removals: [went(70, 500_000, true)],
    count: 20,
    verdict: 'fits',
  },
] as const;

for (const { name, total, removals, count, verdict } of cases) {
  test(`[SG-1] [SG-3] shrink: ${name}`, () => {
    const books: ShrinkBooks = { rule: RULE, removals, total, at: 600_000 };
    assert.equal(judgeRemoval(books, wishOf('acme/web', count)), verdict);
  });
}

test('[SG-2] shrink: a wish that was let go is let go again, another one is judged', () => {
  const removals = [{ ...wishOf('acme/web', 25), atMs: 1, confirmed: false }];
  const books: ShrinkBooks = { rule: RULE, removals, total: 75, at: 2 };
  assert.equal(judgeRemoval(books, wishOf('acme/web', 25)), 'let-go-before');
  assert.equal(judgeRemoval(books, { ...wishOf('acme/web', 20), to: 5 }), 'let-go-before');
  assert.equal(judgeRemoval(books, wishOf('acme/web', 25, 1)), 'beyond');
  assert.equal(judgeRemoval(books, wishOf('acme/db', 25)), 'beyond');
});

test('[SG-1] shrink: no window lets more go than its share of what there was', () => {
  const arbWish = fc.record({
    gapMs: fc.integer({ min: 0, max: 400_000 }),
    count: fc.integer({ min: 0, max: 40 }),
  });
  fc.assert(
    fc.property(fc.array(arbWish, { maxLength: 60 }), (wishes) => {
      let books: ShrinkBooks = { rule: RULE, removals: [], total: 200, at: 0 };
      for (const [index, { gapMs, count }] of wishes.entries()) {
        books = { ...books, at: books.at + gapMs };
        const wish = wishOf(`g-${index}`, Math.min(count, books.total));
        if (judgeRemoval(books, wish) !== 'fits') continue;
        const removals = [...books.removals, { ...wish, atMs: books.at, confirmed: false }];
        books = { ...books, removals, total: books.total - wish.count };
        assert.ok(usedOf(books) <= limitOf(books), `${usedOf(books)} of ${limitOf(books)}`);
      }
    }),
    { seed: seedOfRun(), numRuns: 300 },
  );
});
