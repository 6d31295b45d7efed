/**
 * The whole database of a node as each release left it in the middle of its work, with what was still
 * to be done: this release opens it, brings its tables up to date, and goes on from there.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import Database from 'better-sqlite3';
import { addressOf } from '../../machines/model/ids.js';
import {
  createSimulatedWorld,
  type SimulatedWorld,
} from '../../src/adapters/simulated-provider/provider.js';
import { migrate } from '../../src/adapters/sqlite/open.js';
import { MIGRATIONS } from '../../src/adapters/sqlite/schema.js';
import { createSqliteStore } from '../../src/adapters/sqlite/store.js';
import { unwrap } from '../contract/store-fixture.js';
import { HEALTHY } from '../support/fake-prober.js';
import { RECORDS, recordedReleases, recordFile, snapshotPath } from '../support/snapshot-files.js';
import { dumpOf } from '../support/sql-dump.js';
import { NO_FAILPOINTS, openOrThrow, type Scratch, scratch } from '../support/sqlite-scratch.js';
import { startVirtualNode, type VirtualNode } from '../support/virtual-node.js';

const SITE = `
node: { name: sim, addressPools: { public: 198.51.100.0/28 } }
providers: { cloud: { driver: simulated, createRate: off } }
templates: { web: { provider: cloud, spec: {} } }
healthChecks: { ok: { type: http, interval: 2s, fastInterval: 500ms } }
tenants:
  acme:
    groups:
      web: { template: web, size: 3, backend: { probePort: 8080, healthCheck: ok }, drain: { timeout: 10s } }
frontends:
  shop:
    addressFrom: public
    port: 80
    pools: [{ name: primary, members: [{ group: acme/web }] }]
dataplane: { startupMinDelay: 0s }
`;

const FROM_MS = Date.UTC(2026, 0, 1);
const LATER_MS = 3_600_000;

async function run(node: VirtualNode, seconds: number): Promise<void> {
  for (let step = 0; step < seconds * 2; step += 1) {
    for (const { address, state } of node.world.instances.values()) {
      const target = { address, port: 8080 };
      node.prober.behave(target, state === 'running' ? HEALTHY : { kind: 'refuses' });
    }
    await node.clock.advance(500);
  }
}

/** A day's work in a minute, and the daemon gone in the middle of a replacement, its sink away. */
async function record(): Promise<void> {
  const db = new Database(':memory:');
  migrate(db, MIGRATIONS);
  const clock = { now: () => FROM_MS };
  const store = createSqliteStore(db, { node: 'sim', epoch: 1, failpoints: NO_FAILPOINTS, clock });
  const node = await startVirtualNode(SITE, 1, { store, startAtMs: FROM_MS });
  await run(node, 60);
  await node.configure(SITE.replace('size: 3', 'size: 2'));
  await run(node, 5);
  node.sink.downAfter = 0;
  const [victim] = node.world.instances.keys();
  node.world.kill(victim ?? assert.fail('no instance'), 'power cut');
  await run(node, 3);
  recordFile('database.sql', dumpOf(db));
  const instances = [...node.world.instances.values()];
  recordFile('instances.json', `${JSON.stringify(instances, null, 2)}\n`);
}

if (RECORDS) await record();

const scratches: Scratch[] = [];
after(() => {
  for (const one of scratches) one.remove();
});

function recorded(release: string) {
  const one = scratch();
  scratches.push(one);
  const db = new Database(one.file);
  db.exec(readFileSync(snapshotPath('database.sql', release), 'utf8'));
  db.close();
  return openOrThrow(one.file);
}

/** The outside goes on as it was. */
function worldOf(release: string): SimulatedWorld {
  const found = JSON.parse(readFileSync(snapshotPath('instances.json', release), 'utf8'));
  const world = createSimulatedWorld();
  for (const instance of found) world.instances.set(instance.providerId, instance);
  return Object.assign(world, { created: 100 });
}

for (const release of recordedReleases()) {
  test(`[ST-21] recorded by ${release}: the node goes on from its database, and nothing is lost or doubled`, async () => {
    const store = recorded(release);
    const before = unwrap(await store.journal(0, 10_000));
    const waiting = unwrap(await store.outboxPending(0, 10_000));
    assert.ok(before.length > 0 && waiting.length > 0);
    const cells = unwrap(await store.load(['tenant', 'group', 'instance', 'frontend', 'pool']));
    const world = worldOf(release);
    const running = () => [...world.instances.values()].filter(({ state }) => state === 'running');
    const alive = running().map(({ providerId }) => providerId);
    const past = { store, world, startAtMs: FROM_MS + LATER_MS, life: 9 };
    const node = await startVirtualNode(SITE, 2, past);
    const down = node.host.actorViews().filter(({ quarantined }) => quarantined === true);
    assert.deepEqual(down, []);
    await run(node, 180);
    assert.deepEqual(
      node.log.lines.filter(({ message }) => /crashed|refused by the store/.test(message)),
      [],
    );
    assert.equal(node.views('group')[0]?.['serving'], 3);
    assert.equal(world.instances.size, 3, 'the dead one is cleaned up, one is made for it');
    assert.ok(alive.length > 0 && alive.every((providerId) => world.instances.has(providerId)));
    const weights = [...node.lb.vips.values()].flatMap(({ servers }) => [...servers.values()]);
    assert.deepEqual(weights, [1, 1, 1]);
    assert.equal(unwrap(await store.outboxCounts()).pending, 0);
    const sent = node.sink.taken.map(({ eventId }) => eventId);
    assert.deepEqual(
      sent.slice(0, waiting.length).sort(),
      waiting.map(({ event }) => event.eventId).sort(),
    );
    assert.equal(new Set(sent).size, sent.length);
    const journal = unwrap(await store.journal(0, 10_000));
    assert.deepEqual(journal.slice(0, before.length), before);
    const frontend = unwrap(await store.loadFamily(addressOf('frontend', 'shop')));
    const was = cells.find(({ address }) => address === addressOf('frontend', 'shop'));
    assert.deepEqual(frontend[0]?.context['allocated'], was?.context['allocated']);
    await node.host.stop();
    await store.close();
  });
}
