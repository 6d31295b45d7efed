/**
 * `plan` on a whole node: what it says is what a reload of the same text then does, request for
 * request and bucket for bucket.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../machines/model/json.js';
import { ok } from '../../machines/model/result.js';
import { planOf } from '../../src/app/plan.js';
import { B1, behave, callsSince, fixture, ours, SILENT, synced } from '../scenarios/fixture.js';
import { textConfigFile } from '../support/text-config.js';
import { startVirtualNode, type VirtualNode } from '../support/virtual-node.js';

function plannerOf(node: VirtualNode): Parameters<typeof planOf>[0] {
  return {
    directory: {
      views: async (kind) => node.views(kind),
      ask: async (to, message) => ok((await node.order(to, message)) ?? null),
    },
    store: node.store,
    clock: node.clock,
    open: textConfigFile(
      () => '',
      () => node.store,
    ).open,
  };
}

const plan = (node: VirtualNode, text: string): Promise<JsonObject> =>
  planOf(plannerOf(node), { file: '/site/next.yaml', text });

const rows = (found: JsonObject, name: string): readonly JsonObject[] =>
  found[name] as readonly JsonObject[];

/** As the fixture tells requests. */
function said({ op, as, weight, flush }: JsonObject): string {
  const short = String(as ?? '').replace(/^.*(?=\.)/, '');
  if (op === 'as.add') return `AS+(${short},${weight})`;
  if (op === 'as.weight') return `W${flush === true ? '!' : ''}(${short},${weight})`;
  if (op === 'as.del') return `AS-(${short})`;
  return { 'vip.add': 'VIP+', 'vip.del': 'VIP-', 'vip.flush': 'FLUSH' }[String(op)] ?? String(op);
}

function opsIn(found: JsonObject): readonly string[] {
  return rows(found, 'dataplane').flatMap((vip) => rows(vip, 'ops').map(said));
}

function bucketsIn(found: JsonObject): Record<string, Record<string, unknown>> {
  return Object.fromEntries(
    rows(found, 'dataplane').map((vip) => [
      String(vip['vip']),
      Object.fromEntries(rows(vip, 'buckets').map((one) => [one['as'], one['after']])),
    ]),
  );
}

function shownBy(
  node: VirtualNode,
  vips: readonly string[],
): Record<string, Record<string, number>> {
  const state = node.lb.state().vips.map((one) => {
    const key = `${one.vip.address}/${one.vip.prefixLength} ${one.vip.protocol} ${one.vip.port}`;
    return [key, Object.fromEntries(one.servers.map((as) => [as.address, as.buckets]))] as const;
  });
  return Object.fromEntries(state.filter(([key]) => vips.includes(key)));
}

const NEW_FRONTEND = `
  api: { address: 192.0.2.9, port: 80, pools: [{ name: one, members: [{ backend: b3, weight: 3 }, { backend: b4 }] }] }
dataplane:`;

const edits: readonly {
  name: string;
  edit: readonly [string, string];
  disruptive: readonly string[];
}[] = [
  { name: 'another weight', edit: ['weight: 50', 'weight: 25'], disruptive: [] },
  { name: 'a member that leaves', edit: [', { backend: b2, weight: 50 }', ''], disruptive: [] },
  {
    name: 'a pool of weight 0',
    edit: [
      'backend: b1, weight: 100 }, { backend: b2, weight: 50',
      'backend: b1, weight: 0 }, { backend: b2, weight: 0',
    ],
    disruptive: [],
  },
  { name: 'a new frontend', edit: ['\ndataplane:', NEW_FRONTEND], disruptive: [] },
  {
    name: 'stickiness',
    edit: ['port: 443', 'port: 443\n    srcIpSticky: true'],
    disruptive: ['frontends.web.srcIpSticky'],
  },
  {
    name: 'another table',
    edit: ['port: 443', 'port: 443\n    tableLength: 2048'],
    disruptive: ['frontends.web.tableLength'],
  },
  { name: 'another address', edit: ['address: 192.0.2.1', 'address: 192.0.2.8'], disruptive: [] },
];

