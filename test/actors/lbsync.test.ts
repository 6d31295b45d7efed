/** The lbsync actor against the judge: what it writes, and what it tells frontends. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { takeIn } from '../../actors/lbsync-read.js';
import type { LbFailure } from '../../machines/model/failures.js';
import { vipKey } from '../../machines/model/lb.js';
import type { Message } from '../../machines/model/messages.js';
import { packState } from '../../src/lb/packed/vips.js';
import type { Scope } from '../../src/runtime/actor-type.js';
import { createStrictLb } from '../support/strict-lb.js';
import { SETTINGS, startLbsync } from './lbsync-lab.js';
import {
  ATTRIBUTES,
  duringNextPass,
  last,
  leftBehind,
  lines,
  vipAt,
  WEB,
  weights,
  wish,
  withdrawal,
} from './lbsync-wishes.js';

test('[LB-43] [LB-44] lbsync: a new VIP is in the ledger before VPP hears of it, then built and told', async () => {
  const lab = startLbsync();
  await lab.settle();
  lab.ledger.available = false;
  lab.want(wish('web', WEB, { '10.0.0.1': 1, '10.0.0.2': 1 }));
  await lab.pass(500);
  assert.deepEqual(lab.dataplane.sent, []);
  assert.match(last(lab, 'web')?.problem ?? '', /ledger/);

  lab.ledger.available = true;
  await lab.pass(2000);
  assert.deepEqual(weights(lab.lb, WEB), { '10.0.0.1': 1, '10.0.0.2': 1 });
  assert.ok(lab.ledger.entries.has(vipKey(WEB)));
  const report = last(lab, 'web');
  assert.equal(report?.synced, true);
  assert.deepEqual(
    report?.servers.map(({ buckets }) => buckets),
    [512, 512],
  );
  assert.deepEqual(report?.conf, { encap: 'gre4', tableLength: 1024 });
});

test('[LB-2] [DP-30] lbsync: a failing server costs exactly one op, flushed once per episode', async () => {
  const lab = startLbsync();
  lab.want(wish('web', WEB, { '10.0.0.1': 1, '10.0.0.2': 1 }));
  await lab.settle();
  const before = lab.dataplane.sent.length;
  for (let repeat = 0; repeat < 3; repeat += 1) {
    lab.want(wish('web', WEB, { '10.0.0.1': [0, 'down-1'], '10.0.0.2': 1 }));
    await lab.settle();
  }
  assert.deepEqual(lines(lab.dataplane.sent.slice(before)), ['! as  10.0.0.1 weight 0, flush']);
});

test('[LB-48] lbsync: every wish is answered, an unchanged audit tells nothing', async () => {
  const lab = startLbsync();
  lab.want(wish('web', WEB, { '10.0.0.1': 1 }));
  await lab.settle();
  assert.equal(lab.reports('web').length, 1);
  lab.want(wish('web', WEB, { '10.0.0.1': 1 }));
  await lab.settle();
  assert.equal(lab.reports('web').length, 2);
  const { sent } = lab.dataplane;
  const before = sent.length;
  const reads = lab.dataplane.reads;
  await lab.pass(120_000);
  assert.equal(lab.reports('web').length, 2);
  assert.equal(sent.length, before);
  assert.ok(lab.dataplane.reads >= reads + 4, 'audits read');
});

test('[LB-71] lbsync: an audit marks what is new, and what is not as wanted, and nothing else', async () => {
  const lab = startLbsync();
  const [other, third] = [vipAt(80, '192.0.2.8'), vipAt(80, '192.0.2.9')];
  lab.want(wish('web', WEB, { '10.0.0.1': 1, '10.0.0.2': 1 }));
  lab.want(wish('other', other, { '10.0.0.3': 1 }));
  lab.want(wish('third', third, { '10.0.0.4': 1 }));
  await lab.pass(3000);
  const { state } = lab.companion;
  const scope = { tell: () => assert.fail('an audit has nothing to say') } as unknown as Scope;
  const read = packState(lab.lb.state());
  takeIn(state, read, scope);
  assert.deepEqual([...state.dirty], [], 'at rest');

  lab.lb.apply({ op: 'as.weight', vip: other, as: '10.0.0.3', weight: 5, flush: false });
  const vips = lab.lb.state().vips.map((vip) => ({
    ...vip,
    servers: vip.servers.map((as) => (as.address === '10.0.0.4' ? { ...as, buckets: 1 } : as)),
  }));
  takeIn(state, packState({ ...lab.lb.state(), vips }), scope);
  assert.deepEqual([...state.dirty].sort(), [other, third].map(vipKey), 'a weight, a count');
  state.dirty.clear();
  takeIn(state, packState({ ...lab.lb.state(), vips }), scope);
  assert.deepEqual([...state.dirty], [vipKey(other)], 'not as wanted, however often it is read');
});

test('[LB-49] lbsync: a withdrawn VIP is emptied, deleted, struck from the ledger, then told gone', async () => {
  const lab = startLbsync();
  lab.want(wish('web', WEB, { '10.0.0.1': 1 }));
  await lab.settle();
  const before = lab.dataplane.sent.length;
  lab.tell(withdrawal('web'));
  assert.equal(lab.gone('web'), 0);
  await lab.settle();
  assert.deepEqual(lines(lab.dataplane.sent.slice(before)), [
    '! as  10.0.0.1 weight 0, flush',
    '- as  10.0.0.1',
    `- vip ${vipKey(WEB)}`,
  ]);
  assert.equal(lab.gone('web'), 1);
  assert.equal(lab.ledger.entries.size, 0);
});

test('[LB-49] lbsync: withdrawing what an earlier process made, or nobody made, ends in gone', async () => {
  const { lb, ledger } = await leftBehind(wish('web', WEB, { '10.0.0.1': 1 }));
  const lab = startLbsync(SETTINGS, { lb, ledger });
  lab.tell(withdrawal('web'));
  lab.tell(withdrawal('ghost'));
  await lab.settle();
  assert.equal(weights(lb, WEB), undefined);
  assert.deepEqual([lab.gone('web'), lab.gone('ghost')], [1, 1]);
});

test('[LB-42] lbsync: another address builds the new VIP first, then removes the old one', async () => {
  const lab = startLbsync();
  lab.want(wish('web', WEB, { '10.0.0.1': 1 }));
  await lab.settle();
  const before = lab.dataplane.sent.length;
  const other = vipAt(443, '192.0.2.9');
  lab.want(wish('web', other, { '10.0.0.1': 1 }));
  await lab.settle();
  const kinds = lab.dataplane.sent.slice(before).map(({ op }) => op);
  assert.equal(kinds.at(-1), 'vip.del');
  assert.deepEqual([...lab.lb.vips.keys()], [vipKey(other)]);
  assert.deepEqual([...lab.ledger.entries.keys()], [vipKey(other)]);
});

test('[LB-41] lbsync: two frontends on one VIP: the first has it until it lets go', async () => {
  const lab = startLbsync();
  lab.want(wish('one', WEB, { '10.0.0.1': 1 }));
  lab.want(wish('two', WEB, { '10.0.0.2': 1 }));
  await lab.settle();
  assert.deepEqual(weights(lab.lb, WEB), { '10.0.0.1': 1 });
  assert.match(last(lab, 'two')?.problem ?? '', /wanted by frontend one/);
  lab.tell(withdrawal('one'));
  await lab.settle();
  assert.deepEqual(weights(lab.lb, WEB), { '10.0.0.2': 1 });
  assert.equal(lab.gone('one'), 1);
  assert.equal(last(lab, 'two')?.synced, true);
  assert.equal(lab.ledger.entries.get(vipKey(WEB))?.frontend, 'two');
});

test('[LB-6] lbsync: a foreign VIP is shown and never touched', async () => {
  const lb = createStrictLb();
  lb.apply({ op: 'vip.add', vip: WEB, attributes: ATTRIBUTES });
  lb.acknowledged.length = 0;
  const lab = startLbsync(SETTINGS, { lb });
  lab.want(wish('web', vipAt(80, '192.0.2.2'), { '10.0.0.1': 1 }));
  await lab.pass(300_000);
  assert.ok(lb.acknowledged.every((op) => 'vip' in op && vipKey(op.vip) !== vipKey(WEB)));
  assert.deepEqual(lab.view()['foreign'], [vipKey(WEB)]);
});

test('[LB-62] lbsync: what happens to a VIP that is not ours is nobody’s business', async () => {
  const lb = createStrictLb();
  lb.apply({ op: 'vip.add', vip: WEB, attributes: ATTRIBUTES });
  const other = vipAt(80, '192.0.2.2');
  const lab = startLbsync(SETTINGS, { lb });
  lab.want(wish('web', other, { '10.0.0.1': 1 }));
  await lab.pass(3000);
  lb.apply({ op: 'as.add', vip: WEB, as: '10.0.0.9', weight: 1 });
  await lab.pass(31_000);
  assert.deepEqual(lab.view()['conditions'], []);
  lb.apply({ op: 'as.add', vip: other, as: '10.0.0.9', weight: 1 });
  await lab.pass(31_000);
  assert.match(JSON.stringify(lab.view()['conditions']), /10\.0\.0\.9 was added/);
});

test('[LB-6] lbsync: exclusive ownership removes it, once warm-up is over', async () => {
  const lb = createStrictLb();
  lb.apply({ op: 'vip.add', vip: WEB, attributes: ATTRIBUTES });
  const lab = startLbsync({ ...SETTINGS, ownership: 'exclusive' }, { lb });
  lab.want(wish('web', vipAt(80, '192.0.2.2'), { '10.0.0.1': 1 }));
  await lab.pass(25_000);
  assert.ok(lb.vips.has(vipKey(WEB)));
  await lab.pass(60_000);
  assert.ok(!lb.vips.has(vipKey(WEB)));
});

test('[LB-80] lbsync: a freeze that comes while a VIP is being written stops before its next request', async () => {
  const lab = startLbsync();
  const { apply } = lab.lb;
  const frozen = {
    kind: 'freeze',
    value: true,
    configured: null,
    owner: 'o',
    reason: 'r',
  } as const;
  const overrides = { freeze: { ...frozen, sinceMs: 0, untilMs: null } };
  lab.lb.apply = (op) => {
    if (op.op === 'as.add') Object.assign(lab.companion.state, { overrides });
    return apply(op);
  };
  const servers = { '10.0.0.1': 1, '10.0.0.2': 1, '10.0.0.3': 1 };
  lab.want(wish('web', WEB, servers));
  await lab.pass(60_000);
  assert.deepEqual(weights(lab.lb, WEB), { '10.0.0.1': 0 });
  lab.lb.apply = apply;
  lab.tell({ type: 'override.level', overrides: {} } as Message);
  await lab.pass(60_000);
  assert.deepEqual(weights(lab.lb, WEB), servers);
});

test('[AN-9] lbsync: a frontend that goes on hears from a new life that the node is not drained, once', async () => {
  const lab = startLbsync();
  lab.want(wish('web', WEB, { '10.0.0.1': 1 }));
  lab.want(wish('web', WEB, { '10.0.0.1': 2 }));
  await lab.pass(60_000);
  const levels = lab.told.map(({ message }) => message).filter(({ type }) => type === 'node.level');
  assert.deepEqual(levels, [{ type: 'node.level', drained: false }]);
});

test('[LB-51] lbsync: a VIP that VPP refuses waits with back-off, others go on', async () => {
  const bad = vipAt(80, '192.0.2.3');
  const lab = startLbsync();
  const { apply } = lab.lb;
  lab.lb.apply = (op) => (op.op === 'vip.add' && op.vip.address === bad.address ? BUSY : apply(op));
  lab.want(wish('bad', bad, { '10.0.0.1': 1 }, { priority: 1 }));
  lab.want(wish('web', WEB, { '10.0.0.1': 1 }));
  await lab.pass(60_000);
  assert.deepEqual(weights(lab.lb, WEB), { '10.0.0.1': 1 });
  assert.match(last(lab, 'bad')?.problem ?? '', /busy/);
  assert.match(JSON.stringify(lab.view()), /dataplane-refused/);
  const tries = lab.dataplane.sent.filter((op) => 'vip' in op && op.vip.address === bad.address);
  assert.ok(tries.length > 3 && tries.length < 12, `${tries.length} tries in a minute`);
  lab.lb.apply = apply;
  await lab.pass(31_000);
  assert.equal(last(lab, 'bad')?.synced, true);
});

const BUSY: LbFailure = { code: 'LB_REFUSED', retval: -5, message: 'busy' };

test('[LB-51] lbsync: what excludes itself is told to its frontend, with the reason', async () => {
  const lb = createStrictLb();
  lb.apply({ op: 'vip.add', vip: vipAt(22), attributes: { ...ATTRIBUTES, encap: 'gre6' } });
  const lab = startLbsync(SETTINGS, { lb });
  lab.want(wish('web', WEB, { '10.0.0.1': 1 }));
  await lab.settle();
  assert.match(last(lab, 'web')?.problem ?? '', /another VIP on this prefix/);
  assert.equal(last(lab, 'web')?.exists, false);
});

test('[LB-7] lbsync: another table length is a condition until re-creation is allowed', async () => {
  const lab = startLbsync();
  lab.want(wish('web', WEB, { '10.0.0.1': 1 }));
  await lab.settle();
  const attributes = { ...ATTRIBUTES, tableLength: 4096, srcIpSticky: true };
  lab.want(wish('web', WEB, { '10.0.0.1': 2 }, { attributes }));
  await lab.settle();
  assert.deepEqual(weights(lab.lb, WEB), { '10.0.0.1': 2 });
  assert.equal(last(lab, 'web')?.synced, true);
  assert.match(last(lab, 'web')?.problem ?? '', /tableLength, srcIpSticky/);
  assert.match(JSON.stringify(lab.view()), /dataplane-needs-recreation/);
  lab.want(wish('web', WEB, { '10.0.0.1': 2 }, { attributes, mayRecreate: true }));
  await lab.settle();
  assert.equal(lab.lb.vips.get(vipKey(WEB))?.attributes.tableLength, 4096);
  assert.equal(lab.ledger.entries.get(vipKey(WEB))?.attributes.srcIpSticky, true);
  assert.equal(last(lab, 'web')?.problem, undefined);
});

test('[LB-30] [DP-49] lbsync: a burst of wishes while a pass is out ends in one more pass', async () => {
  const lab = startLbsync();
  lab.want(wish('web', WEB, { '10.0.0.1': 1 }));
  await lab.settle();
  const before = lab.dataplane.sent.length;
  for (let weight = 2; weight <= 51; weight += 1)
    lab.want(wish('web', WEB, { '10.0.0.1': weight }));
  await lab.settle();
  assert.deepEqual(weights(lab.lb, WEB), { '10.0.0.1': 51 });
  assert.ok(lab.dataplane.sent.length - before <= 2);
});

test('[LB-54] lbsync: weights do not wait for the disk', async () => {
  const lab = startLbsync();
  lab.want(wish('web', WEB, { '10.0.0.1': 1, '10.0.0.2': 1 }));
  await lab.settle();
  lab.ledger.store.ledgerPut = () => new Promise(() => undefined);
  lab.want(wish('new', vipAt(80, '192.0.2.2'), { '10.0.0.3': 1 }));
  await lab.settle();
  lab.want(wish('web', WEB, { '10.0.0.1': 0, '10.0.0.2': 1 }));
  await lab.settle();
  assert.deepEqual(weights(lab.lb, WEB), { '10.0.0.1': 0, '10.0.0.2': 1 });
  assert.equal(weights(lab.lb, vipAt(80, '192.0.2.2')), undefined);
});

test('[LB-52] lbsync: a wish that changes during a pass is not written as it was', async () => {
  const lab = startLbsync();
  const other = vipAt(443, '192.0.2.9');
  lab.want(wish('web', WEB, { '10.0.0.1': 1 }));
  lab.want(wish('other', other, { '10.0.0.1': 1 }));
  await lab.settle();
  const before = lab.dataplane.sent.length;
  duringNextPass(lab, () => lab.want(wish('other', other, { '10.0.0.1': 9 })));
  lab.want(wish('web', WEB, { '10.0.0.1': 2 }));
  lab.want(wish('other', other, { '10.0.0.1': 2 }));
  await lab.settle();
  assert.deepEqual(lines(lab.dataplane.sent.slice(before)), [
    '~ as  10.0.0.1 weight 2',
    '~ as  10.0.0.1 weight 9',
  ]);
});

test('[LB-53] lbsync: a dead server does not wait for a hundred builds', async () => {
  const lab = startLbsync();
  lab.want(wish('web', WEB, { '10.0.0.1': 1, '10.0.0.2': 1 }, { priority: 1 }));
  await lab.settle();
  for (let index = 0; index < 200; index += 1) {
    lab.want(wish(`f${index}`, vipAt(80, `198.51.100.${index}`), { '10.0.0.3': 1 }));
  }
  const before = lab.dataplane.sent.length;
  const dead = wish('web', WEB, { '10.0.0.1': [0, 'down-1'], '10.0.0.2': 1 }, { priority: 1 });
  duringNextPass(lab, () => lab.want(dead));
  await lab.settle();
  const ops = lab.dataplane.sent.slice(before);
  const at = ops.findIndex((op) => op.op === 'as.weight' && op.flush);
  const builds = ops.slice(0, at).filter(({ op }) => op === 'vip.add').length;
  assert.ok(at > 0 && builds <= 64, `${builds} builds came first`);
  assert.equal(lab.lb.vips.size, 201);
});

test('[LB-55] lbsync: without a load balancer every wish counts as applied', async () => {
  const lab = startLbsync(SETTINGS, { detached: true });
  await lab.settle();
  lab.want(wish('web', WEB, { '10.0.0.1': 1, '10.0.0.2': 0 }));
  await lab.settle();
  assert.equal(last(lab, 'web')?.synced, true);
  assert.deepEqual(last(lab, 'web')?.servers, [
    { address: '10.0.0.1', weight: 1, buckets: 1024 },
    { address: '10.0.0.2', weight: 0, buckets: 0 },
  ]);
  lab.tell(withdrawal('web'));
  await lab.settle();
  assert.equal(lab.gone('web'), 1);
  assert.equal(lab.view()['connected'], true);
});

test('[LB-56] lbsync: an operator’s sync reads at once; an unknown frontend is told so', async () => {
  const lab = startLbsync();
  lab.want(wish('web', WEB, { '10.0.0.1': 1 }));
  await lab.settle();
  const reads = lab.dataplane.reads;
  const reply = lab.ask({ type: 'operator.sync', frontend: 'web' } as Message);
  assert.deepEqual(reply, { ok: true, dirty: 1 });
  await lab.settle();
  assert.equal(lab.dataplane.reads, reads + 1);
  const unknown = lab.ask({ type: 'operator.sync', frontend: 'ghost' } as Message);
  assert.match(JSON.stringify(unknown), /not-found/);
});

test('[LB-56] lbsync: the view names driver, VIPs, digests and what is dirty', async () => {
  const lab = startLbsync();
  lab.want(wish('web', WEB, { '10.0.0.1': 1 }));
  await lab.settle();
  const view = lab.view();
  assert.equal(view['connected'], true);
  assert.equal(view['synced'], true);
  assert.equal(view['frozen'], false);
  assert.equal(view['dirty'], 0);
  const [vip] = view['vips'] as readonly Record<string, unknown>[];
  assert.equal(vip?.['vip'], vipKey(WEB));
  assert.match(String(vip?.['tableDigest']), /^[0-9a-f]{8}$/);
});
