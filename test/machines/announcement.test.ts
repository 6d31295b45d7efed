/** The announcement machine: holds, calls one at a time, keeps at it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type AnnouncementMemory,
  announcementMachine,
  announcementShape,
  type CallParams,
  type TellParams,
} from '../../machines/announcement.js';
import type { AnnounceLevel } from '../../machines/model/announce.js';
import { addressOf, type FrontendName } from '../../machines/model/ids.js';
import { type Driven, drive } from '../support/drive.js';

type Announcement = Driven<AnnouncementMemory>;

const LEVEL: AnnounceLevel = {
  frontend: 'web' as FrontendName,
  address: '192.0.2.1',
  protocol: 'tcp',
  port: 443,
  wanted: true,
  reason: 'up',
  gone: false,
  hook: { command: ['/bin/hook'], timeoutMs: 1_000, holdDownMs: 5_000, enabled: true },
};

const fresh = (): Announcement =>
  drive<AnnouncementMemory>(announcementMachine, { address: addressOf('announcement', 'web') });
const says = (announcement: Announcement, change: Partial<AnnounceLevel> = {}) =>
  announcement.send({ type: 'announce.level', level: { ...LEVEL, ...change } } as never);
const ends = (announcement: Announcement, failed = false) =>
  announcement.send({
    type: 'hook.finished',
    call: announcement.context.call,
    failure: failed ? { code: 'failed', message: 'exit 1' } : null,
  } as never);
const calls = (announcement: Announcement) =>
  [
    ...announcement.said<CallParams>('callHook'),
    ...announcement.said<CallParams>('callOnceStored'),
  ].map(({ what }) => `${what.action} ${what.address} ${what.reason}`);
const told = (announcement: Announcement) =>
  announcement.said<TellParams>('tellFrontend').map(({ announced }) => announced);

const DOWN = { wanted: false, reason: 'down' } as const;
const up = (): Announcement => says(fresh());
const announced = (): Announcement => ends(up().fire('holdDown'));

test('[AN-4] announcement: up is announced after the hold; said again in between changes nothing', () => {
  const again = says(up());
  assert.deepEqual(calls(again), []);
  assert.deepEqual(again.timers, { holdDown: 5_000 });
  const calling = again.fire('holdDown');
  assert.deepEqual(calls(calling), ['announce 192.0.2.1 up']);
  const done = ends(calling);
  assert.deepEqual([told(done), done.value], [[true], 'settled']);
});

test('[AN-4] announcement: down withdraws at once; a flap within the hold announces nothing', () => {
  const down = says(announced(), DOWN);
  assert.deepEqual(calls(down), ['withdraw 192.0.2.1 down']);
  const back = says(ends(down));
  assert.deepEqual([calls(back), back.value], [[], 'holding']);
  const flapped = says(back, DOWN);
  assert.deepEqual([calls(flapped), flapped.value], [[], 'settled']);
});

test('[AN-2] announcement: after a restart the first word is passed on once more', () => {
  assert.deepEqual(calls(says(fresh(), DOWN)), ['withdraw 192.0.2.1 down']);
  assert.deepEqual(calls(up().fire('holdDown')), ['announce 192.0.2.1 up']);
});

test('[AN-3] [AN-6] announcement: a call that failed may have done its work: the other way is called for, whatever was before', () => {
  const withdrawing = ends(says(announced(), DOWN), true);
  const back = says(withdrawing).fire('holdDown');
  assert.deepEqual(calls(back), ['announce 192.0.2.1 up']);
  const settled = ends(back);
  assert.deepEqual([settled.value, settled.context.problem], ['settled', null]);
  const announcing = ends(up().fire('holdDown'), true);
  const never = ends(says(announced(), DOWN));
  for (const failing of [announcing, ends(says(never).fire('holdDown'), true)]) {
    assert.deepEqual(calls(says(failing, DOWN)), ['withdraw 192.0.2.1 down']);
  }
});

test('[AN-5] announcement: what is said during a call is done after it, the newest only', () => {
  const calling = up().fire('holdDown');
  const twice = says(says(says(calling, DOWN)), DOWN);
  assert.deepEqual([calls(twice), twice.value], [[], 'calling']);
  assert.deepEqual(calls(ends(twice)), ['withdraw 192.0.2.1 down']);
  const stale = twice.send({ type: 'hook.finished', call: 0, failure: null } as never);
  assert.equal(stale.value, 'calling');
});

test('[AN-6] announcement: a failed call is tried again, ever later, and is a condition meanwhile', () => {
  let failing = ends(says(announced(), DOWN), true);
  assert.deepEqual(told(failing), []);
  const [condition] = announcementShape(failing.context)['conditions'] as readonly unknown[];
  assert.match(JSON.stringify(condition), /announce-failed.*failed: exit 1/);
  const waits: number[] = [];
  for (let times = 0; times < 8; times += 1) {
    waits.push(failing.timers['retryDue'] ?? 0);
    failing = ends(failing.fire('retryDue'), true);
  }
  assert.deepEqual(
    waits,
    [1, 2, 4, 8, 16, 32, 60, 60].map((seconds) => seconds * 1_000),
  );
  const done = ends(failing.fire('retryDue'));
  assert.deepEqual([told(done), done.context.problem], [[false], null]);
});

test('[AN-7] announcement: a VIP that moved is withdrawn at its old address first', () => {
  const moved = says(announced(), { address: '192.0.2.9' });
  assert.deepEqual(calls(moved), ['withdraw 192.0.2.1 moved']);
  const next = ends(moved);
  assert.equal(next.value, 'holding');
  assert.deepEqual(calls(next.fire('holdDown')), ['announce 192.0.2.9 up']);
});

test('[AN-3] announcement: a frontend that goes is withdrawn, then forgotten', () => {
  const going = says(announced(), { wanted: false, reason: 'removed', gone: true });
  assert.deepEqual(calls(going), ['withdraw 192.0.2.1 removed']);
  const gone = ends(going);
  assert.ok(gone.effects.some(({ type }) => type === 'forget'));
});
