/** Codec, kinds and framing as properties: round trips, and hostile bytes of every sort. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseAddress } from '../../../src/adapters/vpp/address.js';
import { decode, encode, sizeOf } from '../../../src/adapters/vpp/codec.js';
import { frame, Reassembler } from '../../../src/adapters/vpp/framing.js';
import type { KindName } from '../../../src/adapters/vpp/kinds.js';
import { limits } from '../../../src/adapters/vpp/limits.js';
import { resolveIds } from '../../../src/adapters/vpp/message-ids.js';
import {
  type FieldsOf,
  keyOf,
  MESSAGES,
  SENDABLE,
  type SendableName,
} from '../../../src/adapters/vpp/messages.js';
import { formatIp4, formatIp6 } from '../../../src/lb/address.js';
import { seedOfRun } from '../../support/seed.js';
import { CAPTURE } from './capture.js';

const parameters = { seed: seedOfRun(), numRuns: 200 };
const sendable = [...SENDABLE] as SendableName[];

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const ip4 = bytes(4).map((some) => formatIp4(some, 0));
const ip6 = bytes(16).map((some) => formatIp6(some, 0));

/** Values of the kinds that requests are made of. */
const VALUES: Readonly<Partial<Record<KindName, fc.Arbitrary<unknown>>>> = {
  u8: fc.integer({ min: 0, max: 0xff }),
  u16: fc.integer({ min: 0, max: 0xffff }),
  u32,
  bool: fc.boolean(),
  ip4,
  ip6,
  address: fc.oneof(ip4, ip6),
  text64: fc.stringMatching(/^[ -~]{0,63}$/),
  encap: fc.constantFrom('gre4', 'gre6', 'l3dsr'),
  tableLength: fc.integer({ min: 1, max: limits.tableLengthMax }),
  stickyBuckets: fc.integer({ min: 1, max: limits.stickyBucketsMax }),
};

function fieldsOf<N extends SendableName>(name: N): fc.Arbitrary<FieldsOf<N>> {
  const kinds = Object.entries(MESSAGES[name].fields);
  const values = kinds.map(([field, kind]) => [field, VALUES[kind] ?? fc.constant(undefined)]);
  return fc.record(Object.fromEntries(values), {
    noNullPrototype: true,
  }) as unknown as fc.Arbitrary<FieldsOf<N>>;
}

for (const name of sendable) {
  test(`[VP-1] round trip: ${name}`, () => {
    const id = fc.integer({ min: 0, max: 0xffff });
    const property = fc.property(fieldsOf(name), id, (fields, number) => {
      const message = encode(name, number, fields);
      assert.equal(message.length, sizeOf(name));
      assert.equal(message.readUInt16BE(0), number);
      const back = decode(name, message);
      assert.ok(back.ok);
      assert.deepEqual(back.value, fields);
    });
    fc.assert(property, parameters);
  });
}

const VIP_ADD = {
  client_index: 0,
  context: 0,
  pfx_address: '192.0.2.1',
  pfx_len: 32,
  protocol: 6,
  port: 80,
  encap: 'gre4',
  dscp: 0,
  type: 0,
  target_port: 0,
  node_port: 0,
  new_flows_table_length: 1024,
  src_ip_sticky: false,
  is_del: false,
} as const satisfies FieldsOf<'lb_add_del_vip_v2'>;

const DEADLY: readonly (readonly [string, Partial<FieldsOf<'lb_add_del_vip_v2'>>])[] = [
  ['NAT4', { encap: 'nat4' }],
  ['NAT6', { encap: 'nat6' }],
  ['a table of length 0', { new_flows_table_length: 0 }],
  ['a table of 2^31', { new_flows_table_length: 2 ** 31 }],
  ['a table beyond what reads back', { new_flows_table_length: 65536 }],
  ['an address that is none', { pfx_address: '192.0.2.256' }],
];
for (const [what, change] of DEADLY) {
  test(`[VP-2] [DP-43] encoder: ${what} cannot be written`, () => {
    const fields = { ...VIP_ADD, ...change };
    assert.throws(() => encode('lb_add_del_vip_v2', 1, fields), { name: 'Defect' });
    assert.ok(encode('lb_add_del_vip_v2', 1, VIP_ADD).length > 0);
  });
}

