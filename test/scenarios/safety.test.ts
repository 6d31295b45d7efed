/**
 * What must never lower a weight or empty a VIP: ignorance, our own troubles, other people's edits.
 * Judged on every request that VPP acknowledged.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Directory } from '../../src/app/directory.js';
import { incidentsOf } from '../../src/app/incidents.js';
import { createVirtualClock } from '../../src/runtime/virtual-clock.js';
import { fakeProber, HEALTHY } from '../support/fake-prober.js';
import { seedOfRun } from '../support/seed.js';
import { createStrictLb, type StrictLb } from '../support/strict-lb.js';
import { startVirtualNode, type VirtualNode } from '../support/virtual-node.js';
import {
  B1,
  B2,
  B3,
  B4,
  behave,
  callsDuring,
  callsSince,
  conditionTypes,
  frontend,
  ours,
  REFUSES,
  restartVpp,
  SILENT,
  started,
  synced,
  weightsOf,
} from './fixture.js';

interface Judged {
  readonly reduced: readonly string[];
  readonly emptied: readonly string[];
}

/** Weights that went down, and VIPs that lost their last, among the requests after the first `from`. */
function judged(node: VirtualNode, from: number): Judged {
  const vips = new Map<string, Map<string, number>>();
  const reduced: string[] = [];
  const emptied: string[] = [];
  for (const [index, op] of node.lb.acknowledged.entries()) {
    if (op.op === 'conf.set' || op.op === 'vip.flush') continue;
    const weights = vips.get(op.vip.address) ?? new Map<string, number>();
    const before = totalOf(weights);
    if (op.op === 'vip.add') weights.clear();
    else if (op.op === 'as.del') weights.delete(op.as);
    else if (op.op !== 'vip.del') {
      if (op.weight < (weights.get(op.as) ?? 0) && index >= from) reduced.push(op.as);
      weights.set(op.as, op.weight);
    }
    vips.set(op.vip.address, weights);
    const fell = before > 0 && totalOf(weights) === 0 && op.op !== 'vip.add';
    if (fell && index >= from) emptied.push(op.vip.address);
  }
  return { reduced, emptied };
}

function totalOf(weights: ReadonlyMap<string, number>): number {
  return [...weights.values()].reduce((sum, weight) => sum + weight, 0);
}

const NOTHING: Judged = { reduced: [], emptied: [] };

const CHECKS: readonly (readonly [from: string, to: string])[] = [
  ['interval: 1s', 'interval: 3s'],
  ['fall: 3', 'fall: 1'],
  ['timeout: 500ms', 'timeout: 400ms'],
  ['type: http', 'type: tcp'],
];

test('[DP-61] editing a health check that everybody shares lowers no weight', async () => {
  const node = await synced(ours());
  const from = node.lb.acknowledged.length;
  for (const edit of CHECKS) {
    await node.configure(ours([edit]));
    await node.clock.advance(300);
  }
  await node.configure(ours());
  await node.clock.advance(60_000);
  assert.deepEqual(judged(node, from), NOTHING);
  assert.deepEqual(node.lb.acknowledged.slice(from), []);
});

test('[DP-61] an edit that no backend passes any more takes them out one by one and empties no VIP', async () => {
  const node = await synced(ours());
  const from = node.lb.acknowledged.length;
  await node.configure(ours([['type: http', 'type: http, status: 418']]));
  await node.clock.advance(60_000);
  assert.deepEqual(judged(node, from).emptied, []);
  assert.equal(frontend(node)['state'], 'down');
});

test('[DP-63] a daemon killed at any moment of its start lowers no weight', async () => {
  let node = await synced(ours([['startupMaxDelay: 0s', 'startupMaxDelay: 30s']]));
  const from = node.lb.acknowledged.length;
  for (let ms = 0; ms < 2_000; ms += 130) {
    node = await node.crash();
    await node.clock.advance(ms);
  }
  await node.clock.advance(90_000);
  assert.deepEqual(judged(node, from), NOTHING);
  assert.deepEqual(node.lb.acknowledged.slice(from), []);
});

