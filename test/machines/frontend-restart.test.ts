/** The frontend machine over restarts, its address of a pool, and its end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AskParams, PoolCall, StatusParams } from '../../machines/frontend-messages.js';
import { shapeOf } from '../../machines/frontend-shape.js';
import { addressOf } from '../../machines/model/ids.js';
import type { FrontendMessage } from '../../machines/model/messages.js';
import {
  after,
  allUp,
  B1,
  B2,
  B3,
  committed,
  desired,
  type Frontend,
  fresh,
  inState,
  OWNER,
  POOLED,
  records,
  report,
  said,
  sends,
  verdict,
  WEB,
} from '../support/frontend-lab.js';

// --- restart ----------------------------------------------------------------------------------

/** The same memory on a new activation, as from the store. */
const restarted = (frontend: Frontend): Frontend => frontend.send({ type: 'activated' });

test('[FE-12] frontend: a restart asks, waits for all verdicts, and sends the same VIP', () => {
  const warming = restarted(allUp());
  assert.equal(inState(warming), 'warming');
  assert.deepEqual(warming.said('awaitVip'), [{ frontend: WEB }]);
  const asked = warming.said<AskParams>('ask')[0]?.to;
  assert.deepEqual(
    asked,
    ['b1', 'b2', 'b3'].map((name) => addressOf('backend', name)),
  );
  const almost = after(
    warming,
    report({ [B1]: 2, [B2]: 1, [B3]: 0 }),
    verdict('b1', 'up'),
    verdict('b3', 'down'),
  );
  assert.deepEqual(sends(almost), []);
  const known = almost.send(verdict('b2', 'up'));
  assert.equal(said(sends(known)[0]), '.11=2 .12=1 .21=0!');
  assert.deepEqual(records(known), [], 'nothing turned');
});

test('[FE-12] [FE-1] frontend: the longest wait over, the unknown keep what VPP has', () => {
  const warming = after(
    restarted(allUp()),
    report({ [B1]: 2, [B2]: 0, [B3]: 0 }),
    verdict('b2', 'up'),
  );
  const late = warming.fire('startupMaxDelay');
  assert.equal(said(sends(late)[0]), '.11=2 .12=1 .21=0');
});

test('[FE-12] frontend: the longest wait is what its spec says', () => {
  const warming = restarted(after(allUp(), desired({ startupMaxDelayMs: 7_000 })));
  assert.equal(warming.timers['startupMaxDelay'], 7_000);
});

test('[FE-1] frontend: after a restart in failover the standby keeps carrying', () => {
  const over = after(allUp(), verdict('b1', 'down'), verdict('b2', 'down'));
  const warming = after(restarted(over), report({ [B1]: 0, [B2]: 0, [B3]: 2 }));
  const late = warming.fire('startupMaxDelay');
  assert.equal(said(sends(late)[0]), '.11=0 .12=0 .21=2');
  const down = after(warming, verdict('b1', 'down'), verdict('b2', 'down'), verdict('b3', 'down'));
  assert.equal(said(sends(down)[0]), '.11=0! .12=0! .21=2');
});

test('[FE-12] frontend: a VIP that VPP lost teaches nothing', () => {
  const lost = after(restarted(allUp()), report({}, { exists: false })).fire('startupMaxDelay');
  assert.equal(said(sends(lost)[0]), '.11=2 .12=1 .21=0');
});

test('[FE-12] frontend: what is owed is said again after a while', () => {
  const again = allUp().fire('resyncDue');
  assert.equal(sends(again).length, 1);
  assert.equal(again.said<StatusParams>('tellStatus').length, 1);
});

// --- addresses and removal --------------------------------------------------------------------

const allocated = (address: string): FrontendMessage => ({
  type: 'pool.allocated',
  pool: 'public',
  address,
});

const exhausted: FrontendMessage = { type: 'pool.exhausted', pool: 'public', message: 'full' };
const released: FrontendMessage = { type: 'pool.released', pool: 'public' };
const pooled = (): Frontend =>
  committed(fresh().send({ type: 'frontend.desired', spec: POOLED, owner: OWNER } as never));

test('[FE-20] frontend: asks its pool, and serves when the address is on disk', () => {
  const asking = pooled();
  assert.deepEqual(asking.said<PoolCall>('allocate'), [{ pool: 'public', frontend: WEB }]);
  assert.equal(asking.fire('retryDue').said('allocate').length, 1);
  const full = asking.send(exhausted);
  assert.equal(full.said<StatusParams>('tellStatus')[0]?.status.problem, 'full');
  const given = full.send(allocated('198.51.100.1'));
  assert.deepEqual(sends(given), []);
  assert.deepEqual(records(given), ['frontend.desired_changed']);
  const serving = committed(given);
  assert.equal(sends(serving)[0]?.vip.address, '198.51.100.1');
  const moved = committed(serving.send(desired()));
  assert.deepEqual(moved.said('release'), [{ pool: 'public', frontend: WEB }]);
  assert.equal(sends(moved)[0]?.vip.address, '192.0.2.1');
});

test('[FE-14] frontend: removed lets go of VPP, then of its address, then forgets itself', () => {
  const serving = committed(pooled().send(allocated('198.51.100.1')));
  const leaving = serving.send({ type: 'frontend.removed' });
  assert.deepEqual(records(leaving), ['frontend.removed']);
  assert.equal(leaving.said('withdraw').length, 1);
  assert.equal(leaving.fire('retryDue').said('withdrawAgain').length, 1);
  assert.deepEqual(sends(leaving.send(verdict('b1', 'up'))), []);
  const gone = after(leaving, { type: 'vip.gone', revision: leaving.context.wish });
  assert.equal(gone.said('release').length, 1);
  const over = gone.send(released);
  const [told] = over.said<StatusParams>('tellStatus');
  assert.ok(told?.to === OWNER && told.status.removed);
  assert.equal(over.said('forget').length, 1);
});

test('[FE-14] frontend: removed without ever being wanted is answered as removed', () => {
  const over = fresh().send({ type: 'frontend.removed' }, { from: OWNER });
  assert.equal(over.said<StatusParams>('tellStatus')[0]?.to, OWNER);
  assert.equal(over.said('forget').length, 1);
});

test('[FE-14] frontend: wanted again while it leaves, it comes back', () => {
  const back = committed(
    allUp()
      .send({ type: 'frontend.removed' })
      .send(desired({ port: 80 })),
  );
  assert.equal(inState(back), 'serving');
  assert.equal(sends(back)[0]?.vip.port, 80);
  const restored = restarted(allUp().send({ type: 'frontend.removed' }));
  assert.equal(restored.said('withdrawAgain').length, 1);
});

test('[FE-13] frontend: shows members with what they are meant to have and what VPP has', () => {
  const shape = shapeOf(after(allUp(), report({ [B1]: 2, [B2]: 1, [B3]: 0 })).context);
  assert.equal(shape['state'], 'up');
  assert.equal(shape['synced'], true);
  assert.deepEqual(shape['vip'], {
    encap: 'gre4',
    tableLength: 1024,
    scale: 50,
    stickyBySource: false,
  });
  const pools = shape['pools'] as readonly { members: readonly object[] }[];
  assert.deepEqual(pools[0]?.members[0], {
    name: 'b1',
    address: B1,
    state: 'up',
    phase: 'in',
    reason: 'up',
    weight: 100,
    effectiveWeight: 100,
    sentWeight: 2,
    buckets: 1,
  });
});
