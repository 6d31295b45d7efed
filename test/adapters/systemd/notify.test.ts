/** What the service manager is told, as it arrives at its socket. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type NotifyOptions, openServiceManager } from '../../../src/adapters/systemd/notify.js';
import { receiveDatagrams } from '../../support/datagram-receiver.js';
import { rememberingLog } from '../../support/quiet.js';

const folder = mkdtempSync(join(tmpdir(), 'switchyard-notify-'));
after(() => rmSync(folder, { recursive: true }));

function optionsOf(env: NotifyOptions['env']): NotifyOptions {
  return { env, pid: 42, monotonicUs: () => 1_234_567n, log: rememberingLog() };
}

const PLACES = [
  { name: 'a path', path: join(folder, 'notify') },
  { name: 'an abstract name', path: `@switchyard-test-${process.pid}` },
] as const;

for (const { name, path } of PLACES) {
  test(`[OP-3] service manager: every message is one datagram, to ${name}`, async () => {
    const receiver = receiveDatagrams(path);
    const manager = await openServiceManager(optionsOf({ NOTIFY_SOCKET: path }));
    manager.ready('serving');
    manager.reloading('re\nloading');
    manager.alive();
    manager.stopping('stopping');
    const told = receiver.take();
    receiver.close();
    assert.deepEqual(told, [
      'READY=1\nSTATUS=serving',
      'RELOADING=1\nMONOTONIC_USEC=1234567\nSTATUS=re loading',
      'WATCHDOG=1',
      'STOPPING=1\nSTATUS=stopping',
    ]);
  });
}

test('[OP-3] service manager: a reader that is behind gets everything in order, but no old signs of life', async () => {
  const path = join(folder, 'slow');
  const receiver = receiveDatagrams(path);
  const manager = await openServiceManager(optionsOf({ NOTIFY_SOCKET: path }));
  const words = Array.from({ length: 200 }, (_, n) => `word ${n}`);
  for (const word of words) manager.ready(word);
  for (let n = 0; n < 100; n += 1) manager.alive();
  const told: string[] = [];
  while (told.length < 200) {
    told.push(...receiver.take());
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  receiver.close();
  assert.deepEqual(
    told,
    words.map((word) => `READY=1\nSTATUS=${word}`),
  );
});

test('[OP-3] service manager: nobody listens, or nobody asked: nothing happens', async () => {
  const options = optionsOf({ NOTIFY_SOCKET: join(folder, 'nobody') });
  const deaf = await openServiceManager(options);
  deaf.ready('serving');
  deaf.ready('serving');
  const { lines } = options.log as ReturnType<typeof rememberingLog>;
  assert.equal(lines.length, 1, 'told once');
  const absent = await openServiceManager(optionsOf({}));
  absent.ready('serving');
  const wrong = await openServiceManager(optionsOf({ NOTIFY_SOCKET: 'relative' }));
  assert.equal(wrong.aliveEveryMs, undefined);
});

const WATCHDOGS = [
  { name: 'half of what is waited for', env: { WATCHDOG_USEC: '10000000' }, everyMs: 5_000 },
  { name: 'for this process', env: { WATCHDOG_USEC: '2000', WATCHDOG_PID: '42' }, everyMs: 1 },
  {
    name: 'not for another process',
    env: { WATCHDOG_USEC: '2000', WATCHDOG_PID: '41' },
    everyMs: undefined,
  },
  { name: 'not when nobody waits', env: {}, everyMs: undefined },
  { name: 'not when it makes no sense', env: { WATCHDOG_USEC: 'soon' }, everyMs: undefined },
] as const;

for (const { name, env, everyMs } of WATCHDOGS) {
  test(`[OP-3] watchdog: ${name}`, async () => {
    const options = optionsOf({ ...env, NOTIFY_SOCKET: join(folder, 'nobody') });
    assert.equal((await openServiceManager(options)).aliveEveryMs, everyMs);
  });
}
