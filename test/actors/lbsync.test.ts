/**
 * The lbsync actor against the judge: what it writes, what it tells frontends, and what it leaves
 * alone while it knows too little.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LbFailure } from '../../machines/model/failures.js';
import {
  type DesiredVip,
  type LbOp,
  type Vip,
  type VipAttributes,
  vipKey,
} from '../../machines/model/lb.js';
import type { Message, VipReport } from '../../machines/model/messages.js';
import { explain } from '../../src/lb/explain.js';
import { createStrictDataplane } from '../support/strict-dataplane.js';
import { createStrictLb, type StrictLb } from '../support/strict-lb.js';
import { frontendNamed, type LbsyncLab, SETTINGS, startLbsync } from './lbsync-lab.js';

const ATTRIBUTES: VipAttributes = {
  encap: 'gre4',
  dscp: 0,
  srcIpSticky: false,
  tableLength: 1024,
};

function vipAt(port: number, address = '192.0.2.1'): Vip {
  return { address, prefixLength: 32, protocol: 'tcp', port };
}

const WEB = vipAt(443);

function wish(
  frontend: string,
  vip: Vip,
  servers: Readonly<Record<string, number | readonly [number, string]>>,
  change: Partial<DesiredVip> = {},
): DesiredVip {
  return {
    frontend: frontendNamed(frontend),
    vip,
    attributes: ATTRIBUTES,
    servers: Object.entries(servers).map(([address, weight]) =>
      typeof weight === 'number'
        ? { address, weight }
        : { address, weight: weight[0], flushEpisode: weight[1] },
    ),
    priority: 100,
    ...change,
  };
}

function weights(lb: StrictLb, vip: Vip): Record<string, number> | undefined {
  const found = lb.vips.get(vipKey(vip));
  return found === undefined ? undefined : Object.fromEntries(found.servers);
}

function lines(ops: readonly LbOp[]): readonly string[] {
  return explain(ops);
}

function last(lab: LbsyncLab, frontend: string): VipReport | undefined {
  return lab.reports(frontend).at(-1);
}

/** A site as an earlier process left it: VIP and ledger in place. */
async function leftBehind(...wishes: readonly DesiredVip[]) {
  const first = startLbsync();
  for (const desired of wishes) first.want(desired);
  await first.settle();
  first.lb.acknowledged.length = 0;
  return { lb: first.lb, ledger: first.ledger };
}

test('[LB-43] lbsync: a new VIP is in the ledger before VPP hears of it, then built and told', async () => {
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

test('[LB-2] lbsync: a failing server costs exactly one op, flushed once per episode', async () => {
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

test('[LB-9] lbsync: a restart against an unchanged site makes no write at all', async () => {
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

test('[LB-49] lbsync: a withdrawn VIP is emptied, deleted, struck from the ledger, then told gone', async () => {
  const lab = startLbsync();
  lab.want(wish('web', WEB, { '10.0.0.1': 1 }));
  await lab.settle();
  const before = lab.dataplane.sent.length;
  lab.tell({ type: 'vip.withdrawn', frontend: frontendNamed('web') } as Message);
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
  lab.tell({ type: 'vip.withdrawn', frontend: frontendNamed('web') } as Message);
  lab.tell({ type: 'vip.withdrawn', frontend: frontendNamed('ghost') } as Message);
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
  lab.tell({ type: 'vip.withdrawn', frontend: frontendNamed('one') } as Message);
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

test('[LB-40] lbsync: in a container, where the process id stays, the empty VPP tells', async () => {
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

test('[LB-30] lbsync: a burst of wishes while a pass is out ends in one more pass', async () => {
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
  lab.tell({ type: 'vip.withdrawn', frontend: frontendNamed('web') } as Message);
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

test('[LB-57] lbsync: stopping makes no write', async () => {
  const lab = startLbsync();
  lab.want(wish('web', WEB, { '10.0.0.1': 1 }));
  lab.companion.stop();
  await lab.pass(60_000);
  assert.deepEqual(lab.dataplane.sent, []);
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
