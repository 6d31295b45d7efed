/**
 * The whole node on a virtual clock while everything around it fails: probes, provider, store, sink,
 * VPP and its operators' minds. The laws of test/support/site-laws.ts hold at every step, and when the
 * faults stop, the site is as configured.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addressOf } from '../../machines/model/ids.js';
import type { SimulatedCall } from '../../machines/model/provider-script.js';
import type { Behaviour } from '../contract/prober.js';
import { TERMS } from '../support/book.js';
import { HEALTHY } from '../support/fake-prober.js';
import { seedOfRun } from '../support/seed.js';
import { feedGaps, type SiteLaws, watchSite } from '../support/site-laws.js';
import { startVirtualNode, type VirtualNode } from '../support/virtual-node.js';

const SPARE = '10.0.0.21';
const PORT = 8080;

interface Plan {
  acme: number;
  beta: number;
  hasBeta: boolean;
  hasLane: boolean;
  /** Ids of the projects there should be. */
  projects: readonly string[];
  replace: 'create-first' | 'delete-first';
}

const LANE = `
  lane:
    addressFrom: public
    port: 80
    pools: [{ name: one, members: [{ group: beta/web }] }]
`;

function site({ acme, beta, hasBeta, hasLane, replace }: Plan): string {
  const group = (size: number) =>
    `{ template: web, size: ${size}, maxSize: 8, replace: ${replace}, health: { replaceAfter: 30s },
       backend: { probePort: ${PORT}, healthCheck: ok }, drain: { timeout: 10s } }`;
  return `
node: { name: sim, addressPools: { public: 198.51.100.0/28 } }
providers: { cloud: { driver: simulated, createRate: off } }
templates: { web: { provider: cloud, spec: {} } }
tenancy:
  url: http://127.0.0.1:1
  undoWindow: 5s
  onProject:
    groups: { web: ${group(1)} }
    frontends:
      web: { addressFrom: public, port: 80, pools: [{ name: one, members: [{ group: web }] }] }
healthChecks: { ok: { type: http, interval: 2s, fastInterval: 500ms, port: ${PORT} } }
backends: { spare: { address: ${SPARE}, healthCheck: ok } }
tenants:
  acme: { groups: { web: ${group(acme)} } }
${hasBeta ? `  beta: { groups: { web: ${group(beta)} } }` : ''}
frontends:
  shop:
    address: 192.0.2.10
    port: 80
    pools:
      - { name: primary, members: [{ group: acme/web }] }
      - { name: fallback, members: [{ backend: spare }] }
${hasBeta && hasLane ? LANE : ''}
guards: { shrink: { share: 100% } }
dataplane: { startupMinDelay: 0s }
`;
}

/** Everything a history does to one site. */
interface Scene {
  node: VirtualNode;
  readonly plan: Plan;
  /** Address → what its probes meet instead of health. */
  readonly ill: Map<string, Behaviour>;
  /** Addresses an operator has taken out, or that once were in nobody's plan. */
  readonly out: Set<string>;
  readonly laws: SiteLaws;
}

async function sceneOf(seed: number): Promise<Scene> {
  const plan: Plan = {
    acme: 3,
    beta: 2,
    hasBeta: true,
    hasLane: true,
    projects: [],
    replace: 'create-first',
  };
  const node = await startVirtualNode(site(plan), seed);
  const ill = new Map<string, Behaviour>();
  const out = new Set<string>();
  const laws = watchSite(node, { mayGo: (at) => out.has(at) });
  return { node, plan, ill, out, laws };
}

function wantedOf({ acme, beta, hasBeta, hasLane, projects }: Plan, tenant: string): number {
  if (tenant === 'acme') return acme;
  if (tenant === 'beta') return hasBeta && hasLane ? beta : 0;
  return projects.some((id) => id.replaceAll('-', '') === tenant) ? 1 : 0;
}

/** What was not wanted once may leave, also when its group is wanted again meanwhile. */
function excuse({ node, plan, out }: Scene): void {
  for (const { address, tags } of node.world.instances.values()) {
    if (wantedOf(plan, tags.tenant) === 0) out.add(address);
  }
}

async function run(scene: Scene, seconds: number): Promise<void> {
  for (let step = 0; step < seconds * 2; step += 1) {
    const { node, ill } = scene;
    const targets = [...node.world.instances.values()].map(({ address, state }) => ({
      address,
      normal: state === 'running' ? HEALTHY : ({ kind: 'refuses' } as const),
    }));
    for (const { address, normal } of [...targets, { address: SPARE, normal: HEALTHY }]) {
      node.prober.behave({ address, port: PORT }, ill.get(address) ?? normal);
    }
    excuse(scene);
    await node.clock.advance(500);
    scene.laws.look(node);
    assert.deepEqual(scene.laws.broken, []);
  }
}

const ILLS: readonly Behaviour[] = [
  { kind: 'refuses' },
  { kind: 'silent' },
  { kind: 'answers', status: 500, body: '' },
];
const PROJECTS_MAX = 2;
const CALLS: readonly SimulatedCall[] = ['create', 'delete', 'find', 'watch'];

