/**
 * Dumps read where they lie, against a plain reading of the same records: whatever order they come in,
 * whatever is listed twice, removed, of nobody, or has bytes behind it that mean nothing.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Reassembler } from '../../../src/adapters/vpp/framing.js';
import type { FieldsOf } from '../../../src/adapters/vpp/messages.js';
import { StateReader } from '../../../src/adapters/vpp/state.js';
import { VipNumbers } from '../../../src/adapters/vpp/vip-numbers.js';
import { compareAddresses } from '../../../src/lb/address.js';
import { ServerDump } from '../../../src/lb/packed/dump.js';
import { unpackServers } from '../../../src/lb/packed/servers.js';
import { unpackActual } from '../../../src/lb/packed/vips.js';
import { seedOfRun } from '../../support/seed.js';
import { served } from './peer.js';

const SETTINGS = { seed: seedOfRun(), numRuns: 300 };
const CONF = {
  context: 0,
  retval: 0,
  ip4_src_address: '255.255.255.255',
  ip6_src_address: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
  sticky_buckets_per_core: 1024,
  flow_timeout: 40,
};

const name = fc.record({
  pfx_address: fc.constantFrom(
    '192.0.2.1',
    '192.0.2.2',
    '2001:db8::1',
    '2001:db8::2',
    'c000:201::',
  ),
  pfx_len: fc.constantFrom(32, 24, 128),
  protocol: fc.constantFrom(6, 17),
  port: fc.constantFrom(80, 443),
});
const record = fc.tuple(
  name,
  fc.record({
    app_srv: fc.oneof(
      fc.nat(6).map((last) => `10.0.${last % 2}.${last}`),
      fc.nat(6).map((last) => `2001:db8:${last + 1}::${last + 1}`),
    ),
    flags: fc.constantFrom(0, 1, 1, 3, 0xfe),
    in_use_since: fc.nat(9),
    weight: fc.nat(100),
    num_buckets: fc.nat(0xffff_ffff),
  }),
);

type Named = FieldsOf<'lb_as_v2_details'>;

function keyOf({ pfx_address, pfx_len, protocol, port }: Omit<Named, 'context'> | Named): string {
  return `${pfx_address}/${pfx_len} ${protocol === 6 ? 'tcp' : 'udp'} ${port}`;
}

/** By hand: live ones of listed VIPs, the first of each address, ascending. */
function plainReading(vips: readonly { readonly key: string }[], records: readonly Named[]) {
  const listed = new Set(vips.map(({ key }) => key));
  const read = new Map(
    [...listed].map((key) => [key, new Map<string, readonly [number, number]>()]),
  );
  for (const one of records) {
    const servers = read.get(keyOf(one));
    if (one.flags % 2 === 0 || servers === undefined || servers.has(one.app_srv)) continue;
    servers.set(one.app_srv, [one.weight, one.num_buckets]);
  }
  return new Map(
    [...read].map(([key, servers]) => [
      key,
      [...servers].sort(([a], [b]) => compareAddresses(a, b)).map(([as, rest]) => [as, ...rest]),
    ]),
  );
}

/** Through the frames, in pieces of this size. */
function readFrames(frames: readonly Buffer[], pieceBytes: number): StateReader {
  const [reader, stream] = [new StateReader(), new Reassembler()];
  const bytes = Buffer.concat(frames);
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const doubt = stream.push(bytes.subarray(at, at + pieceBytes), (piece, start, end) =>
      end - start === 40 ? reader.takeVip(piece, start) : reader.takeServer(piece, start),
    );
    assert.equal(doubt, undefined);
  }
  return reader;
}

