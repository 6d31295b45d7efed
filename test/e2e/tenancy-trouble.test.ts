/**
 * A real daemon and the example tenant manager with hundreds of projects, and what may go wrong between
 * them: kills in the middle of a replay, slow answers, nonsense, a backup.
 */
import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startTenantManager } from '../../examples/tenant-manager/server.js';
import { type Daemon, makeSite, type Site, until } from '../support/daemon.js';
import { type RecordingProxy, recordingProxy } from '../support/recording-proxy.js';
import { conditions, feedOf } from '../support/site.js';
import { type ManagerLab, managerLab } from '../support/tenant-manager-lab.js';

const PROJECTS = 500;
const ANSWER_MS = 1_500;

/** Groups of nobody: what is tried here is the conversation. */
const configFor = (url: string): string => `
node: { name: e2e }
tenancy:
  url: ${url}
  pollInterval: 200ms
  initialBackoff: 100ms
  maxBackoff: 300ms
  httpTimeout: 2s
  undoWindow: 0s
  onProject: { groups: { web: { template: web, size: 0 } } }
providers: { local: { driver: process } }
templates: { web: { provider: local, spec: { command: ["true"] } } }
dataplane: { driver: none }
admin: { listen: "127.0.0.1:0" }
`;

interface Tenancy {
  readonly cursor: number;
  readonly phase: string;
  readonly unaccepted: number;
  readonly statusesOwed: number;
  readonly resources: number;
}

const tenancyOf = async (daemon: Daemon): Promise<Tenancy> =>
  (await daemon.json<{ tenancy: Tenancy }>('status')).tenancy;

const atRest = async (daemon: Daemon): Promise<boolean> => {
  const { phase, unaccepted, statusesOwed } = await tenancyOf(daemon);
  return phase === 'following' && unaccepted === 0 && statusesOwed === 0;
};

const isReplay = ({ path }: { readonly path: string }): boolean => path.includes('replay=true');

describe('tenancy in trouble, end to end', () => {
  let lab: ManagerLab;
  let proxy: RecordingProxy;
  let site: Site;
  let daemon: Daemon;

  const replays = (): number => proxy.asked.filter(isReplay).length;
  const told = (from: number) => proxy.asked.slice(from).filter(({ method }) => method !== 'GET');
  const names = async (): Promise<readonly string[]> =>
    (await daemon.json<readonly { readonly name: string }[]>('get', 'tenants'))
      .map(({ name }) => name)
      .toSorted();
  const ofTenants = async (): Promise<readonly string[]> =>
    (await feedOf(site))
      .filter(({ aggregateKind }) => ['tenant', 'group', 'resource'].includes(aggregateKind))
      .map(({ eventId }) => eventId);
  const create = (name: string) => lab.call('POST', '/v1/orgs/edge/projects', { name });

  before(async () => {
    lab = await managerLab();
    proxy = await recordingProxy(lab.manager.url);
    site = makeSite(configFor(proxy.url));
    await lab.call('POST', '/v1/orgs', { name: 'edge' });
    for (let number = 0; number < PROJECTS; number += 1) await create(`p${number}`);
    daemon = await site.start();
  });
  after(async () => {
    await site.close();
    await proxy.close();
    await lab.dispose();
  });

  test('[EE-34] 500 projects, replayed again, and again after a kill: nothing more, nothing less', async () => {
    await until('every project is idle', async () =>
      (await lab.projects()).every(({ status }) => status.indicator === 'IDLE'),
    );
    await until('all is at rest', () => atRest(daemon));
    const known = await names();
    assert.equal(known.length, PROJECTS);
    assert.equal(await daemon.stop(), 0);
    const [feed, asked] = [await ofTenants(), proxy.asked.length];
    daemon = await site.start();
    await until('it is at rest again', () => atRest(daemon));
    const killed = new Promise<void>((resolve) => {
      proxy.onAsked = (one) => {
        if (!isReplay(one)) return;
        proxy.onAsked = undefined;
        // By then the daemon is up; a moment later it is in the middle of it.
        proxy.delayMs = ANSWER_MS;
        setTimeout(resolve, ANSWER_MS + 20);
      };
    });
    assert.equal(await daemon.stop(), 0);
    const doomed = await site.start();
    await killed;
    await doomed.stop('SIGKILL');
    proxy.delayMs = 0;
    daemon = await site.start();
    await until('it is at rest after the kill', () => atRest(daemon));
    assert.deepEqual(told(asked), [], 'no status is repeated');
    assert.deepEqual(await names(), known);
    await daemon.stop();
    assert.deepEqual(await ofTenants(), feed);
    daemon = await site.start();
    await until('it is at rest in the end', () => atRest(daemon));
  });

  test('[EE-35] slow, then nonsense: nobody is deleted, and news is made afterwards', async () => {
    const known = await names();
    for (const trouble of [{ delayMs: 2_500 }, { garbage: '<html>proxy error</html>' }]) {
      Object.assign(proxy, trouble);
      await until('its trouble is a condition', async () =>
        (await conditions(daemon)).some(({ object }) => object === 'tenancy/main'),
      );
      assert.deepEqual(await names(), known);
      Object.assign(proxy, { delayMs: 0, garbage: undefined });
      await until('the condition is gone', async () => (await conditions(daemon)).length === 0);
    }
    await create('news');
    await until('the news is made', async () => (await names()).includes('news'));
  });

  test('[EE-35] restored from a backup: what it lost goes, what it has stays', async () => {
    await until('all is at rest', () => atRest(daemon));
    const backup = await managerBackup();
    await create('lost');
    await until('the new project is made', async () => (await names()).includes('lost'));
    const before = replays();
    const restored = await startTenantManager(backup);
    proxy.target = restored.url;
    await fetch(`${restored.url}/v1/orgs/edge/projects`, {
      method: 'POST',
      body: JSON.stringify({ name: 'after' }),
    });
    try {
      await until('what it has is made', async () => (await names()).includes('after'), 120_000);
      await until('what it lost is gone', async () => !(await names()).includes('lost'));
      assert.equal(replays(), before + 1);
      assert.equal((await names()).length, PROJECTS + 2);
    } finally {
      await restored.close();
    }
  });

  /** The tenant manager's database as it is now, for another server. */
  async function managerBackup() {
    const file = join(site.dir, 'backup.db');
    const { default: Database } = await import('better-sqlite3');
    const db = new Database(lab.file);
    db.pragma('wal_checkpoint(TRUNCATE)');
    db.close();
    copyFileSync(lab.file, file);
    const controllers = { org: ['switchyard'], project: ['switchyard'] };
    return { host: '127.0.0.1', port: 0, file, controllers };
  }
});
