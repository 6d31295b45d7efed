/** The gate of effects that wait for the feed, and hosts that have none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFeedGate } from '../../src/runtime/duty.js';
import { toyWorld } from '../support/toy-node.js';

test('[FL-3] gate: what waits leaves in the order of its rows, once the feed has them', () => {
  const gate = createFeedGate();
  const left: number[] = [];
  for (const seq of [5, 3, 9]) gate.hold(seq, () => void left.push(seq));
  gate.raise(2);
  assert.equal(left.length, 0);
  gate.raise(5);
  assert.equal(left.join(), '3,5');
  gate.hold(4, () => void left.push(4));
  assert.equal(`${left.join()} and ${gate.waiting}`, '3,5,4 and 1');
});

test('[FL-3] gate: what the feed refused for good never leaves, nor what was dropped', () => {
  const gate = createFeedGate();
  const left: number[] = [];
  for (const seq of [1, 2, 3]) gate.hold(seq, () => void left.push(seq));
  gate.raise(2, [1]);
  gate.drop();
  gate.raise(9);
  assert.deepEqual(left, [2]);
});

test('[FL-2] a host without duties has none to take up or lay down', async () => {
  const { host } = await toyWorld();
  const before = host.actorViews();
  assert.deepEqual(await host.takeUp(), { ok: true, value: undefined });
  await host.layDown();
  assert.deepEqual(host.actorViews(), before);
});
