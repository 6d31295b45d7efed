/**
 * Every thread of a node is cut off, while the node serves and while it creates: its siblings go on, no
 * instance and no weight is touched, and its successor takes up the work where it was left.
 *
 * One node, in this process; real threads, processes and sockets.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { addressOf } from '../../machines/model/ids.js';
import { readBootConfig } from '../../src/app/boot.js';
import { type Node, startNode } from '../../src/app/node.js';
import {
  type CrashSite,
  makeCrashSite,
  proveDataplane,
  provePopulation,
  proveRecords,
  settledOver,
  type View,
} from '../support/crash-site.js';
import { until } from '../support/daemon.js';
import { judge } from '../support/op-log.js';

const THREADS = ['store', 'lbsync', 'outbox', 'shard-0', 'shard-1'] as const;
type ThreadName = (typeof THREADS)[number];

/** Longer than an audit of VPP, several probes, a poll of the outbox. */
const QUIET_MS = 1_200;

/** Its answer waits for VPP: there is time to die before it. */
const SYNC = { type: 'operator.sync' } as const;
const LBSYNC = addressOf('lbsync', 'main');

describe('a thread dies', () => {
  let site: CrashSite;
  let node: Node;
  const fatal: string[] = [];
  /** Of every reconvergence, why. */
  const reconverged: unknown[] = [];
  let unwatch = (): void => undefined;

  before(async () => {
    site = makeCrashSite({ size: 2, workers: 2 });
    node = await start();
    await watching();
  });
  after(async () => {
    unwatch();
    await node.stop();
    await site.close();
  });

  async function watching(): Promise<void> {
    unwatch();
    unwatch = node.api.watch(-1, ({ event, numbers }) => {
      if (event === 'config.reconverged') reconverged.push(numbers['why']);
    });
    await quiet();
  }

  /** Deaths are counted over all threads of a supervisor: each thread of the sweep has a run of its own. */
  async function nextRun(): Promise<void> {
    await node.stop();
    node = await start();
    await watching();
  }

  async function start(): Promise<Node> {
    const { dataDir, config: configFile } = site;
    const booted = await readBootConfig(configFile, { dataDir });
    assert.ok(booted.ok);
    const started = await startNode({
      configFile,
      dataDir,
      booted: booted.value,
      singleThread: false,
      log: { level: 'fatal', pretty: false },
      failpoint: '',
      onFatal: (reason) => fatal.push(reason),
    });
    assert.ok(started.ok, JSON.stringify(started));
    return started.value;
  }

  async function resize(size: number): Promise<void> {
    site.resize(size);
    await node.api.reload({ trigger: 'api', dryRun: false, disruptive: false });
  }

  /** Threads that host actors, of those that answer. */
  async function threadsThatAnswer(): Promise<ReadonlySet<unknown>> {
    return new Set((await node.api.list('actors', {})).map(({ thread }) => thread));
  }

  async function isGrowing(): Promise<boolean> {
    const instances = await node.api.list('instances', {});
    return instances.filter(({ state }) => state !== 'deleted').length > 2;
  }

  function replaced(name: ThreadName): number {
    return reconverged.filter((why) => why === `thread ${name} was replaced`).length;
  }

  /** Resolves when its successor serves. */
  async function kill(name: ThreadName): Promise<void> {
    const before = replaced(name);
    const answering = await threadsThatAnswer();
    assert.equal(node.killThread(name), true);
    const left = await threadsThatAnswer();
    for (const thread of answering) {
      if (thread !== name) assert.ok(left.has(thread), `${thread} answers while ${name} is away`);
    }
    await until(`${name} is replaced`, async () => replaced(name) > before);
  }

  async function quiet(): Promise<void> {
    await settledOver(viewOf(node), 2);
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
    await settledOver(viewOf(node), 2);
  }

  for (const name of THREADS) {
    test(`[CR-2] [DP-62] ${name}, while serving: nothing outside it notices`, async () => {
      await nextRun();
      const lines = site.log();
      const alive = site.instances();
      await kill(name);
      await quiet();
      assert.deepEqual(site.instances(), alive, 'the same processes');
      assert.deepEqual(site.log().slice(lines.length), [], 'not one write to VPP');
    });

    test(`[CR-3] ${name}, while creating: the group grows all the same, once`, async () => {
      const lines = site.log();
      const resized = resize(4);
      await until('instances are being created', isGrowing);
      await Promise.all([kill(name), resized]);
      await settledOver(viewOf(node), 4);
      provePopulation(site, 4);
      proveDataplane(site, 4);
      assert.deepEqual(judge(site.log().slice(lines.length), lines).reduced, []);
    });

    test(`[CR-4] ${name}, while deleting: the group shrinks all the same`, async () => {
      await Promise.all([resize(2), kill(name)]);
      await settledOver(viewOf(node), 2);
      provePopulation(site, 2);
      proveDataplane(site, 2);
    });
  }

  test('[CR-5] what was asked of it fails at once, with its name', async () => {
    await nextRun();
    const answer = node.api.ask(LBSYNC, SYNC);
    node.killThread('lbsync');
    const failed = await answer;
    assert.deepEqual(failed.ok ? failed : failed.failure, {
      code: 'refused',
      rule: 'thread-lost',
      message: 'lbsync/main: thread lbsync died',
    });
    await settledOver(viewOf(node), 2);
  });

  test('[CR-5] what was asked of others is answered', async () => {
    const answer = node.api.ask(LBSYNC, SYNC);
    node.killThread('outbox');
    assert.equal((await answer).ok, true);
    await settledOver(viewOf(node), 2);
  });

  test('[CR-6] nothing decided is lost or doubled; the node never gave up', async () => {
    // The outbox that has only just come knows no settings: what it was not told to send, the next life sends.
    await quiet();
    await node.stop();
    await proveRecords(site);
    assert.deepEqual(fatal, []);
    node = await start();
    await settledOver(viewOf(node), 2);
  });

  test('[CR-7] five deaths a minute are borne, the sixth takes the dataplane down and up again', async () => {
    await nextRun();
    const lines = site.log();
    const alive = site.instances();
    for (let deaths = 0; deaths < 5; deaths += 1) await kill('shard-0');
    const before = replaced('lbsync');
    assert.equal(node.killThread('shard-0'), true);
    await until('the dataplane is there again', async () => replaced('lbsync') > before);
    await quiet();
    assert.deepEqual(fatal, []);
    assert.deepEqual(site.instances(), alive, 'the same processes');
    assert.deepEqual(site.log().slice(lines.length), [], 'not one write to VPP');
  });

  test('[CR-7] what the whole node stands on may not die six times a minute', async () => {
    await nextRun();
    for (let deaths = 0; deaths < 5; deaths += 1) await kill('outbox');
    assert.deepEqual(fatal, []);
    assert.equal(node.killThread('outbox'), true);
    await until('the node gives up', async () => fatal.length > 0);
    assert.match(fatal.join(), /^outbox died too often: /);
  });
});

function viewOf(node: Node): View {
  return { status: node.api.status, list: (kind) => node.api.list(kind, {}) };
}
