/** The reload machine in mode `all-or-nothing`: what failed is taken back, whatever comes between. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NOBODY } from '../../src/policy/reload.js';
import {
  applies,
  ask,
  bodyOf,
  examined,
  fresh,
  hooked,
  hookedAll,
  lastOf,
  read,
  recorded,
  running,
} from '../support/reload.js';

const STRICT = { mode: 'all-or-nothing' } as const;

test('[RE-15] reload: all or nothing: once a hook failed, what was before is applied again', () => {
  const failing = { pools: { status: 'failed', error: 'no room' } } as const;
  const asked = ask(running(), { replyTo: 'me' });
  let at = examined(asked, read('two', { ...STRICT, requiresRestart: ['node.name'] }));
  at = hooked(at);
  at = hooked(at, failing.pools);
  assert.equal(at.context.generation, 2);
  at = hooked(at);
  assert.deepEqual(recorded(at), ['config.rolled_back']);
  assert.deepEqual([at.value, at.context.generation], ['converging', 3]);
  const [again] = applies(at);
  assert.deepEqual([again?.kept.hash, again?.generation, again?.previous?.hash], ['one', 3, 'two']);
  const done = hookedAll(at);
  const { status, generation, outcomes, requiresRestart } = lastOf(done);
  assert.deepEqual([status, generation, requiresRestart], ['rolled_back', 3, []]);
  assert.equal(outcomes.find(({ name }) => name === 'pools')?.error, 'no room');
  assert.equal(bodyOf(done)['status'], 'rolled_back');
  assert.equal(done.context.committed?.hash, 'one');
});

test('[RE-15] reload: what fails on the way back is told beside what had failed before', () => {
  const failing = { pools: { status: 'failed', error: 'no' } } as const;
  const done = hookedAll(examined(ask(running()), read('two', STRICT)), failing);
  assert.equal(lastOf(done).status, 'rolled_back');
  const told = lastOf(done).outcomes.find(({ name }) => name === 'pools')?.error;
  assert.equal(told, 'no; rolling back: no');
});

test('[RE-15] reload: a hook that is late fails the pass as well, the last one too', () => {
  const last = hooked(hooked(examined(ask(running()), read('two', STRICT))));
  const back = last.fire('hookTimeout');
  assert.deepEqual(recorded(back), ['config.rolled_back']);
  assert.equal(hookedAll(back).context.committed?.hash, 'one');
});

test('[RE-15] reload: a crash on the way back goes on going back', () => {
  const failing = { tenants: { status: 'failed' } } as const;
  const at = hooked(hooked(examined(ask(running()), read('two', STRICT))));
  const cut = hooked(at, failing.tenants).send({ type: 'activated' });
  assert.deepEqual(recorded(cut), ['config.redriven']);
  assert.equal(applies(cut)[0]?.kept.hash, 'one');
  assert.equal(lastOf(hookedAll(cut)).status, 'rolled_back');
});

test('[RE-15] reload: without anything before there is nothing to go back to', () => {
  const first = examined(ask(fresh(), { trigger: 'boot' }), read('one', STRICT));
  const done = hookedAll(first, { pools: { status: 'failed' } });
  assert.deepEqual([lastOf(done).status, done.context.generation], ['partial_applied', 1]);
});

test('[RE-15] [RE-9] reload: what only the failed configuration had is gone again', () => {
  const appeared = { ...NOBODY, backends: ['fresh'] };
  const found = read('two', { ...STRICT, appeared });
  const done = hookedAll(examined(ask(running()), found), { tenants: { status: 'failed' } });
  assert.deepEqual(done.context.committed?.retired, appeared);
});