const which = fc.nat(11);
const events = fc.array(
  fc.oneof(
    fc.record({ what: fc.constant('kill' as const), which }),
    fc.record({ what: fc.constant('ill' as const), which, ill: fc.constantFrom(...ILLS) }),
    fc.record({ what: fc.constant('all ill' as const), ill: fc.constantFrom(...ILLS) }),
    fc.record({ what: fc.constant('well' as const) }),
    fc.record({ what: fc.constant('size' as const), acme: fc.nat(4), beta: fc.nat(4) }),
    fc.record({ what: fc.constant('tenant' as const) }),
    fc.record({ what: fc.constant('project' as const) }),
    fc.record({ what: fc.constant('no project' as const) }),
    fc.record({ what: fc.constant('manager' as const), away: fc.boolean() }),
    fc.record({ what: fc.constant('lane' as const) }),
    fc.record({ what: fc.constant('replace mode' as const) }),
    fc.record({ what: fc.constant('crash' as const) }),
    fc.record({ what: fc.constant('drop' as const) }),
    fc.record({ what: fc.constant('empty' as const) }),
    fc.record({ what: fc.constant('unreachable' as const), away: fc.boolean() }),
    fc.record({ what: fc.constant('refusal' as const), in: fc.nat(6) }),
    fc.record({ what: fc.constant('lost' as const), in: fc.nat(6), done: fc.boolean() }),
    fc.record({
      what: fc.constant('provider' as const),
      call: fc.constantFrom(...CALLS),
      code: fc.constantFrom('unavailable' as const, 'quota' as const, 'permanent' as const),
      lost: fc.boolean(),
      times: fc.integer({ min: 1, max: 5 }),
    }),
    fc.record({
      what: fc.constant('slow' as const),
      call: fc.constantFrom(...CALLS),
      ms: fc.constantFrom(0, 700, 8_000, 45_000),
    }),
    fc.record({ what: fc.constant('store' as const), away: fc.boolean() }),
    fc.record({ what: fc.constant('sink' as const), away: fc.boolean() }),
    fc.record({
      what: fc.constant('order' as const),
      which,
      type: fc.constantFrom('operator.drain', 'operator.ackDrain', 'operator.replace'),
    }),
    fc.record({
      what: fc.constant('backend' as const),
      which,
      type: fc.constantFrom('backend.pause', 'backend.resume', 'backend.disable', 'backend.enable'),
    }),
    fc.record({ what: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 90 }) }),
  ),
  { minLength: 1, maxLength: 12 },
);

type Event = ReturnType<typeof events.generate>['value'][number];

function nth<T>(items: Iterable<T>, index: number): T | undefined {
  const list = [...items];
  return list[index % Math.max(1, list.length)];
}

async function configure(scene: Scene): Promise<void> {
  const { node, plan } = scene;
  excuse(scene);
  const { status } = await node.configure(site(plan));
  assert.ok(node.faults.storeAway || status !== 'unanswered', 'a reload is answered');
}

function sicken({ node, ill }: Scene, index: number, behaviour: Behaviour): void {
  const address = nth([...node.world.instances.values(), { address: SPARE }], index)?.address;
  if (address !== undefined) ill.set(address, behaviour);
}

async function orderBackend(scene: Scene, index: number, type: string): Promise<void> {
  const backends = scene.node.views('backend');
  const backend = nth(backends, index);
  if (backend === undefined) return;
  const takesOut = type === 'backend.pause' || type === 'backend.disable';
  if (takesOut) scene.out.add(String(backend['address']));
  const to = addressOf('backend', String(backend['name']));
  await scene.node.order(to, { ...TERMS, type } as never);
}

async function orderInstance({ node }: Scene, index: number, type: string): Promise<void> {
  const instance = nth(node.views('instance'), index);
  if (instance === undefined) return;
  const to = addressOf('instance', String(instance['id']));
  await node.order(to, { type, reason: 'simulated', force: false } as never);
}

