/**
 * Syncs, as VPP hears them: the order of requests, what is repeated and what is not, what is left alone.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf, type BackendName, type FrontendName } from '../../machines/model/ids.js';
import type { Vip } from '../../machines/model/lb.js';
import type { Message } from '../../machines/model/messages.js';
import { compareAddresses } from '../../src/lb/address.js';
import { flowTable, movedShare } from '../../src/lb/maglev.js';
import { startLbsync } from '../actors/lbsync-lab.js';
import { last, lines, wish } from '../actors/lbsync-wishes.js';
import { TERMS } from '../support/book.js';
import { HEALTHY } from '../support/fake-prober.js';
import type { VirtualNode } from '../support/virtual-node.js';
import {
  B1,
  B2,
  backend,
  behave,
  callsDuring,
  callsSince,
  conditionTypes,
  fixture,
  REFUSES,
  restartVpp,
  SILENT,
  synced,
  weightsOf,
} from './fixture.js';

const WEB: Vip = { address: '192.0.2.1', prefixLength: 32, protocol: 'tcp', port: 443 };

/** The weights' sum of `web` after each acknowledged request from `from` on. */
function totals(node: VirtualNode, from: number): readonly number[] {
  const weights = new Map<string, number>();
  return node.lb.acknowledged.map((op, index) => {
    if (op.op === 'as.add' || op.op === 'as.weight') weights.set(op.as, op.weight);
    if (op.op === 'as.del') weights.delete(op.as);
    const total = [...weights.values()].reduce((sum, weight) => sum + weight, 0);
    return index < from ? Number.NaN : total;
  });
}

test('[DP-29] an empty VPP gets the VIP, its ASes without weight, then weights, then one flush', async () => {
  const node = await synced(fixture());
  const calls = await callsDuring(node, async () => {
    restartVpp(node);
    await node.clock.advance(10_000);
  });
  assert.deepEqual(calls, [
    'VIP+',
    ...['AS+(.11,0)', 'AS+(.12,0)', 'AS+(.21,0)', 'AS+(.22,0)'],
    ...['W(.11,100)', 'W(.12,50)'],
    'FLUSH',
  ]);
  const built = [...node.lb.vips.values()][0];
  assert.deepEqual(built?.vip, WEB);
  assert.deepEqual([built?.attributes.tableLength, built?.attributes.encap], [1024, 'gre4']);
  const reads = node.dataplane.reads;
  assert.deepEqual(await callsDuring(node, () => node.clock.advance(120_000)), []);
  assert.ok(node.dataplane.reads > reads, 'a full sync looked');
});

test('[DP-30] a backend that goes down costs one request', async () => {
  const node = await synced(fixture());
  behave(node, B1, REFUSES);
  assert.deepEqual(await callsDuring(node, () => node.clock.advance(120_000)), ['W!(.11,0)']);
});

test('[DP-31] a failover raises the fallback before it drains the primary, and flushes nobody twice', async () => {
  const node = await synced(fixture());
  behave(node, B2, REFUSES);
  await node.clock.advance(10_000);
  behave(node, B1, REFUSES);
  const from = node.lb.acknowledged.length;
  await node.clock.advance(120_000);
  assert.deepEqual(callsSince(node, from), ['W(.21,100)', 'W(.22,100)', 'W!(.11,0)']);
  assert.ok(totals(node, from).every((total) => !(total === 0)));
});

test('[DP-32] disabling a standby at weight 0 flushes it although its weight stays', async () => {
  const node = await synced(fixture());
  behave(node, B1, REFUSES);
  behave(node, B2, REFUSES);
  await node.clock.advance(10_000);
  for (const address of [B1, B2]) behave(node, address, HEALTHY);
  await node.clock.advance(10_000);
  assert.equal(weightsOf(node)['.21'], 0);
  const calls = await callsDuring(node, async () => {
    await node.order(addressOf('backend', 'b3'), {
      ...TERMS,
      type: 'backend.disable',
    } as Message);
    await node.clock.advance(60_000);
  });
  assert.deepEqual(calls, ['W!(.21,0)']);
});

test('[DP-33] addresses are ordered as numbers, IPv4 first', () => {
  const addresses = ['2001:db8::1', '10.0.0.10', '10.0.0.2'];
  assert.deepEqual(addresses.sort(compareAddresses), ['10.0.0.2', '10.0.0.10', '2001:db8::1']);
});

test('[DP-34] a VIP of nobody is left alone by events, and emptied and removed by a full sync', async () => {
  const node = await synced(fixture([['startupMaxDelay: 0s', 'startupMaxDelay: 1s']]));
  const extra: Vip = { ...WEB, address: '192.0.2.99' };
  const attributes = { encap: 'gre4', dscp: 0, srcIpSticky: false, tableLength: 1024 } as const;
  node.lb.apply({ op: 'vip.add', vip: extra, attributes });
  node.lb.apply({ op: 'as.add', vip: extra, as: '10.9.9.9', weight: 7 });
  behave(node, B1, REFUSES);
  assert.deepEqual(await callsDuring(node, () => node.clock.advance(3_000)), ['W!(.11,0)']);
  const calls = await callsDuring(node, () => node.clock.advance(60_000));
  assert.deepEqual(calls, ['W!(.9,0)', 'AS-(.9)', 'VIP-']);
});

