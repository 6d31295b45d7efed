/** The keeper of a lease: how long it counts for itself, and that it says once when it does not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKeeper } from '../../actors/lease-keeper.js';
import { createHold } from '../../src/ports/lease.js';
import { createVirtualClock } from '../../src/runtime/virtual-clock.js';
import { leaseServer } from '../support/memory-lease.js';

const TTL_MS = 9_000;
const CLAIM = { writer: 'one', node: 'edge-1' };

function kept() {
  const clock = createVirtualClock();
  const asleep = { ms: 0 };
  const suspension = { elapsedMs: () => clock.monotonic() + asleep.ms };
  const lease = leaseServer(TTL_MS, suspension.elapsedMs).connect();
  const hold = createHold(suspension, 'fleet');
  const losses: string[] = [];
  const keeper = createKeeper({ lease, claim: CLAIM, hold, suspension, clock });
  const ask = () => keeper.ask((message) => void losses.push(message));
  return { clock, asleep, lease, hold, losses, keeper, ask };
}

test('[LE-9] keeper: renewed it goes on for ever', async () => {
  const { clock, hold, losses, ask } = kept();
  assert.equal(await ask(), undefined);
  hold.begin(1, 'fleet');
  await clock.advance(10 * TTL_MS);
  assert.deepEqual([hold.mayAct(), losses], [true, []]);
});

test('[LE-9] keeper: cut off it stops before the server lets another in, and says so once', async () => {
  const { clock, lease, hold, losses, ask } = kept();
  await ask();
  hold.begin(1, 'fleet');
  lease.cut = true;
  await clock.advance(TTL_MS * 0.85);
  assert.equal(hold.mayAct(), true);
  await clock.advance(TTL_MS * 0.1);
  assert.equal(hold.mayAct(), false);
  await clock.advance(5 * TTL_MS);
  assert.equal(losses.length, 1);
});

test('[LE-9] keeper: a machine that was asleep may not act when it wakes, before any timer fires', async () => {
  const { clock, asleep, hold, losses, ask } = kept();
  await ask();
  hold.begin(1, 'fleet');
  asleep.ms = TTL_MS;
  assert.equal(hold.mayAct(), false);
  await clock.advance(TTL_MS);
  assert.equal(losses.length, 1);
});

test('[LE-9] keeper: what was given back is held no more and not renewed', async () => {
  const { clock, hold, losses, keeper, lease, ask } = kept();
  await ask();
  hold.begin(1, 'fleet');
  await keeper.release();
  assert.equal(hold.mayAct(), false);
  assert.equal((await lease.acquire({ writer: 'two', node: 'edge-2' })).ok, true);
  await clock.advance(3 * TTL_MS);
  assert.deepEqual(losses, []);
});
