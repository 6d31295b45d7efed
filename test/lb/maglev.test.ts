/**
 * The table model against what was measured on VPP, and against the judge's way of counting.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bucketCounts, flowTable, movedShare, NOBODY, tableDigest } from '../../src/lb/maglev.js';
import { xxHashOfKey } from '../../src/lb/seed-hash.js';
import { seedOfRun } from '../support/seed.js';
import { bucketShares } from '../support/strict-lb.js';

const SETTINGS = { seed: seedOfRun(), numRuns: 200 };

function serversWith(weights: readonly number[]) {
  return weights.map((weight, index) => ({ address: `10.0.0.${index + 1}`, weight }));
}

const MEASURED: readonly (readonly [readonly number[], number, readonly number[]])[] = [
  [[100, 50], 1024, [674, 350]],
  [[100, 50], 128, [78, 50]],
  [[100, 100, 50, 25, 1], 1024, [360, 360, 200, 100, 4]],
  [[100, 25], 1024, [812, 212]],
  [[100, 100], 1024, [512, 512]],
  [new Array<number>(20).fill(100), 16, [...new Array<number>(16).fill(1), 0, 0, 0, 0]],
];

for (const [weights, length, expected] of MEASURED) {
  test(`[LB-20] maglev: weights ${weights.join(',')} in ${length} buckets as VPP shares them`, () => {
    const counts = bucketCounts(serversWith(weights), length);
    const got = weights.map((_, index) => counts.get(`10.0.0.${index + 1}`) ?? 0);
    assert.deepEqual(got, expected);
  });
}

const address = fc.oneof(
  fc.nat(65_535).map((n) => `10.1.${n >>> 8}.${n & 255}`),
  fc.nat(65_535).map((n) => `2001:db8::${n.toString(16)}`),
);
const server = fc.record({ address, weight: fc.nat(12) });
const serverList = fc.uniqueArray(server, { selector: (as) => as.address, maxLength: 12 });
const length = fc.constantFrom(1, 2, 16, 64, 256);

test('[LB-20] maglev: counts equal the judge and the filled table', () => {
  fc.assert(
    fc.property(serverList, length, (list, tableLength) => {
      const counts = bucketCounts(list, tableLength);
      const judge = bucketShares(new Map(list.map((as) => [as.address, as.weight])), tableLength);
      const { owners, buckets } = flowTable(list, tableLength);
      const filled = new Map<string, number>();
      for (const owner of buckets) {
        const name = owners[owner] ?? 'nobody';
        filled.set(name, (filled.get(name) ?? 0) + 1);
      }
      for (const { address: as } of list) {
        assert.equal(counts.get(as) ?? 0, judge.get(as) ?? 0);
        assert.equal(counts.get(as) ?? 0, filled.get(as) ?? 0);
      }
    }),
    SETTINGS,
  );
});

test('[LB-21] maglev: the order of servers does not matter, equal weights digest equal', () => {
  fc.assert(
    fc.property(serverList, length, (list, tableLength) => {
      const digest = tableDigest(list, tableLength);
      assert.match(digest, /^[0-9a-f]{8}$/);
      assert.equal(tableDigest(list.toReversed(), tableLength), digest);
    }),
    SETTINGS,
  );
});

test('[LB-20] maglev: without weights every bucket is nobody’s', () => {
  assert.deepEqual(
    [...flowTable(serversWith([0, 0]), 4).buckets],
    [NOBODY, NOBODY, NOBODY, NOBODY],
  );
});

test('[LB-20] maglev: a pool failover moves every new flow, no change moves none', () => {
  const [one, other] = [serversWith([1, 1, 0, 0]), serversWith([0, 0, 1, 1])];
  assert.equal(movedShare(flowTable(one, 1024), flowTable(other, 1024)), 1);
  assert.equal(movedShare(flowTable(one, 1024), flowTable(one, 1024)), 0);
});

test('[LB-20] maglev: one of N equal servers leaving moves the share known of VPP', () => {
  // At weight 100 in 1024 buckets: share moved, averaged over many address sets on the real table.
  for (const [count, known] of [
    [3, 0.397],
    [10, 0.245],
    [20, 0.149],
  ] as const) {
    const full = serversWith(new Array<number>(count).fill(100));
    const less = full.map((as, index) => (index === 0 ? { ...as, weight: 0 } : as));
    const moved = movedShare(flowTable(full, 1024), flowTable(less, 1024));
    assert.ok(Math.abs(moved - known) < 0.03, `${count} servers: ${moved}`);
  }
});

test('[LB-20] maglev: weights without their common divisor move fewer flows', () => {
  const share = (weight: number) => {
    const full = serversWith(new Array<number>(10).fill(weight));
    const less = full.map((as, index) => (index === 4 ? { ...as, weight: 0 } : as));
    return movedShare(flowTable(full, 1024), flowTable(less, 1024));
  };
  assert.ok(share(1) < share(100) * 0.75, `${share(1)} against ${share(100)}`);
});

test('[LB-20] maglev: the hash spreads neighbouring keys over both halves', () => {
  const hashes = Array.from({ length: 256 }, (_, key) => xxHashOfKey(BigInt(key)));
  assert.equal(new Set(hashes.map((hash) => hash & 0xffff_ffffn)).size, 256);
  assert.equal(new Set(hashes.map((hash) => hash >> 32n)).size, 256);
  assert.ok(hashes.every((hash) => hash < 1n << 64n));
});
