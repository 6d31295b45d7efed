/** VIPs and the world on a whole node under a virtual clock: what the announce program is called with. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf } from '../../machines/model/ids.js';
import type { JsonObject } from '../../machines/model/json.js';
import { fail } from '../../machines/model/result.js';
import { TERMS } from '../support/book.js';
import { HEALTHY } from '../support/fake-prober.js';
import { startVirtualNode, type VirtualNode } from '../support/virtual-node.js';

const SITE = `
node: { name: sim }
healthChecks: { ok: { type: tcp, port: 80, interval: 2s, fastInterval: 500ms, downInterval: 2s } }
backends:
  b1: { address: 10.0.0.11, healthCheck: ok }
  b2: { address: 10.0.0.12, healthCheck: ok }
frontends:
  one: { address: 192.0.2.1, port: 80, pools: [{ name: p, members: [{ backend: b1 }] }] }
  two: { address: 192.0.2.2, port: 80, pools: [{ name: p, members: [{ backend: b2 }] }] }
announce: { command: [/usr/local/bin/announce], holdDown: 5s }
dataplane: { startupMinDelay: 0s }
`;

const LBSYNC = addressOf('lbsync', 'main');
const target = (last: number) => ({ address: `10.0.0.${last}`, port: 80 });

async function started(text = SITE): Promise<VirtualNode> {
  const node = await startVirtualNode(text);
  for (const last of [11, 12]) node.prober.behave(target(last), HEALTHY);
  await node.clock.advance(30_000);
  assert.deepEqual(calls(node, node.hook.calls.length - 2), ['announce one up', 'announce two up']);
  node.hook.calls.length = 0;
  return node;
}

/** Sorted: frontends do not wait for each other. */
const calls = (node: VirtualNode, since = 0): readonly string[] =>
  node.hook.calls
    .slice(since)
    .map(({ action, frontend, reason }) => `${action} ${frontend} ${reason}`)
    .sort();
const announced = (node: VirtualNode) =>
  node.views('frontend').map((view) => view['announced'] as boolean);

test('[AN-1] [AN-3] announce: up and verified is announced, down is withdrawn, and comes back', async () => {
  const node = await started();
  assert.deepEqual(announced(node), [true, true]);
  node.prober.behave(target(11), { kind: 'refuses' });
  await node.clock.advance(10_000);
  assert.deepEqual(calls(node), ['withdraw one down']);
  assert.deepEqual(announced(node), [false, true]);
  node.prober.behave(target(11), HEALTHY);
  await node.clock.advance(20_000);
  assert.deepEqual(calls(node, 1), ['announce one up']);
});

test('[AN-2] announce: a restart withdraws nothing; VPP away withdraws nothing', async () => {
  let node = await started();
  const before = node.hook.calls.length;
  node = await node.crash();
  await node.clock.advance(60_000);
  assert.deepEqual(calls(node, before), ['announce one up', 'announce two up']);
  const after = node.hook.calls.length;
  node.dataplane.drop('away');
  await node.clock.advance(60_000);
  assert.deepEqual(calls(node, after), []);
});

test('[AN-9] node drain: withdraws everything, over a restart too, until it is undrained', async () => {
  let node = await started();
  const drained = await node.order(LBSYNC, { ...TERMS, type: 'operator.drainNode' } as never);
  assert.equal(drained?.['ok'], true);
  await node.clock.advance(5_000);
  assert.deepEqual(calls(node), ['withdraw one node-drain', 'withdraw two node-drain']);
  const writes = node.lb.acknowledged.length;
  node = await node.crash();
  await node.clock.advance(60_000);
  assert.ok(calls(node, 2).every((call) => call.startsWith('withdraw')));
  assert.deepEqual(announced(node), [false, false]);
  const conditions = node.views('lbsync')[0]?.['conditions'] as readonly JsonObject[];
  assert.deepEqual(
    conditions.map(({ type }) => type),
    ['node-drained'],
  );
  const since = node.hook.calls.length;
  await node.order(LBSYNC, { ...TERMS, type: 'operator.undrainNode' } as never);
  await node.clock.advance(10_000);
  assert.deepEqual(calls(node, since), ['announce one up', 'announce two up']);
  assert.equal(node.lb.acknowledged.length, writes, 'VPP is not concerned');
});

