/**
 * What else may go away under a running site: the daemon told to stop at the wrong moment, the daemon
 * suspended, VPP killed or emptied, both at once. Traffic is touched no more than the fault itself did.
 */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import type { LogLine, OpLine } from '../../src/vppsim/op-log.js';
import {
  type CrashSite,
  makeCrashSite,
  proveDataplane,
  provePopulation,
  proveRecords,
  settled,
} from '../support/crash-site.js';
import { type Daemon, tail, until } from '../support/daemon.js';
import { isOp } from '../support/op-log.js';

const SIZE = 3;

/** Far longer than the probes' timeout and VPP's answer may take. */
const SUSPENDED_MS = 5_000;
/** Longer than an audit, several probes, a poll of the outbox. */
const QUIET_MS = 1_500;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('outages', () => {
  let site: CrashSite;
  let daemon: Daemon;

  before(() => {
    site = makeCrashSite({ size: SIZE, workers: 1 });
  });
  after(() => site.close());

  async function atRest(): Promise<void> {
    assert.equal(await settled(daemon, SIZE), 'settled', tail(daemon));
    provePopulation(site, SIZE);
    proveDataplane(site, SIZE);
  }

  /** The simulator tells its process id as VPP does. */
  function simulatorPid(): number {
    const started = site.log().findLast((line) => 'event' in line && line.event === 'started');
    return Number(started !== undefined && 'pid' in started ? started['pid'] : Number.NaN);
  }

  function command(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect(`${site.dataDir}/vpp.sock.ctl`, () => socket.write(`${text}\n`));
      socket.once('data', () => {
        socket.destroy();
        resolve();
      });
      socket.once('error', reject);
    });
  }

  /** One build: every object once, with its weight, whatever VPP lost. */
  async function rebuiltOnce(since: number): Promise<void> {
    await until('VPP is written again', async () => opsOf(site.log().slice(since)).length > 0);
    await atRest();
    await sleep(QUIET_MS);
    const ops = opsOf(site.log().slice(since));
    const count = (op: OpLine['op']): number => ops.filter((line) => line.op === op).length;
    assert.equal(count('vip.add'), 1, JSON.stringify(ops));
    assert.equal(count('as.add'), SIZE);
    assert.equal(count('as.del') + count('vip.del'), 0);
  }

  test('[CR-8] SIGTERM while creating: it stops well, and the next run finishes', async () => {
    daemon = await site.start({ wait: false });
    await until('the first instance runs', async () => site.instances().length > 0);
    assert.equal(await daemon.stop(), 0, tail(daemon));
    daemon = await site.start();
    await atRest();
  });

  test('[CR-9] suspended and continued: no weight, no instance changes', async () => {
    const lines = site.log().length;
    const alive = site.instances();
    daemon.process.kill('SIGSTOP');
    await sleep(SUSPENDED_MS);
    daemon.process.kill('SIGCONT');
    await sleep(QUIET_MS);
    await atRest();
    assert.deepEqual(site.log().slice(lines), []);
    assert.deepEqual(site.instances(), alive);
  });

  for (const emptied of ['{"restartEmpty":true}', '{"restartEmpty":true,"samePid":true}']) {
    test(`[CR-10] VPP comes back empty, ${emptied}: one build`, async () => {
      const lines = site.log().length;
      const alive = site.instances();
      await command(emptied);
      await rebuiltOnce(lines);
      assert.deepEqual(site.instances(), alive, 'instances have nothing to do with it');
    });
  }

  test('[CR-11] the simulated VPP is killed: it is started again and built once', async () => {
    const lines = site.log().length;
    const before = simulatorPid();
    process.kill(before, 'SIGKILL');
    await rebuiltOnce(lines);
    assert.notEqual(simulatorPid(), before);
  });

  test('[CR-12] VPP and the daemon are killed at once: the next run builds once', async () => {
    const lines = site.log().length;
    process.kill(simulatorPid(), 'SIGKILL');
    assert.equal(await daemon.stop('SIGKILL'), 'SIGKILL');
    daemon = await site.start();
    await rebuiltOnce(lines);
    assert.equal(await daemon.stop(), 0);
    await proveRecords(site);
  });
});

function opsOf(lines: readonly LogLine[]): readonly OpLine[] {
  return lines.filter(isOp);
}
