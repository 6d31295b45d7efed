/**
 * The dataplane contract: what every `Dataplane` does, as VPP's lb plugin does it.
 *
 * Input: a name and a way to open a dataplane. It may already hold other VIPs; the addresses below
 * (198.51.100.0/24, 203.0.113.0/24, 192.0.2.0/24, 2001:db8::/32) belong to this suite.
 * Every test has its own addresses and leaves nothing live behind.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { LbOp, VipAttributes } from '../../machines/model/lb.js';
import { seedOfRun } from '../support/seed.js';
import {
  ALL_PORTS,
  attributes,
  bucketShares,
  expectOk,
  type Lab,
  type OpenDataplane,
  outcomeOf,
  vipAt,
  type Weighted,
  withLab,
} from './dataplane-lab.js';

export type { OpenDataplane, OpenedDataplane } from './dataplane-lab.js';

export function dataplaneContract(name: string, open: OpenDataplane): void {
  const check = (title: string, run: (lab: Lab) => Promise<void>) => {
    test(title, () => withLab(open, run));
  };
  describe(`dataplane contract: ${name}`, () => {
    connections(open);
    settings(check);
    vips(check);
    conflicts(check);
    servers(check);
    removals(check);
    buckets(check);
    refusals(check);
  });
}

type Check = (title: string, run: (lab: Lab) => Promise<void>) => void;

function connections(open: OpenDataplane): void {
  test('[VP-30] connection: unconnected calls answer that there is none', async () => {
    const { dataplane, close } = await open();
    try {
      assert.equal(outcomeOf(await dataplane.read()), 'LB_UNREACHABLE');
      assert.equal(outcomeOf(await dataplane.ping()), 'LB_UNREACHABLE');
      const op: LbOp = { op: 'vip.add', vip: vipAt('198.51.100.1'), attributes: attributes() };
      assert.equal(outcomeOf(await dataplane.apply(op)), 'LB_UNREACHABLE');
    } finally {
      await close();
    }
  });

  test('[VP-30] connection: connect and ping tell the same version and process', () =>
    withLab(open, async ({ dataplane }) => {
      const hello = expectOk(await dataplane.ping());
      assert.notEqual(hello.version, '');
      assert.ok(Number.isInteger(hello.pid) && hello.pid > 0);
      assert.deepEqual(expectOk(await dataplane.connect()), hello);
    }));

  test('[VP-30] connection: closing it on purpose is no loss, and VIPs outlive it', () =>
    withLab(open, async (lab) => {
      const reasons: string[] = [];
      lab.dataplane.onDown((reason) => reasons.push(reason));
      const vip = vipAt('198.51.100.2');
      expectOk(await lab.addVip(vip));
      expectOk(await lab.add(vip, '203.0.113.1', 3));
      await lab.dataplane.close();
      assert.equal(outcomeOf(await lab.dataplane.read()), 'LB_UNREACHABLE');
      expectOk(await lab.dataplane.connect());
      assert.deepEqual(await lab.servers(vip), { '203.0.113.1': [3, 1024] });
      assert.deepEqual(reasons, []);
    }));
}

function settings(check: Check): void {
  check('[VP-31] conf: what is set reads back, and unset sources stay unset', async (lab) => {
    const before = (await lab.read()).conf;
    const both = { ...before, ip4Source: '192.0.2.1', ip6Source: '2001:db8::1', flowTimeoutS: 17 };
    const onlyIp6 = { ...before, ip4Source: undefined, ip6Source: '2001:db8::2' };
    const none = { ...before, ip4Source: undefined, ip6Source: undefined };
    try {
      for (const conf of [both, onlyIp6, none]) {
        expectOk(await lab.apply({ op: 'conf.set', conf }));
        assert.deepEqual((await lab.read()).conf, conf);
      }
    } finally {
      expectOk(await lab.apply({ op: 'conf.set', conf: before }));
    }
    assert.deepEqual((await lab.read()).conf, before);
  });
}

function vips(check: Check): void {
  check('[VP-32] vip: every kind reads back as it was added', async (lab) => {
    const rows = [
      [vipAt('198.51.100.3'), { encap: 'gre4' }],
      [vipAt('198.51.100.4', { protocol: 'udp', port: 65535 }), { encap: 'gre6' }],
      [vipAt('198.51.100.5', ALL_PORTS), { encap: 'l3dsr', dscp: 63, tableLength: 512 }],
      [vipAt('198.51.100.64', { prefixLength: 27 }), { srcIpSticky: true, tableLength: 32768 }],
      [vipAt('2001:db8:1::3'), { encap: 'gre6', tableLength: 1 }],
      [vipAt('2001:db8:1:1::', { prefixLength: 64, ...ALL_PORTS }), { encap: 'gre4' }],
    ] as const satisfies readonly (readonly [unknown, Partial<VipAttributes>])[];
    for (const [vip, change] of rows) expectOk(await lab.addVip(vip, change));
    for (const [vip, change] of rows) {
      const { encap, dscp, tableLength } = attributes(change);
      assert.deepEqual(await lab.find(vip), { vip, encap, dscp, tableLength, servers: [] });
    }
  });

  check('[VP-33] vip: adding what exists says so and changes nothing', async (lab) => {
    const vip = vipAt('198.51.100.6');
    expectOk(await lab.addVip(vip));
    expectOk(await lab.add(vip, '203.0.113.1', 1));
    const before = await lab.find(vip);
    for (const change of [{}, { encap: 'gre6' }, { tableLength: 64 }] as const) {
      assert.equal(outcomeOf(await lab.addVip(vip, change)), 'LB_EXISTS');
    }
    assert.deepEqual(await lab.find(vip), before);
  });

  check('[VP-33] vip: deleting what is absent says so', async (lab) => {
    assert.equal(outcomeOf(await lab.deleteVip(vipAt('198.51.100.7'))), 'LB_NO_SUCH_ENTRY');
  });

  check('[VP-33] vip: ports, protocols and prefix lengths are separate VIPs', async (lab) => {
    const all = [
      vipAt('198.51.100.8'),
      vipAt('198.51.100.8', { port: 81 }),
      vipAt('198.51.100.8', { protocol: 'udp' }),
      vipAt('198.51.100.8', { prefixLength: 30, ...ALL_PORTS }),
    ] as const;
    for (const vip of all) expectOk(await lab.addVip(vip));
    const [gone, ...kept] = all;
    expectOk(await lab.deleteVip(gone));
    assert.equal(await lab.find(gone), undefined);
    for (const vip of kept) assert.ok(await lab.find(vip));
  });

  check('[VP-34] flush: changes no configuration, unknown VIPs are refused', async (lab) => {
    const vip = vipAt('198.51.100.9');
    assert.equal(outcomeOf(await lab.flush(vip)), 'LB_INVALID_REQUEST');
    expectOk(await lab.addVip(vip));
    expectOk(await lab.add(vip, '203.0.113.1', 2));
    const before = await lab.find(vip);
    expectOk(await lab.flush(vip));
    assert.deepEqual(await lab.find(vip), before);
    expectOk(await lab.deleteVip(vip));
    assert.equal(outcomeOf(await lab.flush(vip)), 'LB_INVALID_REQUEST');
  });
}

function conflicts(check: Check): void {
  check('[VP-35] conflict: one encap per prefix', async (lab) => {
    expectOk(await lab.addVip(vipAt('198.51.100.10'), { encap: 'gre4' }));
    const second = vipAt('198.51.100.10', { port: 81 });
    assert.equal(outcomeOf(await lab.addVip(second, { encap: 'gre6' })), 'LB_REFUSED -73');
    assert.equal(await lab.find(second), undefined);
    expectOk(await lab.addVip(second, { encap: 'gre4' }));
    expectOk(await lab.addVip(vipAt('198.51.100.10', { prefixLength: 31 }), { encap: 'gre6' }));
  });

  check('[VP-35] conflict: once the prefix is free it takes another encap', async (lab) => {
    const vip = vipAt('198.51.100.12');
    expectOk(await lab.addVip(vip, { encap: 'gre4' }));
    expectOk(await lab.add(vip, '203.0.113.1', 1));
    expectOk(await lab.deleteVip(vip));
    expectOk(await lab.addVip(vip, { encap: 'gre6' }));
    expectOk(await lab.add(vip, '2001:db8:2::1', 1));
    assert.deepEqual(await lab.servers(vip), { '2001:db8:2::1': [1, 1024] });
  });

  check('[VP-35] conflict: all ports and one port exclude each other on a prefix', async (lab) => {
    for (const address of ['198.51.100.13', '2001:db8:1::13']) {
      const all = vipAt(address, ALL_PORTS);
      const one = vipAt(address);
      expectOk(await lab.addVip(all));
      assert.equal(outcomeOf(await lab.addVip(one)), 'LB_EXISTS');
      assert.equal(outcomeOf(await lab.addVip(all)), 'LB_EXISTS');
      expectOk(await lab.deleteVip(all));
      expectOk(await lab.addVip(one));
      assert.equal(outcomeOf(await lab.addVip(all)), 'LB_EXISTS');
      assert.equal(await lab.find(all), undefined);
    }
  });

  check('[VP-36] family: an AS that the encap cannot reach is refused', async (lab) => {
    const rows = [
      ['198.51.100.14', 'gre4', '2001:db8:2::1'],
      ['198.51.100.15', 'gre6', '203.0.113.1'],
      ['198.51.100.16', 'l3dsr', '2001:db8:2::1'],
      ['2001:db8:1::14', 'gre4', '2001:db8:2::1'],
      ['2001:db8:1::15', 'gre6', '203.0.113.1'],
    ] as const;
    for (const [address, encap, as] of rows) {
      // Sent together, so that the client cannot know yet and VPP itself has to refuse.
      const vip = vipAt(address);
      const [added, early] = await Promise.all([lab.addVip(vip, { encap }), lab.add(vip, as, 1)]);
      assert.deepEqual([outcomeOf(added), outcomeOf(early)], ['ok', 'LB_REFUSED -97'], address);
      assert.equal(outcomeOf(await lab.add(vip, as, 1)), 'LB_INVALID_REQUEST', address);
      assert.deepEqual(await lab.servers(vip), {}, address);
    }
  });
}

function servers(check: Check): void {
  check('[VP-37] as: adding a live one says so and keeps its weight', async (lab) => {
    const vip = vipAt('198.51.100.17');
    expectOk(await lab.addVip(vip));
    expectOk(await lab.add(vip, '203.0.113.1', 5));
    assert.equal(outcomeOf(await lab.add(vip, '203.0.113.1', 9)), 'LB_EXISTS');
    assert.deepEqual(await lab.servers(vip), { '203.0.113.1': [5, 1024] });
  });

  check('[VP-37] as: its weight changes, with and without a flush', async (lab) => {
    const vip = vipAt('2001:db8:1::18');
    expectOk(await lab.addVip(vip, { encap: 'gre6' }));
    expectOk(await lab.add(vip, '2001:db8:2::1', 0));
    expectOk(await lab.add(vip, '2001:db8:2::2', 1));
    assert.deepEqual(await lab.servers(vip), {
      '2001:db8:2::1': [0, 0],
      '2001:db8:2::2': [1, 1024],
    });
    expectOk(await lab.weigh(vip, '2001:db8:2::1', 3));
    expectOk(await lab.weigh(vip, '2001:db8:2::2', 0, true));
    expectOk(await lab.weigh(vip, '2001:db8:2::2', 0, true));
    assert.deepEqual(await lab.servers(vip), {
      '2001:db8:2::1': [3, 1024],
      '2001:db8:2::2': [0, 0],
    });
  });

  check('[VP-37] as: what is not there cannot be weighed or deleted', async (lab) => {
    const vip = vipAt('198.51.100.19');
    const absent = [
      () => lab.add(vip, '203.0.113.1', 1),
      () => lab.weigh(vip, '203.0.113.1', 1),
      () => lab.delete(vip, '203.0.113.1'),
    ];
    for (const attempt of absent) assert.equal(outcomeOf(await attempt()), 'LB_NO_SUCH_ENTRY');
    expectOk(await lab.addVip(vip));
    for (const attempt of absent.slice(1)) {
      assert.equal(outcomeOf(await attempt()), 'LB_NO_SUCH_ENTRY');
    }
  });

  check('[VP-37] as: the same address in two VIPs is two ASes', async (lab) => {
    const [one, two] = [vipAt('198.51.100.20'), vipAt('198.51.100.21')];
    for (const vip of [one, two]) {
      expectOk(await lab.addVip(vip));
      expectOk(await lab.add(vip, '203.0.113.1', 1));
    }
    expectOk(await lab.weigh(one, '203.0.113.1', 7));
    assert.deepEqual(await lab.servers(one), { '203.0.113.1': [7, 1024] });
    assert.deepEqual(await lab.servers(two), { '203.0.113.1': [1, 1024] });
  });

  check(
    '[VP-38] burst: more requests than the window are all answered, each its own',
    async (lab) => {
      const vip = vipAt('198.51.100.22');
      expectOk(await lab.addVip(vip, { tableLength: 4096 }));
      const addresses = Array.from({ length: 120 }, (_, index) => `203.0.113.${index + 1}`);
      const answers = await Promise.all(
        addresses.flatMap((as) => [lab.add(vip, as, 1), lab.add(vip, as, 2)]),
      );
      assert.deepEqual(
        answers.map(outcomeOf),
        addresses.flatMap(() => ['ok', 'LB_EXISTS']),
      );
      const [state, again] = await Promise.all([lab.servers(vip), lab.servers(vip)]);
      assert.deepEqual(Object.keys(state).sort(), [...addresses].sort());
      assert.deepEqual(again, state);
    },
  );
}

function removals(check: Check): void {
  check(
    '[VP-39] removed AS: not listed, not weighed, deleted again without complaint',
    async (lab) => {
      const vip = vipAt('198.51.100.23');
      expectOk(await lab.addVip(vip));
      expectOk(await lab.add(vip, '203.0.113.1', 1));
      expectOk(await lab.add(vip, '203.0.113.2', 1));
      expectOk(await lab.delete(vip, '203.0.113.1'));
      assert.deepEqual(await lab.servers(vip), { '203.0.113.2': [1, 1024] });
      assert.equal(outcomeOf(await lab.weigh(vip, '203.0.113.1', 1)), 'LB_NO_SUCH_ENTRY');
      expectOk(await lab.delete(vip, '203.0.113.1'));
    },
  );

  check('[VP-39] removed AS: comes back once, with the weight it is given', async (lab) => {
    const vip = vipAt('198.51.100.24');
    expectOk(await lab.addVip(vip));
    expectOk(await lab.add(vip, '203.0.113.1', 1));
    expectOk(await lab.delete(vip, '203.0.113.1'));
    expectOk(await lab.add(vip, '203.0.113.1', 8));
    assert.equal(outcomeOf(await lab.add(vip, '203.0.113.1', 9)), 'LB_EXISTS');
    assert.deepEqual(await lab.servers(vip), { '203.0.113.1': [8, 1024] });
  });

  check('[VP-39] removed VIP: takes its ASes along and comes back empty', async (lab) => {
    const vip = vipAt('198.51.100.25', ALL_PORTS);
    expectOk(await lab.addVip(vip));
    expectOk(await lab.add(vip, '203.0.113.1', 1));
    expectOk(await lab.deleteVip(vip));
    assert.equal(await lab.find(vip), undefined);
    assert.equal(outcomeOf(await lab.add(vip, '203.0.113.1', 1)), 'LB_NO_SUCH_ENTRY');
    expectOk(await lab.addVip(vip, { tableLength: 256 }));
    assert.deepEqual(await lab.servers(vip), {});
    expectOk(await lab.add(vip, '203.0.113.1', 4));
    assert.deepEqual(await lab.servers(vip), { '203.0.113.1': [4, 256] });
  });
}

/** Weights by ascending address, table length, and the buckets measured on a running VPP. */
const MEASURED: readonly (readonly [readonly number[], number, readonly number[]])[] = [
  [[100, 50], 1024, [674, 350]],
  [[100, 50], 128, [78, 50]],
  [[100, 100, 50, 25, 1], 1024, [360, 360, 200, 100, 4]],
  [[0, 0], 64, [0, 0]],
  [Array(20).fill(100), 16, [...Array(16).fill(1), ...Array(4).fill(0)]],
];

