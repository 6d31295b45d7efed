/** Frozen VIPs on a whole node under a virtual clock: nothing is written, what waits is shown. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf } from '../../machines/model/ids.js';
import type { JsonObject } from '../../machines/model/json.js';
import type { Message } from '../../machines/model/messages.js';
import { TERMS } from '../support/book.js';
import { HEALTHY } from '../support/fake-prober.js';
import { startVirtualNode, type VirtualNode } from '../support/virtual-node.js';

const SITE = `
node: { name: sim }
providers: { cloud: { driver: simulated, createRate: off } }
templates: { web: { provider: cloud, spec: {} } }
healthChecks: { ok: { type: tcp, port: 80, interval: 2s, fastInterval: 500ms } }
backends:
  b1: { address: 10.0.0.11, healthCheck: ok }
  b2: { address: 10.0.0.12, healthCheck: ok }
tenants:
  acme:
    groups:
      web: { template: web, size: 2, backend: { probePort: 8080 }, drain: { timeout: 10s } }
frontends:
  one:
    address: 192.0.2.1
    port: 80
    pools: [{ name: one, members: [{ backend: b1 }, { backend: b2 }] }]
  two:
    address: 192.0.2.2
    port: 80
    pools: [{ name: one, members: [{ group: acme/web }] }]
dataplane: { startupMinDelay: 0s }
`;

const LBSYNC = addressOf('lbsync', 'main');

async function started(): Promise<VirtualNode> {
  const node = await startVirtualNode(SITE);
  for (const last of [11, 12]) node.prober.behave({ address: `10.0.0.${last}`, port: 80 }, HEALTHY);
  await node.clock.advance(30_000);
  return node;
}

function freeze(node: VirtualNode, frontend?: string, forMs: number | null = TERMS.forMs) {
  const target = frontend === undefined ? {} : { frontend };
  const order = { ...TERMS, type: 'operator.freeze', forMs, ...target };
  return node.order(LBSYNC, order as Message);
}

const thaw = (node: VirtualNode, frontend?: string) =>
  node.order(LBSYNC, { ...TERMS, type: 'operator.thaw', ...(frontend && { frontend }) });

const fails = (node: VirtualNode) =>
  node.prober.behave({ address: '10.0.0.11', port: 80 }, { kind: 'refuses' });
const writes = (node: VirtualNode) => node.lb.acknowledged.length;
const lbsync = (node: VirtualNode) => node.views('lbsync')[0] ?? {};

function waiting(node: VirtualNode, frontend: string): readonly string[] {
  const vips = lbsync(node)['vips'] as readonly JsonObject[];
  return (vips.find((vip) => vip['frontend'] === frontend)?.['waiting'] ?? []) as string[];
}

const shown = (node: VirtualNode, name: string) =>
  node.views('frontend').find((view) => view['name'] === name)?.['frozen'];

test('[LB-80] [LB-81] [LB-82] freeze: one VIP gets nothing, the other goes on; the thaw writes what waited', async () => {
  const node = await started();
  assert.equal((await freeze(node, 'one'))?.['ok'], true);
  const before = writes(node);
  fails(node);
  await node.clock.advance(20_000);
  assert.equal(writes(node), before);
  assert.deepEqual(waiting(node, 'one'), ['! as  10.0.0.11 weight 0, flush']);
  assert.deepEqual([shown(node, 'one'), shown(node, 'two')], [true, false]);
  const conditions = lbsync(node)['conditions'] as readonly JsonObject[];
  const frozen = conditions.find(({ type }) => type === 'dataplane-frozen');
  assert.match(String(frozen?.['message']), /frozen by ops .* wait: 1$/);
  await node.configure(SITE.replace('size: 2', 'size: 3'));
  await node.clock.advance(20_000);
  assert.ok(writes(node) > before, 'the other VIP is written');
  const others = writes(node);
  await thaw(node, 'one');
  await node.clock.advance(20_000);
  const [op, ...more] = node.lb.acknowledged.slice(others);
  assert.deepEqual(more, []);
  assert.ok(op?.op === 'as.weight' && op.as === '10.0.0.11' && op.flush);
  assert.equal(shown(node, 'one'), false);
});

test('[LB-80] [OV-2] freeze: all of it outlives a crash, and a VIP in step is in step', async () => {
  let node = await started();
  await freeze(node);
  await node.clock.advance(10_000);
  const { synced, frozen } = lbsync(node);
  assert.deepEqual([frozen, waiting(node, 'one')], [true, []]);
  assert.equal(synced, true);
  node = await node.crash();
  const before = writes(node);
  fails(node);
  await node.configure(SITE.replace('address: 192.0.2.2', 'address: 192.0.2.3'));
  await node.clock.advance(120_000);
  assert.equal(writes(node), before);
  assert.deepEqual(waiting(node, 'one'), ['! as  10.0.0.11 weight 0, flush']);
  assert.equal(lbsync(node)['synced'], false);
  await thaw(node);
  await node.clock.advance(30_000);
  const addresses = [...node.lb.vips.keys()].map((key) => key.split('/')[0]).sort();
  assert.deepEqual(addresses, ['192.0.2.1', '192.0.2.3']);
});

test('[LB-80] freeze: a drain that needs the frozen VIP waits, past its deadline and every hold', async () => {
  const node = await started();
  await freeze(node, 'two', null);
  await node.configure(SITE.replace('size: 2', 'size: 1'));
  await node.clock.advance(60 * 60_000);
  const running = () =>
    [...node.world.instances.values()].filter(({ state }) => state === 'running').length;
  assert.equal(running(), 2, 'nobody is deleted while VPP sends it flows');
  await thaw(node, 'two');
  await node.clock.advance(120_000);
  assert.equal(running(), 1);
});

test('[OV-4] freeze: ends at its time; a frontend that does not exist is not frozen', async () => {
  const node = await started();
  const refused = (await freeze(node, 'nix'))?.['refusal'] as JsonObject | undefined;
  assert.deepEqual([refused?.['code'], refused?.['rule']], ['not-found', 'LB-80']);
  await freeze(node, 'one');
  fails(node);
  await node.clock.advance(TERMS.forMs - 60_000);
  const before = writes(node);
  await node.clock.advance(120_000);
  assert.equal(writes(node), before + 1);
  assert.equal(lbsync(node)['frozen'], false);
});