test('[DP-64] a full disk lowers no weight, and a dead backend leaves its VIP all the same', async () => {
  const node = await synced(ours());
  const from = node.lb.acknowledged.length;
  node.faults.storeAway = true;
  await node.clock.advance(300_000);
  assert.deepEqual(judged(node, from), NOTHING);
  behave(node, B1, REFUSES);
  assert.deepEqual(await callsDuring(node, () => node.clock.advance(10_000)), ['W!(.11,0)']);
  node.faults.storeAway = false;
  behave(node, B1, HEALTHY);
  await node.clock.advance(30_000);
  assert.deepEqual(weightsOf(node), { '.11': 2, '.12': 1, '.21': 0, '.22': 0 });
});

/** One frontend of ten backends, beside one of two others that stay well. */
const TEN = addresses(10);
const TEN_CHECK = 'interval: 1s, fastInterval: 200ms, timeout: 500ms';

function addresses(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `10.1.0.${index + 1}`);
}

const siteOf = (many: readonly string[], check: string) => `
healthChecks: { ok: { type: http, port: 80, ${check} } }
backends:
${many.map((address, index) => `  t${index}: { address: ${address}, healthCheck: ok }`).join('\n')}
  s0: { address: 10.2.0.1, healthCheck: ok }
  s1: { address: 10.2.0.2, healthCheck: ok }
frontends:
  ten: { address: 192.0.2.10, port: 80, pools: [{ name: one, members: [${many.map((_, index) => `{ backend: t${index} }`).join(', ')}] }] }
  two: { address: 192.0.2.11, port: 80, pools: [{ name: one, members: [{ backend: s0 }, { backend: s1 }] }] }
dataplane: { startupMinDelay: 0s, startupMaxDelay: 0s }
`;

const TWO = ['10.2.0.1', '10.2.0.2'];

async function serving(many: readonly string[], check: string, seed = 1): Promise<VirtualNode> {
  const prober = fakeProber();
  for (const address of [...many, ...TWO]) prober.behave({ address, port: 80 }, HEALTHY);
  const clock = createVirtualClock();
  prober.keepTime(clock);
  const node = await startVirtualNode(siteOf(many, check), seed, { prober, clock });
  await node.clock.advance(20_000);
  return node;
}

const ten = () => serving(TEN, TEN_CHECK);

test('[DP-65] [HE-60] [HE-62] ten backends that time out at once: nothing within the hold, never an empty VIP', async () => {
  const node = await ten();
  const from = node.lb.acknowledged.length;
  for (const address of TEN) behave(node, address, SILENT);
  await node.clock.advance(25_000);
  assert.deepEqual(judged(node, from), NOTHING);
  assert.equal(node.views('suspicion')[0]?.['suspecting'], true);
  await node.clock.advance(120_000);
  const { reduced, emptied } = judged(node, from);
  assert.deepEqual(emptied, []);
  assert.ok(reduced.length < TEN.length, `${reduced}`);
  assert.equal(frontend(node, 'ten')['state'], 'down');
  assert.deepEqual(Object.values(weightsOf(node, '192.0.2.11')), [1, 1]);
  for (const address of TEN) behave(node, address, HEALTHY);
  await node.clock.advance(60_000);
  assert.deepEqual(Object.values(weightsOf(node, '192.0.2.10')), Array(10).fill(1));
  assert.equal(frontend(node, 'ten')['state'], 'up');
});

/** Seconds, for the configuration. */
const lasting = (min: number, max: number) => fc.integer({ min, max }).map((ms) => `${ms}ms`);
const checks = fc
  .record({
    interval: lasting(500, 60_000),
    fastInterval: lasting(100, 20_000),
    downInterval: lasting(500, 30_000),
    timeout: lasting(100, 5_000),
    rise: fc.integer({ min: 1, max: 3 }),
    fall: fc.integer({ min: 1, max: 4 }),
    snap: fc.boolean(),
  })
  .map((check) =>
    Object.entries(check)
      .map(([key, value]) => `${key}: ${value}`)
      .join(', '),
  );

