/** When the next probe is due: HAProxy's rule, jitter and the first probe. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { HealthCount } from '../../src/policy/health.js';
import { firstProbeDelayMs, probeDelayMs } from '../../src/policy/interval.js';
import { seedOfRun } from '../support/seed.js';

const RULE = {
  intervalMs: 1_000,
  fastIntervalMs: 200,
  downIntervalMs: 5_000,
  jitter: 0,
  rise: 2,
  fall: 3,
  snap: true,
};

const rows: readonly { count: HealthCount; wait: number }[] = [
  { count: { state: 'up', counter: 4 }, wait: 1_000 },
  { count: { state: 'up', counter: 3 }, wait: 200 },
  { count: { state: 'down', counter: 1 }, wait: 200 },
  { count: { state: 'down', counter: 0 }, wait: 5_000 },
  { count: { state: 'unknown', counter: 1 }, wait: 200 },
  { count: { state: 'unknown', counter: 0 }, wait: 200 },
];

for (const { count, wait } of rows) {
  test(`[HE-5] probe interval: ${count.state} at ${count.counter} waits ${wait} ms`, () => {
    assert.equal(probeDelayMs(RULE, count, 0.9), wait);
  });
}

test('[HE-5] probe interval: jitter stays within its share, both ways', () => {
  const count: HealthCount = { state: 'up', counter: 4 };
  assert.equal(probeDelayMs({ ...RULE, jitter: 0.1 }, count, 0), 900);
  assert.equal(probeDelayMs({ ...RULE, jitter: 0.1 }, count, 0.5), 1_000);
  fc.assert(
    fc.property(fc.double({ min: 0, max: 0.999, noNaN: true }), (random) => {
      const wait = probeDelayMs({ ...RULE, jitter: 0.1 }, count, random);
      assert.ok(wait >= 900 && wait <= 1_100);
    }),
    { seed: seedOfRun(), numRuns: 200 },
  );
});

test('[HE-6] probe interval: the first probe comes within one fast interval', () => {
  assert.equal(firstProbeDelayMs(RULE, 0), 0);
  assert.equal(firstProbeDelayMs(RULE, 0.75), 150);
  assert.ok(firstProbeDelayMs(RULE, 0.999) < 200);
});
