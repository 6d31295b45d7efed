/** The whole loop of one group, from a failing probe to its successor, in virtual time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HEALTHY } from '../support/fake-prober.js';
import { SMALL_SITE } from '../support/small-site.js';
import { startVirtualNode, type VirtualNode } from '../support/virtual-node.js';

const SITE = SMALL_SITE.replace('size: 3,', 'size: 3, health: { replaceAfter: 0s },');

/** Everybody that runs answers its probes, but for the sick one. */
async function run(node: VirtualNode, seconds: number, sick?: string): Promise<void> {
  for (let step = 0; step < seconds * 2; step += 1) {
    for (const { address, state } of node.world.instances.values()) {
      const well = state === 'running' && address !== sick;
      node.prober.behave({ address, port: 8080 }, well ? HEALTHY : { kind: 'refuses' });
    }
    await node.clock.advance(500);
  }
}

/** How many servers had weight after each request, from when there were three. */
function weightedOverTime(node: VirtualNode): readonly number[] {
  const weights = new Map<string, number>();
  const counts = node.lb.acknowledged.map((op) => {
    if (op.op === 'as.add' || op.op === 'as.weight') weights.set(op.as, op.weight);
    if (op.op === 'as.del') weights.delete(op.as);
    return [...weights.values()].filter((weight) => weight > 0).length;
  });
  return counts.slice(counts.indexOf(3));
}

test('[CS-3] one of three fails its probes: out with a flush, replaced, and two serve all the while', async () => {
  const node = await startVirtualNode(SITE);
  await run(node, 60);
  const [victim] = node.world.instances.values();
  assert.ok(victim);
  const before = node.lb.acknowledged.length;
  await run(node, 30, victim.address);
  const [first] = node.lb.acknowledged.slice(before);
  assert.ok(first?.op === 'as.weight');
  assert.deepEqual([first.as, first.weight, first.flush], [victim.address, 0, true]);
  await run(node, 400, victim.address);
  const running = [...node.world.instances.values()].filter(({ state }) => state === 'running');
  assert.equal(running.length, 3);
  assert.ok(
    running.every(({ address }) => address !== victim.address),
    'it was replaced',
  );
  assert.ok(Math.min(...weightedOverTime(node)) >= 2, 'never fewer than two');
  await node.host.stop();
});
