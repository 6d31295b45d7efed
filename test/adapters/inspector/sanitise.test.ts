/** What a frame may say: no secret by name, by value or by shape, and not too much of anything. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Json } from '../../../machines/model/json.js';
import { sanitise } from '../../../src/adapters/inspector/sanitise.js';
import { seedOfRun } from '../../support/seed.js';

const RULES = { secrets: ['s3cr3t', ''], itemsMax: 3, textMax: 20 };

const HIDING: readonly (readonly [string, Json])[] = [
  ['a name that secrets have', { auth: { token: 'canary' } }],
  ['a name in capitals', { DB_PASSWORD: 'canary' }],
  ['a name with a hump', { clientSecret: 'canary' }],
  ['a header', { headers: { Authorization: 'Bearer canary' } }],
  ['a key of an interface', { 'x-api-key': 'canary' }],
  ['an object under such a name', { credentials: { user: 'canary' } }],
  ['any value of an environment', { env: { DATABASE_URL: 'canary', N: 5 } }],
  ['a password in a URL', { at: 'http://me:canary@host' }],
  [
    'a private key',
    { pem: '-----BEGIN EC PRIVATE KEY-----\ncanary\n-----END EC PRIVATE KEY-----' },
  ],
  ['a private key cut short', ['-----BEGIN PRIVATE KEY-----canary']],
];

for (const [what, value] of HIDING) {
  test(`[CL-55] ${what}: is hidden`, () => {
    assert.doesNotMatch(JSON.stringify(sanitise(value, { ...RULES, textMax: 1_000 })), /canary/);
  });
}

test('[CL-55] fingerprints: equal for equal secrets, kept as they are, absent for no secret', () => {
  const { a, b, c } = sanitise<Record<string, Json>>(
    { a: { token: 'one' }, b: { token: 'one' }, c: { token: 'two' } },
    RULES,
  );
  assert.deepEqual(a, b);
  assert.notDeepEqual(a, c);
  const kept = { token: 'secret:0123456789ab', password: null, secret: '', pwd: true };
  assert.deepEqual(sanitise(kept, { ...RULES, itemsMax: 9 }), kept);
});

test('[CL-55] long things: cut, and said so', () => {
  assert.deepEqual(sanitise([1, 2, 3, 4, 5], RULES), [1, 2, 3, '… and 2 more']);
  assert.deepEqual(sanitise({ a: 1, b: 2, c: 3, d: 4 }, RULES), {
    a: 1,
    b: 2,
    c: 3,
    '…': 'and 1 more',
  });
  assert.equal(sanitise('x'.repeat(25), RULES), `${'x'.repeat(20)}… (25 characters)`);
});

test('[CL-55] ordinary data: is left alone', () => {
  const plain = { tokens: 3, state: 'serving', secretary: 'Ann', env: 'prod', at: 'http://h:80/p' };
  assert.deepEqual(sanitise(plain, { ...RULES, itemsMax: 9 }), plain);
});

test('[CL-55] any data: holds no known secret, wherever it was', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.string(), fc.string(), (value, before, after) => {
      const text = `${before}s3cr3t${after}`;
      const dirty = { value, deep: [{ text, [text]: 1 }] } as Json;
      const said = JSON.stringify(sanitise(dirty, { ...RULES, textMax: 10 }));
      assert.ok(!said.includes('s3cr3t'));
    }),
    { seed: seedOfRun() },
  );
});
