/** Groups that programs order, and tenants that sleep, on a whole node under a virtual clock. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf } from '../../machines/model/ids.js';
import type { JsonObject } from '../../machines/model/json.js';
import { startVirtualNode, type VirtualNode } from '../support/virtual-node.js';

const MINUTE_MS = 60_000;
const ACME = addressOf('tenant', 'acme');
const WHO = { owner: 'batch', reason: 'a job' };

const SITE = `
providers: { cloud: { driver: simulated, createRate: off } }
templates: { web: { provider: cloud, spec: { image: one } }, jobs: { provider: cloud, spec: { image: one } } }
tenants: { acme: { groups: { web: { template: web, size: 2, drain: { timeout: 10s } } } } }
dataplane: { startupMinDelay: 0s }
guards: { shrink: { share: 100% } }
`;

async function order(node: VirtualNode, wish: JsonObject, name = 'jobs') {
  const plan = node.planGroup(name, wish);
  assert.ok(plan.ok, plan.ok ? '' : plan.failure);
  const message = { type: 'operator.orderGroup', name, wish, plan: plan.value, ...WHO };
  return node.order(ACME, message as never);
}

const conditionsOf = (node: VirtualNode) =>
  (node.views('tenant')[0]?.['conditions'] ?? []) as readonly JsonObject[];
const running = (node: VirtualNode): readonly string[] =>
  [...node.world.instances.values()].map(({ tags }) => tags.group.slice('acme/'.length)).sort();
const WISH = { template: 'jobs', size: 3, drain: { timeout: '10s' } };

test('[TN-10] node: an ordered group is made, survives a crash and a reload, and drains when dismissed', async () => {
  let node = await startVirtualNode(SITE);
  assert.equal((await order(node, WISH))?.['ok'], true);
  await node.clock.advance(10_000);
  assert.deepEqual(running(node), ['jobs', 'jobs', 'jobs', 'web', 'web']);
  node = await node.crash();
  await node.configure(SITE.replace('size: 2', 'size: 1'));
  await node.clock.advance(MINUTE_MS);
  assert.deepEqual(running(node), ['jobs', 'jobs', 'jobs', 'web']);
  assert.equal(node.views('tenant')[0]?.['state'], 'converged');
  await order(node, { ...WISH, size: 1 });
  await node.clock.advance(MINUTE_MS);
  assert.deepEqual(running(node), ['jobs', 'web']);
  await node.order(ACME, { type: 'operator.dismissGroup', name: 'jobs', ...WHO } as never);
  await node.clock.advance(5_000);
  const states = node.views('instance').filter(({ group }) => group === 'jobs');
  assert.ok(
    states.some(({ state }) => state === 'draining'),
    JSON.stringify(states),
  );
  await node.clock.advance(MINUTE_MS);
  assert.deepEqual(running(node), ['web']);
  assert.equal(node.views('group').length, 1);
});

test('[TN-11] node: another template rotates its instances; one that is gone leaves them as they are', async () => {
  const node = await startVirtualNode(SITE);
  await order(node, WISH);
  await node.clock.advance(10_000);
  const before = new Set(node.world.instances.keys());
  const other = SITE.replace(
    'jobs: { provider: cloud, spec: { image: one }',
    'jobs: { provider: cloud, spec: { image: two }',
  );
  assert.equal((await node.configure(other))['status'], 'full_success');
  await node.clock.advance(5 * MINUTE_MS);
  const kept = [...node.world.instances.keys()].filter((id) => before.has(id));
  assert.equal(kept.length, 2, 'those of web alone');
  assert.equal(running(node).length, 5);
  const without = SITE.replace(/, jobs: .*? } }/, '');
  assert.ok(!without.includes('jobs'));
  assert.equal((await node.configure(without))['status'], 'full_success');
  const made = [...node.world.instances.keys()];
  await node.clock.advance(10 * MINUTE_MS);
  assert.deepEqual([...node.world.instances.keys()], made);
  const [condition] = conditionsOf(node);
  assert.equal(condition?.['type'], 'group-unplanned');
  assert.match(String(condition?.['message']), /no template is named "jobs"/);
  await node.configure(other);
  assert.deepEqual(conditionsOf(node), []);
});

test('[TN-12] [SG-4] node: a tenant that sleeps has nobody, over a crash; the guard and an instance on demand have their say', async () => {
  let node = await startVirtualNode(
    SITE.replace('size: 2', 'size: 8').replace('share: 100%', 'share: 50%'),
  );
  await node.clock.advance(10_000);
  assert.equal((await node.order(ACME, { type: 'operator.sleep', ...WHO } as never))?.['ok'], true);
  await node.clock.advance(5 * MINUTE_MS);
  assert.equal(running(node).length, 8, 'eight of eight are more than the guard lets go');
  await node.order(addressOf('guard', 'shrink'), {
    type: 'operator.confirm',
    owner: 'ops',
    reason: 'yes',
  } as never);
  await node.clock.advance(2 * MINUTE_MS);
  assert.deepEqual(running(node), []);
  node = await node.crash();
  await node.clock.advance(5 * MINUTE_MS);
  assert.deepEqual(running(node), []);
  assert.equal(node.views('group')[0]?.['asleep'], true);
  const web = addressOf('group', 'acme/web');
  await node.order(web, { type: 'operator.createInstance', key: 'job-1', reason: 'x' } as never);
  await node.clock.advance(MINUTE_MS);
  assert.equal(running(node).length, 9);
  assert.equal(
    (await node.order(ACME, { type: 'operator.sleep', ...WHO } as never))?.['ok'],
    false,
  );
});
