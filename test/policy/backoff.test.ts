/** Rule GR-1: how long to wait before asking again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { backoffMs } from '../../src/policy/backoff.js';
import { seedOfRun } from '../support/seed.js';

const RETRY = { baseMs: 5_000, maxMs: 120_000, attempts: 8, jitter: 0.25 };

test('[GR-1] back-off: doubles from the base and stays at the maximum', () => {
  const waits = [1, 2, 3, 4, 5, 6, 7, 8, 9, 1_000].map((n) => backoffMs(RETRY, n, 0));
  const parked = Array.from({ length: 5 }, () => 120_000);
  assert.deepEqual(waits, [5_000, 10_000, 20_000, 40_000, 80_000, ...parked]);
});

test('[GR-1] back-off: parked after the attempts, whatever the doubling says', () => {
  assert.equal(backoffMs({ ...RETRY, baseMs: 1, attempts: 2 }, 3, 0), 120_000);
});

test('[GR-1] back-off: never shrinks with failures, never beyond its maximum and jitter', () => {
  const failures = fc.integer({ min: 1, max: 2_000 });
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(failures, random, (count, chance) => {
      const wait = backoffMs(RETRY, count, chance);
      assert.ok(wait <= backoffMs(RETRY, count + 1, chance));
      assert.ok(wait >= RETRY.baseMs && wait <= RETRY.maxMs * (1 + RETRY.jitter));
    }),
    { seed: seedOfRun() },
  );
});