test('[VP-9] [LB-72] read: what is read where it lies is what a plain reading finds', () => {
  const property = fc.property(
    fc.uniqueArray(name, { selector: (one) => JSON.stringify(one), maxLength: 6 }),
    fc.array(record, { maxLength: 40 }),
    fc.integer({ min: 1, max: 500 }),
    (listed, some, pieceBytes) => {
      const records = some.map(([one, rest]) => ({ context: 1, ...one, ...rest }));
      const vips = listed.map((one) => ({ ...one, encap: 'gre4' as const, flow_table_length: 8 }));
      const frames = [
        ...vips.map((fields) => served('lb_vip_details', fields)),
        ...records.map((fields) => served('lb_as_v2_details', fields)),
      ];
      const { state, unnamed } = readFrames(frames, pieceBytes).state(CONF);
      const plain = plainReading(
        vips.map((fields) => ({ key: keyOf(fields as unknown as Named) })).filter(isNamed),
        records,
      );
      const read = new Map(
        [...state.vips].map(([key, vip]) => [
          key,
          unpackActual(vip).servers.map((as) => [as.address, as.weight, as.buckets]),
        ]),
      );
      assert.deepEqual(read, plain);
      assert.equal(unnamed, vips.length - plain.size);
    },
  );
  fc.assert(property, SETTINGS);
});

/** A prefix of IPv4 is not longer than 32. */
function isNamed({ key }: { readonly key: string }): boolean {
  return key.includes(':') || !key.includes('/128');
}

test('[LB-72] dump: thousands of servers in any order, over many VIPs', () => {
  const seed = fc.integer({ min: 1, max: 0x7fff_ffff });
  const property = fc.property(seed, fc.integer({ min: 1, max: 200 }), (start, vips) => {
    let random = start;
    const next = (below: number): number => {
      random = Math.imul(random, 1103515245) + 12345;
      return (random >>> 8) % below;
    };
    const dump = new ServerDump();
    const plain = new Map<number, Map<number, number>>();
    for (let count = 0; count < 3000; count += 1) {
      const [vip, last, weight] = [next(vips), next(5000), next(100)];
      dump.addIp4(vip, last, weight, count);
      const servers = plain.get(vip) ?? new Map<number, number>();
      plain.set(vip, servers);
      if (!servers.has(last)) servers.set(last, weight);
    }
    for (const [vip, packed] of dump.pack(vips).entries()) {
      const expected = [...(plain.get(vip) ?? [])].sort(([a], [b]) => a - b);
      const found = unpackServers(packed).map(({ weight }) => weight);
      assert.deepEqual(
        found,
        expected.map(([, weight]) => weight),
      );
    }
  });
  fc.assert(property, { ...SETTINGS, numRuns: 20 });
});

test('[VP-9] numbers: a VIP has one number, whatever lies behind an IPv4 address', () => {
  const bytes = (family: number, first: number, leftover: number, port: number) => {
    const name = Buffer.alloc(21, leftover);
    name.writeUInt8(family, 0);
    name.writeUInt32BE(first, 1);
    name.writeUInt32BE((0x2006_0000 | port) >>> 0, 17);
    return name;
  };
  const numbers = new VipNumbers();
  const all = Array.from({ length: 5000 }, (_, index) => index);
  for (const index of all) assert.equal(numbers.numberOf(bytes(0, index, 0, 80), 0), index);
  for (const index of all) assert.equal(numbers.numberOf(bytes(0, index, 7, 80), 0), index);
  assert.equal(numbers.numberOf(bytes(1, 7, 0, 80), 0), 5000, 'another family');
  assert.equal(numbers.numberOf(bytes(1, 7, 7, 80), 0), 5001, 'another address');
  assert.equal(numbers.numberOf(bytes(0, 7, 0, 81), 0), 5002, 'another port');
  assert.equal(numbers.count, 5003);
});

const IMPOSSIBLE = [
  { name: 'lb_as_v2_details', at: 6, value: 2, what: 'pfx_address' },
  { name: 'lb_as_v2_details', at: 27, value: 2, what: 'app_srv' },
  { name: 'lb_vip_details', at: 6, value: 2, what: 'pfx_address' },
  { name: 'lb_vip_details', at: 30, value: 5, what: 'encap' },
] as const;
for (const { name: record, at, value, what } of IMPOSSIBLE) {
  test(`[VP-3] read: ${record} with an impossible ${what} is refused`, () => {
    const message = served(record, { flags: 1, encap: 'gre4' }).subarray(16);
    message[at] = value;
    const reader = new StateReader();
    const isVip = record === 'lb_vip_details';
    const doubt = isVip ? reader.takeVip(message, 0) : reader.takeServer(message, 0);
    assert.match(doubt ?? '', new RegExp(`${record} .*${what}`));
  });
}
