/** The identity machine: one key for one instance, for as long as that is remembered. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type IdentityAnswer,
  type IdentityMemory,
  identityMachine,
} from '../../machines/identity.js';
import { addressOf } from '../../machines/model/ids.js';
import { type Driven, drive } from '../support/drive.js';
import { identity as samples } from '../support/order-samples.js';
import { seedOfRun } from '../support/seed.js';

type Identity = Driven<IdentityMemory>;

const fresh = (): Identity =>
  drive<IdentityMemory>(identityMachine, { address: addressOf('identity', 'i-1') }).send({
    type: 'activated',
  });

const enrol = (key: string) => ({ type: 'identity.enrol', key });
const check = (key: string) => ({ type: 'identity.check', key });
const revoke = { type: 'identity.revoke', reason: 'stolen' };
const down = (reason: string) => ({ type: 'down', reason });

const names = (identity: Identity) => identity.effects.map(({ type }) => type);

function verdictOf(identity: Identity): string {
  const [answer] = [
    ...identity.said<IdentityAnswer>('agree'),
    ...identity.said<IdentityAnswer>('answer'),
  ];
  const body = answer?.body as { ok: boolean; refusal?: { rule: string } } | undefined;
  if (body === undefined) return 'silence';
  return body.ok ? 'ok' : (body.refusal?.rule ?? 'refused');
}

test('[ID-5] the first key that comes with the token is bound, durably, before it is told so', () => {
  const bound = fresh().send(enrol('a'));
  assert.deepEqual(names(bound), ['record', 'watchInstance', 'agree']);
  assert.equal(verdictOf(bound), 'ok');
  assert.equal(bound.context.key, 'a');
});

test('[ID-5] the same key again is answered again: its answer may have been lost', () => {
  const again = fresh().send(enrol('a')).send(enrol('a'));
  assert.deepEqual(names(again), ['answer']);
  assert.equal(verdictOf(again), 'ok');
});

test('[ID-5] a second key is refused and told once; the first stays', () => {
  const bound = fresh().send(enrol('a'));
  const stolen = bound.send(enrol('b'));
  assert.deepEqual([verdictOf(stolen), ...names(stolen)], ['ID-5', 'record', 'answer']);
  const again = stolen.send(enrol('c'));
  assert.deepEqual([verdictOf(again), ...names(again)], ['ID-5', 'answer']);
  assert.equal(again.context.key, 'a');
  assert.equal(verdictOf(again.send(check('a'))), 'ok');
});

test('[ID-6] only the bound key is heard', () => {
  const bound = fresh().send(enrol('a'));
  assert.equal(verdictOf(bound.send(check('a'))), 'ok');
  assert.equal(verdictOf(bound.send(check('b'))), 'ID-6');
  const unknown = fresh().send(check('a'));
  assert.deepEqual([verdictOf(unknown), names(unknown).at(-1)], ['ID-6', 'forget']);
});

test('[ID-6] revoked: no key and no token counts any more, also before any was shown', () => {
  for (const before of [fresh(), fresh().send(enrol('a'))]) {
    const revoked = before.send(revoke);
    assert.ok(names(revoked).includes('record'));
    for (const word of [check('a'), enrol('a'), enrol('b')]) {
      assert.equal(verdictOf(revoked.send(word)), 'ID-6');
    }
  }
});

test('[ID-7] it watches its instance through restarts and lost threads, and goes when that is gone', () => {
  const bound = fresh().send(enrol('a'));
  assert.deepEqual(names(bound.send({ type: 'activated' })), ['watchInstance']);
  assert.deepEqual(names(bound.send(down('thread-lost'))), ['watchInstance']);
  for (const reason of ['quarantined', 'stopping', 'refused']) {
    assert.deepEqual(names(bound.send(down(reason))), [], reason);
  }
  for (const reason of ['forgotten', 'no-actor']) {
    assert.deepEqual(names(bound.send(down(reason))), ['forget'], reason);
  }
});

test('[ID-5] whatever happens, at most one key was ever told that it speaks for the instance', () => {
  const events = fc.array(fc.constantFrom(...samples.filter(({ type }) => type !== 'down')));
  const property = fc.property(events, (history) => {
    let identity = fresh();
    const accepted = new Set<string>();
    for (const event of history) {
      identity = identity.send(event);
      if ('key' in event && verdictOf(identity) === 'ok') accepted.add(event.key);
    }
    assert.ok(accepted.size <= 1);
  });
  fc.assert(property, { seed: seedOfRun(), numRuns: 300 });
});
