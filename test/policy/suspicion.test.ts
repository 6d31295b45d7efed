/** When a node doubts itself: the rule, against counting by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { clears, raises, WINDOW_MS } from '../../src/policy/suspicion.js';
import { seedOfRun } from '../support/seed.js';

const at = (total: number, ...silentSinceMs: readonly number[]) => ({ total, silentSinceMs });

test('[HE-60] suspicion: more than half, at least four, within ten seconds', () => {
  const rows: readonly (readonly [ReturnType<typeof at>, boolean])[] = [
    [at(4, 0, 0, 0, 0), true],
    [at(3, 0, 0, 0), false],
    [at(8, 0, 0, 0, 0), false],
    [at(7, 0, 0, 0, 0), true],
    [at(4, -1, 0, 0, 0), false],
    [at(6, -1, 0, 0, 0, 0), true],
  ];
  for (const [hearing, expected] of rows) {
    assert.equal(raises(hearing, WINDOW_MS), expected, JSON.stringify(hearing));
  }
});

test('[HE-60] [HE-61] suspicion: what raises does not clear, and with half answering nothing raises', () => {
  fc.assert(
    fc.property(fc.nat(40), fc.array(fc.nat(30_000), { maxLength: 40 }), (more, silentSinceMs) => {
      const hearing = { total: silentSinceMs.length + more, silentSinceMs };
      if (raises(hearing, 30_000)) assert.equal(clears(hearing), false);
      assert.equal(clears(hearing), silentSinceMs.length * 2 <= hearing.total);
    }),
    { seed: seedOfRun() },
  );
});
