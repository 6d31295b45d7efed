/**
 * The example tenant manager and a real daemon: a project becomes a serving VIP, outlives a silent
 * tenant manager, and goes in the order that loses no flow.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { FeedEvent } from '../../src/ports/store.js';
import { type Daemon, makeSite, type Site, until } from '../support/daemon.js';
import { isOp, judge, readOpLog } from '../support/op-log.js';
import { type RecordingProxy, recordingProxy } from '../support/recording-proxy.js';
import { conditions, feedOf, instances, processesOf, serving, settled } from '../support/site.js';
import { type ManagerLab, managerLab } from '../support/tenant-manager-lab.js';

const SIZE = 2;

const configFor = (url: string): string => `
node: { name: e2e, addressPools: { public: 198.51.100.0/24 } }
tenancy:
  url: ${url}
  pollInterval: 300ms
  initialBackoff: 200ms
  maxBackoff: 500ms
  undoWindow: 0s
  onProject:
    groups:
      web:
        template: web
        size: ${SIZE}
        backend: { probePort: 8080, healthCheck: ok }
        drain: { timeout: 1s }
    frontends:
      web: { addressFrom: public, port: 80, pools: [{ name: primary, members: [{ group: web }] }] }
providers: { local: { driver: process } }
templates: { web: { provider: local, spec: { command: [node, SERVER] } } }
healthChecks:
  ok: { type: http, path: /healthz, interval: 300ms, fastInterval: 100ms, timeout: 250ms }
dataplane: { startupMinDelay: 0s, syncInterval: 2s }
admin: { listen: "127.0.0.1:0" }
`;

/** What a restart itself may tell the fleet: of the node, and that probes found what they had found. */
const OF_THE_NODE = new Set(['config', 'node', 'tenancy', 'backend']);