test('[VP-2] encoder: sticky buckets of 0, or too many, cannot be written', () => {
  const conf = {
    client_index: 0,
    context: 0,
    ip4_src_address: '192.0.2.1',
    ip6_src_address: '::1',
  };
  for (const count of [0, limits.stickyBucketsMax + 1]) {
    const fields = { ...conf, sticky_buckets_per_core: count, flow_timeout: 40 };
    assert.throws(() => encode('lb_conf', 1, fields), { name: 'Defect' });
  }
});

test('[VP-3] truncation: no prefix of a recorded message is a message', () => {
  for (const { name, message } of CAPTURE) {
    // The long handshake in strides; everything else at every byte.
    const stride = message.length > 1000 ? 251 : 1;
    for (let length = 0; length < message.length; length += stride) {
      const answer = decode(name, message.subarray(0, length));
      assert.ok(!answer.ok, `${name} cut to ${length} bytes`);
      assert.match(answer.failure, new RegExp(`^${name} has `));
    }
  }
});

test('[VP-3] corruption: flipped bytes are refused or decode, nothing throws', () => {
  const flip = fc.record({ at: fc.nat(), to: fc.integer({ min: 0, max: 0xff }) });
  const flips = fc.array(flip, { minLength: 1, maxLength: 8 });
  const property = fc.property(fc.constantFrom(...CAPTURE), flips, ({ name, message }, some) => {
    const spoiled = Buffer.from(message);
    for (const { at, to } of some) spoiled[at % spoiled.length] = to;
    const answer = decode(name, spoiled);
    if (!answer.ok) assert.match(answer.failure, new RegExp(`^${name} has `));
  });
  fc.assert(property, { ...parameters, numRuns: 3000 });
});

test('[VP-3] noise: any bytes as any message are refused or decode', () => {
  const names = Object.keys(MESSAGES) as (keyof typeof MESSAGES)[];
  const property = fc.property(
    fc.constantFrom(...names),
    fc.nat(400),
    fc.nat(),
    (name, size, n) => {
      const noise = Buffer.from(Array.from({ length: size }, (_, at) => (at * n + n) & 0xff));
      const answer = decode(name, noise);
      if (size !== sizeOf(name) && name !== 'sockclnt_create_reply') assert.ok(!answer.ok);
    },
  );
  fc.assert(property, { ...parameters, numRuns: 2000 });
});

test('[VP-3] impossible values: family, bool and encapsulation are refused by name', () => {
  const message = encode('lb_add_del_vip_v2', 1, VIP_ADD);
  const rows = [
    [10, 2, 'pfx_address'],
    [34, 5, 'encap'],
    [31, 1, 'encap'],
    [48, 2, 'src_ip_sticky'],
  ] as const;
  for (const [at, byte, field] of rows) {
    const spoiled = Buffer.from(message);
    spoiled[at] = byte;
    const answer = decode('lb_add_del_vip_v2', spoiled);
    assert.equal(answer.ok, false);
    assert.ok(!answer.ok && answer.failure.endsWith(`impossible ${field}`));
  }
});

test('[VP-3] message table: its count must be what follows, and bounded', () => {
  const reply = (count: number, entries: number) => {
    const message = Buffer.alloc(20 + 66 * entries);
    message.writeUInt16BE(count, 18);
    return decode('sockclnt_create_reply', message);
  };
  assert.equal(reply(3, 3).ok, true);
  assert.equal(reply(2, 3).ok, false);
  assert.equal(reply(4, 3).ok, false);
  assert.equal(reply(limits.messageTableMax, limits.messageTableMax).ok, true);
  assert.equal(reply(limits.messageTableMax + 1, limits.messageTableMax + 1).ok, false);
});

test('[VP-3] text: what is not printable never gets through', () => {
  const reply = Buffer.alloc(sizeOf('show_version_reply'));
  reply.write('a\u001b[31mb\u00ff', 42, 'latin1');
  reply.fill('x', 106);
  const answer = decode('show_version_reply', reply);
  assert.ok(answer.ok);
  assert.equal(answer.value.version, 'a?[31mb?');
  assert.equal(answer.value.build_directory, 'x'.repeat(256));
});

