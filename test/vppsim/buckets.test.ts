/** The new-flow table: bucket counts as measured on VPP, and who owns which bucket. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bucketCounts, byAddress, type Weighted } from '../../src/vppsim/plugin/buckets.js';
import { EMPTY, fillTable, tableDigest } from '../../src/vppsim/plugin/fill.js';
import { seedOfRun } from '../support/seed.js';
import { unionOf } from './requests.js';

function internal(address: string): string {
  const hex = unionOf(address).toString('hex');
  return address.includes(':') ? hex : hex.slice(0, 8).padStart(32, '0');
}

/** ASes 10.0.0.1, 10.0.0.2 … of these weights. */
function weighted(weights: readonly number[]): Weighted[] {
  return weights.map((weight, index) => ({ address: internal(`10.0.0.${index + 1}`), weight }));
}

function countsOf(servers: readonly Weighted[], length: number): readonly number[] {
  const counts = bucketCounts(servers, length);
  return servers.map(({ address }) => counts.get(address) ?? -1);
}

const MEASURED: readonly (readonly [readonly number[], number, readonly number[]])[] = [
  [[100, 50], 1024, [674, 350]],
  [[100, 50], 128, [78, 50]],
  [[100, 100, 50, 25, 1], 1024, [360, 360, 200, 100, 4]],
  [[...Array(8).fill(100), 50, 10], 1024, [118, ...Array(7).fill(117), 67, 20]],
  [Array(20).fill(100), 16, [...Array(16).fill(1), ...Array(4).fill(0)]],
  [[100, 25], 2048, [1624, 424]],
  [[80, 20], 512, [406, 106]],
  [[100, 100], 256, [128, 128]],
  [[0, 0], 64, [0, 0]],
];

test('[VP-65] buckets: as measured on VPP', () => {
  for (const [weights, length, expected] of MEASURED) {
    assert.deepEqual(countsOf(weighted(weights), length), expected, `${weights} / ${length}`);
  }
});

test('[VP-65] buckets: with weights of more than the table, they are levelled', () => {
  const servers = weighted([...Array(10).fill(100), ...Array(10).fill(60)]);
  assert.deepEqual(new Set(countsOf(servers, 1024)), new Set([51, 52]));
  const wide = countsOf(servers, 4096);
  assert.deepEqual([wide[0], wide[10]], [245, 165]);
});

const servers = fc
  .uniqueArray(fc.integer({ min: 1, max: 0xffffffff }), { minLength: 1, maxLength: 12 })
  .chain((numbers) =>
    fc.tuple(
      ...numbers.map((number) =>
        fc.record({
          address: fc.constant(number.toString(16).padStart(32, '0')),
          weight: fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 255 })),
        }),
      ),
    ),
  );
const lengths = fc.integer({ min: 0, max: 11 }).map((bits) => 2 ** bits);

test('[VP-65] buckets: they sum up to the table, or to nothing without weight', () => {
  fc.assert(
    fc.property(servers, lengths, (some, length) => {
      const total = countsOf(some, length).reduce((sum, count) => sum + count, 0);
      assert.equal(total, some.some(({ weight }) => weight > 0) ? length : 0);
    }),
    { seed: seedOfRun() },
  );
});

test('[VP-66] table: owns as many buckets as the formula says, whatever the order', () => {
  fc.assert(
    fc.property(servers, lengths, (some, length) => {
      const table = fillTable(some, length);
      const sorted = some.toSorted(byAddress);
      const owned = sorted.map((_, rank) => table.filter((owner) => owner === rank).length);
      assert.deepEqual(owned, countsOf(sorted, length));
      const shuffled = some.toReversed();
      assert.deepEqual(fillTable(shuffled, length), table);
      assert.equal(tableDigest(shuffled, table), tableDigest(some, table));
    }),
    { seed: seedOfRun(), numRuns: 60 },
  );
});

test('[VP-66] table: draining one of three moves the buckets that it moves on VPP', () => {
  const full = fillTable(weighted([100, 100, 100]), 1024);
  const steps = [50, 20, 10, 5, 1, 0].map((weight) => {
    const table = fillTable(weighted([weight, 100, 100]), 1024);
    const owned = table.filter((owner) => owner === 0).length;
    const moved = table.filter((owner, bucket) => owner !== full[bucket]).length;
    return [owned, moved];
  });
  assert.deepEqual(steps, [
    [208, 229],
    [100, 322],
    [50, 366],
    [25, 385],
    [6, 403],
    [0, 406],
  ]);
});

test('[VP-66] table: nobody owns a bucket when nobody has weight', () => {
  assert.ok(fillTable(weighted([0, 0]), 64).every((owner) => owner === EMPTY));
  assert.ok(fillTable([], 64).every((owner) => owner === EMPTY));
});