describe('tenancy, end to end', () => {
  let lab: ManagerLab;
  let proxy: RecordingProxy;
  let site: Site;
  let daemon: Daemon;
  let tenant = '';

  const ops = () => readOpLog(`${site.dataDir}/vpp.sock.ops.jsonl`).filter(isOp);
  const newestVersion = async (): Promise<number> =>
    (await feedOf(site)).at(-1)?.controlVersion ?? 0;
  const eventsAfter = async (version: number): Promise<readonly FeedEvent[]> =>
    (await feedOf(site)).filter(({ controlVersion }) => controlVersion > version);
  const pending = async (): Promise<number> =>
    (await daemon.json<{ outbox: { pending: number } }>('status')).outbox.pending;

  before(async () => {
    lab = await managerLab();
    proxy = await recordingProxy(lab.manager.url);
    site = makeSite(configFor(proxy.url));
    daemon = await site.start();
  });
  after(async () => {
    await site.close();
    await proxy.close();
    await lab.dispose();
  });

  test('[EE-30] a project is served through an address of the pool and is reported completed', async () => {
    assert.equal((await lab.call('POST', '/v1/orgs', { name: 'edge' })).status, 201);
    assert.equal((await lab.call('POST', '/v1/orgs/edge/projects', { name: 'shop' })).status, 201);
    await until('the project is idle', async () => {
      const [project] = await lab.projects();
      return project?.status.indicator === 'IDLE';
    });
    const [instance] = await serving(daemon);
    tenant = String(instance?.['tenant']);
    await settled(daemon, SIZE, `${tenant}/web`);
    const frontend = await daemon.json('show', `frontend/${tenant}/web`);
    assert.match(String(frontend['address']), /^198\.51\.100\.\d+$/);
    assert.equal((await daemon.json('show', `tenant/${tenant}`))['state'], 'converged');
    const statuses = proxy.asked.filter(({ method, body }) => {
      return method === 'PUT' && body['resourceType'] === 'project';
    });
    assert.deepEqual(
      statuses.map(({ body }) => body['status']),
      ['in_progress', 'completed'],
    );
    assert.equal((await lab.orgs())[0]?.status.indicator, 'IDLE');
  });

  test('[EE-31] a restart while the tenant manager is silent: all serves on, one condition', async () => {
    const ids = (await serving(daemon)).map(({ id }) => id).sort();
    await until('all is published', async () => (await pending()) === 0);
    assert.equal(await daemon.stop(), 0);
    const [written, published] = [ops().length, await newestVersion()];
    proxy.down = true;
    daemon = await site.start();
    await settled(daemon, SIZE, `${tenant}/web`);
    await until('the silence is a condition', async () =>
      (await conditions(daemon)).some(({ object }) => object === 'tenancy/main'),
    );
    assert.deepEqual((await serving(daemon)).map(({ id }) => id).sort(), ids);
    proxy.down = false;
    const asked = proxy.asked.length;
    await until('the condition is gone', async () => (await conditions(daemon)).length === 0);
    await until('the manager is asked again and again', async () => proxy.asked.length > asked + 4);
    assert.deepEqual(ops().slice(written), [], 'not one write to VPP');
    const news = (await eventsAfter(published)).filter(
      ({ aggregateKind }) => !OF_THE_NODE.has(aggregateKind),
    );
    assert.deepEqual(news, [], 'the replay told the fleet nothing');
    const told = proxy.asked.slice(asked).filter(({ method }) => method !== 'GET');
    assert.deepEqual(told, [], 'no status is repeated');
  });

  test('[EE-32] [CS-4] a deleted project goes: weight 0, drain, removal, instance; VIP; status last', async () => {
    const ids = (await instances(daemon)).map(({ id, address }) => ({ id, address }));
    const before = ops().length;
    assert.equal((await lab.call('DELETE', '/v1/orgs/edge/projects/shop')).status, 200);
    await until('its status is withdrawn', async () => {
      lab.manager.cleanUp();
      return (await lab.projects()).length === 0;
    });
    await until('all is published', async () => (await pending()) === 0);
    const lines = ops().slice(before);
    const feed = await feedOf(site);
    const atOf = (id: unknown, type: string): number => {
      const event = feed.find((one) => one.aggregateId === id && one.type === type);
      assert.ok(event, `${type} of ${id} is in the feed`);
      return Date.parse(event.occurredAt);
    };
    const vipGone = lines.find(({ op }) => op === 'vip.del');
    assert.ok(vipGone);
    for (const { address, id } of ids) {
      const own = lines.filter(({ as }) => as === address);
      assert.deepEqual(
        own.map(({ op, weight }) => (op === 'as.weight' ? `${op} ${weight}` : op)),
        ['as.weight 0', 'as.del'],
      );
      const [lowered, removed] = own;
      assert.ok(lowered && removed);
      assert.ok(atOf(id, 'instance.draining') <= lowered.at, 'decided before it is done');
      assert.ok(lowered.at <= atOf(id, 'instance.drained'), 'lowered before the drain is over');
      assert.ok(atOf(id, 'instance.drained') <= removed.at, 'drained before it is removed');
      assert.ok(removed.at <= atOf(id, 'instance.deleted'), 'removed before it is deleted');
      assert.ok(removed.seq < vipGone.seq, 'out before the VIP goes');
      assert.deepEqual(processesOf(String(id)), [], `${id} left a process`);
    }
    const gone = atOf(tenant, 'tenant.removed');
    assert.ok(vipGone.at <= gone, 'the VIP goes before the tenant');
    const withdrawn = proxy.asked.filter(({ method, body }) => {
      return method === 'DELETE' && body['resourceType'] === 'project';
    });
    assert.equal(withdrawn.length, 1);
    assert.ok(gone <= (withdrawn[0]?.atMs ?? 0), 'the status goes last');
    for (const kind of ['groups', 'instances', 'backends', 'frontends']) {
      assert.deepEqual(await daemon.json('get', kind), [], `${kind} are left`);
    }
  });

  test('[EE-33] the replay after a restart brings nothing back and tells nothing', async () => {
    assert.equal(await daemon.stop(), 0);
    const [written, published] = [ops().length, await newestVersion()];
    const asked = proxy.asked.length;
    daemon = await site.start();
    await until('the manager is asked again and again', async () => proxy.asked.length > asked + 4);
    await until('all is published', async () => (await pending()) === 0);
    assert.deepEqual(ops().slice(written), []);
    const news = (await eventsAfter(published)).filter(
      ({ aggregateKind }) => !OF_THE_NODE.has(aggregateKind),
    );
    assert.deepEqual(news, []);
    assert.deepEqual(await daemon.json('get', 'instances'), []);
    assert.deepEqual(judge(ops()).violations, []);
  });
});
