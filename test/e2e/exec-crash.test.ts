/**
 * `kill -9` of the daemon at each failpoint around the calls of an exec provider, against a cloud over HTTP
 * that outlives it: the next run finishes the work, no intent has two servers, nothing is left behind.
 *
 * Each life comes up at two instances, grows to three, shrinks to one, and is killed by its failpoint on the
 * way; the next one finishes its work, and is killed in turn: a start of the daemon is what costs the time here
 * (and least in one thread).
 * The cloud loses an answer now and then: what was asked was done.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CloudServer } from '../../examples/fake-cloud/cloud.js';
import { type Daemon, makeSite, type Site, tail, until } from '../support/daemon.js';
import { CLOUD_TOKEN, type CloudAtWork, startCloud } from '../support/exec-lab.js';
import { repoPath } from '../support/root.js';

const CONFIG = `
node: { name: crash, workers: 1 }
providers:
  cloud:
    driver: exec
    command: [${process.execPath}, ${repoPath('examples', 'exec', 'fake-cloud.mjs')}]
    passEnvironment: [FAKE_CLOUD_URL, FAKE_CLOUD_TOKEN]
    pollInterval: 10s
    timeout: 20s
templates: { web: { provider: cloud, spec: {} } }
tenants: { acme: { groups: { web: { template: web, size: SIZE, maxSize: 6, drain: { timeout: 200ms } } } } }
dataplane: { driver: none }
retry: { base: 100ms, max: 500ms }
orphans: delete
orphanQuarantine: 0s
orphanSweepInterval: 5s
admin: { listen: "127.0.0.1:0" }
`;

const SIZES = [2, 3, 1] as const;
/** One may be replaced at a time, and one more may be on its way out. */
const MOST = 3 + 1;
const CHAINS = [
  ['provider.create.before', 'provider.create.after'],
  ['provider.delete.before', 'provider.delete.after'],
] as const;

const alive = ({ cloud }: CloudAtWork): readonly CloudServer[] =>
  [...cloud.servers.values()].filter(({ status }) => status === 'running');

interface Instance {
  readonly state: string;
  readonly providerId?: string;
}

async function instancesOf(daemon: Daemon): Promise<readonly Instance[]> {
  const address = daemon.log.find(({ msg }) => msg === 'ready')?.['admin'];
  const answer = await fetch(`http://${address}/api/v1/instances`);
  return (await answer.json()) as readonly Instance[];
}

/** Every server is known and serves, there are as many as wanted, and nothing is on its way. */
async function isAtRest(daemon: Daemon, at: CloudAtWork, size: number): Promise<boolean> {
  const instances = await instancesOf(daemon).catch(() => []);
  const serving = instances.filter(({ state }) => state === 'serving');
  const over = instances.filter(({ state }) => state === 'deleted' || state === 'failed');
  if (serving.length !== size || serving.length + over.length !== instances.length) return false;
  const known = new Set(serving.map(({ providerId }) => providerId));
  const servers = alive(at);
  return servers.length === size && servers.every(({ id }) => known.has(id));
}

async function settled(
  daemon: Daemon,
  at: CloudAtWork,
  size: number,
): Promise<'settled' | 'ended'> {
  let ended = false;
  void daemon.exited.then(() => {
    ended = true;
  });
  await until(`${size} at rest`, async () => ended || (await isAtRest(daemon, at, size)));
  return ended ? 'ended' : 'settled';
}

async function liveUntilKilled(site: Site, at: CloudAtWork, env: Env, point: string) {
  site.write(CONFIG.replace('SIZE', String(SIZES[0])));
  const failing = { ...env, SWITCHYARD_FAILPOINT: `${point}:2` };
  const daemon = await site.start({ env: failing, wait: false });
  for (const size of SIZES) {
    site.write(CONFIG.replace('SIZE', String(size)));
    if (daemon.log.some(({ msg }) => msg === 'ready')) daemon.process.kill('SIGHUP');
    if ((await settled(daemon, at, size)) === 'settled') continue;
    assert.equal(await daemon.exited, 'SIGKILL', tail(daemon));
    return size;
  }
  await daemon.stop();
  return assert.fail(`${point} was never reached`);
}

type Env = Readonly<Record<string, string>>;

async function survive(points: readonly string[]): Promise<void> {
  const at = await startCloud();
  const env = { FAKE_CLOUD_URL: at.url, FAKE_CLOUD_TOKEN: CLOUD_TOKEN };
  // An answer that is lost: the create, or the delete, was done.
  at.cloud.faults.push({ method: 'POST', times: 1, status: 502, lost: true });
  at.cloud.faults.push({ method: 'DELETE', times: 1, status: 502, lost: true });
  const site = makeSite(CONFIG.replace('SIZE', String(SIZES[0])), 'single');
  try {
    let size: number = SIZES[0];
    for (const point of points) size = await liveUntilKilled(site, at, env, point);
    const daemon = await site.start({ env });
    assert.equal(await settled(daemon, at, size), 'settled', tail(daemon));
    const tokens = at.cloud.tokens();
    assert.equal(new Set(tokens).size, tokens.length, 'one server for each intent, ever');
    assert.ok(at.cloud.most() <= MOST, `${at.cloud.most()} servers at once`);
    assert.equal(await daemon.stop(), 0, tail(daemon));
    assert.equal(alive(at).length, size, 'a stop of the daemon is no end of its instances');
  } finally {
    await site.close();
    await at.close();
  }
}

describe('kill -9 around the calls of an exec provider', { concurrency: 2 }, () => {
  for (const points of CHAINS) {
    test(`[CR-13] at ${points.join(', then ')}: the next run finishes it, no server twice, none left`, () =>
      survive(points));
  }
});
