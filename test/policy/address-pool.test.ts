/** Which address a pool gives: edges of ranges as a table, uniqueness as a property. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { capacityOf, firstFree } from '../../src/policy/address-pool.js';
import { seedOfRun } from '../support/seed.js';

const rows = [
  { cidr: '198.51.100.0/24', taken: [], gives: '198.51.100.1' },
  { cidr: '198.51.100.77/24', taken: ['198.51.100.1'], gives: '198.51.100.2' },
  { cidr: '192.0.2.8/30', taken: ['192.0.2.9'], gives: '192.0.2.10' },
  { cidr: '192.0.2.8/30', taken: ['192.0.2.9', '192.0.2.10'], gives: 'exhausted' },
  { cidr: '192.0.2.8/31', taken: [], gives: '192.0.2.8' },
  { cidr: '192.0.2.8/31', taken: ['192.0.2.8'], gives: '192.0.2.9' },
  { cidr: '192.0.2.8/32', taken: [], gives: '192.0.2.8' },
  { cidr: '192.0.2.8/32', taken: ['192.0.2.8'], gives: 'exhausted' },
  { cidr: '2001:db8::/64', taken: [], gives: '2001:db8::1' },
  { cidr: '2001:db8::/64', taken: ['2001:db8::1'], gives: '2001:db8::2' },
  { cidr: '2001:db8::4/127', taken: ['2001:db8::4'], gives: '2001:db8::5' },
  { cidr: '0.0.0.0/0', taken: [], gives: '0.0.0.1' },
  { cidr: 'no range', taken: [], gives: 'malformed' },
];

for (const { cidr, taken, gives } of rows) {
  test(`[FE-20] [FE-21] address pool: ${cidr} with ${taken.length} taken gives ${gives}`, () => {
    const free = firstFree(cidr, taken);
    assert.equal(free.ok ? free.value : free.failure.code, gives);
  });
}

test('[FE-20] [FE-21] address pool: gives every address once, in order, and then says it is full', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 24, max: 32 }),
      fc.integer({ min: 0, max: 255 }),
      (prefix, low) => {
        const cidr = `198.51.100.${low}/${prefix}`;
        const given: string[] = [];
        for (let count = 0n; count < capacityOf(cidr); count += 1n) {
          const free = firstFree(cidr, given);
          assert.ok(free.ok);
          given.push(free.value);
        }
        assert.equal(new Set(given).size, given.length);
        const range = ipaddr.IPv4.parseCIDR(cidr);
        assert.ok(given.every((address) => ipaddr.IPv4.parse(address).match(range)));
        assert.equal(firstFree(cidr, given).ok, false);
      },
    ),
    { seed: seedOfRun(), numRuns: 30 },
  );
});
