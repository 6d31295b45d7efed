/** Copies of contexts and events: what is written for a shape must be what a spread would have been. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonObject } from '../../machines/model/json.js';
import type { Arguments } from '../../src/runtime/compile/chart.js';
import { createRevision } from '../../src/runtime/compile/revision.js';
import { createStamp } from '../../src/runtime/step-meta.js';
import { seedOfRun } from '../support/seed.js';

const fields = ['a', 'b', 'constructor', 'length', '0', 'a b', '"', '\\', '\u2028', '__proto__'];
const anyField = fc.constantFrom(...fields);
const anyValue = fc.oneof(fc.constant(undefined), fc.integer(), fc.double(), fc.string());
/** As parsed data has it: `__proto__` would be a field like any other. */
const anyObject = fc
  .array(fc.tuple(anyField, anyValue), { maxLength: 6 })
  .map((entries) => Object.fromEntries(entries) as JsonObject);
const argsOf = (context: JsonObject): Arguments => ({ context, event: { type: 'any' } });

test('[RT-61] revision: contexts of any shapes become what XState’s assign makes of them', () => {
  const property = fc.property(
    anyObject,
    fc.array(anyField, { maxLength: 3 }),
    fc.array(anyObject, { minLength: 1, maxLength: 12 }),
    (fixed, computed, contexts) => {
      const ways = computed.map((key) => [key, seen(key)] as const);
      const changes = { ...fixed, ...Object.fromEntries(ways) };
      const revision = createRevision(changes);
      // Twice: a shape is met, then known.
      for (const context of [...contexts, ...contexts]) {
        const before = { ...context };
        const given = argsOf(context);
        const made = Object.entries(changes).map(([key, value]) => [
          key,
          typeof value === 'function' ? value(given, 7) : value,
        ]);
        const next = revision.of(context, given, 7);
        assert.deepEqual(
          Object.entries(next).sort(),
          Object.entries(Object.assign({}, context, Object.fromEntries(made))).sort(),
        );
        assert.equal(Object.getPrototypeOf(next), Object.prototype);
        assert.notEqual(next, context);
        assert.deepEqual(context, before);
      }
    },
  );
  fc.assert(property, { seed: seedOfRun(), numRuns: 300 });
});

function seen(key: string): (args: Arguments, params: unknown) => unknown {
  return ({ context }, params) => `${key} ${Object.keys(context).length} ${params}`;
}

test('[RT-61] revision: what is computed is computed once, in order, also where no shape fits', () => {
  for (const size of [1, 2, 3, 4, 5, 6, 7, 8]) {
    const asked: string[] = [];
    const revision = createRevision({ x: () => asked.push('x'), y: () => asked.push('y') });
    for (let shape = 0; shape < size; shape += 1) {
      revision.of({ [`field${shape}`]: 1 }, argsOf({}), undefined);
    }
    asked.length = 0;
    revision.of({ [`field${size - 1}`]: 1 }, argsOf({}), undefined);
    assert.deepEqual(asked, ['x', 'y']);
  }
});

test('[RT-61] revision: a context of hundreds of fields, which come and go, is copied all the same', () => {
  const revision = createRevision({ n: 1 });
  for (let fields = 60; fields < 300; fields += 1) {
    const entries = Array.from({ length: fields }, (_, index) => [`f${index}`, index]);
    const context = Object.fromEntries(entries) as JsonObject;
    for (const _ of [1, 2]) {
      assert.deepEqual(revision.of(context, argsOf(context), undefined), { ...context, n: 1 });
    }
  }
});

test('[RT-61] revision: a computation that throws leaves nothing behind', () => {
  let fails = true;
  const value = (): number => {
    if (fails) throw new Error('not now');
    return 2;
  };
  const revision = createRevision({ n: value });
  for (const _ of [1, 2]) assert.throws(() => revision.of({ n: 1 }, argsOf({}), undefined));
  fails = false;
  assert.deepEqual(revision.of({ n: 1 }, argsOf({}), undefined), { n: 2 });
});

test('[RT-61] stamp: an event is its message and its meta, for more types than are kept', () => {
  const stamp = createStamp();
  const meta = { at: 1, random: 0.5, id: 'id', cause: 'c', from: 'pool/a' as never };
  for (let index = 0; index < 600; index += 1) {
    const body = { type: `type${index}`, n: index };
    for (const _ of [1, 2]) assert.deepEqual(stamp(body, meta), { ...body, meta });
  }
});
