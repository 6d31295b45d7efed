/**
 * Bursts, checks, reloads and stops: what a configuration or an operator may not make of VPP.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf } from '../../machines/model/ids.js';
import type { Message } from '../../machines/model/messages.js';
import { TERMS } from '../support/book.js';
import { saysOf } from '../support/config.js';
import {
  B1,
  behave,
  callsDuring,
  fixture,
  frontend,
  ours,
  REFUSES,
  synced,
  weightsOf,
} from './fixture.js';

test('[DP-49] fifty events for one VIP during a sync end in at most two more, and in the last of them', async () => {
  const node = await synced(fixture());
  let passes = 0;
  const { apply } = node.dataplane;
  let gate = Promise.resolve();
  let open: () => void = () => undefined;
  node.dataplane.apply = async (op) => {
    passes += 1;
    await gate;
    return apply(op);
  };
  gate = new Promise((resolve) => {
    open = resolve;
  });
  const verb = (type: string) =>
    node.host.tell(addressOf('backend', 'b1'), { ...TERMS, type } as Message, 'a test');
  verb('backend.pause');
  await node.clock.advance(0);
  assert.equal(passes, 1, 'a sync is under way');
  for (let event = 0; event < 25; event += 1) {
    verb('backend.resume');
    verb('backend.pause');
    await node.clock.advance(1);
  }
  const calls = await callsDuring(node, async () => {
    open();
    await node.clock.advance(1_000);
  });
  assert.ok(passes <= 3, `${passes} requests`);
  assert.equal(calls.at(-1), 'W(.11,0)');
  assert.equal(weightsOf(node)['.11'], 0);
});

const checks = [
  { name: 'an unknown key', text: fixture([['flushOnDown', 'flushOnDwon']]), says: /flushOnDwon/ },
  { name: 'a missing backend', text: fixture([['backend: b4', 'backend: b5']]), says: /b5/ },
];

for (const { name, text, says } of checks) {
  test(`[DP-51] check: ${name} is a problem with its place; the fixture has none`, () => {
    const problems = saysOf(text);
    assert.equal(problems.length, 1, problems.join('\n'));
    assert.match(problems[0] ?? '', says);
    assert.match(problems[0] ?? '', /^\d+:\d+: /);
    assert.deepEqual([saysOf(fixture()), saysOf(ours())], [[], []]);
  });
}

test('[DP-52] check: one VIP address cannot have IPv4 and IPv6 backends', () => {
  const six = `
  six: { address: 192.0.2.1, port: 80, pools: [{ name: one, members: [{ backend: b6 }] }] }
dataplane:`;
  const text = fixture([
    ['\ndataplane:', six],
    ['\nfrontends:', '\n  b6: { address: "2001:db8::6", healthCheck: ok }\nfrontends:'],
  ]);
  assert.match(saysOf(text).join('\n'), /one encapsulation per address/);
});

test('[DP-53] a reload of a broken file is refused, and neither state nor VPP change', async () => {
  const node = await synced(fixture());
  const before = frontend(node);
  const calls = await callsDuring(node, async () => {
    const result = await node.configure(fixture([['backend: b4', 'backend: b5']]));
    assert.equal(result['status'], 'validation_failed');
    assert.equal((result['problems'] as readonly unknown[]).length, 1);
    await node.clock.advance(60_000);
  });
  assert.deepEqual(calls, []);
  assert.deepEqual(frontend(node), before);
});

test('[DP-54] stopping writes nothing, whatever is due', async () => {
  const node = await synced(fixture());
  behave(node, B1, REFUSES);
  const calls = await callsDuring(node, async () => {
    await node.host.stop();
    await node.clock.advance(60_000);
  });
  assert.deepEqual(calls, []);
});
