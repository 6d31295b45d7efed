/** What operators see of a poison message: bounded whatever it is, and nothing that is a secret. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { excerptOf } from '../../src/runtime/excerpt.js';
import { DEAD_LETTER_PAYLOAD_MAX } from '../../src/runtime/limits.js';
import { seedOfRun } from '../support/seed.js';

const cases: readonly { readonly of: unknown; readonly shows: string }[] = [
  {
    of: { type: 'add', by: 1, deep: [{ a: null }] },
    shows: '{"type":"add","by":1,"deep":[{"a":null}]}',
  },
  { of: { token: 't-1', password: 'x' }, shows: '{"token":"t-1","password":"***"}' },
  { of: { auth: { bearerToken: 'x' } }, shows: '{"auth":{"bearerToken":"***"}}' },
  { of: [{ env: { A: 'x' }, headers: ['x'] }], shows: '[{"env":"***","headers":"***"}]' },
  {
    of: { apiKey: 'x', 'api-key': 'x', privateKey: 1 },
    shows: '{"apiKey":"***","api-key":"***","privateKey":"***"}',
  },
  { of: { a: undefined, b: 1n }, shows: '{"b":"1"}' },
];
for (const { of, shows } of cases) {
  test(`[SU-25] payload: ${shows}`, () => {
    assert.equal(excerptOf(of), shows);
  });
}

test('[SU-25] payload: never longer than its bound, cut or whole, and JSON while it is whole', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.integer({ min: 1, max: 200 }), (value, max) => {
      const text = excerptOf(value, max);
      assert.ok(text.length <= max);
      const whole = excerptOf(value, 100_000);
      assert.equal(text === whole, whole.length <= max);
      if (whole.includes('…') || whole.includes('***')) return;
      assert.deepEqual(JSON.parse(whole), JSON.parse(JSON.stringify(value)));
    }),
    { seed: seedOfRun() },
  );
});

test('[SU-25] payload: what is huge, deep or a circle is cut where it is', () => {
  const circle: { self?: unknown } = {};
  circle.self = circle;
  assert.ok(excerptOf(circle).includes('…'));
  const text = excerptOf({ list: Array.from({ length: 1_000_000 }, (_, n) => n) });
  assert.equal(text.length, DEAD_LETTER_PAYLOAD_MAX);
  assert.ok(text.endsWith('…'));
  assert.ok(excerptOf({ text: 'x'.repeat(1_000) }).length < 300);
});
