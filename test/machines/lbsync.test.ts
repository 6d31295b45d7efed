/** The modes of lbsync, driven by hand: which answer leads where, and which timers stand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type LbsyncMemory, lbsyncMachine, type PassOutcome } from '../../machines/lbsync.js';
import type { LbsyncSettings } from '../../machines/model/messages.js';
import { type Driven, drive } from '../support/drive.js';

const SETTINGS: LbsyncSettings = {
  syncIntervalMs: 30_000,
  startupMinDelayMs: 0,
  startupMaxDelayMs: 30_000,
  requestTimeoutMs: 5000,
  window: 32,
  ownership: 'ledger',
  generation: 1,
};

type Lbsync = Driven<LbsyncMemory>;

const DONE: PassOutcome = { verdict: 'done', more: false, built: false };

function waiting(): Lbsync {
  return drive<LbsyncMemory>(lbsyncMachine, { address: 'lbsync/main' });
}

function configured(): Lbsync {
  return waiting().send({ type: 'lbsync.settings', settings: SETTINGS } as never);
}

function connected(): Lbsync {
  return configured().send({ type: 'lb.connected', session: 1, version: 'v' } as never, { at: 0 });
}

function applying(tookMs = 2): Lbsync {
  return connected().send({ type: 'lb.read', session: 1, tookMs } as never, { at: 0 });
}

function passed(driven: Lbsync, outcome: Partial<PassOutcome> = {}, at = 0): Lbsync {
  const { session, marks } = driven.context;
  const answer = { type: 'lb.passed', session, marks, outcome: { ...DONE, ...outcome } };
  return driven.send(answer as never, { at });
}

function names(driven: Lbsync): readonly string[] {
  return driven.effects.map(({ type }) => type);
}

const WISH = { type: 'vip.desired', desired: { frontend: 'web' } } as never;

test('[LB-33] machine: without settings it only collects', () => {
  const driven = waiting().send(WISH);
  assert.equal(driven.value, 'waiting');
  assert.deepEqual(names(driven), ['want']);
  assert.deepEqual(driven.timers, {});
});

test('[LB-31] machine: connects, reads, applies, then rests with its timers set', () => {
  assert.deepEqual(names(configured()), ['configure', 'connect']);
  assert.deepEqual(names(connected()), ['read']);
  assert.deepEqual(names(applying()), ['publish', 'apply']);
  const idle = passed(applying());
  assert.deepEqual(idle.value, { ready: 'idle' });
  assert.deepEqual(idle.timers, { ping: 5000, audit: 30_000, retry: 0 });
});

test('[LB-31] machine: an audit is stretched when reads are slow, and comes early after a build', () => {
  assert.equal(passed(applying(100)).timers['audit'], 100_000);
  assert.equal(passed(applying(), { built: true }).timers['audit'], 2000);
  assert.equal(passed(applying(0), { built: true }).timers['audit'], 1000);
  assert.deepEqual(passed(applying()).fire('audit').value, { ready: 'reading' });
});

test('[LB-31] machine: a wall clock that stepped back postpones no audit beyond its interval', () => {
  const idle = passed(applying(), {}, -3_600_000);
  assert.equal(idle.timers['audit'], 30_000);
});

test('[LB-30] machine: whatever comes during a pass leads to one more, and then to rest', () => {
  let driven = applying();
  const { session, marks } = driven.context;
  for (let wish = 0; wish < 20; wish += 1) driven = driven.send(WISH);
  assert.deepEqual(names(driven), ['want']);
  driven = driven.send({ type: 'lb.passed', session, marks, outcome: DONE } as never, { at: 0 });
  assert.deepEqual(driven.value, { ready: 'applying' });
  assert.deepEqual(driven.said('apply'), [{ session, marks: marks + 20 }]);
  assert.deepEqual(passed(driven).value, { ready: 'idle' });
});

const ENDS: readonly (readonly [Partial<PassOutcome>, unknown])[] = [
  [{}, { ready: 'idle' }],
  [{ more: true }, { ready: 'applying' }],
  [{ verdict: 'surprised' }, { ready: 'reading' }],
  [{ verdict: 'lost' }, 'disconnected'],
  [{ retryInMs: 700 }, { ready: 'idle' }],
];

for (const [outcome, state] of ENDS) {
  test(`[LB-31] machine: a pass that ends with ${JSON.stringify(outcome)} leads on`, () => {
    const driven = passed(applying(), outcome);
    assert.deepEqual(driven.value, state);
    assert.ok(names(driven).includes('publish'));
  });
}

test('[LB-51] machine: what must wait is tried again when its time has come, else nothing is', () => {
  const retrying = passed(applying(), { retryInMs: 700 });
  assert.equal(retrying.timers['retry'], 700);
  assert.deepEqual(retrying.fire('retry').value, { ready: 'applying' });
  assert.deepEqual(passed(applying()).fire('retry').value, { ready: 'idle' });
});

test('[LB-32] machine: answers of an earlier connection change nothing', () => {
  const again = applying()
    .send({ type: 'lb.lost', session: 1, reason: 'reset' } as never)
    .fire('reconnect')
    .send({ type: 'lb.connected', session: 2, version: 'v' } as never)
    .send({ type: 'lb.read', session: 2, tookMs: 1 } as never);
  for (const stale of [
    { type: 'lb.lost', session: 1, reason: 'late' },
    { type: 'lb.passed', session: 1, marks: 0, outcome: DONE },
  ]) {
    assert.deepEqual(again.send(stale as never).value, { ready: 'applying' });
  }
});

test('[LB-33] machine: a failed connection is tried again after 1 to 5 s, for ever', () => {
  let driven = configured();
  const waits: (number | undefined)[] = [];
  for (let session = 1; session <= 8; session += 1) {
    driven = driven.send({ type: 'lb.connectFailed', session, message: 'refused' } as never);
    assert.equal(driven.value, 'disconnected');
    waits.push(driven.timers['reconnect']);
    driven = driven.fire('reconnect');
  }
  assert.deepEqual(waits, [1000, 2000, 3000, 4000, 5000, 5000, 5000, 5000]);
  assert.equal(driven.value, 'connecting');
});

test('[LB-55] machine: without a load balancer there is nothing to connect, read or apply', () => {
  const detached = configured().send({ type: 'lb.absent' } as never);
  assert.equal(detached.value, 'detached');
  assert.deepEqual(names(detached.send(WISH)), ['want', 'publish']);
});

test('[LB-56] machine: an operator’s sync reads at once, or right after the pass that is out', () => {
  const sync = { type: 'operator.sync' } as never;
  assert.deepEqual(passed(applying()).send(sync, { replyTo: 'r' }).value, { ready: 'reading' });
  const busy = applying().send(sync, { replyTo: 'r' });
  assert.deepEqual(busy.said('operatorSync'), [{ replyTo: 'r' }]);
  assert.deepEqual(passed(busy).value, { ready: 'reading' });
});

test('[LB-40] machine: a rebuild is recorded once, with its numbers', () => {
  const rebuild = { lostAt: 1, detectedAt: 2, rebuiltAt: 3, ops: 4, frontends: ['web'] };
  const driven = passed(applying()).send({ type: 'lb.rebuilt', rebuild } as never);
  assert.deepEqual(driven.said('record'), [
    { event: 'dataplane.rebuilt', rule: 'LB-40', numbers: rebuild },
  ]);
});
