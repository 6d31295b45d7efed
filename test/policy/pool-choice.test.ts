/** Which pool is active: failover at once, fail-back after its hold. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { choosePool, type PoolChoice, type PoolRule } from '../../src/policy/pool-choice.js';
import { seedOfRun } from '../support/seed.js';

const RULE: PoolRule = { activeWhile: 0.3, failBack: { at: 0.5, holdForMs: 10_000 } };
const SOURCE: PoolRule = { activeWhile: 0, failBack: { at: 0, holdForMs: 0 } };
const on = (active: number): PoolChoice => ({ active, contender: null });

const rows = [
  { name: 'all well', rule: RULE, shares: [1, 1], before: 0, after: 0 },
  { name: 'just enough is enough', rule: RULE, shares: [0.3, 1], before: 0, after: 0 },
  { name: 'too few left', rule: RULE, shares: [0.29, 1], before: 0, after: 1 },
  { name: 'too few left, but nobody better', rule: RULE, shares: [0.2, 0.1], before: 0, after: 0 },
  { name: 'nobody left, and few elsewhere', rule: RULE, shares: [0, 0.1], before: 0, after: 1 },
  { name: 'nobody anywhere', rule: RULE, shares: [0, 0], before: 1, after: 1 },
  {
    name: 'skips a pool that does not qualify',
    rule: RULE,
    shares: [0, 0.1, 1],
    before: 0,
    after: 2,
  },
  {
    name: 'a failing standby goes straight home',
    rule: RULE,
    shares: [0.4, 0],
    before: 1,
    after: 0,
  },
  {
    name: 'one of many is enough for the source',
    rule: SOURCE,
    shares: [0.01, 1],
    before: 0,
    after: 0,
  },
  { name: 'the source fails back at once', rule: SOURCE, shares: [0.01, 1], before: 1, after: 0 },
  { name: 'a pool that no longer exists', rule: RULE, shares: [1], before: 3, after: 0 },
] as const;

for (const { name, rule, shares, before, after } of rows) {
  test(`[FE-6] [FE-8] pool choice: ${name}`, () => {
    assert.equal(choosePool(rule, shares, on(before), 0).active, after);
  });
}

test('[FE-7] pool choice: a higher pool is taken back after standing for its hold', () => {
  const waiting = choosePool(RULE, [0.5, 1], on(1), 1_000);
  assert.deepEqual(waiting, { active: 1, contender: { pool: 0, sinceMs: 1_000 } });
  const still = choosePool(RULE, [0.6, 1], waiting, 10_999);
  assert.deepEqual(still, waiting);
  assert.deepEqual(choosePool(RULE, [0.5, 1], still, 11_000), on(0));
});

test('[FE-7] pool choice: a break starts the hold anew, and another pool starts its own', () => {
  const waiting = choosePool(RULE, [0, 0.5, 1], on(2), 0);
  assert.deepEqual(waiting.contender, { pool: 1, sinceMs: 0 });
  const broken = choosePool(RULE, [0, 0.4, 1], waiting, 5_000);
  assert.equal(broken.contender, null);
  const again = choosePool(RULE, [0, 0.5, 1], broken, 6_000);
  assert.deepEqual(again.contender, { pool: 1, sinceMs: 6_000 });
  const better = choosePool(RULE, [0.5, 0.5, 1], again, 15_999);
  assert.deepEqual(better.contender, { pool: 0, sinceMs: 15_999 });
});

test('[FE-6] [FE-8] pool choice: never moves to a pool nobody serves in, nor stays while another could', () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  const shares = fc.array(share, { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(shares, fc.nat(3), fc.nat(30_000), (list, active, now) => {
      const before = on(active % list.length);
      const after = choosePool(RULE, list, before, now);
      if (after.active !== before.active) assert.ok((list[after.active] ?? 0) > 0);
      if (list.some((some) => some > 0)) assert.ok((list[after.active] ?? 0) > 0);
    }),
    { seed: seedOfRun(), numRuns: 1_000 },
  );
});