async function play(scene: Scene, event: Event): Promise<void> {
  const { node, plan, ill } = scene;
  const { world, dataplane, faults } = node;
  switch (event.what) {
    case 'kill':
      return world.kill(nth(world.instances.keys(), event.which) ?? '', 'killed by the test');
    case 'ill':
      return sicken(scene, event.which, event.ill);
    case 'all ill':
      for (const { address } of world.instances.values()) ill.set(address, event.ill);
      return;
    case 'well':
      return ill.clear();
    case 'size':
      Object.assign(plan, { acme: event.acme, beta: event.beta });
      return configure(scene);
    case 'tenant':
      plan.hasBeta = !plan.hasBeta;
      return configure(scene);
    case 'project':
      if (plan.projects.length >= PROJECTS_MAX) return;
      plan.projects = [...plan.projects, node.tenancy.create('project', `p${node.clock.now()}`)];
      return;
    case 'no project': {
      const [gone, ...kept] = plan.projects;
      if (gone !== undefined) node.tenancy.remove(gone);
      plan.projects = kept;
      return;
    }
    case 'manager':
      node.tenancy.down = event.away ? { code: 'unreachable', message: 'away' } : undefined;
      return;
    case 'lane':
      plan.hasLane = !plan.hasLane;
      return configure(scene);
    case 'replace mode':
      plan.replace = plan.replace === 'create-first' ? 'delete-first' : 'create-first';
      return configure(scene);
    case 'crash':
      if (!faults.storeAway) scene.node = await node.crash();
      return;
    case 'drop':
      return dataplane.drop('the test pulled the plug');
    case 'empty':
      node.lb.restart();
      dataplane.pid += 1;
      return dataplane.drop('VPP restarted');
    case 'unreachable':
      dataplane.reachable = !event.away;
      return dataplane.drop('away');
    case 'refusal': {
      const failure = { code: 'LB_REFUSED', retval: -1, message: 'refused by the test' } as const;
      dataplane.faults.set(dataplane.sent.length + event.in, { kind: 'refused', failure });
      return;
    }
    case 'lost':
      dataplane.faults.set(dataplane.sent.length + event.in, { kind: 'lost', done: event.done });
      return;
    case 'provider': {
      const { call, code, lost, times } = event;
      const failure = { code, message: 'failed by the test' };
      // Only an outcome that stays open may have done its work.
      const one = { call, failure, lost: lost && code === 'unavailable' };
      for (let time = 0; time < times; time += 1) world.failures.push(one);
      return;
    }
    case 'slow':
      world.latencyMs[event.call] = event.ms;
      return;
    case 'store':
      faults.storeAway = event.away;
      return;
    case 'sink':
      node.sink.downAfter = event.away ? 0 : Number.POSITIVE_INFINITY;
      return;
    case 'order':
      return orderInstance(scene, event.which, event.type);
    case 'backend':
      return orderBackend(scene, event.which, event.type);
    case 'wait':
      return run(scene, event.seconds);
  }
}

/** The faults stop; what the operators took out they put back. */
async function calm(scene: Scene): Promise<void> {
  const { node, ill } = scene;
  node.faults.storeAway = false;
  node.sink.downAfter = Number.POSITIVE_INFINITY;
  node.tenancy.down = undefined;
  node.dataplane.reachable = true;
  node.dataplane.faults.clear();
  node.world.failures.length = 0;
  node.world.latencyMs = {};
  ill.clear();
  await run(scene, 60);
  for (const { name } of node.views('backend')) {
    const to = addressOf('backend', String(name));
    for (const type of ['backend.enable', 'backend.resume'])
      await node.order(to, { ...TERMS, type } as never);
  }
  await configure(scene);
  await run(scene, 400);
}

/** Of each VIP, sorted. */
function weightsOf(node: VirtualNode): readonly string[] {
  const weights = [...node.lb.vips.values()].map(({ vip, servers }) => {
    const kind = vip.address.startsWith('192') ? 'shop' : 'pool';
    return `${kind} ${[...servers.values()].sort()}`;
  });
  return weights.sort();
}

function expectedWeights({ acme, beta, hasBeta, hasLane, projects }: Plan): readonly string[] {
  const ones = (count: number) => Array<number>(count).fill(1);
  return [
    `shop ${acme === 0 ? [1] : [0, ...ones(acme)]}`,
    ...(hasBeta && hasLane ? [`pool ${ones(beta)}`] : []),
    ...projects.map(() => 'pool 1'),
  ].sort();
}

async function asConfigured({ node, plan }: Scene): Promise<void> {
  const states = node.views('instance').map(({ state, tenant }) => `${tenant} ${state}`);
  const running = [...node.world.instances.values()].filter(({ state }) => state === 'running');
  const said = `instances: ${states}`;
  const size = plan.acme + (plan.hasBeta ? plan.beta : 0) + plan.projects.length;
  assert.equal(running.length, size, said);
  assert.equal(node.world.instances.size, running.length, `the dead are gone too; ${said}`);
  assert.deepEqual(weightsOf(node), expectedWeights(plan), said);
  const unsettled = node.views('tenant').filter(({ state }) => state !== 'converged');
  assert.deepEqual(unsettled, []);
  const counts = await node.store.outboxCounts();
  assert.deepEqual(counts.ok && [counts.value.pending, counts.value.dead], [0, 0]);
  assert.deepEqual(feedGaps(node), []);
  const errors = node.log.lines.filter(({ level }) => level === 'error');
  assert.deepEqual(errors, []);
}

test('[SM-5] [SM-6] [SM-7] [SM-8] [SM-9] whatever fails, no law breaks, and it comes back', async () => {
  await fc.assert(
    fc.asyncProperty(events, fc.integer({ min: 1, max: 1_000_000 }), async (history, seed) => {
      const scene = await sceneOf(seed);
      await run(scene, 20);
      for (const event of history) {
        await play(scene, event);
        await run(scene, 2);
      }
      await calm(scene);
      await asConfigured(scene);
    }),
    {
      seed: seedOfRun(),
      numRuns: Number(process.env['SIM_RUNS'] ?? 5),
      includeErrorInReport: true,
    },
  );
});
