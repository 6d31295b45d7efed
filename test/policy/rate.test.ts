/** The token bucket's two laws, from any history of asking. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fullBucket, type RateRule, takePermit } from '../../src/policy/rate.js';
import { seedOfRun } from '../support/seed.js';

const arbRule: fc.Arbitrary<RateRule> = fc.record({
  perSecond: fc.double({ min: 0.1, max: 1_000, noNaN: true }),
  burst: fc.integer({ min: 1, max: 50 }),
});
const arbGapsMs = fc.array(fc.integer({ min: 0, max: 2_000 }), { maxLength: 200 });

test('[PR-11] rate: no span of time sees more than its burst and its rate', () => {
  fc.assert(
    fc.property(arbRule, arbGapsMs, (rule, gapsMs) => {
      const grants: number[] = [];
      let now = 0;
      let bucket = fullBucket(rule, now);
      for (const gapMs of gapsMs) {
        now += gapMs;
        const taken = takePermit(rule, bucket, now);
        bucket = taken.bucket;
        if (taken.granted) grants.push(now);
      }
      for (const [index, from] of grants.entries()) {
        for (const [count, to] of grants.slice(index).entries()) {
          const most = rule.burst + ((to - from) / 1000) * rule.perSecond;
          assert.ok(count + 1 <= most + 1e-6, `${count + 1} permits in ${to - from} ms`);
        }
      }
    }),
    { seed: seedOfRun(), numRuns: 200 },
  );
});

test('[PR-12] rate: who waits as told is served', () => {
  fc.assert(
    fc.property(arbRule, arbGapsMs, (rule, gapsMs) => {
      let now = 0;
      let bucket = fullBucket(rule, now);
      for (const gapMs of gapsMs) {
        now += gapMs;
        const taken = takePermit(rule, bucket, now);
        bucket = taken.bucket;
        if (taken.granted) continue;
        assert.ok(taken.waitMs > 0);
        now += taken.waitMs;
        const again = takePermit(rule, bucket, now);
        assert.ok(again.granted);
        bucket = again.bucket;
      }
    }),
    { seed: seedOfRun(), numRuns: 200 },
  );
});

test('[PR-11] rate: a clock that steps back gives no permits', () => {
  const rule = { perSecond: 1, burst: 1 };
  const first = takePermit(rule, fullBucket(rule, 10_000), 10_000);
  const back = takePermit(rule, first.bucket, 0);
  assert.equal(back.granted, false);
  assert.equal(takePermit(rule, back.bucket, 10_500).granted, false);
  assert.equal(takePermit(rule, back.bucket, 11_000).granted, true);
});
