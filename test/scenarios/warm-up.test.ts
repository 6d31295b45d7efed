/**
 * Starts beside a VPP that serves: how long it is left alone, what releases it, and what does not.
 * A restart ends the node without a word; the next life finds its store and the VPP it left.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VirtualNode } from '../support/virtual-node.js';
import {
  B1,
  B2,
  B4,
  behave,
  callsSince,
  ours,
  REFUSES,
  started,
  synced,
  weightsOf,
} from './fixture.js';

const DELAYS = 'startupMinDelay: 5s, startupMaxDelay: 30s';
const NO_DELAYS = 'startupMinDelay: 0s, startupMaxDelay: 0s';
const WARM = ours([[NO_DELAYS, DELAYS]]);

/** An answer that takes longer than anybody waits: its backend stays unknown. */
function unanswered(node: VirtualNode, address: string): void {
  node.prober.hold({ address, port: 80 });
}

interface Seen {
  readonly node: VirtualNode;
  readonly startedAt: number;
  /** Requests by the millisecond since the start at which they were seen. */
  readonly at: Map<number, readonly string[]>;
}

/** Lives on in steps of 50 ms until `untilMs` after the start. */
async function live(seen: Seen, untilMs: number): Promise<void> {
  const { node, at, startedAt } = seen;
  while (node.clock.now() - startedAt < untilMs) {
    const from = node.lb.acknowledged.length;
    await node.clock.advance(50);
    const calls = callsSince(node, from);
    if (calls.length > 0) at.set(node.clock.now() - startedAt, calls);
  }
}

/** Everything came up in an earlier life; then the node died and starts again. */
async function restarted(text: string, before: (node: VirtualNode) => void): Promise<Seen> {
  const first = await synced(text);
  await first.clock.advance(60_000);
  before(first);
  const startedAt = first.clock.now();
  const sent = first.lb.acknowledged.length;
  const node = await first.crash();
  const calls = callsSince(node, sent);
  const at = new Map(calls.length === 0 ? [] : [[node.clock.now() - startedAt, calls]]);
  return { node, startedAt, at };
}

test('[DP-44] a restart beside a VPP that is as wanted writes nothing at all', async () => {
  const seen = await restarted(WARM, () => undefined);
  await live(seen, 120_000);
  assert.deepEqual([...seen.at], []);
});

test('[DP-44] what died meanwhile is taken out when the first 5 s are over, not before', async () => {
  const seen = await restarted(WARM, (node) => behave(node, B1, REFUSES));
  await live(seen, 120_000);
  const [[at, calls] = [0, []], ...more] = seen.at;
  assert.ok(at >= 5_000 && at <= 5_250, `at ${at} ms`);
  assert.deepEqual(calls, ['W!(.11,0)']);
  assert.deepEqual(more, []);
});

test('[DP-45] a VIP waits for the last of its backends to be known, and no longer', async () => {
  const seen = await restarted(WARM, (node) => {
    behave(node, B1, REFUSES);
    unanswered(node, B4);
  });
  await live(seen, 12_000);
  assert.deepEqual([...seen.at], []);
  seen.node.prober.release({ address: B4, port: 80 });
  await live(seen, 60_000);
  const [[at, calls] = [0, []]] = seen.at;
  assert.ok(at >= 12_000 && at <= 12_250, `at ${at} ms`);
  assert.deepEqual(calls, ['W!(.11,0)']);
});

test('[DP-45] nobody waits longer than startupMaxDelay, and who is unknown then keeps its weight', async () => {
  const seen = await restarted(WARM, (node) => {
    behave(node, B1, REFUSES);
    unanswered(node, B2);
  });
  await live(seen, 120_000);
  const [[at, calls] = [0, []], ...more] = seen.at;
  assert.ok(at >= 30_000 && at <= 30_250, `at ${at} ms`);
  assert.deepEqual([calls, more], [['W!(.11,0)'], []]);
  assert.equal(weightsOf(seen.node)['.12'], 1);
});

test('[DP-47] a reload does not start the warm-up again', async () => {
  const seen = await restarted(WARM, (node) => {
    behave(node, B1, REFUSES);
    unanswered(node, B2);
  });
  await live(seen, 10_000);
  await seen.node.configure(WARM.replace('syncInterval: 30s', 'syncInterval: 31s'));
  await live(seen, 60_000);
  const [at = 0] = seen.at.keys();
  assert.ok(at >= 30_000 && at <= 30_250, `at ${at} ms`);
});

test('[DP-48] without delays a restart syncs as soon as it is connected and knows its backends', async () => {
  const seen = await restarted(ours(), (node) => behave(node, B1, REFUSES));
  await live(seen, 10_000);
  const [[at, calls] = [9_999, []]] = seen.at;
  assert.ok(at <= 1_250, `at ${at} ms`);
  assert.deepEqual(calls, ['W!(.11,0)']);
});

test('[DP-48] a first start on an empty VPP is never held back', async () => {
  const node = await started(WARM);
  await node.clock.advance(2_000);
  assert.ok(Object.values(weightsOf(node)).some((weight) => weight > 0));
  // The fallback may have been seen first; the primary then takes over after its hold.
  await node.clock.advance(13_000);
  assert.deepEqual(weightsOf(node), { '.11': 2, '.12': 1, '.21': 0, '.22': 0 });
});
