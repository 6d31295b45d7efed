/** Enrolment tokens: worth something only whole, unchanged, in time and at home. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseInstanceId } from '../../../machines/model/ids.js';
import { fail, ok } from '../../../machines/model/result.js';
import {
  checkToken,
  mintToken,
  readToken,
  TOKEN_LENGTH_MAX,
  tokenSecretOf,
} from '../../../src/adapters/agent-ca/token.js';
import { seedOfRun } from '../../support/seed.js';

const NOW = 1_700_000_000_000;
const instance = parseInstanceId('i-3f2a-0190abcdef0123456789') ?? assert.fail();
const secret = tokenSecretOf(Buffer.from('the key of an authority'));
const claims = { clientToken: 't-0190abcdef', instance, expiresAtMs: NOW + 1_000 };
const token = mintToken(secret, { ...claims, pin: 'p'.repeat(43) });

test('[ID-1] a token of ours: says whom it is for, until it expires', () => {
  assert.deepEqual(checkToken(secret, token, NOW), ok({ ...claims, pin: 'p'.repeat(43) }));
  assert.deepEqual(checkToken(secret, token, NOW + 999), ok(readToken(token)));
  assert.deepEqual(checkToken(secret, token, NOW + 1_000), fail('expired'));
  assert.ok(token.startsWith(`${claims.clientToken}.`));
});

test('[ID-1] a token of another installation is forged here', () => {
  const other = tokenSecretOf(Buffer.from('the key of another'));
  assert.deepEqual(checkToken(other, token, NOW), fail('forged'));
});

test('[ID-1] no change of a single character is borne', () => {
  const place = fc.integer({ min: 0, max: token.length - 1 });
  const property = fc.property(place, fc.string({ minLength: 1, maxLength: 1 }), (at, other) => {
    const changed = token.slice(0, at) + other + token.slice(at + 1);
    return changed === token || !checkToken(secret, changed, NOW).ok;
  });
  fc.assert(property, { seed: seedOfRun(), numRuns: 500 });
});

test('[ID-1] anything else is malformed, however long, and never throws', () => {
  const property = fc.property(fc.string({ maxLength: 600, unit: 'binary' }), (text) => {
    assert.deepEqual(checkToken(secret, text, NOW), fail('malformed'));
  });
  fc.assert(property, { seed: seedOfRun(), numRuns: 40 });
  const long = `${'a'.repeat(TOKEN_LENGTH_MAX)}${token}`;
  assert.deepEqual(checkToken(secret, long, NOW), fail('malformed'));
  assert.equal(readToken(token.replace(instance, 'i-x')), undefined);
});
