/**
 * The daemon as a service manager runs it: told when it serves, reloads and stops; signs of life; hangups
 * from the first moment to the last; a watched file.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { JsonObject } from '../../machines/model/json.js';
import { type Daemon, makeSite, type Site, until } from '../support/daemon.js';
import { type DatagramReceiver, receiveDatagrams } from '../support/datagram-receiver.js';

const CONFIG = `
node: { name: e2e, workers: 1 }
backends: { b1: { address: 127.0.0.11 } }
dataplane: { driver: none }
reload: { watchFile: true }
admin: { listen: "off" }
`;

/** Bit 0 of the caught signals: SIGHUP is number 1. */
function takesHangups(pid: number | undefined): boolean {
  try {
    const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return (BigInt(`0x${caught?.[1] ?? '0'}`) & 1n) === 1n;
  } catch {
    return false;
  }
}

describe('the daemon as a service', () => {
  let site: Site;
  let daemon: Daemon;
  let receiver: DatagramReceiver;
  let listening: NodeJS.Timeout;
  const told: string[] = [];

  /** What was told so far, less the signs of life. */
  const listen = (): void => void told.push(...receiver.take());
  const words = (): readonly string[] => {
    listen();
    return told.filter((text) => text !== 'WATCHDOG=1').map((text) => text.split('\n')[0] ?? '');
  };
  const status = (): Promise<JsonObject> => daemon.json('reload', 'status');

  before(async () => {
    site = makeSite(CONFIG);
    const path = join(site.dir, 'notify');
    receiver = receiveDatagrams(path);
    listening = setInterval(listen, 20);
    const env = { NOTIFY_SOCKET: path, WATCHDOG_USEC: '200000' };
    daemon = await site.start({ env, wait: false });
  });
  after(async () => {
    await site.close();
    clearInterval(listening);
    receiver.close();
  });

  test('[RE-19] hangups while the daemon starts end nothing, and are a reload once it serves', async () => {
    await until('hangups are taken', async () => takesHangups(daemon.process.pid), 20_000);
    assert.ok(!daemon.log.some(({ msg }) => msg === 'ready'), 'it has not come up yet');
    const storm = setInterval(() => daemon.process.kill('SIGHUP'), 2);
    await until('ready', async () => daemon.log.some(({ msg }) => msg === 'ready'));
    clearInterval(storm);
    await until('it reloaded', async () => (await status())['trigger'] === 'signal');
  });

  test('[OP-1] [OP-2] ready, then reloading and ready again; signs of life all the while', async () => {
    await until('the reloads are over', async () => words().at(-1) === 'READY=1');
    const before = words().length;
    assert.equal(words()[0], 'READY=1');
    daemon.process.kill('SIGHUP');
    await until('it is over', async () => words().length >= before + 2);
    assert.deepEqual(words().slice(before), ['RELOADING=1', 'READY=1']);
    const reloading = told.filter((text) => text.startsWith('RELOADING=1')).at(-1) ?? '';
    assert.match(reloading, /\nMONOTONIC_USEC=\d+\n/);
    const alive = (): number => told.filter((text) => text === 'WATCHDOG=1').length;
    const lived = alive();
    await until('signs of life', async () => words().length > 0 && alive() > lived + 2);
  });

  test('[RE-20] a watched file is read once it is written', async () => {
    const generation = Number((await status())['generation']);
    writeFileSync(site.config, CONFIG.replace('127.0.0.11', '127.0.0.12'));
    await until('it is in force', async () => {
      const last = await status();
      return last['trigger'] === 'file' && Number(last['generation']) === generation + 1;
    });
  });

  test('[RE-19] hangups while the daemon stops change nothing about its end', async () => {
    const storm = setInterval(() => daemon.process.kill('SIGHUP'), 1);
    const ended = await daemon.stop();
    clearInterval(storm);
    assert.equal(ended, 0);
    assert.ok(words().includes('STOPPING=1'));
  });
});
