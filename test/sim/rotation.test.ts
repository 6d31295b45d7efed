/** Replacing what is well, on a whole node under a virtual clock: a new template rolls through its group. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../machines/model/json.js';
import { HEALTHY } from '../support/fake-prober.js';
import { SMALL_SITE } from '../support/small-site.js';
import { startVirtualNode, type VirtualNode } from '../support/virtual-node.js';

const NEW_TEMPLATE = SMALL_SITE.replace('spec: {}', 'spec: { image: b }');

async function run(node: VirtualNode, seconds: number, look = () => {}): Promise<void> {
  for (let step = 0; step < seconds; step += 1) {
    for (const { address } of node.world.instances.values()) {
      node.prober.behave({ address, port: 8080 }, HEALTHY);
    }
    await node.clock.advance(1_000);
    look();
  }
}

const weighted = (node: VirtualNode): number =>
  [...node.lb.vips.values()]
    .flatMap(({ servers }) => [...servers])
    .filter(([, weight]) => weight > 0).length;

const group = (node: VirtualNode): JsonObject => node.views('group')[0] ?? assert.fail('no group');

const inState = (node: VirtualNode, ...states: string[]): readonly JsonObject[] =>
  node.views('instance').filter(({ state }) => states.includes(String(state)));

test('[GR-20] [GR-21] node: a reload with another template replaces one after another, over a crash', async () => {
  let node = await startVirtualNode(SMALL_SITE);
  await run(node, 60);
  const old = new Set(node.views('instance').map(({ id }) => id));
  assert.equal(weighted(node), 3);
  await node.configure(NEW_TEMPLATE);
  const look = () => {
    assert.ok(weighted(node) >= 3, 'the VIP never has less than three');
    assert.ok(inState(node, 'draining').length <= 1, 'one at a time');
  };
  await run(node, 8, look);
  const [condition] = group(node)['conditions'] as readonly JsonObject[];
  assert.equal(condition?.['type'], 'replace-waiting');
  node = await node.crash();
  await run(node, 180, look);
  const serving = inState(node, 'serving');
  assert.equal(serving.length, 3);
  assert.ok(serving.every(({ id }) => !old.has(id as string)));
  assert.deepEqual(group(node)['budget'], { max: 1, used: 0 });
  assert.deepEqual(group(node)['conditions'], []);
  const drained = inState(node, 'deleted').map(({ drain }) => (drain as JsonObject)['reason']);
  assert.deepEqual(drained, ['config-drift', 'config-drift', 'config-drift']);
});

test('[GR-23] node: two of three refuse at once: the breaker opens, is shown, and lasts over a crash', async () => {
  let node = await startVirtualNode(SMALL_SITE);
  await run(node, 60);
  const [one, other] = node.views('instance');
  for (const sick of [one, other]) {
    node.prober.behave({ address: String(sick?.['address']), port: 8080 }, { kind: 'refuses' });
  }
  await node.clock.advance(10_000);
  assert.equal(group(node)['breaker'], 'open');
  node = await node.crash();
  await node.clock.advance(7 * 60_000);
  assert.equal(group(node)['breaker'], 'open');
  const shown = (group(node)['conditions'] as readonly JsonObject[]).map(({ type }) => type);
  assert.ok(shown.includes('breaker-open'), String(shown));
  assert.deepEqual(
    inState(node, 'draining', 'deleted')
      .map(({ id }) => id)
      .filter((id) => id === one?.['id'] || id === other?.['id']),
    [],
  );
  await run(node, 150);
  assert.equal(group(node)['breaker'], 'closed');
  assert.equal(weighted(node), 3);
});
