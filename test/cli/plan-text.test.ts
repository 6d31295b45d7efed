/** A plan in words: what a reader must not have to ask. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planText } from '../../src/cli/plan-text.js';

const vip = (...ops: readonly string[]) => ({
  dataplane: [
    {
      frontend: 'web',
      vip: '192.0.2.1/32 tcp 80',
      ops: ops.map((op) => ({ op })),
      buckets: [],
      movedNewFlows: 1,
      rebuilds: 0,
      estimatedPauseUs: 0,
    },
  ],
});

const CASES = [
  { name: 'a VIP that appears disturbs nobody', ops: ['vip.add', 'as.add'], says: 'it is new' },
  {
    name: 'of a VIP that goes nothing moves to another server',
    ops: ['as.del', 'vip.del'],
    says: 'it goes: nobody answers there any more',
  },
  {
    name: 'a VIP that is made again breaks connections',
    ops: ['vip.del', 'vip.add'],
    says: 'it is made anew: every open connection may break',
  },
  {
    name: 'of a VIP that stays the moved share is told',
    ops: ['as.weight'],
    says: '100.0 % of new connections go to another server than before',
  },
] as const;

for (const { name, ops, says } of CASES) {
  test(`[CL-70] plan text: ${name}`, () => {
    assert.equal(planText(vip(...ops))[1], `  web (192.0.2.1/32 tcp 80): ${says}`);
  });
}

test('[CL-70] plan text: it says why load balancers do not name the instances that come', () => {
  const row = { action: 'create', group: 'acme/web', reason: 'its size goes from 1 to 3' };
  const lines = planText({ instances: [row, row] });
  assert.equal(lines[1], '  + create 2 instances of acme/web (its size goes from 1 to 3)');
  assert.match(lines[2] ?? '', /enters once it is up/);
  assert.deepEqual(planText({ instances: [] }), []);
});
