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

const change = (path: string, from: unknown, to: unknown, more: object = {}) =>
  planText({ changes: [{ path, from, to, ...more }], changesTotal: 1 } as never)[1];

test('[CL-70] plan text: a default that nobody wrote says what it follows', () => {
  const follows = { follows: 'tenants.acme.groups.web.size' };
  assert.equal(
    change('tenants.acme.groups.web.maxSize', 6, 4, follows),
    '  tenants.acme.groups.web.maxSize: 6 -> 4 (it follows size)',
  );
  assert.equal(
    change('outbox.sink.dir', '/a/feed', '/b/feed', { follows: 'node.dataDir' }),
    '  outbox.sink.dir: /a/feed -> /b/feed (it follows node.dataDir)',
  );
});

test('[CL-70] plan text: what is shown as a digest is told in words', () => {
  assert.equal(
    change('templates.web.spec', 'sha256:6f8038428a8d', 'sha256:adf5243fdbe5'),
    '  templates.web.spec: has other contents, which are not shown',
  );
});

test('[CL-70] plan text: a change of settings alone says that nothing is touched', () => {
  const settings = { changes: [{ path: 'log.level', from: 'info', to: 'debug' }], changesTotal: 1 };
  assert.match(planText(settings).at(-1) ?? '', /^No instance comes or goes/);
  const row = { action: 'create', group: 'acme/web', reason: 'the group is new' };
  assert.doesNotMatch(planText({ ...settings, instances: [row] }).join(), /No instance/);
});

test('[CL-70] plan text: groups of a project are called by its name', () => {
  const row = { action: 'delete', group: 'd395/web', label: 'shop/web', reason: 'it goes' };
  const held = {
    limit: 1,
    used: 0,
    held: [{ object: 'group/d395/web', label: 'shop/web', count: 2 }],
  };
  const lines = planText({ instances: [row], guard: held });
  assert.equal(lines[1], '  - delete 1 instance of shop/web (it goes)');
  assert.match(lines.at(-1) ?? '', /! 2 of shop\/web would wait/);
});