function weighted(weights: readonly number[], prefix: string): Weighted[] {
  // One to nine digits sort alike as text and as bytes only when padded; 101.. have one width.
  return weights.map((weight, index) => ({ address: `${prefix}${101 + index}`, weight }));
}

function buckets(check: Check): void {
  check('[VP-40] buckets: as measured on VPP', async (lab) => {
    for (const [row, [weights, length, expected]] of MEASURED.entries()) {
      const vip = vipAt('198.51.100.26', { port: 100 + row });
      const wanted = weighted(weights, '203.0.113.');
      expectOk(await lab.addVip(vip, { tableLength: length }));
      // Added backwards: the order of adding must not matter.
      for (const as of wanted.toReversed()) expectOk(await lab.add(vip, as.address, as.weight));
      const found = await lab.servers(vip);
      const got = wanted.map((as) => found[as.address]?.[1]);
      assert.deepEqual(got, expected, `${weights.join(',')} over ${length}`);
    }
  });

  check('[VP-40] buckets: the formula holds for any weights, in both families', async (lab) => {
    const weights = fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 12 });
    const bits = fc.integer({ min: 0, max: 12 });
    const property = fc.asyncProperty(weights, bits, fc.boolean(), async (some, log2, ip6) => {
      const vip = ip6 ? vipAt('2001:db8:1::26') : vipAt('198.51.100.27');
      const wanted = weighted(some, ip6 ? '2001:db8:2::' : '203.0.113.');
      expectOk(await lab.addVip(vip, { encap: ip6 ? 'gre6' : 'gre4', tableLength: 2 ** log2 }));
      for (const as of wanted) expectOk(await lab.add(vip, as.address, as.weight));
      const found = await lab.servers(vip);
      expectOk(await lab.deleteVip(vip));
      const shares = bucketShares(wanted, 2 ** log2);
      const expected = wanted.map((as, rank) => [as.address, [as.weight, shares[rank]]]);
      assert.deepEqual(found, Object.fromEntries(expected));
    });
    await fc.assert(property, { seed: seedOfRun(), numRuns: 20 });
  });
}

function refusals(check: Check): void {
  check('[VP-41] refusal: what could harm VPP is refused and nothing changes', async (lab) => {
    const before = await lab.read();
    const vip = vipAt('198.51.100.28');
    const nat = { encap: 'nat4' } as unknown as Partial<VipAttributes>;
    const attempts = [
      () => lab.addVip(vip, { tableLength: 0 }),
      () => lab.addVip(vip, { tableLength: 65536 }),
      () => lab.addVip(vip, { tableLength: 1000 }),
      () => lab.addVip(vip, nat),
      () => lab.addVip(vipAt('198.51.100.28', { prefixLength: 33 })),
      () => lab.addVip(vipAt('::5')),
      () => lab.addVip(vipAt('2001:db8:1::28'), { encap: 'l3dsr' }),
      () => lab.apply({ op: 'conf.set', conf: { ...before.conf, stickyBucketsPerCore: 0 } }),
    ];
    for (const attempt of attempts) {
      assert.equal(outcomeOf(await attempt()), 'LB_INVALID_REQUEST');
    }
    assert.deepEqual(await lab.read(), before);
  });
}