test('[VP-4] reassembly: any messages cut at any places come out whole', () => {
  const messages = fc.array(fc.uint8Array({ minLength: 1, maxLength: 200 }), { maxLength: 20 });
  const cuts = fc.array(fc.nat(), { maxLength: 30 });
  const property = fc.property(messages, cuts, (some, places) => {
    const stream = Buffer.concat(some.map((message) => frame(Buffer.from(message))));
    const at = [...places.map((place) => place % (stream.length + 1)), stream.length];
    const reassembler = new Reassembler();
    const out: Buffer[] = [];
    let from = 0;
    for (const to of at.sort((a, b) => a - b)) {
      const doubt = reassembler.push(stream.subarray(from, to), (bytes, start, end) => {
        out.push(Buffer.from(bytes.subarray(start, end)));
        return undefined;
      });
      assert.equal(doubt, undefined);
      from = to;
    }
    assert.deepEqual(out, some.map(Buffer.from));
  });
  fc.assert(property, parameters);
});

test('[VP-4] reassembly: a corrupted stream ends in doubt or in messages, and never throws', () => {
  const stream = Buffer.concat(
    CAPTURE.filter(({ bytes: all }) => all.length < 1000).map(({ bytes: all }) => all),
  );
  const property = fc.property(
    fc.nat(),
    fc.nat(255),
    fc.integer({ min: 1, max: 99 }),
    (at, to, size) => {
      const spoiled = Buffer.from(stream);
      spoiled[at % spoiled.length] = to;
      const reassembler = new Reassembler();
      for (let from = 0; from < spoiled.length; from += size) {
        const piece = spoiled.subarray(from, from + size);
        if (reassembler.push(piece, () => undefined) !== undefined) return;
      }
    },
  );
  fc.assert(property, { ...parameters, numRuns: 300 });
});

test('[VP-5] ids: a table that is ambiguous about our messages is refused', () => {
  const key = keyOf('lb_conf');
  const entry = (id: number, name: string) => ({ id, name });
  assert.equal(resolveIds([entry(1, key), entry(2, 'other_00000000')]).ok, true);
  assert.equal(resolveIds([entry(1, key), entry(1, 'other_00000000')]).ok, true);
  assert.equal(resolveIds([entry(1, key), entry(2, key)]).ok, false);
  assert.equal(resolveIds([entry(1, key), entry(1, keyOf('lb_conf_get'))]).ok, false);
});

const CANONICAL: readonly (readonly [string, boolean])[] = [
  ['192.0.2.1', true],
  ['0.0.0.0', true],
  ['192.0.2.01', false],
  ['192.0.2', false],
  ['3221225985', false],
  ['2001:db8::1', true],
  ['2001:DB8::1', false],
  ['2001:db8:0:0:0:0:0:1', false],
  ['2001:db8:0:1:1:1:1:1', true],
  ['2001:db8::1:1:1:1:1', false],
  ['::1:2:0:0:3:4', true],
  ['0:0:1:2::3:4', false],
  ['1:0:0:2::3', true],
  ['1::', true],
  ['::', true],
  ['::ffff:102:304', true],
  ['::ffff:1.2.3.4', false],
  ['fe80::1%eth0', false],
  ['', false],
  ['host', false],
];
for (const [text, canonical] of CANONICAL) {
  test(`[VP-14] address: '${text}' is ${canonical ? 'the' : 'not a'} text of an address`, () => {
    assert.equal(parseAddress(text) !== undefined, canonical);
  });
}

test('[VP-14] address: IPv6 text is what the URL standard writes', () => {
  const sparse = fc.array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 });
  const property = fc.property(sparse, (groups) => {
    const raw = Buffer.alloc(16);
    for (const [index, group] of groups.entries()) raw.writeUInt16BE(group, 2 * index);
    const text = formatIp6(raw, 0);
    const long = groups.map((group) => group.toString(16)).join(':');
    assert.equal(`[${text}]`, new URL(`http://[${long}]/`).hostname);
    assert.deepEqual(parseAddress(text), { family: 6, bytes: new Uint8Array(raw) });
  });
  fc.assert(property, { ...parameters, numRuns: 1000 });
});
