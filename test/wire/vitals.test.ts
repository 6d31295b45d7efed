/** What a thread leaves behind: the beats it made, and who was in turn with what. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Address } from '../../machines/model/ids.js';
import {
  ADDRESS_CHARACTERS,
  beatsOf,
  createVitals,
  culpritOf,
  isVitals,
  TYPE_CHARACTERS,
  TYPES_MAX,
  writeVitals,
} from '../../src/wire/vitals.js';
import { seedOfRun } from '../support/seed.js';

test('[SU-11] vitals: whoever is in turn is named with its message, cut where it is long; nobody between', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 300 }),
    fc.constantFrom('group/t/a', 'instance/i-1', 'probe.result', 'x'),
  );
  const turn = fc.record({ address: text, types: fc.array(text, { minLength: 1, maxLength: 4 }) });
  fc.assert(
    fc.property(fc.array(turn, { maxLength: 20 }), (turns) => {
      const memory = createVitals();
      const vitals = writeVitals(memory);
      for (const { address, types } of turns) {
        for (const type of types) {
          vitals.begin(address as Address, type);
          assert.deepEqual(culpritOf(memory), {
            address: address.slice(0, ADDRESS_CHARACTERS),
            type: type.slice(0, TYPE_CHARACTERS),
          });
        }
        vitals.end();
        assert.equal(culpritOf(memory), undefined);
      }
    }),
    { seed: seedOfRun(), numRuns: 500 },
  );
});

test('[SU-11] vitals: more message types than there is room for go by one name', () => {
  const memory = createVitals();
  const vitals = writeVitals(memory);
  const named = Array.from({ length: TYPES_MAX + 5 }, (_, n) => {
    vitals.begin('group/t/g' as Address, `type ${n}`);
    return culpritOf(memory)?.type;
  });
  assert.equal(named[TYPES_MAX - 2], `type ${TYPES_MAX - 2}`);
  assert.deepEqual(named.slice(TYPES_MAX - 1), Array(6).fill('other'));
  vitals.begin('group/t/g' as Address, 'type 3');
  assert.equal(culpritOf(memory)?.type, 'type 3');
});

test('[SU-11] vitals: beats are counted; other memory is none', () => {
  const memory = createVitals();
  const { beat } = writeVitals(memory);
  for (let n = 0; n < 3; n += 1) beat();
  assert.equal(beatsOf(memory), 3);
  assert.ok(isVitals(memory));
  for (const other of [new SharedArrayBuffer(8), new ArrayBuffer(memory.byteLength), null]) {
    assert.ok(!isVitals(other));
  }
});