test('[DP-35] a weight set by hand is put right at the next audit, which says that somebody wrote', async () => {
  const node = await synced(fixture());
  node.lb.apply({ op: 'as.weight', vip: WEB, as: B2, weight: 77, flush: false });
  const calls = await callsDuring(node, () => node.clock.advance(30_000));
  assert.deepEqual(calls, ['W(.12,50)']);
  assert.deepEqual(conditionTypes(node), ['foreign-writer']);
  await node.clock.advance(60_000);
  assert.deepEqual(conditionTypes(node), []);
});

test('[DP-36] stickiness that changes makes the VIP again, only when that was allowed', async () => {
  const node = await synced(fixture());
  const sticky = fixture([['port: 443', 'port: 443\n    srcIpSticky: true']]);
  const refused = await callsDuring(node, async () => {
    assert.equal((await node.configure(sticky))['status'], 'validation_failed');
    await node.clock.advance(60_000);
  });
  assert.deepEqual(refused, []);
  const calls = await callsDuring(node, async () => {
    await node.configure(sticky, { disruptive: true });
    await node.clock.advance(60_000);
  });
  assert.deepEqual(calls, [
    ...['W!(.11,0)', 'W!(.12,0)'],
    ...['AS-(.11)', 'AS-(.12)', 'AS-(.21)', 'AS-(.22)'],
    ...['VIP-', 'VIP+'],
    ...['AS+(.11,0)', 'AS+(.12,0)', 'AS+(.21,0)', 'AS+(.22,0)'],
    ...['W(.11,100)', 'W(.12,50)', 'FLUSH'],
  ]);
  assert.equal([...node.lb.vips.values()][0]?.attributes.srcIpSticky, true);
});

const LATE = { state: 'down', positive: true, episode: 'late', sinceMs: 0, code: 'L4CON' } as const;

test('[DP-38] an event of a frontend that was removed meanwhile costs no request and no warning', async () => {
  const other =
    '\n  gone: { address: 192.0.2.7, port: 80, pools: [{ name: one, members: [{ backend: b1 }] }] }\ndataplane:';
  const node = await synced(fixture([['\ndataplane:', other]]));
  await node.configure(fixture());
  await node.clock.advance(60_000);
  const lines = node.log.lines.length;
  const name = 'gone' as FrontendName;
  const verdict = { ...LATE, backend: 'b1' as BackendName, address: B1 };
  const calls = await callsDuring(node, async () => {
    node.host.tell(
      addressOf('frontend', name),
      { type: 'backend.verdict', verdict } as Message,
      'a test',
    );
    await node.clock.advance(30_000);
  });
  assert.deepEqual(calls, []);
  assert.deepEqual(
    node.log.lines.slice(lines).filter(({ level }) => level !== 'info'),
    [],
  );
});

test('[DP-39] what only observes reads nothing and writes nothing', async () => {
  const node = await synced(fixture());
  const { reads } = node.dataplane;
  const calls = await callsDuring(node, async () => {
    await node.order(addressOf('backend', 'b1'), { type: 'publish.request' } as never);
    node.views('frontend');
    node.views('lbsync');
    await node.clock.advance(5_000);
  });
  assert.deepEqual(calls, []);
  assert.equal(node.dataplane.reads, reads);
});

test('[DP-41] VPP lost and back empty: wishes of the meantime count, everything is rebuilt within 5 s', async () => {
  const node = await synced(fixture());
  node.dataplane.reachable = false;
  node.dataplane.drop('VPP died');
  node.lb.restart();
  node.dataplane.pid += 1;
  behave(node, B1, SILENT);
  await node.clock.advance(20_000);
  assert.equal(backend(node, 'b1')['state'], 'down');
  assert.deepEqual(conditionTypes(node), ['dataplane-disconnected']);
  node.dataplane.reachable = true;
  const calls = await callsDuring(node, () => node.clock.advance(5_000));
  assert.equal(calls[0], 'VIP+');
  assert.deepEqual(weightsOf(node), { '.11': 0, '.12': 50, '.21': 0, '.22': 0 });
  assert.deepEqual(conditionTypes(node), []);
});

const [MODEL_100_50, MODEL_100_25] = [50, 25].map((weight) =>
  flowTable(
    [
      { address: B1, weight: 100 },
      { address: B2, weight },
    ],
    1024,
  ),
);

test('[DP-40] another weight with a flush is one request, and moves the buckets it must', async () => {
  const lab = startLbsync();
  lab.want(wish('web', WEB, { [B1]: 100, [B2]: 50 }));
  await lab.settle();
  const before = lab.dataplane.sent.length;
  lab.want(wish('web', WEB, { [B1]: 100, [B2]: [25, 'by hand'] }));
  await lab.settle();
  assert.deepEqual(lines(lab.dataplane.sent.slice(before)), ['! as  10.0.0.12 weight 25, flush']);
  const buckets = last(lab, 'web')?.servers.map((server) => server.buckets);
  assert.deepEqual(buckets, [812, 212]);
  assert.ok(MODEL_100_50 !== undefined && MODEL_100_25 !== undefined);
  assert.equal(movedShare(MODEL_100_50, MODEL_100_25) * 1024, 176);
});

test('[DP-40] an operator’s weight with a flush reaches VPP at once, as that one request', async () => {
  const node = await synced(fixture());
  const order = { type: 'operator.weight', pool: 'primary', member: 'b2', weight: 25, flush: true };
  const terms = { owner: 'test', reason: 'a canary', forMs: null };
  const calls = await callsDuring(node, async () => {
    const answer = await node.order(addressOf('frontend', 'web'), {
      ...order,
      ...terms,
    } as Message);
    assert.equal(answer?.['ok'], true);
    await node.clock.advance(60_000);
  });
  assert.deepEqual(calls, ['W!(.12,25)']);
});
