/** A node that doubts itself: what is held, for how long, and what is not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../machines/model/json.js';
import { createVirtualClock } from '../../src/runtime/virtual-clock.js';
import { fakeProber, HEALTHY } from '../support/fake-prober.js';
import { startVirtualNode, type VirtualNode } from '../support/virtual-node.js';

const LASTS = [11, 12, 13, 14, 15, 16];
const SITE = `
healthChecks: { ok: { type: http, port: 80, interval: 2s, fastInterval: 500ms, downInterval: 2s, timeout: 500ms } }
backends:
${LASTS.map((last) => `  b${last}: { address: 10.0.0.${last}, healthCheck: ok }`).join('\n')}
frontends:
  web: { address: 192.0.2.1, port: 80, pools: [{ name: p, members: [${LASTS.map((last) => `{ backend: b${last} }`).join(', ')}] }] }
dataplane: { startupMinDelay: 0s }
`;

async function started(): Promise<VirtualNode> {
  const prober = fakeProber();
  for (const last of LASTS) prober.behave({ address: `10.0.0.${last}`, port: 80 }, HEALTHY);
  const clock = createVirtualClock();
  prober.keepTime(clock);
  const node = await startVirtualNode(SITE, 1, { prober, clock });
  await node.clock.advance(20_000);
  return node;
}

const all = (node: VirtualNode, lasts: readonly number[], kind: 'silent' | 'refuses' | 'well') => {
  for (const last of lasts) {
    const behaviour = kind === 'well' ? HEALTHY : ({ kind } as const);
    node.prober.behave({ address: `10.0.0.${last}`, port: 80 }, behaviour as never);
  }
};
const weighted = (node: VirtualNode) =>
  [...node.lb.vips.values()]
    .flatMap(({ servers }) => [...servers.values()])
    .filter((one) => one > 0).length;
const types = (node: VirtualNode) =>
  node.views('suspicion').flatMap((view) => view['conditions'] as readonly JsonObject[]);

test('[HE-60] [HE-62] suspicion: most fall silent at once, nothing is lowered, one condition names it', async () => {
  const node = await started();
  const writes = node.lb.acknowledged.length;
  all(node, LASTS, 'silent');
  await node.clock.advance(20_000);
  assert.equal(node.lb.acknowledged.length, writes);
  assert.deepEqual(
    types(node).map(({ type }) => type),
    ['suspect-ourselves'],
  );
  assert.ok(node.views('backend').every(({ state }) => state === 'up'));
  all(node, LASTS, 'well');
  await node.clock.advance(10_000);
  assert.deepEqual(types(node), []);
  assert.equal(node.lb.acknowledged.length, writes);
});

test('[HE-61] suspicion: after the hold verdicts count, and the VIP keeps its last', async () => {
  const node = await started();
  all(node, LASTS, 'silent');
  await node.clock.advance(60_000);
  assert.deepEqual(types(node), []);
  assert.ok(node.views('backend').every(({ state }) => state === 'down'));
  assert.ok(weighted(node) >= 1);
});

test('[HE-62] suspicion: what is proven is not held, and a few that fail are no reason for doubt', async () => {
  const node = await started();
  all(node, [11, 12], 'silent');
  await node.clock.advance(10_000);
  assert.equal(weighted(node), 4, 'two of six');
  all(node, [13, 14, 15, 16], 'refuses');
  await node.clock.advance(10_000);
  assert.deepEqual(types(node), []);
  assert.equal(weighted(node), 2, 'the silent ones stand in');
});
