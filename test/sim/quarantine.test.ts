/**
 * An actor of a serving node that crashes at everything it is told: it is quarantined, and the site
 * goes on as if it were there. What it stood for stays: its weight, its instance, its place in its group.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Address, kindOf } from '../../machines/model/ids.js';
import type { Message } from '../../machines/model/messages.js';
import { HEALTHY } from '../support/fake-prober.js';
import { SMALL_SITE } from '../support/small-site.js';
import { startVirtualNode, type VirtualNode } from '../support/virtual-node.js';

/** Half of what each machine reads is not there. */
const POISON: Readonly<Record<string, Message>> = {
  backend: { type: 'backend.desired' },
  instance: { type: 'instance.desired' },
  group: { type: 'instance.changed' },
  tenant: { type: 'group.status' },
  frontend: { type: 'member.level' },
};

async function run(node: VirtualNode, seconds: number): Promise<void> {
  for (let step = 0; step < seconds; step += 1) {
    for (const { address } of node.world.instances.values()) {
      node.prober.behave({ address, port: 8080 }, HEALTHY);
    }
    await node.clock.advance(1_000);
  }
}

const serving = (node: VirtualNode): readonly (readonly [string, number])[] =>
  [...node.lb.vips.values()].flatMap(({ servers }) => [...servers]).sort();

/** What was decided; a tenant may say that it is degraded. */
async function decisions(node: VirtualNode): Promise<readonly string[]> {
  const read = await node.store.journal(0, 10_000);
  assert.ok(read.ok);
  return read.value
    .filter(({ actor }) => kindOf(actor) !== 'tenant')
    .map(({ actor, event }) => `${actor} ${event}`);
}

for (const [kind, poison] of Object.entries(POISON)) {
  test(`[SU-30] a quarantined ${kind}: everything stays as it was, is shown, and goes on when resumed`, async () => {
    const node = await startVirtualNode(SMALL_SITE);
    await run(node, 60);
    const before = serving(node);
    assert.deepEqual(
      before.map(([, weight]) => weight > 0),
      [true, true, true],
    );
    const instances = [...node.world.instances.keys()];
    const actors = node.host.actorViews().map(({ address }) => String(address) as Address);
    const sick = actors.find((address) => kindOf(address) === kind);
    assert.ok(sick !== undefined);
    const view = () => node.host.actorViews().find(({ address }) => address === sick);
    const written = node.lb.acknowledged.length;
    for (let time = 0; view()?.['quarantined'] !== true; time += 1) {
      assert.ok(time < 10, 'poison is poison');
      node.host.tell(sick, poison, 'test');
      await run(node, 2);
    }
    const decided = await decisions(node);
    await run(node, 30 * 60);

    assert.equal(view()?.['quarantined'], true);
    assert.deepEqual(serving(node), before, 'every weight stays');
    assert.deepEqual([...node.world.instances.keys()], instances, 'none is replaced or deleted');
    assert.equal(node.lb.acknowledged.length, written, 'not one write to VPP');
    assert.deepEqual(await decisions(node), decided, 'nothing is decided over its head');
    assert.equal(node.host.resume(sick), true);
    await run(node, 60);
    assert.equal(view()?.['quarantined'], false);
    assert.deepEqual(serving(node), before);
    const grown = await node.configure(SMALL_SITE.replace('size: 3', 'size: 4'));
    assert.notEqual(grown['status'], 'unanswered');
    await run(node, 60);
    assert.equal(serving(node).filter(([, weight]) => weight > 0).length, 4, 'the site works');
  });
}
