/**
 * The whole loop with real threads, processes, sockets and files: a static tenant's group serves through
 * a VIP, a killed instance leaves it, its replacement enters, the feed says so, a restart changes
 * nothing. Everything is read back through the command line.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { readFeed } from '../../src/feed/read.js';
import type { FeedEvent } from '../../src/ports/store.js';
import { type Daemon, makeSite, type Site, tail, until } from '../support/daemon.js';

const CONFIG = `
node: { name: e2e }
providers: { local: { driver: process } }
templates: { web: { provider: local, spec: { command: [node, SERVER] } } }
healthChecks:
  ok: { type: http, path: /healthz, interval: 300ms, fastInterval: 100ms, timeout: 250ms }
tenants:
  acme:
    groups:
      web:
        template: web
        size: 3
        backend: { probePort: 8080, healthCheck: ok }
        drain: { timeout: 1s }
frontends:
  shop:
    address: 192.0.2.10
    port: 80
    pools: [{ name: primary, members: [{ group: acme/web }] }]
dataplane: { startupMinDelay: 0s, syncInterval: 2s }
admin: { listen: "127.0.0.1:0" }
`;

type Item = Readonly<Record<string, unknown>>;
type Member = { readonly name: string; readonly address: string; readonly sentWeight: number };

async function serving(daemon: Daemon): Promise<readonly Item[]> {
  return (await daemon.json<readonly Item[]>('get', 'instances')).filter(
    ({ state }) => state === 'serving',
  );
}

async function weighted(daemon: Daemon): Promise<readonly Member[]> {
  const frontend = await daemon.json<{ pools: readonly { members: readonly Member[] }[] }>(
    'show',
    'frontend/shop',
  );
  return frontend.pools
    .flatMap(({ members }) => members)
    .filter(({ sentWeight }) => sentWeight > 0);
}

async function settled(daemon: Daemon, size: number): Promise<void> {
  await until(`${size} in the VIP`, async () => {
    const [instances, members] = await Promise.all([serving(daemon), weighted(daemon)]);
    return instances.length === size && members.length === size;
  }).catch((error: unknown) => {
    throw new Error(`${error}\n${tail(daemon)}`);
  });
}

async function feed(site: Site): Promise<readonly FeedEvent[]> {
  const events: FeedEvent[] = [];
  for await (const read of readFeed({ dir: `${site.dataDir}/feed`, from: 0 })) {
    assert.ok(read.ok, 'every line of the feed is readable');
    events.push(read.value);
  }
  return events;
}

async function pidOf(address: unknown): Promise<number> {
  const answer = await fetch(`http://${address}:8080/`);
  return ((await answer.json()) as { pid: number }).pid;
}

for (const mode of ['threads', 'single'] as const)
  describe(`the loop (${mode})`, () => {
    let site: Site;
    let daemon: Daemon;

    before(async () => {
      site = makeSite(CONFIG, mode);
      daemon = await site.start();
    });
    after(() => site.close());

    test('[EE-1] a group of three processes serves through its VIP', async () => {
      await settled(daemon, 3);
      const status = await daemon.json<{
        ready: boolean;
        dataplane: Item;
        conditions: readonly Item[];
      }>('status');
      assert.equal(status.ready, true);
      assert.equal(status.dataplane['synced'], true);
      assert.deepEqual(status.conditions, []);
      const ran = await daemon.cli('status');
      assert.equal(ran.code, 0, ran.stdout);
    });

    test('[EE-2] a killed instance leaves the VIP, its replacement enters, the feed says why', async () => {
      const [victim] = await serving(daemon);
      assert.ok(victim);
      process.kill(await pidOf(victim['address']), 'SIGKILL');
      await until('the dead one has no weight', async () =>
        (await weighted(daemon)).every(({ name }) => name !== victim['id']),
      );
      await settled(daemon, 3);
      const replacement = (await serving(daemon)).find(({ replaces }) => replaces === victim['id']);
      assert.ok(replacement, 'somebody replaces the victim');
      await until('the feed tells it', async () => {
        const events = await feed(site);
        const lost = events.some(
          ({ type, aggregateId }) => type === 'instance.lost' && aggregateId === victim['id'],
        );
        const ready = events.some(
          ({ type, aggregateId }) => type === 'instance.ready' && aggregateId === replacement['id'],
        );
        return lost && ready;
      });
      const why = await daemon.json<{ chain: readonly Item[] }>('why', String(replacement['id']));
      assert.ok(why.chain.some(({ event }) => event === 'instance.requested'));
    });

    test('[EE-3] nothing that would crash VPP was ever sent, and no VIP ever went empty', () => {
      const ops = site.ops();
      assert.deepEqual(
        ops.filter(({ violation }) => violation !== undefined),
        [],
      );
      const weights = new Map<string, number>();
      let served = false;
      for (const { op, as, weight } of ops) {
        if (as === undefined) continue;
        if (op === 'as.del') weights.delete(as);
        else weights.set(as, weight ?? 0);
        const total = [...weights.values()].reduce((sum, each) => sum + each, 0);
        served ||= total > 0;
        assert.ok(!served || total > 0, `the VIP was empty after ${op} ${as}`);
      }
      assert.ok(served);
    });

    test('[EE-4] [DP-44] a restart changes nothing: same instances, not one VPP write', async () => {
      await settled(daemon, 3);
      const before = (await serving(daemon)).map(({ id }) => id).sort();
      assert.equal(await daemon.stop(), 0);
      const ops = site.ops().length;
      daemon = await site.start();
      await settled(daemon, 3);
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      assert.deepEqual((await serving(daemon)).map(({ id }) => id).sort(), before);
      assert.deepEqual(site.ops().slice(ops), []);
    });

    test('[EE-5] a child of the earlier run that dies is noticed at once and replaced', async () => {
      const published = (await feed(site)).length;
      const [victim] = await serving(daemon);
      assert.ok(victim);
      process.kill(await pidOf(victim['address']), 'SIGKILL');
      await until('it is replaced', async () =>
        (await serving(daemon)).some(({ replaces }) => replaces === victim['id']),
      );
      await settled(daemon, 3);
      const told = (await feed(site)).slice(published).map((event) => event.configGeneration);
      assert.ok(
        told.length > 0 && told.every((generation) => generation >= 1),
        'under the stored one',
      );
    });

    test('[EE-6] SIGHUP: a larger group grows, a broken file changes nothing', async () => {
      site.write(CONFIG.replace('size: 3', 'size: 4'));
      daemon.process.kill('SIGHUP');
      await settled(daemon, 4);
      site.write(CONFIG.replace('size: 3', 'size: many'));
      const broken = await daemon.cli('reload');
      assert.equal(broken.code, 1, broken.stdout + broken.stderr);
      assert.match(broken.stdout, /site\.yaml:\d+:\d+: /);
      await settled(daemon, 4);
    });

    test('[EE-7] a smaller group drains its surplus before it deletes', async () => {
      site.write(CONFIG.replace('size: 3', 'size: 2'));
      const reload = await daemon.cli('reload');
      assert.equal(reload.code, 0, reload.stdout + reload.stderr);
      await settled(daemon, 2);
      await until('only two are left', async () => {
        const all = await daemon.json<readonly Item[]>('get', 'instances');
        return all.filter(({ state }) => state !== 'deleted').length === 2;
      });
      const order = (await feed(site)).filter(({ aggregateKind }) => aggregateKind === 'instance');
      for (const gone of order.filter(({ type }) => type === 'instance.deleted')) {
        const own = order.filter(({ aggregateId }) => aggregateId === gone.aggregateId);
        assert.ok(own.some(({ type }) => ['instance.draining', 'instance.lost'].includes(type)));
      }
    });
  });
