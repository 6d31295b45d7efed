/** The shrink guard on a whole node: reloads, operators and tenants that want to remove too much at once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf } from '../../machines/model/ids.js';
import type { JsonObject } from '../../machines/model/json.js';
import { startVirtualNode, type VirtualNode } from '../support/virtual-node.js';

const MINUTE_MS = 60_000;

/** `sizes`: one tenant each, with one group. */
function siteOf(sizes: Readonly<Record<string, number>>): string {
  const tenants = Object.entries(sizes).map(
    ([name, size]) =>
      `  ${name}: { groups: { web: { template: web, size: ${size}, maxSize: 50, drain: { timeout: 10s } } } }`,
  );
  return `
providers: { cloud: { driver: simulated, createRate: off } }
templates: { web: { provider: cloud, spec: {} } }
${tenants.length === 0 ? '' : `tenants:\n${tenants.join('\n')}`}
dataplane: { startupMinDelay: 0s }
`;
}

const FIVE = { a: 8, b: 8, c: 8, d: 8, e: 8 };

const made = (node: VirtualNode): number => node.world.instances.size;
const guard = (node: VirtualNode): JsonObject => node.views('guard')[0] ?? {};
const heldBy = (node: VirtualNode) =>
  (guard(node)['held'] as readonly JsonObject[]).map(({ object }) => object).sort();
const states = (node: VirtualNode) =>
  node
    .views('tenant')
    .map(({ id, state }) => `${id} ${state}`)
    .sort();
const confirm = (node: VirtualNode) =>
  node.order(addressOf('guard', 'shrink'), {
    type: 'operator.confirm',
    ...{ owner: 'ops', reason: 'yes' },
  } as never);

async function startedWith(sizes: Readonly<Record<string, number>>): Promise<VirtualNode> {
  const node = await startVirtualNode(siteOf(sizes));
  await node.clock.advance(MINUTE_MS);
  return node;
}

test('[SG-4] [SG-7] node: a reload that removes most tenants takes a quarter, the rest waits for a word', async () => {
  let node = await startedWith(FIVE);
  assert.equal(made(node), 40);
  await node.configure(siteOf({ e: 8 }));
  await node.clock.advance(30 * MINUTE_MS);
  assert.equal(made(node), 32, 'ten of forty may go: one tenant of eight');
  assert.equal(heldBy(node).length, 3);
  const [condition] = guard(node)['conditions'] as readonly JsonObject[];
  assert.match(String(condition?.['message']), /removal of 24 instances waits/);
  node = await node.crash();
  await node.clock.advance(30 * MINUTE_MS);
  assert.equal(made(node), 32, 'over a restart, however long');
  assert.equal((await confirm(node))?.['ok'], true);
  await node.clock.advance(5 * MINUTE_MS);
  assert.equal(made(node), 8);
  assert.deepEqual(states(node), ['e converged']);
  assert.deepEqual(guard(node)['conditions'], []);
  assert.equal((await confirm(node))?.['ok'], false);
});

test('[SG-9] [SG-5] node: what is taken back in time loses nobody', async () => {
  const node = await startedWith(FIVE);
  await node.configure(siteOf({}));
  await node.clock.advance(30 * MINUTE_MS);
  assert.equal(made(node), 32);
  await node.configure(siteOf(FIVE));
  await node.clock.advance(5 * MINUTE_MS);
  assert.equal(made(node), 40, 'the one that went is made again');
  assert.deepEqual(heldBy(node), []);
  assert.deepEqual(
    states(node),
    Object.keys(FIVE).map((name) => `${name} converged`),
  );
  const reasons = node.views('instance').filter(({ state }) => state === 'deleted');
  assert.equal(reasons.length, 0, 'nobody of those kept has left');
});

test('[SG-1] [SG-4] node: sizes of reloads and orders count together', async () => {
  const node = await startedWith({ a: 20, b: 20 });
  await node.configure(siteOf({ a: 14, b: 20 }));
  await node.clock.advance(MINUTE_MS);
  assert.equal(made(node), 34);
  const order = { type: 'operator.scale', size: 15, owner: 'ops', reason: 'x', forMs: null };
  await node.order(addressOf('group', 'b/web'), order as never);
  await node.clock.advance(5 * MINUTE_MS);
  assert.equal(made(node), 34, 'six went, five more are beyond ten');
  assert.deepEqual(heldBy(node), ['group/b/web']);
  await node.order(addressOf('group', 'b/web'), { ...order, size: 16 } as never);
  await node.clock.advance(MINUTE_MS);
  assert.equal(made(node), 30, 'four fit');
  assert.deepEqual(heldBy(node), []);
});

test('[SG-1] node: with a share of 100% everything goes by itself', async () => {
  const node = await startedWith(FIVE);
  await node.configure(`${siteOf({})}\nguards: { shrink: { share: 100% } }\n`);
  await node.clock.advance(5 * MINUTE_MS);
  assert.equal(made(node), 0);
});

test('[SG-11] node: instances on demand that are deleted share the window with every other removal', async () => {
  const node = await startedWith({ a: 8 });
  const web = addressOf('group', 'a/web');
  const order = (type: string, rest: object) => node.order(web, { type, ...rest } as never);
  for (let job = 0; job < 4; job += 1) {
    await order('operator.createInstance', { key: `job-${job}`, reason: 'x' });
  }
  await node.clock.advance(MINUTE_MS);
  assert.equal(made(node), 12);
  for (let job = 0; job < 4; job += 1) {
    const answer = await order('operator.deleteInstance', {
      ...{ instance: `job-${job}`, reason: 'done', force: false },
    });
    assert.equal(answer?.['status'], 'deleting');
  }
  await node.clock.advance(MINUTE_MS);
  assert.equal(made(node), 9, 'three of twelve');
  assert.equal(heldBy(node).length, 1);
  assert.match(String(heldBy(node)[0]), /^instance\/i-/);
  assert.equal((await confirm(node))?.['ok'], true);
  await node.clock.advance(MINUTE_MS);
  assert.equal(made(node), 8);
});
