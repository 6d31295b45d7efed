/** Scale and table length: tables of known cases, then the laws. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PoolMemberSpec, PoolSpec } from '../../machines/model/desired.js';
import type { BackendName, GroupKey } from '../../machines/model/ids.js';
import { scaleOf, scaleWeight } from '../../src/lb/scale.js';
import { seedOfRun } from '../support/seed.js';

const SETTINGS = { seed: seedOfRun(), numRuns: 300 };

function pool(members: readonly (readonly [number, number?])[]): PoolSpec {
  return {
    name: 'primary',
    members: members.map(([weight, maxSize], index): PoolMemberSpec => {
      if (maxSize !== undefined) {
        return { weight, ref: { kind: 'group', group: `t/g${index}` as GroupKey, maxSize } };
      }
      const name = `b${index}` as BackendName;
      return { weight, ref: { kind: 'backend', backend: name, address: `10.0.0.${index}` } };
    }),
  };
}

interface Case {
  readonly members: readonly (readonly [number, number?])[];
  readonly divisor: number;
  readonly tableLength: number;
  readonly cut?: boolean;
}

const CASES: readonly Case[] = [
  { members: [[100], [100], [50]], divisor: 50, tableLength: 1024 },
  { members: [[100]], divisor: 100, tableLength: 1024 },
  { members: [[0], [0]], divisor: 1, tableLength: 1024 },
  { members: [[100, 64]], divisor: 100, tableLength: 1024 },
  { members: [[100, 65]], divisor: 100, tableLength: 2048 },
  { members: [[100], [1]], divisor: 1, tableLength: 2048 },
  { members: [[100, 1000], [7]], divisor: 1, tableLength: 32_768, cut: true },
];

for (const { members, divisor, tableLength, cut = false } of CASES) {
  const name = members.map(([weight, size]) => (size ? `${weight}x${size}` : weight)).join(',');
  test(`[LB-22] scale: ${name} is divided by ${divisor} into ${tableLength} buckets`, () => {
    const scale = scaleOf({ pools: [pool(members)], weightScale: 'reduced' });
    assert.deepEqual(scale, { divisor, tableLength, cut });
  });
}

test('[LB-22] scale: exact sends weights as configured and sizes the table for them', () => {
  const scale = scaleOf({ pools: [pool([[100], [100]])], weightScale: 'exact' });
  assert.deepEqual(scale, { divisor: 1, tableLength: 4096, cut: false });
});

test('[LB-23] scale: a configured length is taken as it is', () => {
  const scale = scaleOf({ pools: [pool([[100]])], weightScale: 'reduced', tableLength: 256 });
  assert.equal(scale.tableLength, 256);
});

test('[LB-23] scale: an automatic length is a power of two with 16 buckets per unit of weight', () => {
  const member = fc.tuple(fc.nat(100), fc.integer({ min: 1, max: 500 }));
  fc.assert(
    fc.property(fc.array(member, { minLength: 1, maxLength: 8 }), (members) => {
      const { divisor, tableLength, cut } = scaleOf({
        pools: [pool(members)],
        weightScale: 'reduced',
      });
      const sum = members.reduce((total, [weight, size]) => total + (weight / divisor) * size, 0);
      assert.ok(Number.isInteger(Math.log2(tableLength)));
      assert.ok(tableLength >= 1024 && tableLength <= 32_768);
      assert.equal(cut, tableLength < 16 * sum);
      assert.ok(tableLength === 1024 || cut || tableLength / 2 < 16 * sum, 'twice too long');
    }),
    SETTINGS,
  );
});

test('[LB-22] scale: ratios survive, rounding is told, no weight above 0 becomes 0', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), fc.nat(100), (divisor, weight) => {
      const scaled = scaleWeight(weight, divisor);
      assert.equal(scaled.rounded, scaled.weight * divisor !== weight);
      assert.equal(scaled.weight === 0, weight === 0);
      assert.ok(scaled.weight <= 100);
    }),
    SETTINGS,
  );
});