test('[DP-65] [HE-60] [HE-64] a node that goes deaf takes nobody down within the hold, whatever its checks are', async () => {
  const sizes = fc.constantFrom(4, 10, 45);
  await fc.assert(
    fc.asyncProperty(
      checks,
      sizes,
      fc.nat(30_000),
      fc.nat(1_000),
      async (check, size, afterMs, seed) => {
        const many = addresses(size);
        const node = await serving(many, check, seed);
        await node.clock.advance(afterMs + 60_000);
        const from = node.lb.acknowledged.length;
        for (const address of [...many, ...TWO]) behave(node, address, SILENT);
        const isSuspecting = () => node.views('suspicion')[0]?.['suspecting'] === true;
        for (let waited = 0; waited < 90 && !isSuspecting(); waited += 1)
          await node.clock.advance(1_000);
        assert.ok(isSuspecting(), 'it doubts itself');
        await node.clock.advance(25_000);
        assert.deepEqual(judged(node, from), NOTHING);
        await node.clock.advance(300_000);
        assert.deepEqual(judged(node, from).emptied, []);
        for (const address of [...many, ...TWO]) behave(node, address, HEALTHY);
        await node.clock.advance(300_000);
        assert.deepEqual(Object.values(weightsOf(node, '192.0.2.10')), Array(size).fill(1));
      },
    ),
    { seed: seedOfRun(), numRuns: 12 },
  );
});

test('[DP-66] the last of a VIP keeps its weight and its flows, loudly', async () => {
  const node = await synced(ours());
  const from = node.lb.acknowledged.length;
  for (const last of [11, 12, 21, 22]) behave(node, `10.0.0.${last}`, SILENT);
  await node.clock.advance(120_000);
  assert.deepEqual(judged(node, from).emptied, []);
  const { state, announced } = frontend(node);
  assert.deepEqual({ state, announced }, { state: 'down', announced: false });
});

test('[DP-66] one that is proven dead is not the one that is kept', async () => {
  const node = await synced(ours());
  behave(node, '10.0.0.21', SILENT);
  behave(node, '10.0.0.22', SILENT);
  await node.clock.advance(30_000);
  behave(node, '10.0.0.12', SILENT);
  await node.clock.advance(30_000);
  behave(node, B1, REFUSES);
  await node.clock.advance(60_000);
  assert.equal(weightsOf(node)['.11'], 0);
  assert.ok(totalOf(new Map(Object.entries(weightsOf(node)))) > 0);
});

const GROUP_SITE = `
providers: { cloud: { driver: simulated, createRate: off } }
templates: { web: { provider: cloud, spec: {} } }
healthChecks: { ok: { type: http, interval: 2s, fastInterval: 500ms } }
tenants:
  acme:
    groups:
      web: { template: web, size: 2, maxSize: 4, backend: { probePort: 8080, healthCheck: ok } }
frontends:
  shop: { address: 192.0.2.10, port: 80, pools: [{ name: one, members: [{ group: acme/web }] }] }
dataplane: { startupMinDelay: 0s }
`;

async function grown(node: VirtualNode, seconds: number): Promise<void> {
  for (let step = 0; step < seconds; step += 1) {
    for (const { address } of node.world.instances.values()) {
      node.prober.behave({ address, port: 8080 }, HEALTHY);
    }
    await node.clock.advance(1_000);
  }
}

test('[DP-67] a table that maxSize made too short is a condition until it may be made again', async () => {
  const node = await startVirtualNode(GROUP_SITE);
  await grown(node, 60);
  const larger = GROUP_SITE.replace('maxSize: 4', 'maxSize: 200');
  const calls = await callsDuring(node, async () => {
    assert.equal((await node.configure(larger))['status'], 'full_success');
    await grown(node, 60);
  });
  assert.deepEqual(calls, []);
  assert.deepEqual(conditionTypes(node), ['dataplane-needs-recreation']);
  await node.configure(larger, { disruptive: true });
  await grown(node, 60);
  assert.deepEqual(conditionTypes(node), []);
  assert.equal([...node.lb.vips.values()][0]?.attributes.tableLength, 4096);
});

