/**
 * A node that finds a book of overrides it cannot read: it does not know what was ordered, so nothing that
 * might have been forbidden is done, and nothing is undone.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf } from '../../machines/model/ids.js';
import type { JsonObject } from '../../machines/model/json.js';
import type { Message } from '../../machines/model/messages.js';
import { type DamagedStore, damagedStore } from '../support/damaged-store.js';
import { HEALTHY } from '../support/fake-prober.js';
import { startVirtualNode, type VirtualNode } from '../support/virtual-node.js';

const SITE = `
node: { name: sim }
healthChecks: { ok: { type: tcp, port: 80, interval: 2s, fastInterval: 500ms } }
backends:
  b1: { address: 10.0.0.11, healthCheck: ok }
  b2: { address: 10.0.0.12, healthCheck: ok }
  b3: { address: 10.0.0.13, healthCheck: ok, enabled: false }
  b4: { address: 10.0.0.14 }
frontends:
  web:
    address: 192.0.2.1
    port: 80
    pools: [{ name: one, members: [{ backend: b1 }, { backend: b2 }, { backend: b3 }, { backend: b4 }] }]
announce: { command: [/bin/true], timeout: 5s, holdDown: 1s }
dataplane: { startupMinDelay: 0s }
`;

const TERMS = { owner: 'ops', reason: 'test', forMs: null };

interface Lab {
  readonly node: VirtualNode;
  readonly store: DamagedStore;
}

async function started(): Promise<Lab> {
  const store = damagedStore();
  const node = await startVirtualNode(SITE, 1, { store });
  for (const last of ['11', '12', '13']) {
    node.prober.behave({ address: `10.0.0.${last}`, port: 80 }, HEALTHY);
  }
  await node.clock.advance(30_000);
  return { node, store };
}

/** By last part of the address. */
const weights = (node: VirtualNode) =>
  Object.fromEntries(
    [...node.lb.vips.values()].flatMap(({ servers }) =>
      [...servers].map(([address, weight]) => [address.slice(-2), weight] as const).sort(),
    ),
  );

async function order(
  { node }: Lab,
  [kind, name]: readonly ['backend' | 'lbsync', string],
  type: string,
) {
  const answer = await node.order(addressOf(kind, name), { ...TERMS, type } as Message);
  assert.equal(answer?.['ok'], true, JSON.stringify(answer));
}

/** Dies, and comes back to a store in which these rows cannot be read. */
async function reborn({ node, store }: Lab, ...books: readonly string[]): Promise<VirtualNode> {
  await node.clock.advance(10_000);
  for (const book of books) store.damage(`override/${book}`);
  const next = await node.crash();
  await next.clock.advance(120_000);
  return next;
}

const conditions = (node: VirtualNode) =>
  node.host.actorViews().filter(({ unreadable }) => unreadable === true);

test('[HE-17] a book that cannot be read: a disabled backend is not raised, an enabled one not lowered', async () => {
  const lab = await started();
  await order(lab, ['backend', 'b1'], 'backend.disable');
  await order(lab, ['backend', 'b3'], 'backend.enable');
  await order(lab, ['backend', 'b4'], 'backend.disable');
  await lab.node.clock.advance(10_000);
  assert.deepEqual(weights(lab.node), { 11: 0, 12: 1, 13: 1, 14: 0 });
  const written = lab.node.lb.acknowledged.length;
  const node = await reborn(lab, 'backend/b1', 'backend/b3', 'backend/b4');
  assert.deepEqual(node.lb.acknowledged.slice(written), []);
  assert.equal(conditions(node).length, 3);
});

test('[HE-17] a book that cannot be read: a backend that dies is taken out all the same, and once', async () => {
  const lab = await started();
  await order(lab, ['backend', 'b3'], 'backend.enable');
  const node = await reborn(lab, 'backend/b3');
  const b3 = { address: '10.0.0.13', port: 80 };
  const written = node.lb.acknowledged.length;
  for (let time = 0; time < 3; time += 1) {
    node.prober.behave(b3, { kind: 'refuses' });
    await node.clock.advance(20_000);
    node.prober.behave(b3, HEALTHY);
    await node.clock.advance(20_000);
  }
  assert.deepEqual(weights(node), { 11: 1, 12: 1, 13: 0, 14: 1 });
  assert.equal(node.lb.acknowledged.length, written + 1, 'no flapping');
});

test('[LB-84] a book that cannot be read: VPP is told nothing, and the diff is shown', async () => {
  const lab = await started();
  await order(lab, ['lbsync', 'main'], 'operator.freeze');
  const written = lab.node.lb.acknowledged.length;
  const node = await reborn(lab, 'lbsync/main');
  node.prober.behave({ address: '10.0.0.11', port: 80 }, { kind: 'refuses' });
  await node.clock.advance(60_000);
  assert.deepEqual(node.lb.acknowledged.slice(written), []);
  const [view = {} as JsonObject] = node.views('lbsync');
  assert.equal(view['frozen'], true);
});

test('[LB-84] a book that cannot be read: what was withdrawn with the node is not announced again', async () => {
  const lab = await started();
  await order(lab, ['lbsync', 'main'], 'operator.drainNode');
  await lab.node.clock.advance(10_000);
  const said = lab.node.hook.calls.length;
  assert.equal(lab.node.hook.calls.at(-1)?.action, 'withdraw');
  const node = await reborn(lab, 'lbsync/main');
  assert.deepEqual(
    node.hook.calls.slice(said).filter(({ action }) => action === 'announce'),
    [],
  );
});
