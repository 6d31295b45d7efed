/** Slow start and panic: the two rules that bend weights for a while. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { scaleOf } from '../../src/lb/scale.js';
import {
  frontendState,
  isPanic,
  type Member,
  servingShare,
  type WeightRule,
  weigh,
} from '../../src/policy/frontend-weights.js';
import { climbsAt, nextStepMs, stepPercent } from '../../src/policy/slow-start.js';
import { B1, B2, backend } from '../support/frontend-lab.js';
import { seedOfRun } from '../support/seed.js';

const steps = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 10 });

test('[FE-50] slow start: each step for its whole time, then all of the weight', () => {
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 1_000 }), fc.nat(20_000), (list, everyMs, at) => {
      const rule = { steps: list, everyMs };
      const index = Math.floor(at / everyMs);
      assert.equal(stepPercent(rule, 0, at), index < list.length ? list[index] : 100);
      const next = nextStepMs(rule, 0, at);
      assert.equal(next, index < list.length ? (index + 1) * everyMs : undefined);
      if (next === undefined) return;
      assert.ok(next > at && next - at <= everyMs);
      assert.equal(stepPercent(rule, 0, next - 1), stepPercent(rule, 0, at));
    }),
    { seed: seedOfRun() },
  );
});

test('[FE-51] slow start: climbs from down and when new, not from unknown or standby', () => {
  assert.equal(climbsAt('down', 0), true);
  assert.equal(climbsAt('unknown', null), true);
  assert.equal(climbsAt('unknown', 0), false);
  assert.equal(climbsAt('unknown', 50), false);
});

test('[LB-22] scale: steps of slow start count as weights', () => {
  const pools = [{ name: 'one', members: [backend('b1', B1, 100), backend('b2', B2, 50)] }];
  const scale = (list: readonly number[]) =>
    scaleOf({ pools, weightScale: 'reduced', slowStart: { steps: list, everyMs: 1 } });
  assert.equal(scale([50]).divisor, 25);
  assert.equal(scale([10, 50]).divisor, 5);
  assert.equal(scale([100]).divisor, 50);
});

const RULE: WeightRule = { flushOnDown: true, unknown: 'keep', allDown: 'keep', panicBelow: 0.5 };

const memberArb = fc.record({
  state: fc.constantFrom('up', 'down', 'unknown', 'paused', 'disabled'),
  positive: fc.boolean(),
  phase: fc.constantFrom('in', 'drain', 'out'),
  given: fc.constantFrom(null, 0, 50),
  pool: fc.constantFrom(0, 1),
  weight: fc.constantFrom(0, 50, 100),
});

const membersArb = fc
  .array(memberArb, { minLength: 1, maxLength: 8 })
  .map((list): readonly Member[] =>
    list.map(({ state, positive, ...rest }, index) => ({
      ...{ name: `m${index}`, address: `10.0.0.${index}`, dead: false, lastMayGo: false },
      ...{ health: { state, positive: positive && state === 'down', episode: 'e' }, kept: false },
      ...(rest as Pick<Member, 'phase' | 'given' | 'pool' | 'weight'>),
    })),
  );

test('[FE-45] panic: below its share the pool keeps who is only silent, and nobody else changes', () => {
  let panics = 0;
  fc.assert(
    fc.property(membersArb, (members) => {
      const { panicBelow: _off, ...calm } = RULE;
      const panic = isPanic(RULE, members, 0);
      const weighed = weigh(RULE, members, 0);
      if (!panic) return assert.deepEqual(weighed, weigh(calm, members, 0));
      panics += 1;
      assert.ok(servingShare(RULE, members, 0) < 0.5);
      members.forEach(({ pool, phase, health, given, weight }, index) => {
        const silent = health.state === 'down' && !health.positive;
        const kept = pool === 0 && phase === 'in' && silent && given !== null;
        const of = weighed[index];
        assert.equal(of?.reason === 'panic', kept);
        if (kept) assert.deepEqual([of?.weight, of?.flushEpisode], [weight, undefined]);
        if (health.positive && pool === 0) assert.equal(of?.reason === 'panic', false);
      });
      const served = weighed.some(({ weight, reason }) => weight > 0 && reason !== 'panic');
      if (!served) assert.notEqual(frontendState(members, weighed), 'up');
    }),
    { seed: seedOfRun(), numRuns: 1_000 },
  );
  assert.ok(panics > 10, `the law was hardly tried: ${panics}`);
});
