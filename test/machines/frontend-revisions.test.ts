/** The frontend machine and numbers: which report answers which wish, and which level. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AckParams } from '../../machines/frontend-messages.js';
import {
  acks,
  after,
  allUp,
  committed,
  created,
  desired,
  type Frontend,
  fresh,
  GROUPED,
  I1,
  I2,
  inState,
  level,
  records,
  report,
  said,
  sends,
  sent,
  verdict,
} from '../support/frontend-lab.js';

const BOTH = { '10.1.0.1': 1, '10.1.0.2': 1 };

const grouped = (): Frontend =>
  after(created(GROUPED), level(I1), verdict(I1, 'up'), level(I2), verdict(I2, 'up'), report(BOTH));

const revisionOf = (frontend: Frontend): number => frontend.context.sent?.revision ?? 0;
const levelsIn = (frontend: Frontend): readonly number[] =>
  frontend
    .said<readonly AckParams[]>('acknowledge')
    .flat()
    .map(({ ack }) => ack.level);

// --- wishes -------------------------------------------------------------------------------------

test('[FE-26] frontend: what differs is numbered higher, what is said again keeps its number', () => {
  const first = created();
  const second = first.send(verdict('b1', 'up'));
  assert.ok(revisionOf(second) > revisionOf(first));
  const again = second.fire('resyncDue');
  assert.deepEqual(
    sends(again).map(({ revision }) => revision),
    [revisionOf(second)],
  );
});

test('[FE-26] frontend: a restart that forgot its newest wishes numbers above them', () => {
  const stored = created();
  const newest = after(stored, verdict('b1', 'up'), verdict('b2', 'up'));
  const at = 3_600_000;
  const restored = stored.send({ type: 'activated' }, { at }).fire('startupMaxDelay', { at });
  const [wish] = sends(restored);
  assert.ok(wish !== undefined && wish.revision > revisionOf(newest));
});

test('[FE-29] frontend: a report above its wishes acknowledges nothing and is numbered over', () => {
  const drained = grouped().send(level(I1, { phase: 'drain', revision: 2 }));
  const earlier = 9_000_000;
  const strange = after(drained, report({ ...BOTH, '10.1.0.1': 0 }, { revision: earlier }));
  assert.deepEqual(acks(strange), []);
  const [wish] = sends(strange);
  assert.ok(wish !== undefined && wish.revision > earlier);
  const known = after(strange, report({ ...BOTH, '10.1.0.1': 0 }));
  assert.deepEqual(acks(known).slice(0, 1), ['1 drain 0']);
});

test('[FE-31] frontend: greeted, it says at once what it wants, or that it does not know', () => {
  const hello = { type: 'lbsync.hello' };
  const serving = allUp();
  assert.deepEqual(sends(serving.send(hello)), [serving.context.sent]);
  const warming = serving.send({ type: 'activated' });
  assert.equal(warming.send(hello).said('awaitVip').length, 1);
  const leaving = serving.send({ type: 'frontend.removed' });
  assert.equal(leaving.send(hello).said('withdrawAgain').length, 1);
  assert.deepEqual(fresh().send(hello).effects, []);
});

test('[FE-33] frontend: a late answer to an earlier withdrawal ends no later one', () => {
  const first = allUp().send({ type: 'frontend.removed' });
  const earlier = first.context.wish;
  const again = committed(first.send(desired())).send({ type: 'frontend.removed' });
  assert.deepEqual(again.said('withdraw'), [{ frontend: 'web', revision: again.context.wish }]);
  const late = after(again, { type: 'vip.gone', revision: earlier });
  assert.equal(inState(late), 'withdrawing');
  const gone = after(late, { type: 'vip.gone', revision: late.context.wish });
  assert.equal(inState(gone), 'removed');
});

// --- acknowledgements ---------------------------------------------------------------------------

test('[FE-27] frontend: a report from before the drain does not acknowledge it', () => {
  const before = grouped();
  const stale = report({ '10.1.0.2': 1 }, { revision: revisionOf(before) });
  const draining = before.send(level(I1, { phase: 'drain', revision: 2 }));
  assert.deepEqual(acks(draining), [], 'nor does the report that was there already');
  assert.deepEqual(acks(after(draining, stale)), []);
  const drained = after(draining, report({ '10.1.0.1': 0, '10.1.0.2': 1 }));
  assert.deepEqual(acks(drained), ['1 drain 0']);
  assert.deepEqual(levelsIn(drained), [2]);
});

test('[FE-27] frontend: no server yet is not out while an add may be on its way', () => {
  const added = after(created(GROUPED), level(I1), verdict(I1, 'up'), level(I2), verdict(I2, 'up'));
  const old = report({}, { revision: revisionOf(created(GROUPED)), exists: true });
  const out = after(added, level(I1, { phase: 'out', revision: 2 }), old);
  assert.deepEqual(acks(out), []);
  const followed = after(out, report({ '10.1.0.2': 1 }));
  assert.deepEqual(acks(followed), ['1 out 0', '2 in 1']);
});

test('[FE-28] frontend: an older wish proves what every later one asked for as well', () => {
  const draining = grouped().send(level(I1, { phase: 'drain', revision: 2 }));
  const asked = revisionOf(draining);
  const later = after(draining, verdict(I2, 'paused'));
  assert.ok(revisionOf(later) > asked);
  const proven = after(later, report({ ...BOTH, '10.1.0.1': 0 }, { revision: asked }));
  assert.deepEqual(acks(proven), ['1 drain 0'], 'of the other nothing is known');
});

test('[FE-32] frontend: a level that was overtaken changes nothing and is answered', () => {
  const out = grouped().send(level(I1, { phase: 'drain', revision: 3 }));
  const late = out.send(level(I1, { revision: 2 }));
  assert.deepEqual(records(late), []);
  assert.equal(sent(late), sent(out));
  const drained = after(late, report({ ...BOTH, '10.1.0.1': 0 }));
  assert.deepEqual(levelsIn(drained), [3]);
});

// --- permission to re-create ----------------------------------------------------------------------

const TABLE = { tableLength: 2048 };

test('[FE-30] frontend: permission comes with a change, and ends when VPP is as wanted', () => {
  const changed = committed(after(allUp(), desired({ ...TABLE, mayRecreate: true })));
  const [wish] = sends(changed);
  assert.equal(wish?.mayRecreate, true);
  const partly = after(changed, report({}, { synced: false }));
  assert.deepEqual(sends(partly), []);
  const done = after(changed, report({}));
  const [next] = sends(done);
  assert.equal(next?.mayRecreate, undefined);
  assert.equal(said(next), sent(changed));
  assert.deepEqual(records(after(done, desired(TABLE))), []);
});

test('[FE-30] frontend: permission alone is news when VPP keeps the VIP other than wanted', () => {
  const kept = after(committed(after(allUp(), desired(TABLE))), report({}, { problem: 'kept' }));
  const permitted = committed(after(kept, desired({ ...TABLE, mayRecreate: true })));
  const [wish] = sends(permitted);
  assert.equal(wish?.mayRecreate, true);
  assert.deepEqual(records(after(permitted, desired({ ...TABLE, mayRecreate: true }))), []);
});

test('[FE-30] frontend: permission alone is no news', () => {
  const permitted = after(allUp(), desired({ mayRecreate: true }));
  assert.deepEqual(records(permitted), []);
  assert.deepEqual(sends(permitted), []);
});
