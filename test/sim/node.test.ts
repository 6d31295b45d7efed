/**
 * The whole node under a virtual clock: the same actors as in production, one thread, strict fakes. What
 * a site must never do is checked on every request that reached the load balancer.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addressOf } from '../../machines/model/ids.js';
import { whyChain } from '../../src/app/why.js';
import { expectOk } from '../contract/provider.js';
import { HEALTHY } from '../support/fake-prober.js';
import { seedOfRun } from '../support/seed.js';
import { SMALL_SITE } from '../support/small-site.js';
import { startVirtualNode, type VirtualNode } from '../support/virtual-node.js';

/** Every instance the provider has answers its probes, unless it is dead. */
function healthy(node: VirtualNode): void {
  for (const { address, state } of node.world.instances.values()) {
    const target = { address, port: 8080 };
    node.prober.behave(target, state === 'running' ? HEALTHY : { kind: 'refuses' });
  }
}

async function run(node: VirtualNode, seconds: number): Promise<void> {
  for (let step = 0; step < seconds * 2; step += 1) {
    healthy(node);
    await node.clock.advance(500);
  }
}

function weights(node: VirtualNode): readonly number[] {
  return [...node.lb.vips.values()].flatMap(({ servers }) => [...servers.values()]);
}

function running(node: VirtualNode): number {
  return [...node.world.instances.values()].filter(({ state }) => state === 'running').length;
}

/** Once a VIP carried weight, no request may leave it without any. */
function neverDark(node: VirtualNode): void {
  let served = false;
  const now = new Map<string, number>();
  for (const op of node.lb.acknowledged) {
    if (op.op === 'as.add' || op.op === 'as.weight') now.set(op.as, op.weight);
    if (op.op === 'as.del') now.delete(op.as);
    const total = [...now.values()].reduce((sum, weight) => sum + weight, 0);
    served ||= total > 0;
    assert.ok(!served || total > 0, `dark after ${JSON.stringify(op)}`);
  }
}

test('[SM-1] a site comes up, heals and shrinks in virtual time', async () => {
  const node = await startVirtualNode(SMALL_SITE);
  await run(node, 60);
  assert.deepEqual([running(node), weights(node)], [3, [1, 1, 1]]);
  const [victim] = node.world.instances.keys();
  assert.ok(victim);
  node.world.kill(victim, 'power cut');
  await run(node, 60);
  assert.deepEqual([running(node), weights(node)], [3, [1, 1, 1]]);
  const answer = await node.configure(SMALL_SITE.replace('size: 3', 'size: 1'));
  assert.equal(answer['status'], 'full_success');
  await run(node, 120);
  assert.deepEqual([running(node), weights(node)], [1, [1]]);
  neverDark(node);
});

test('[SM-2] a restart against an unchanged site sends nothing and changes nothing', async () => {
  const node = await startVirtualNode(SMALL_SITE);
  await run(node, 60);
  const sent = node.lb.acknowledged.length;
  const instances = [...node.world.instances.keys()];
  const next = await node.crash();
  await run(next, 120);
  assert.deepEqual(next.lb.acknowledged.slice(sent), []);
  assert.deepEqual([...next.world.instances.keys()], instances);
  assert.equal(next.views('group')[0]?.['serving'], 3);
});

/** Types of all rows of the outbox, oldest first. */
async function toldBy(node: VirtualNode): Promise<readonly string[]> {
  const newestFirst = expectOk(await node.store.outboxList({ limit: 10_000 }));
  return newestFirst.map(({ event }) => event.type).reverse();
}

test('[SM-2] [GR-32] [FE-60] [HE-18] what came to rest is told once; a crash of the node tells nothing of it again [C2]', async () => {
  const node = await startVirtualNode(SMALL_SITE);
  await run(node, 120);
  const told = await toldBy(node);
  const count = (type: string) => told.filter((one) => one === type).length;
  assert.deepEqual(
    ['group.converged', 'frontend.synced', 'backend.added', 'backend.removed'].map(count),
    [1, node.views('frontend').length, node.views('backend').length, 0],
  );
  let life = node;
  for (let crash = 0; crash < 3; crash += 1) {
    life = await life.crash();
    await run(life, 120);
    assert.deepEqual((await toldBy(life)).slice(told.length), [], `crash ${crash}`);
  }
  life.world.kill([...life.world.instances.keys()][0] ?? '', 'killed');
  await run(life, 300);
  const since = (await toldBy(life)).slice(told.length);
  for (const type of ['backend.removed', 'backend.added', 'group.converged']) {
    assert.equal(since.filter((one) => one === type).length, 1, `${type} in ${since.join(' ')}`);
  }
});

const events = fc.array(
  fc.oneof(
    fc.record({ what: fc.constant('kill' as const), which: fc.nat(5) }),
    fc.record({ what: fc.constant('size' as const), size: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ what: fc.constant('crash' as const) }),
    fc.record({ what: fc.constant('drop' as const) }),
    fc.record({ what: fc.constant('empty' as const) }),
    fc.record({ what: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 90 }) }),
  ),
  { minLength: 1, maxLength: 8 },
);

