/** Which block a request goes to: whatever was given and taken back, as a search of all would find. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { blockOf, capacityOf, firstFree } from '../../src/policy/address-pool.js';
import { createPoolIndex } from '../../src/policy/pool-index.js';
import { seedOfRun } from '../support/seed.js';

const RANGES = ['198.51.100.0/24', '198.51.100.0/25', '203.0.113.32/28', '2001:db8::/120'];

const arbSteps = fc.array(
  fc.record({
    who: fc.integer({ min: 0, max: 400 }),
    what: fc.constantFrom('take', 'take', 'take', 'give', 'range', 'restart'),
    range: fc.constantFrom(...RANGES),
  }),
  { maxLength: 600 },
);

test('[FE-22] [FE-52] pool index: the lowest block with room, or the one that has it', () => {
  fc.assert(
    fc.property(arbSteps, (steps) => {
      let index = createPoolIndex();
      let range = RANGES[0] as string;
      const given = new Map<string, string>();
      index.use(range);
      for (const { who, what, range: next } of steps) {
        const frontend = `f${who}`;
        if (what === 'range') {
          range = next;
          index.use(range);
        } else if (what === 'restart') {
          index = createPoolIndex();
          for (const [one, address] of given) index.seat(one, address);
          index.use(range);
        } else if (what === 'give') {
          assert.equal(index.blockOf(frontend) !== undefined, given.has(frontend));
          index.unseat(frontend);
          given.delete(frontend);
        } else {
          const block = index.blockFor(frontend);
          const had = given.get(frontend);
          const free = firstFree(range, [...given.values()]);
          const wanted = had ?? (free.ok ? free.value : undefined);
          assert.equal(block, wanted === undefined ? undefined : blockOf(wanted));
          if (wanted === undefined) continue;
          const inBlock = firstFree(range, [...given.values()], block);
          assert.equal(had ?? (inBlock.ok && inBlock.value), wanted);
          index.seat(frontend, wanted);
          given.set(frontend, wanted);
        }
        assert.equal(index.size, given.size);
      }
    }),
    { seed: seedOfRun(), numRuns: 200 },
  );
});

test('[FE-52] pool index: one that was asked for counts until it is heard of', () => {
  const index = createPoolIndex();
  index.use('192.0.2.0/30');
  assert.equal(capacityOf('192.0.2.0/30'), 2n);
  assert.deepEqual(
    ['a', 'b', 'c', 'a'].map((one) => index.blockFor(one)),
    ['192.0.2.0', '192.0.2.0', undefined, '192.0.2.0'],
  );
  index.unseat('b');
  assert.equal(index.blockFor('c'), '192.0.2.0');
});
