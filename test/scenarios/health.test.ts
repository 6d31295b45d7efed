/**
 * Health, as a whole node shows it: what probes, an operator and a reload make of a backend, and what
 * VPP hears of it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf } from '../../machines/model/ids.js';
import type { Message } from '../../machines/model/messages.js';
import { healthCheckSpec } from '../../src/config/specs.js';
import { probeDelayMs } from '../../src/policy/interval.js';
import { TERMS } from '../support/book.js';
import { configFrom } from '../support/config.js';
import type { VirtualNode } from '../support/virtual-node.js';
import {
  B1,
  backend,
  behave,
  callsDuring,
  fixture,
  frontend,
  historyOf,
  ours,
  REFUSES,
  started,
  synced,
  weightsOf,
} from './fixture.js';

const TO_B1 = addressOf('backend', 'b1');

function verb(node: VirtualNode, name: 'pause' | 'resume' | 'disable' | 'enable') {
  return node.order(TO_B1, { ...TERMS, type: `backend.${name}` } as Message);
}

function probesOf(node: VirtualNode, address: string): number {
  return node.prober.probes.filter((probe) => probe === `${address}:80`).length;
}

test('[DP-1] a new backend whose first probe passes is up after one transition', async () => {
  const node = await started(fixture());
  await node.clock.advance(200);
  assert.deepEqual(historyOf(node, 'b1'), ['unknown>up']);
  assert.equal(probesOf(node, B1) > 0, true);
});

test('[DP-2] a new backend whose first probe fails is down and never was up', async () => {
  const node = await started(fixture());
  behave(node, B1, REFUSES);
  const again = await started(fixture(), 2, { prober: node.prober });
  await again.clock.advance(30_000);
  assert.deepEqual(historyOf(again, 'b1'), ['unknown>down']);
  assert.equal(weightsOf(again)['.11'], 0);
});

test('[DP-7] without a fast interval a degraded backend is probed at its interval', () => {
  const config = configFrom(fixture([['fastInterval: 200ms, ', '']]));
  const check = healthCheckSpec(config, 'ok');
  assert.equal(probeDelayMs(check, { state: 'up', counter: 3 }, 0.5), 1_000);
});

test('[DP-9] a paused backend is probed no more and weighs 0, and its flows stay', async () => {
  const node = await synced(fixture());
  const before = historyOf(node, 'b1').length;
  const calls = await callsDuring(node, async () => {
    assert.equal((await verb(node, 'pause'))?.['ok'], true);
    const probes = probesOf(node, B1);
    await node.clock.advance(10_000);
    assert.equal(probesOf(node, B1), probes);
  });
  assert.deepEqual(historyOf(node, 'b1').slice(before), ['up>paused']);
  assert.deepEqual(calls, ['W(.11,0)']);
});

test('[DP-10] a resumed backend begins as unknown, and its history goes on', async () => {
  const node = await synced(fixture());
  await verb(node, 'pause');
  await verb(node, 'resume');
  await node.clock.advance(1_000);
  const history = ['unknown>up', 'up>paused', 'paused>unknown', 'unknown>up'];
  assert.deepEqual(historyOf(node, 'b1'), history);
  assert.equal(weightsOf(node)['.11'], 100);
});

test('[DP-11] a disabled backend refuses to be paused and resumed, and stays disabled', async () => {
  const node = await synced(fixture());
  await verb(node, 'disable');
  for (const name of ['pause', 'resume'] as const) {
    assert.equal((await verb(node, name))?.['ok'], false);
  }
  assert.equal(backend(node, 'b1')['state'], 'disabled');
});

test('[DP-13] a reload of the same file leaves a disabled backend disabled', async () => {
  const node = await synced(fixture());
  await verb(node, 'disable');
  const calls = await callsDuring(node, async () => {
    await node.configure(fixture());
    await node.clock.advance(60_000);
  });
  const { state, enabled } = backend(node, 'b1');
  assert.deepEqual({ state, enabled }, { state: 'disabled', enabled: false });
  assert.deepEqual(calls, []);
});

test('[DP-14] a backend that moves is a new one; the old AS stays until the new one passed', async () => {
  const node = await synced(ours());
  const moved = ours([[`address: ${B1}`, 'address: 10.0.0.13']]);
  behave(node, '10.0.0.13', REFUSES);
  const waiting = await callsDuring(node, async () => {
    await node.configure(moved);
    await node.clock.advance(30_000);
  });
  assert.deepEqual(waiting, []);
  assert.equal(backend(node, 'b1')['address'], '10.0.0.13');
  assert.equal(backend(node, 'b1')['state'], 'down');
  behave(node, '10.0.0.13', { kind: 'answers', status: 200, body: 'ok' });
  const calls = await callsDuring(node, () => node.clock.advance(30_000));
  assert.deepEqual(calls, ['AS+(.13,2)', 'W!(.11,0)', 'AS-(.11)']);
});

test('[DP-15] a backend whose check changed begins as unknown, and keeps its weight', async () => {
  const node = await synced(ours());
  const calls = await callsDuring(node, async () => {
    await node.configure(ours([['fall: 3', 'fall: 5']]));
    await node.clock.advance(10_000);
  });
  assert.deepEqual(historyOf(node, 'b1'), ['unknown>up', 'up>unknown', 'unknown>up']);
  assert.deepEqual([backend(node, 'b1')['fall'], backend(node, 'b1')['counter']], [5, 6]);
  assert.deepEqual(calls, []);
});

const SHARED = `
  api: { address: 192.0.2.2, port: 80, pools: [{ name: one, members: [{ backend: b1 }, { backend: b2 }] }] }
  www: { address: 192.0.2.3, port: 80, pools: [{ name: one, members: [{ backend: b1 }, { backend: b2 }] }] }
dataplane:`;

test('[DP-16] a backend of three frontends has one probe stream, and each of them hears of its death', async () => {
  const node = await synced(fixture([['\ndataplane:', SHARED]]));
  assert.deepEqual(backend(node, 'b1')['frontends'], ['web', 'api', 'www']);
  const before = probesOf(node, B1);
  await node.clock.advance(10_000);
  assert.equal(probesOf(node, B1) - before, 10);
  behave(node, B1, REFUSES);
  const calls = await callsDuring(node, () => node.clock.advance(10_000));
  assert.deepEqual(calls, ['W!(.11,0)', 'W!(.11,0)', 'W!(.11,0)']);
  assert.deepEqual(historyOf(node, 'b1'), ['unknown>up', 'up>down']);
  assert.equal(frontend(node, 'www')['state'], 'up');
});