test('[SM-3] whatever happens, when it stops the site is as configured and nothing is left over', async () => {
  await fc.assert(
    fc.asyncProperty(events, fc.integer({ min: 1, max: 1_000_000 }), async (history, seed) => {
      let node = await startVirtualNode(SMALL_SITE, seed);
      let size = 3;
      await run(node, 20);
      for (const event of history) {
        if (event.what === 'kill') {
          const ids = [...node.world.instances.keys()];
          const victim = ids[event.which % Math.max(1, ids.length)];
          if (victim !== undefined) node.world.kill(victim, 'killed by the test');
        }
        if (event.what === 'size') {
          size = event.size;
          await node.configure(SMALL_SITE.replace('size: 3', `size: ${size}`));
        }
        if (event.what === 'crash') node = await node.crash();
        if (event.what === 'drop') node.dataplane.drop('the test pulled the plug');
        if (event.what === 'empty') {
          node.lb.restart();
          node.dataplane.pid += 1;
          node.dataplane.drop('VPP restarted');
        }
        await run(node, event.what === 'wait' ? event.seconds : 2);
      }
      await run(node, 400);
      const states = node.views('instance').map(({ state }) => state);
      assert.equal(running(node), size, `running; instances are ${states}`);
      assert.deepEqual(weights(node), Array(size).fill(1));
      assert.deepEqual(
        node.views('group').map(({ serving }) => serving),
        [size],
      );
      const tokens = [...node.world.instances.values()].map(({ token }) => token);
      assert.equal(new Set(tokens).size, tokens.length, 'one instance per intent');
      assert.deepEqual(
        node.log.lines.filter(({ level }) => level === 'error'),
        [],
      );
    }),
    { seed: seedOfRun(), numRuns: Number(process.env['SIM_RUNS'] ?? 15) },
  );
});

const PROJECTS = `
node: { name: sim, addressPools: { public: 198.51.100.0/28 } }
providers: { cloud: { driver: simulated, createRate: off } }
templates: { web: { provider: cloud, spec: {} } }
healthChecks: { ok: { type: http, interval: 2s, fastInterval: 500ms } }
tenancy:
  url: http://127.0.0.1:1
  onProject:
    groups: { web: { template: web, size: 3, backend: { probePort: 8080, healthCheck: ok } } }
    frontends:
      web: { addressFrom: public, port: 80, pools: [{ name: one, members: [{ group: web }] }] }
dataplane: { startupMinDelay: 0s }
`;

test('[SM-10] why: an instance of a project goes back to the event that made the project', async () => {
  const node = await startVirtualNode(PROJECTS);
  node.tenancy.create('project', 'shop');
  await run(node, 30);
  assert.deepEqual(weights(node), [1, 1, 1]);
  const id = String(node.views('instance')[0]?.['id']);
  const chain = await whyChain(node.store, addressOf('instance', id));
  const [first, second] = chain.map(({ event }) => event);
  assert.deepEqual([first, second], ['tenancy.event_accepted', 'tenant.accepted']);
  const others = chain.filter(({ subject }) => subject?.startsWith('instance/') === true);
  assert.deepEqual(
    others.map(({ subject }) => subject),
    [addressOf('instance', id)],
    'not of those that were asked for in the same breath',
  );
  const [made] = await entriesOf(node, id, 'instance.created');
  const [intent] = await entriesOf(node, id, 'instance.requested');
  assert.equal(made?.cause, intent?.id);
  assert.equal(made?.numbers['tenant'], intent?.numbers['tenant']);
});

async function entriesOf(node: VirtualNode, id: string, event: string) {
  const entries = await node.store.journalOf(addressOf('instance', id), 50);
  return entries.ok ? entries.value.filter((entry) => entry.event === event) : [];
}

/** Seconds; half of it is longer than any hold. */
const AN_HOUR = 3_600;

test('[IN-14] the last one serving is not given up while nobody can follow it', async () => {
  const node = await startVirtualNode(SMALL_SITE.replace('size: 3', 'size: 1'));
  await run(node, 30);
  const full = { code: 'quota', message: 'no room' } as const;
  for (let times = 0; times < 200; times += 1) {
    node.world.failures.push({ call: 'create', failure: full });
  }
  const [only] = node.views('instance');
  const drain = { type: 'operator.drain', reason: 'maintenance', force: false } as const;
  await node.order(addressOf('instance', String(only?.['id'])), drain);
  await run(node, AN_HOUR / 2);
  assert.deepEqual([running(node), weights(node)], [1, [1]]);
  node.world.failures.length = 0;
  await run(node, AN_HOUR / 4);
  const [next] = node.world.instances.values();
  assert.deepEqual([running(node), weights(node)], [1, [1]]);
  assert.notEqual(next?.providerId, only?.['providerId']);
  neverDark(node);
});

test('[SM-11] the same seed gives the same decisions, at the same times, with the same ids', async () => {
  const historyOf = async (): Promise<string> => {
    let node = await startVirtualNode(SMALL_SITE, 7);
    await run(node, 20);
    await node.configure(SMALL_SITE.replace('size: 3', 'size: 4'));
    node.world.kill([...node.world.instances.keys()][0] ?? '', 'power cut');
    await run(node, 20);
    node = await node.crash();
    await run(node, 20);
    const journal = await node.store.journal(0, 10_000);
    return JSON.stringify([journal, node.views('instance'), node.views('frontend')]);
  };
  const first = await historyOf();
  for (let time = 0; time < 4; time += 1) assert.equal(await historyOf(), first);
});
