/**
 * The lb plugin as VPP behaves, quirks included, asked over the socket: return values and their
 * order, what a VIP is, what dumps show.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type RawClient, withSim } from './lab.js';
import {
  asAdd,
  asDelete,
  ases,
  asWeight,
  conf,
  encaps,
  natInterface,
  unionOf,
  type VipAddFields,
  vipAdd,
  vipDelete,
  vipFlush,
  vips,
} from './requests.js';

function withClient(run: (client: RawClient) => Promise<void>): Promise<void> {
  return withSim(async ({ open }) => run(await open()));
}

const VIP = { address: '198.51.100.10' } as const;

test('[VP-67] vip add: the checks come in this order', () =>
  withClient(async (client) => {
    const rows: readonly (readonly [VipAddFields, number])[] = [
      [{ address: '10.0.0.1' }, 0],
      // The same VIP comes before the length, the type and the family.
      [{ address: '10.0.0.1', tableLength: 1000, encap: encaps.nat6 }, -81],
      [{ address: '10.0.0.1', port: 0, tableLength: 1000 }, -81],
      // Another type on the prefix comes before the length and the family.
      [{ address: '10.0.0.1', port: 81, encap: encaps.gre6, tableLength: 1000 }, -73],
      [{ address: '10.0.0.1', port: 81, encap: encaps.nat6, tableLength: 1000 }, -73],
      // The length comes before the family.
      [{ address: '10.0.0.2', encap: encaps.nat6, tableLength: 1000 }, -70],
      [{ address: '10.0.0.2', encap: encaps.nat6 }, -97],
      [{ address: '10.0.0.2', encap: 77 }, -97],
      [{ address: '10.0.0.3', port: 0 }, 0],
      [{ address: '10.0.0.3', port: 80 }, -81],
      [{ address: '10.0.0.3', port: 0, protocol: 17 }, -81],
      [{ address: '10.0.0.1', length: 31, encap: encaps.gre6 }, 0],
      [{ address: '10.0.0.1', protocol: 17 }, 0],
      [{ address: '10.0.0.4', tableLength: 1 }, 0],
      [{ address: '10.0.0.5', tableLength: 2 ** 24 }, 0],
      [{ address: '10.0.0.6', protocol: 99 }, 0],
    ];
    for (const [vip, retval] of rows) {
      assert.equal(await client.ask(vipAdd(client, vip)), retval, JSON.stringify(vip));
    }
  }));

test('[VP-67] as: return values of what is there, gone and impossible', () =>
  withClient(async (client) => {
    const as = { ...VIP, as: '203.0.113.1', weight: 7 };
    const other = { ...VIP, as: '203.0.113.2' };
    assert.equal(await client.ask(asAdd(client, as)), -6);
    assert.equal(await client.ask(asWeight(client, as)), -6);
    assert.equal(await client.ask(asDelete(client, as)), -6);
    assert.equal(await client.ask(vipDelete(client, VIP)), -6);
    await client.ask(vipAdd(client, VIP));
    assert.equal(await client.ask(asAdd(client, { ...VIP, as: '2001:db8::1' })), -97);
    assert.equal(await client.ask(asDelete(client, as)), -6);
    assert.equal(await client.ask(asAdd(client, as)), 0);
    assert.equal(await client.ask(asAdd(client, { ...as, weight: 9 })), -81);
    assert.equal((await ases(client))[0]?.weight, 7);
    assert.equal(await client.ask(asWeight(client, { ...as, weight: 255 })), 0);
    assert.equal(await client.ask(asDelete(client, as)), 0);
    assert.equal(await client.ask(asDelete(client, as)), 0);
    assert.equal(await client.ask(asWeight(client, as)), -6);
    assert.equal(await client.ask(asAdd(client, { ...as, weight: 3 })), 0);
    assert.equal(await client.ask(asWeight(client, other)), -6);
    const rows = await ases(client);
    assert.deepEqual(
      rows.map(({ flags, weight, buckets }) => [flags, weight, buckets]),
      [[1, 3, 1024]],
    );
  }));

test('[VP-67] as: the encap says which family reaches it', () =>
  withClient(async (client) => {
    const rows = [
      ['10.1.0.1', encaps.gre4, '10.9.0.1', '2001:db8::9'],
      ['10.1.0.2', encaps.gre6, '2001:db8::9', '10.9.0.1'],
      ['10.1.0.3', encaps.l3dsr, '10.9.0.1', '2001:db8::9'],
      ['10.1.0.4', encaps.nat4, '10.9.0.1', '2001:db8::9'],
      ['2001:db8:1::1', encaps.gre4, '10.9.0.1', '2001:db8::9'],
      ['2001:db8:1::2', encaps.gre6, '2001:db8::9', '10.9.0.1'],
      ['2001:db8:1::3', encaps.nat6, '2001:db8::9', '10.9.0.1'],
      // Five bytes behind twelve zeros are IPv4 here.
      ['2001:db8:1::4', encaps.gre6, '2001:db8::9', '::5'],
    ] as const;
    for (const [address, encap, reached, unreached] of rows) {
      assert.equal(await client.ask(vipAdd(client, { address, encap })), 0, address);
      assert.equal(await client.ask(asAdd(client, { address, as: unreached })), -97, address);
      assert.equal(await client.ask(asAdd(client, { address, as: reached })), 0, address);
    }
  }));

test('[VP-67] conf: keeps the numbers it is told to keep, refuses the others', () =>
  withClient(async (client) => {
    const read = async () => {
      client.send(client.head('lb_conf_get', 10));
      const reply = await client.next();
      return [reply.readUInt32BE(30), reply.readUInt32BE(34), reply.toString('hex', 10, 14)];
    };
    assert.deepEqual(await read(), [1024, 40, 'ffffffff']);
    assert.equal(await client.ask(conf(client, 1000, 5)), -70);
    assert.deepEqual(await read(), [1024, 40, 'ffffffff']);
    assert.equal(await client.ask(conf(client, 0xffffffff, 5)), 0);
    assert.deepEqual(await read(), [1024, 5, 'c0000201']);
    assert.equal(await client.ask(conf(client, 2048, 0xffffffff)), 0);
    assert.deepEqual(await read(), [2048, 5, 'c0000201']);
  }));

test('[VP-67] nat interface: unknown ones are refused, needless disables are not', () =>
  withClient(async (client) => {
    for (const family of ['nat4', 'nat6'] as const) {
      assert.equal(await client.ask(natInterface(client, family, 99, true)), -2);
      assert.equal(await client.ask(natInterface(client, family, 0, false)), 0);
      assert.equal(await client.ask(natInterface(client, family, 0, true)), 0);
    }
  }));

test('[VP-68] identity: host bits are nobody', () =>
  withClient(async (client) => {
    const base = { address: '10.1.0.0', length: 16 };
    const host = { address: '10.1.7.9', length: 16 };
    assert.equal(await client.ask(vipAdd(client, host)), 0);
    assert.equal(await client.ask(vipAdd(client, base)), -81);
    assert.equal(await client.ask(asAdd(client, { ...base, as: '10.9.0.1' })), 0);
    assert.equal(await client.ask(asWeight(client, { ...host, as: '10.9.0.1', weight: 1 })), 0);
    const found = await vips(client);
    assert.deepEqual([found[0]?.address, found[0]?.length], ['10.1.0.0', 16]);
    assert.equal(await client.ask(vipDelete(client, base)), 0);
  }));

test('[VP-68] identity: port 0 is every protocol, in every request but the AS dump', () =>
  withClient(async (client) => {
    const all = { address: '2001:db8:5::1', port: 0 };
    const filter = unionOf(all.address);
    await client.ask(vipAdd(client, { ...all, protocol: 6, encap: encaps.gre6 }));
    assert.equal(await client.ask(asAdd(client, { ...all, protocol: 17, as: '2001:db8::9' })), 0);
    assert.deepEqual([(await vips(client))[0]?.protocol], [255]);
    assert.equal((await ases(client, filter, 6, 0)).length, 0);
    assert.equal((await ases(client, filter, 255, 0)).length, 1);
    assert.equal(await client.ask(vipDelete(client, { ...all, protocol: 99 })), 0);
  }));

test('[VP-68] identity: lengths and families nobody checks', () =>
  withClient(async (client) => {
    const rows: readonly (readonly [VipAddFields, readonly [string, number]])[] = [
      [{ address: '10.2.0.1', length: 33 }, ['0.0.0.0', 33]],
      [{ address: '10.2.0.1', length: 200 }, ['0.0.0.0', 40]],
      [{ address: '10.2.0.1', family: 2 }, ['0.0.0.0', 32]],
      [{ address: '::10', encap: encaps.gre4 }, ['0.0.0.16', 32]],
      [{ address: '2001:db8::ff', length: 129 }, [`20010db8${'0'.repeat(24)}`, 129]],
    ];
    for (const [index, [vip, shown]] of rows.entries()) {
      assert.equal(await client.ask(vipAdd(client, vip)), 0, JSON.stringify(vip));
      const found = (await vips(client))[index];
      assert.deepEqual([found?.address, found?.length], shown);
    }
  }));

test('[VP-69] encap: IPv6 takes what it does not know for GRE6', () =>
  withClient(async (client) => {
    for (const [index, encap] of [encaps.l3dsr, encaps.nat4, 9].entries()) {
      const address = `2001:db8:6::${index + 1}`;
      assert.equal(await client.ask(vipAdd(client, { address, encap })), 0);
      assert.equal((await vips(client))[index]?.encap, encaps.gre6);
    }
  }));

test('[VP-69] stale fields: a VIP shows what the owner of its slot before it left', () =>
  withSim(async ({ sim, open }) => {
    const client = await open();
    const shown = async () => {
      const row = (await vips(client))[0];
      return [row?.dscp, row?.srvType, row?.targetPort];
    };
    const owners = [
      [{ encap: encaps.gre4, dscp: 9, targetPort: 8080 }, [0, 0, 0]],
      [{ encap: encaps.nat4, targetPort: 8080 }, [0, 0, 36_895]],
      [{ encap: encaps.l3dsr, dscp: 12 }, [12, 0x0c000000, 36_895]],
      [{ encap: encaps.gre4 }, [12, 0x0c000000, 36_895]],
    ] as const;
    for (const [fields, expected] of owners) {
      await client.ask(vipAdd(client, { ...VIP, ...fields }));
      assert.deepEqual(await shown(), expected, JSON.stringify(fields));
      await client.ask(vipDelete(client, VIP));
      // A sweep gives the slot back.
      await sim.control({ advanceS: 60 });
    }
  }));

test('[VP-69] dscp: masked to six bits, shown twice', () =>
  withClient(async (client) => {
    const address = '10.4.0.1';
    await client.ask(vipAdd(client, { address, encap: encaps.l3dsr, dscp: 0x47 }));
    const row = (await vips(client))[0];
    assert.deepEqual([row?.dscp, row?.srvType], [7, 0x07000000]);
  }));

test('[VP-69] dump: target ports are swapped, lengths lose their high half', () =>
  withClient(async (client) => {
    const nat = { address: '10.4.0.2', encap: encaps.nat4, targetPort: 8080 };
    await client.ask(vipAdd(client, { ...nat, tableLength: 65_536 }));
    await client.ask(vipAdd(client, { address: '10.4.0.3', tableLength: 32_768 }));
    const rows = await vips(client);
    assert.deepEqual([rows[0]?.targetPort, rows[0]?.tableLength], [36_895, 0]);
    assert.equal(rows[1]?.tableLength, 32_768);
  }));

test('[VP-69] nodeport: taken little-endian only, and never forgotten', () =>
  withClient(async (client) => {
    const first = { address: '10.5.0.1', encap: encaps.nat4, port: 3000, targetPort: 80 };
    const second = { ...first, address: '10.5.0.2' };
    const littleEndian = 0x01000000;
    // Correctly encoded it is a CLUSTERIP.
    assert.equal(await client.ask(vipAdd(client, { ...first, type: 1 })), 0);
    assert.equal(await client.ask(vipAdd(client, { ...second, type: 1 })), 0);
    await client.ask(vipDelete(client, first));
    await client.ask(vipDelete(client, second));
    assert.equal(await client.ask(vipAdd(client, { ...first, type: littleEndian })), 0);
    const row = (await vips(client))[0];
    assert.deepEqual([row?.srvType, row?.dscp], [0x01000000, 1]);
    assert.equal(await client.ask(vipAdd(client, { ...second, type: littleEndian })), -81);
    assert.equal((await vips(client)).length, 2, 'the refused VIP is there');
    assert.equal(await client.ask(vipDelete(client, second)), -6);
    assert.equal((await vips(client)).length, 1, 'and its refused delete took effect');
  }));

test('[VP-69] dump filters: VIPs by nothing, ASes by raw internal bytes', () =>
  withClient(async (client) => {
    const [one, two] = ['10.6.0.1', '10.6.0.2'] as const;
    for (const address of [one, two]) {
      await client.ask(vipAdd(client, { address }));
      await client.ask(asAdd(client, { address, as: '10.9.0.1' }));
    }
    assert.equal((await ases(client)).length, 2);
    assert.equal(
      (await ases(client, unionOf(one))).length,
      0,
      'the ordinary encoding finds nothing',
    );
    const internal = Buffer.concat([Buffer.alloc(12), unionOf(one).subarray(0, 4)]);
    assert.equal((await ases(client, internal)).length, 1);
    assert.equal((await ases(client, internal, 17)).length, 0);
    assert.equal((await ases(client, internal, 6, 81)).length, 0);
  }));

test('[VP-69] flush: always answers 0, also for a VIP that is not there', () =>
  withSim(async ({ sim, open }) => {
    const client = await open();
    assert.equal(await client.ask(vipFlush(client, VIP)), 0);
    assert.deepEqual(
      sim.violations().map(({ violation, fatal }) => [violation, fatal]),
      [['undefined-behaviour', false]],
    );
  }));
