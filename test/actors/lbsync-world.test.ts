/**
 * The lbsync actor in a world that changes under it: restarts, of VPP and its own, what others left
 * behind, connections that break, and what it leaves alone while it knows too little.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { vipKey } from '../../machines/model/lb.js';
import type { Message } from '../../machines/model/messages.js';
import { fail } from '../../machines/model/result.js';
import { createStrictDataplane } from '../support/strict-dataplane.js';
import { createStrictLb } from '../support/strict-lb.js';
import { frontendNamed, SETTINGS, startLbsync } from './lbsync-lab.js';
import { last, leftBehind, lines, vipAt, WEB, weights, wish, withdrawal } from './lbsync-wishes.js';

test('[LB-9] [DP-44] lbsync: a restart against an unchanged site makes no write at all', async () => {
  const desired = wish('web', WEB, { '10.0.0.1': 1, '10.0.0.2': [0, 'down-1'] });
  const { lb, ledger } = await leftBehind(desired);
  const again = startLbsync(SETTINGS, { lb, ledger });
  again.tell({ type: 'vip.awaited', frontend: frontendNamed('web') } as Message);
  await again.pass(45_000);
  again.want(wish('web', WEB, { '10.0.0.1': 1, '10.0.0.2': [0, 'down-9'] }));
  await again.pass(90_000);
  assert.deepEqual(again.dataplane.sent, []);
  assert.equal(last(again, 'web')?.synced, true);
});

test('[LB-50] lbsync: a frontend that is not ready is told what VPP has, and left alone', async () => {
  const { lb, ledger } = await leftBehind(wish('web', WEB, { '10.0.0.1': 2 }));
  const lab = startLbsync(SETTINGS, { lb, ledger });
  lab.tell({ type: 'vip.awaited', frontend: frontendNamed('web') } as Message);
  await lab.settle();
  const report = last(lab, 'web');
  assert.equal(report?.exists, true);
  assert.equal(report?.synced, false);
  assert.deepEqual(report?.servers, [{ address: '10.0.0.1', weight: 2, buckets: 1024 }]);
  await lab.pass(600_000);
  assert.deepEqual(lab.dataplane.sent, []);
});

test('[LB-50] lbsync: hands off what was there for the first seconds, not off what is new', async () => {
  const { lb, ledger } = await leftBehind(wish('web', WEB, { '10.0.0.1': 1 }));
  const settings = { ...SETTINGS, startupMinDelayMs: 5000 };
  const lab = startLbsync(settings, { lb, ledger });
  lab.want(wish('web', WEB, { '10.0.0.1': 1, '10.0.0.2': 1 }));
  lab.want(wish('new', vipAt(80, '192.0.2.2'), { '10.0.0.3': 1 }));
  await lab.pass(4900);
  assert.deepEqual(weights(lb, WEB), { '10.0.0.1': 1 });
  assert.deepEqual(weights(lb, vipAt(80, '192.0.2.2')), { '10.0.0.3': 1 });
  await lab.pass(200);
  assert.deepEqual(weights(lb, WEB), { '10.0.0.1': 1, '10.0.0.2': 1 });
});

test('[LB-46] lbsync: a ledger VIP nobody wants goes only after warm-up and after asking', async () => {
  const { lb, ledger } = await leftBehind(
    wish('web', WEB, { '10.0.0.1': 1 }),
    wish('old', vipAt(80, '192.0.2.2'), { '10.0.0.2': 1 }),
  );
  const lab = startLbsync(SETTINGS, { lb, ledger });
  lab.want(wish('web', WEB, { '10.0.0.1': 1 }));
  await lab.pass(29_000);
  assert.deepEqual(lab.dataplane.sent, []);
  await lab.pass(10_000);
  const asked = lab.told.filter(({ message }) => message.type === 'reload.reconverge');
  assert.equal(asked.length, 1);
  assert.deepEqual(lab.dataplane.sent, []);
  await lab.pass(60_000);
  assert.equal(weights(lb, vipAt(80, '192.0.2.2')), undefined);
  assert.deepEqual([...ledger.entries.keys()], [vipKey(WEB)]);
});

test('[LB-46] lbsync: many VIPs nobody wants at once are held, not removed', async () => {
  const many = Array.from({ length: 8 }, (_, index) =>
    wish(`f${index}`, vipAt(80, `192.0.2.${index + 10}`), { '10.0.0.1': 1 }),
  );
  const { lb, ledger } = await leftBehind(...many);
  const lab = startLbsync(SETTINGS, { lb, ledger });
  const [first] = many;
  assert.ok(first);
  lab.want(first);
  await lab.pass(200_000);
  assert.deepEqual(lab.dataplane.sent, []);
  assert.match(JSON.stringify(lab.view()), /dataplane-stale-held/);
});

test('[LB-46] lbsync: as long as nobody has spoken nothing is stale', async () => {
  const { lb, ledger } = await leftBehind(wish('web', WEB, { '10.0.0.1': 1 }));
  const lab = startLbsync(SETTINGS, { lb, ledger });
  await lab.pass(600_000);
  assert.deepEqual(lab.dataplane.sent, []);
});

test('[LB-31] lbsync: a hand-made change is found by the audit and repaired', async () => {
  const lab = startLbsync();
  lab.want(wish('web', WEB, { '10.0.0.1': 1, '10.0.0.2': 1 }));
  await lab.settle();
  lab.lb.apply({ op: 'as.weight', vip: WEB, as: '10.0.0.2', weight: 77, flush: false });
  lab.lb.apply({ op: 'as.add', vip: WEB, as: '10.0.0.66', weight: 1 });
  await lab.pass(31_000);
  assert.deepEqual(weights(lab.lb, WEB), { '10.0.0.1': 1, '10.0.0.2': 1 });
});

test('[LB-31] lbsync: a surprise is read at once and put right', async () => {
  const lab = startLbsync();
  lab.want(wish('web', WEB, { '10.0.0.1': 1 }));
  await lab.settle();
  lab.lb.apply({ op: 'as.add', vip: WEB, as: '10.0.0.2', weight: 5 });
  lab.want(wish('web', WEB, { '10.0.0.1': 1, '10.0.0.2': 1 }));
  await lab.settle();
  assert.deepEqual(weights(lab.lb, WEB), { '10.0.0.1': 1, '10.0.0.2': 1 });
  assert.equal(last(lab, 'web')?.synced, true);
});

test('[LB-40] lbsync: a restarted VPP is rebuilt by priority, and one incident says so', async () => {
  const lab = startLbsync();
  lab.want(wish('later', vipAt(80, '192.0.2.8'), { '10.0.0.1': 1 }, { priority: 200 }));
  lab.want(wish('first', WEB, { '10.0.0.1': [0, 'down-1'], '10.0.0.2': 1 }, { priority: 1 }));
  await lab.pass(3000);
  lab.lb.restart();
  lab.dataplane.pid += 1;
  lab.dataplane.drop('connection reset');
  await lab.settle();
  assert.equal(lab.view()['connected'], false);
  const before = lab.dataplane.sent.length;
  await lab.pass(2000);
  const added = lab.dataplane.sent.slice(before).filter(({ op }) => op === 'vip.add');
  assert.deepEqual(
    added.map((op) => ('vip' in op ? vipKey(op.vip) : '')),
    [vipKey(WEB), vipKey(vipAt(80, '192.0.2.8'))],
  );
  assert.deepEqual(weights(lab.lb, WEB), { '10.0.0.1': 0, '10.0.0.2': 1 });
  assert.equal(lab.records.length, 1);
  const [record] = lab.records;
  assert.equal(record?.['event'], 'dataplane.rebuilt');
  const numbers = record?.['numbers'] as { ops: number; lostAt: number; rebuiltAt: number };
  assert.ok(numbers.ops >= 7 && numbers.rebuiltAt > numbers.lostAt);
});

test('[LB-40] [DP-68] lbsync: in a container, where the process id stays, the empty VPP tells', async () => {
  const lab = startLbsync();
  lab.want(wish('web', WEB, { '10.0.0.1': 1 }));
  await lab.settle();
  lab.lb.restart();
  lab.dataplane.drop('connection reset');
  await lab.pass(2000);
  assert.deepEqual(weights(lab.lb, WEB), { '10.0.0.1': 1 });
  assert.equal(lab.records.length, 1);
});

test('[LB-33] lbsync: an absent VPP is tried again for ever, wishes are kept meanwhile', async () => {
  const lb = createStrictLb();
  const dataplane = createStrictDataplane(lb);
  dataplane.reachable = false;
  const lab = startLbsync(SETTINGS, { lb, dataplane });
  lab.want(wish('web', WEB, { '10.0.0.1': 1 }));
  await lab.pass(60_000);
  assert.equal(lab.state(), 'disconnected');
  assert.equal(lab.reports('web').length, 0);
  assert.match(JSON.stringify(lab.view()['conditions']), /dataplane-disconnected/);
  dataplane.reachable = true;
  await lab.pass(6000);
  assert.deepEqual(weights(lb, WEB), { '10.0.0.1': 1 });
  assert.equal(last(lab, 'web')?.synced, true);
});

test('[LB-33] lbsync: a VPP that hangs is noticed by the ping', async () => {
  const lab = startLbsync();
  await lab.settle();
  assert.equal(lab.view()['connected'], true);
  lab.dataplane.reachable = false;
  await lab.dataplane.close();
  await lab.pass(5100);
  assert.equal(lab.view()['connected'], false);
});

test('[LB-15] lbsync: given settings are sent once, others left as VPP has them', async () => {
  const lab = startLbsync({ ...SETTINGS, ip4Source: '192.0.2.250', flowTimeoutS: 60 });
  await lab.pass(65_000);
  assert.equal(lab.dataplane.sent.length, 1);
  assert.deepEqual(lab.lb.conf, {
    ip4Source: '192.0.2.250',
    ip6Source: undefined,
    stickyBucketsPerCore: 1024,
    flowTimeoutS: 60,
  });
});

test('[LB-47] lbsync: buckets that are not the model’s raise a condition soon after a build', async () => {
  const lab = startLbsync();
  lab.want(wish('web', WEB, { '10.0.0.1': 1, '10.0.0.2': 1 }));
  await lab.settle();
  const { state } = lab.lb;
  lab.lb.state = () => {
    const read = state();
    const vips = read.vips.map((vip) => ({
      ...vip,
      servers: vip.servers.map((as) => ({ ...as, buckets: as.buckets - 1 })),
    }));
    return { ...read, vips };
  };
  await lab.pass(1500);
  assert.match(JSON.stringify(lab.view()['conditions']), /dataplane-mismatch/);
  lab.lb.state = state;
  await lab.pass(31_000);
  assert.deepEqual(lab.view()['conditions'], []);
});

test('[LB-45] lbsync: while the ledger cannot be read nothing is created or removed', async () => {
  const { lb, ledger } = await leftBehind(
    wish('web', WEB, { '10.0.0.1': 1 }),
    wish('old', vipAt(80, '192.0.2.2'), { '10.0.0.2': 1 }),
  );
  ledger.available = false;
  const lab = startLbsync(SETTINGS, { lb, ledger });
  lab.want(wish('web', WEB, { '10.0.0.1': 2 }));
  lab.want(wish('new', vipAt(80, '192.0.2.3'), { '10.0.0.3': 1 }));
  lab.tell(withdrawal('old'));
  await lab.pass(60_000);
  assert.deepEqual(lines(lab.dataplane.sent), ['~ as  10.0.0.1 weight 2']);
  assert.equal(lab.gone('old'), 0);
  ledger.available = true;
  await lab.pass(2000);
  assert.deepEqual(
    [...lb.vips.keys()].sort(),
    [vipKey(WEB), vipKey(vipAt(80, '192.0.2.3'))].sort(),
  );
  assert.equal(lab.gone('old'), 1);
});

test('[LB-57] [DP-54] lbsync: stopping makes no write', async () => {
  const lab = startLbsync();
  lab.want(wish('web', WEB, { '10.0.0.1': 1 }));
  lab.companion.stop();
  await lab.pass(60_000);
  assert.deepEqual(lab.dataplane.sent, []);
});

test('[LB-67] lbsync: a VPP that can only be read is not asked twice, and its successor is written', async () => {
  const lab = startLbsync();
  const { apply } = lab.dataplane;
  let asked = 0;
  lab.dataplane.apply = async () => {
    asked += 1;
    return fail({ code: 'LB_INCOMPATIBLE', message: 'this VPP has no lb_as_set_weight_2d89bdbd' });
  };
  lab.want(wish('web', WEB, { '10.0.0.1': 1 }));
  await lab.pass(120_000);
  assert.equal(asked, 1);
  assert.ok(lab.dataplane.reads >= 4, 'audits go on');
  assert.match(last(lab, 'web')?.problem ?? '', /lb_as_set_weight_2d89bdbd/);
  const types = () =>
    (lab.view()['conditions'] as readonly { type: string }[]).map(({ type }) => type);
  assert.deepEqual(types(), ['dataplane-read-only']);
  lab.want(wish('web', WEB, { '10.0.0.1': 2 }, { revision: 2 }));
  await lab.pass(60_000);
  assert.equal(asked, 1);

  lab.dataplane.apply = apply;
  lab.dataplane.pid += 1;
  lab.dataplane.drop('another VPP was started');
  await lab.pass(10_000);
  assert.deepEqual(weights(lab.lb, WEB), { '10.0.0.1': 2 });
  assert.deepEqual(types(), []);
});