test('[LB-64] [DP-68] a VPP of the same process id that lost everything is built again at once, and told of once', async () => {
  const node = await synced(ours());
  node.lb.restart();
  node.dataplane.drop('VPP restarted in its container');
  await node.clock.advance(3_000);
  assert.deepEqual(weightsOf(node), { '.11': 2, '.12': 1, '.21': 0, '.22': 0 });
  restartVpp(node);
  await node.clock.advance(3_000);
  assert.deepEqual(weightsOf(node), { '.11': 2, '.12': 1, '.21': 0, '.22': 0 });
  const directory = { views: async (kind: 'lbsync') => node.views(kind) };
  const incidents = await incidentsOf({
    directory: directory as Pick<Directory, 'views'>,
    store: node.store,
  });
  assert.deepEqual(
    incidents.map(({ kind, ops, frontends }) => [kind, ops, frontends]),
    [
      ['dataplane-lost-state', 8, ['web']],
      ['dataplane-lost-state', 8, ['web']],
    ],
  );
  const [{ lostAt, detectedAt, rebuiltAt } = {}] = incidents;
  assert.ok(String(lostAt) <= String(detectedAt) && String(detectedAt) <= String(rebuiltAt));
});

const GRE = { encap: 'gre4', dscp: 0, srcIpSticky: false, tableLength: 1024 } as const;

/** As an operator's own program, or another controller, may have set it up. */
function configuredByHand(weights: readonly number[]): StrictLb {
  const lb = createStrictLb();
  const web = { address: '192.0.2.1', prefixLength: 32, protocol: 'tcp', port: 443 } as const;
  const other = { ...web, address: '192.0.2.77' };
  for (const vip of [web, other]) lb.apply({ op: 'vip.add', vip, attributes: GRE });
  for (const [index, as] of [B1, B2, B3, B4].entries()) {
    lb.apply({ op: 'as.add', vip: web, as, weight: weights[index] ?? 0 });
  }
  lb.apply({ op: 'as.add', vip: other, as: '10.9.9.9', weight: 1 });
  return lb;
}

const adoptions = [
  { name: 'as wanted, without a request', weights: [2, 1, 0, 0], calls: [] },
  {
    name: 'with other weights: those alone',
    weights: [100, 1, 0, 5],
    calls: ['W(.11,2)', 'W(.22,0)'],
  },
];

for (const { name, weights, calls } of adoptions) {
  test(`[DP-69] a VPP that somebody configured is adopted ${name}`, async () => {
    const lb = configuredByHand(weights);
    const from = lb.acknowledged.length;
    const node = await started(ours(), 1, { lb });
    await node.clock.advance(120_000);
    assert.deepEqual(callsSince(node, from), calls);
    const ledger = await node.store.ledger();
    assert.ok(ledger.ok);
    assert.deepEqual(
      ledger.value.map(({ frontend: owner, vip }) => `${owner} ${vip.address}`),
      ['web 192.0.2.1'],
    );
    assert.deepEqual(weightsOf(node, '192.0.2.77'), { '.9': 1 });
    const [lbsync] = node.views('lbsync');
    assert.deepEqual([lbsync?.['synced'], lbsync?.['foreign']], [true, ['192.0.2.77/32 tcp 443']]);
  });
}

test('[LB-65] [DP-69] a VPP that serves for others keeps doing so until somebody of ours is up', async () => {
  const lb = createStrictLb();
  const shop = { address: '192.0.2.10', prefixLength: 32, protocol: 'tcp', port: 80 } as const;
  lb.apply({ op: 'vip.add', vip: shop, attributes: GRE });
  lb.apply({ op: 'as.add', vip: shop, as: '10.8.8.8', weight: 3 });
  const from = lb.acknowledged.length;
  const node = await startVirtualNode(GROUP_SITE, 1, { lb });
  await node.clock.advance(60_000);
  assert.deepEqual(callsSince(node, from), []);
  assert.deepEqual(conditionTypes(node), ['dataplane-adoption']);
  await grown(node, 120);
  assert.deepEqual(judged(node, from).emptied, []);
  assert.deepEqual(Object.values(weightsOf(node)), [1, 1]);
  assert.deepEqual(conditionTypes(node), []);
});