for (const { name, edit, disruptive } of edits) {
  test(`[CL-70] [LB-66] plan: ${name}: the reload does what was said, and VPP shows what was predicted`, async () => {
    const node = await synced(ours());
    await node.clock.advance(30_000);
    const before = node.lb.acknowledged.length;
    const next = ours([edit]);
    const found = await plan(node, next);
    assert.deepEqual([found['problems'], found['disruptive']], [[], disruptive]);
    assert.notEqual(rows(found, 'changes').length, 0);
    assert.equal(node.lb.acknowledged.length, before, 'a plan writes nothing');
    const result = await node.configure(next, { disruptive: disruptive.length > 0 });
    assert.equal(result['status'], 'full_success');
    await node.clock.advance(60_000);
    const done = callsSince(node, before);
    assert.deepEqual([...opsIn(found)].sort(), [...done].sort());
    const predicted = bucketsIn(found);
    const staying = Object.entries(predicted).filter(([, after]) =>
      Object.values(after).some((n) => n !== 0),
    );
    const shown = shownBy(
      node,
      staying.map(([key]) => key),
    );
    for (const [key, after] of staying) {
      const alive = Object.fromEntries(Object.entries(after).filter(([, count]) => count !== 0));
      const there = Object.fromEntries(
        Object.entries(shown[key] ?? {}).filter(([, count]) => count !== 0),
      );
      assert.deepEqual(there, alive, key);
    }
    const again = await plan(node, next);
    assert.deepEqual([again['changes'], again['dataplane'], again['instances']], [[], [], []]);
  });
}

test('[CL-70] plan: health counts as it is, and nothing is flushed again', async () => {
  const node = await synced(ours());
  behave(node, B1, SILENT);
  await node.clock.advance(30_000);
  assert.deepEqual((await plan(node, ours()))['dataplane'], []);
  const found = await plan(node, ours([['weight: 50', 'weight: 60']]));
  assert.deepEqual(opsIn(found), ['W(.12,3)']);
});

test('[CL-70] plan: problems of the text are told, and nothing else is', async () => {
  const node = await synced(fixture());
  const found = await plan(node, fixture([['backend: b4', 'backend: b9']]));
  assert.equal(rows(found, 'problems').length, 1);
  assert.deepEqual([found['dataplane'], found['instances'], found['changes']], [[], [], []]);
});

const GROUPS = `
providers: { cloud: { driver: simulated, createRate: off } }
templates: { web: { provider: cloud, spec: {} } }
tenants:
  acme: { groups: { web: { template: web, size: 2 }, old: { template: web, size: 1 } } }
dataplane: { startupMinDelay: 0s }
`;

test('[CL-70] plan: sizes become instances to create and to delete, one by one', async () => {
  const node = await startVirtualNode(GROUPS);
  await node.clock.advance(60_000);
  const next = GROUPS.replace('size: 2', 'size: 4').replace(
    ', old: { template: web, size: 1 }',
    ', fresh: { template: web, size: 1 }',
  );
  const found = await plan(node, next);
  const told = rows(found, 'instances').map(({ action, group }) => `${action} ${group}`);
  assert.deepEqual(told, [
    'create acme/fresh',
    'delete acme/old',
    'create acme/web',
    'create acme/web',
  ]);
  const [old] = rows(found, 'instances').filter(({ action }) => action === 'delete');
  assert.match(String(old?.['id']), /^i-/);
  await node.configure(next);
  await node.clock.advance(200_000);
  assert.deepEqual((await plan(node, next))['instances'], []);
});

test('[CL-70] plan: what waits for a restart is named', async () => {
  const node = await synced(ours());
  const found = await plan(node, `node: { name: other }\n${ours()}`);
  assert.deepEqual(found['restartOnly'], ['node.name']);
});