test('[AN-9] node drain: reaches every frontend although VPP is away', async () => {
  const node = await started();
  node.dataplane.connect = async () => fail({ code: 'LB_UNREACHABLE', message: 'away' });
  node.dataplane.drop('away');
  await node.order(LBSYNC, { ...TERMS, type: 'operator.drainNode' } as never);
  await node.clock.advance(5_000);
  assert.equal(calls(node).length, 2);
});

test('[AN-6] announce: a program that fails is a condition and is called again', async () => {
  const node = await started();
  node.hook.broken = true;
  node.prober.behave(target(11), { kind: 'refuses' });
  await node.clock.advance(30_000);
  const [view] = node.views('announcement');
  assert.match(JSON.stringify(view?.['conditions']), /announce-failed/);
  assert.deepEqual(announced(node), [true, true], 'what the world still has');
  node.hook.broken = false;
  await node.clock.advance(70_000);
  assert.deepEqual(calls(node), ['withdraw one down']);
});

test('[AN-3] announce: a frontend that is not to be announced, or is gone, is withdrawn', async () => {
  const node = await started();
  await node.configure(SITE.replace('port: 80, pools', 'port: 80, announce: false, pools'));
  await node.clock.advance(10_000);
  assert.deepEqual(calls(node), ['withdraw one configuration']);
  const without = SITE.split('\n').filter((line) => !line.includes('two: {'));
  await node.configure(without.join('\n'));
  await node.clock.advance(20_000);
  assert.deepEqual(calls(node, 1), ['announce one up', 'withdraw two removed']);
});

test('[AN-3] announce: when the program is no longer configured it withdraws what it announced', async () => {
  const node = await started();
  await node.configure(SITE.replace(/^announce: .*$/m, ''));
  await node.clock.advance(10_000);
  assert.deepEqual(calls(node).toSorted(), [
    'withdraw one configuration',
    'withdraw two configuration',
  ]);
  await node.clock.advance(60_000);
  assert.equal(calls(node).length, 2, 'once');
  await node.configure(SITE);
  await node.clock.advance(20_000);
  assert.deepEqual(calls(node, 2).toSorted(), ['announce one up', 'announce two up']);
});

const UNHOOKED = SITE.replace(/^announce: .*$/m, '');
const WITHOUT_TWO = SITE.split('\n').filter((line) => !line.includes('two: {'));

test('[AN-10] announce: a program taken out while the node was down withdraws what it announced, also when it fails at first', async () => {
  let node = await started();
  node = await node.crash(UNHOOKED);
  node.hook.broken = true;
  await node.clock.advance(30_000);
  node = await node.crash();
  await node.clock.advance(30_000);
  assert.deepEqual(calls(node), []);
  node.hook.broken = false;
  await node.clock.advance(90_000);
  assert.deepEqual(calls(node), ['withdraw one configuration', 'withdraw two configuration']);
  node = await node.crash();
  await node.clock.advance(400_000);
  assert.equal(calls(node).length, 2, 'once');
  assert.deepEqual(node.views('announcement'), []);
});

test('[AN-10] announce: a frontend taken out while the node was down is withdrawn, whatever dies meanwhile', async () => {
  for (const deathMs of [0, 1_000, 6_000]) {
    let node = await started();
    node = await node.crash(WITHOUT_TWO.join('\n'));
    await node.clock.advance(deathMs);
    node = await node.crash();
    await node.clock.advance(400_000);
    assert.ok(calls(node).includes('withdraw two removed'), `${deathMs}: ${calls(node)}`);
    assert.deepEqual(
      node.views('announcement').map(({ name }) => name),
      ['one'],
    );
  }
});

test('[AN-10] announce: nothing is announced that no disk knows of, and a withdrawal waits for no disk', async () => {
  const node = await started();
  node.faults.storeAway = true;
  node.prober.behave(target(11), { kind: 'refuses' });
  await node.clock.advance(10_000);
  assert.deepEqual(calls(node), ['withdraw one down']);
  node.prober.behave(target(11), HEALTHY);
  await node.clock.advance(30_000);
  assert.deepEqual(calls(node), ['withdraw one down']);
  node.faults.storeAway = false;
  await node.clock.advance(90_000);
  assert.deepEqual(calls(node), ['announce one up', 'withdraw one down']);
});
