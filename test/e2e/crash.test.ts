/**
 * `kill -9` of the daemon at every failpoint there is, in the middle of its work: the next run finishes
 * it, and nothing that was acknowledged is lost, nothing is made twice, nothing is written to VPP that
 * was so already.
 *
 * Each case is one life at one failpoint: it comes up at two instances, grows to three, shrinks to
 * one, and is killed by the failpoint somewhere on the way. One that is never killed fails the test.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FAILPOINTS, type Failpoint } from '../../src/ports/failpoints.js';
import {
  type CrashSite,
  makeCrashSite,
  proveDataplane,
  provePopulation,
  proveRecords,
  proveRestIsRest,
  settled,
} from '../support/crash-site.js';
import { tail } from '../support/daemon.js';

/** At which pass to die, where the first is not the most instructive. */
const PASSES: Partial<Record<Failpoint, number>> = {
  'commit.before': 9,
  'commit.after': 6,
  'provider.create.after': 2,
  'vpp.op.before': 3,
  'vpp.op.after': 2,
  'publish.after': 2,
  'writeback.before': 3,
  'reload.keep.before': 2,
  'reload.keep.after': 2,
  // Each pass has a dozen hooks: these are in the middle of the second.
  'reload.hook.before': 17,
  'reload.hook.after': 20,
};

const SIZES = [2, 3, 1] as const;

/** @returns the size the file asked for when the daemon died. */
async function liveUntilKilled(site: CrashSite, failpoint: string): Promise<number> {
  const env = { SWITCHYARD_FAILPOINT: failpoint };
  const daemon = await site.start({ env, wait: false });
  for (const size of SIZES) {
    site.resize(size);
    if (daemon.log.some(({ msg }) => msg === 'ready')) daemon.process.kill('SIGHUP');
    if ((await settled(daemon, size)) === 'settled') continue;
    assert.equal(await daemon.exited, 'SIGKILL', tail(daemon));
    return size;
  }
  await daemon.stop();
  return assert.fail(`${failpoint} was never reached`);
}

async function survive(failpoint: string): Promise<void> {
  const site = makeCrashSite({ size: SIZES[0], workers: 1 });
  try {
    const size = await liveUntilKilled(site, failpoint);
    const daemon = await site.start();
    assert.equal(await settled(daemon, size), 'settled', tail(daemon));
    provePopulation(site, size);
    proveDataplane(site, size);
    assert.equal(await daemon.stop(), 0, tail(daemon));
    await proveRecords(site);
    await proveRestIsRest(site, size);
  } finally {
    await site.close();
  }
}

describe('kill -9 of the daemon', { concurrency: 2 }, () => {
  for (const failpoint of FAILPOINTS) {
    const at = `${failpoint}:${PASSES[failpoint] ?? 1}`;
    test(`[CR-1] at ${at}: the next run finishes the work, once`, () => survive(at));
  }
});
