/** Orders of operators on a whole node under a virtual clock: over crashes, reloads and their own end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf } from '../../machines/model/ids.js';
import type { JsonObject } from '../../machines/model/json.js';
import type { Message } from '../../machines/model/messages.js';
import { HEALTHY } from '../support/fake-prober.js';
import { startVirtualNode, type VirtualNode } from '../support/virtual-node.js';

const SITE = `
node: { name: sim }
healthChecks: { ok: { type: tcp, port: 80, interval: 2s, fastInterval: 500ms } }
backends:
  b1: { address: 10.0.0.11, healthCheck: ok }
  b2: { address: 10.0.0.12, healthCheck: ok }
frontends:
  web:
    address: 192.0.2.1
    port: 80
    pools: [{ name: one, members: [{ backend: b1, weight: 50 }, { backend: b2, weight: 100 }] }]
dataplane: { startupMinDelay: 0s }
`;

const HOUR_S = 3_600;

async function started(): Promise<VirtualNode> {
  const node = await startVirtualNode(SITE);
  for (const last of ['11', '12']) {
    node.prober.behave({ address: `10.0.0.${last}`, port: 80 }, HEALTHY);
  }
  await node.clock.advance(30_000);
  return node;
}

/** Ascending by address. */
const weights = (node: VirtualNode): readonly number[] =>
  [...node.lb.vips.values()].flatMap(({ servers }) =>
    [...servers].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, weight]) => weight),
  );

const overrides = (node: VirtualNode) =>
  node
    .views('override')
    .flatMap(({ overrides: list }) => list as readonly JsonObject[])
    .map(({ object, kind, value }) => `${object} ${kind} ${value}`);

function order(node: VirtualNode, to: string, message: Message & { readonly forMs?: null }) {
  const [kind = '', name = ''] = to.split('/');
  const terms = { owner: 'ops', reason: 'test', forMs: HOUR_S * 1_000 };
  return node.order(addressOf(kind as 'backend', name), { ...terms, ...message } as Message);
}

const weigh = (weight: number) => ({
  ...{ type: 'operator.weight', pool: 'one', member: 'b1', weight, flush: false },
});

test('[OV-2] overrides: pause, disable and weight outlive a crash and a reload, and cost no write', async () => {
  let node = await started();
  assert.deepEqual(weights(node), [1, 2]);
  assert.equal((await order(node, 'frontend/web', weigh(100)))?.['ok'], true);
  assert.equal((await order(node, 'backend/b2', { type: 'backend.pause' }))?.['ok'], true);
  await node.clock.advance(5_000);
  assert.deepEqual(weights(node), [2, 0]);
  const written = node.lb.acknowledged.length;
  node = await node.crash();
  await node.clock.advance(60_000);
  await node.configure(SITE.replace('interval: 2s', 'interval: 3s'));
  await node.clock.advance(60_000);
  assert.deepEqual(weights(node), [2, 0]);
  assert.deepEqual(node.lb.acknowledged.slice(written), []);
  assert.deepEqual(overrides(node), ['backend/b2 pause true', 'frontend/web weight:one/b1 100']);
  await order(node, 'backend/b2', { type: 'backend.resume' });
  await node.clock.advance(10_000);
  assert.deepEqual(weights(node), [2, 2]);
});

test('[OV-4] overrides: end at their time, a restart in between notwithstanding', async () => {
  let node = await started();
  await order(node, 'backend/b1', { type: 'backend.disable' });
  await order(node, 'frontend/web', weigh(0));
  await node.clock.advance((HOUR_S - 60) * 1_000);
  node = await node.crash();
  await node.clock.advance(30_000);
  assert.deepEqual(weights(node), [0, 2]);
  await node.clock.advance(60_000);
  assert.deepEqual(weights(node), [1, 2]);
  assert.deepEqual(overrides(node), []);
  const rows = await node.store.load(['override']);
  assert.deepEqual(rows.ok && rows.value, [], 'nothing is left of them');
});

test('[OV-3] overrides: a reload that changes the very value ends the override, another does not', async () => {
  const node = await started();
  await order(node, 'frontend/web', weigh(100));
  await node.configure(SITE.replace('backend: b2, weight: 100', 'backend: b2, weight: 50'));
  await node.clock.advance(10_000);
  assert.deepEqual(weights(node), [2, 1]);
  await node.configure(SITE.replace('backend: b1, weight: 50', 'backend: b1, weight: 25'));
  await node.clock.advance(10_000);
  assert.deepEqual(weights(node), [1, 4]);
  assert.deepEqual(overrides(node), []);
});

test('[OV-3] overrides: what is ordered about an object ends with the object', async () => {
  const node = await started();
  await order(node, 'backend/b1', { type: 'backend.disable', forMs: null });
  const without = SITE.replace(/ {2}b1: .*\n/, '').replace('{ backend: b1, weight: 50 }, ', '');
  assert.equal((await node.configure(without))['status'], 'full_success');
  await node.clock.advance(10_000);
  assert.deepEqual(overrides(node), []);
});

test('[OV-1] overrides: while the disk takes nothing nothing follows from an order', async () => {
  const node = await started();
  node.faults.storeAway = true;
  assert.equal(await order(node, 'backend/b1', { type: 'backend.disable' }), undefined);
  assert.deepEqual(weights(node), [1, 2]);
  node.faults.storeAway = false;
  await node.clock.advance(30_000);
  assert.deepEqual(weights(node), [0, 2]);
});
