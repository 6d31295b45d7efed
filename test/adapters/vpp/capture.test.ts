/** Replays the recorded session: our tables and codec against the bytes of a running VPP. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode, encode, sizeOf } from '../../../src/adapters/vpp/codec.js';
import { Reassembler } from '../../../src/adapters/vpp/framing.js';
import { resolveIds } from '../../../src/adapters/vpp/message-ids.js';
import {
  type FieldsOf,
  MESSAGE_NAMES,
  type MessageName,
  SENDABLE,
  type SendableName,
} from '../../../src/adapters/vpp/messages.js';
import { StateReader } from '../../../src/adapters/vpp/state.js';
import { unpackState } from '../../../src/lb/packed/vips.js';
import { CAPTURE, CAPTURED_TABLE, type CapturedFrame, captured, capturedId } from './capture.js';

/** Sizes of the fixed messages, header excluded, as the API description of VPP gives them. */
const SIZES: Readonly<Partial<Record<MessageName, number>>> = {
  sockclnt_create: 70,
  sockclnt_create_reply: 20,
  sockclnt_delete: 14,
  sockclnt_delete_reply: 10,
  show_version: 10,
  show_version_reply: 362,
  control_ping: 10,
  control_ping_reply: 18,
  memclnt_keepalive: 10,
  lb_conf: 38,
  lb_conf_get: 10,
  lb_conf_get_reply: 38,
  lb_add_del_vip_v2: 50,
  lb_add_del_as_v2: 51,
  lb_as_set_weight: 50,
  lb_flush_vip: 31,
  lb_vip_dump: 33,
  lb_vip_details: 40,
  lb_as_v2_dump: 31,
  lb_as_v2_details: 54,
  lb_as_details: 49,
  lb_add_del_intf_nat4: 15,
  lb_add_del_intf_nat6: 15,
};

function decoded<N extends MessageName>(name: N, message: Buffer): FieldsOf<N> {
  const answer = decode(name, message);
  assert.ok(answer.ok, answer.ok ? '' : answer.failure);
  return answer.value;
}

function isNat({ name, message }: CapturedFrame): boolean {
  if (name.includes('_nat')) return true;
  return name === 'lb_add_del_vip_v2' && decoded(name, message).encap.startsWith('nat');
}

test('[VP-1] tables: every message is in the table of a real VPP, with its size', () => {
  for (const name of MESSAGE_NAMES) {
    assert.ok(capturedId(name) > 0);
    assert.equal(sizeOf(name), SIZES[name] ?? 10, name);
  }
});

test('[VP-1] recorded session: every frame decodes by the id it carries', () => {
  assert.equal(CAPTURE.length, 136);
  for (const { name, message } of CAPTURE) {
    assert.equal(message.readUInt16BE(0), capturedId(name), name);
    decoded(name, message);
  }
});

test('[VP-1] recorded session: every frame we may send encodes to the same bytes', () => {
  const sendable = CAPTURE.filter(
    (frame) => frame.dir === 'tx' && SENDABLE.has(frame.name) && !isNat(frame),
  );
  assert.equal(sendable.length, 49);
  for (const { name, message } of sendable) {
    const fields = decoded(name as SendableName, message);
    assert.deepEqual(encode(name as SendableName, capturedId(name), fields), message, name);
  }
});

test('[VP-1] recorded session: fields are what was asked for', () => {
  const { message_table: table, index } = decoded(
    'sockclnt_create_reply',
    captured('rx', 'sockclnt_create_reply').message,
  );
  assert.equal(index, 0x8000_0001);
  assert.equal(table.length, 853);
  assert.deepEqual(new Map(table.map(({ name, id }) => [name, id])), CAPTURED_TABLE);
  const version = decoded('show_version_reply', captured('rx', 'show_version_reply').message);
  assert.equal(version.version, '26.10-rc0~374-gb575ec2c56d');
  assert.deepEqual(decoded('lb_add_del_as_v2', captured('tx', 'lb_add_del_as_v2').message), {
    client_index: 0x8000_0001,
    context: 15,
    pfx_address: '198.51.100.10',
    pfx_len: 32,
    protocol: 6,
    port: 80,
    as_address: '203.0.113.1',
    weight: 100,
    is_del: false,
    is_flush: false,
  });
});

test('[VP-2] NAT: recorded frames decode, and encoding them is refused', () => {
  const nat = CAPTURE.filter((frame) => frame.dir === 'tx' && isNat(frame));
  assert.equal(nat.length, 6);
  for (const { name, message } of nat) {
    const fields = decoded(name as SendableName, message);
    assert.throws(() => encode(name as SendableName, 1, fields), { name: 'Defect' }, name);
  }
});

test('[VP-2] allow-list: nothing outside it can be encoded', () => {
  for (const name of MESSAGE_NAMES.filter((some) => !SENDABLE.has(some))) {
    assert.throws(() => encode(name as SendableName, 1, {} as never), { name: 'Defect' }, name);
  }
});

test('[VP-4] recorded session: one stream cut anywhere gives the same messages', () => {
  const received = CAPTURE.filter(({ dir }) => dir === 'rx');
  const stream = Buffer.concat(received.map(({ bytes }) => bytes));
  for (const size of [1, 7, 16, 17, 4096, stream.length]) {
    const reassembler = new Reassembler();
    const messages: Buffer[] = [];
    for (let at = 0; at < stream.length; at += size) {
      const doubt = reassembler.push(stream.subarray(at, at + size), (bytes, start, end) => {
        messages.push(Buffer.from(bytes.subarray(start, end)));
        return undefined;
      });
      assert.equal(doubt, undefined);
    }
    assert.deepEqual(
      messages,
      received.map(({ message }) => message),
    );
  }
});

test('[VP-5] recorded session: our messages resolve, others are left alone', () => {
  const reply = captured('rx', 'sockclnt_create_reply').message;
  const ids = resolveIds(decoded('sockclnt_create_reply', reply).message_table);
  assert.ok(ids.ok);
  for (const name of MESSAGE_NAMES) assert.equal(ids.value.idOf.get(name), capturedId(name));
  assert.equal(ids.value.nameOf.size, MESSAGE_NAMES.length);
});

/** Everything one captured dump answered: the details that carry its context. */
function detailsOf(name: MessageName, nth: number, dump: MessageName): Buffer[] {
  const request = CAPTURE.filter((frame) => frame.name === dump)[nth];
  assert.ok(request);
  const context = request.message.readUInt32BE(6);
  return CAPTURE.filter((frame) => frame.name === name)
    .map(({ message }) => message)
    .filter((message) => message.readUInt32BE(2) === context);
}

function stateFrom(vips: readonly Buffer[], servers: readonly Buffer[]) {
  const reader = new StateReader();
  for (const message of vips) assert.equal(reader.takeVip(message, 0), undefined);
  for (const message of servers) assert.equal(reader.takeServer(message, 0), undefined);
  const { state, unnamed } = reader.state(
    decoded('lb_conf_get_reply', captured('rx', 'lb_conf_get_reply').message),
  );
  return { state: unpackState(state), unnamed };
}

test('[VP-9] recorded session: the dumps read as the state that was made', () => {
  const vips = detailsOf('lb_vip_details', 1, 'lb_vip_dump');
  const servers = detailsOf('lb_as_v2_details', 1, 'lb_as_v2_dump');
  const { state, unnamed } = stateFrom(vips, servers);
  const vip = (address: string, prefixLength: number, protocol: string, port: number) => ({
    address,
    prefixLength,
    protocol,
    port,
  });
  const as = (address: string, weight: number, buckets: number) => ({ address, weight, buckets });
  assert.equal(unnamed, 0);
  assert.deepEqual(state, {
    conf: {
      ip4Source: undefined,
      ip6Source: undefined,
      stickyBucketsPerCore: 1024,
      flowTimeoutS: 40,
    },
    vips: [
      {
        vip: vip('198.51.100.10', 32, 'tcp', 80),
        encap: 'gre4',
        dscp: 0,
        tableLength: 1024,
        servers: [as('203.0.113.1', 100, 674), as('203.0.113.2', 50, 350), as('203.0.113.3', 0, 0)],
      },
      {
        vip: vip('2001:db8:10::', 64, 'any', 0),
        encap: 'gre6',
        dscp: 0,
        tableLength: 2048,
        servers: [as('2001:db8:20::1', 100, 1624), as('2001:db8:20::2', 25, 424)],
      },
      {
        vip: vip('198.51.100.12', 32, 'any', 0),
        encap: 'l3dsr',
        dscp: 12,
        tableLength: 512,
        servers: [as('203.0.113.21', 80, 406), as('203.0.113.22', 20, 106)],
      },
      {
        vip: vip('198.51.100.13', 32, 'udp', 53),
        encap: 'nat4',
        dscp: 0,
        tableLength: 256,
        servers: [as('203.0.113.31', 100, 128), as('203.0.113.32', 100, 128)],
      },
    ],
  });
});

test('[VP-9] recorded session: removed ASes are not read, with their VIP or without', () => {
  const vips = detailsOf('lb_vip_details', 1, 'lb_vip_dump');
  const withRemoved = detailsOf('lb_as_v2_details', 2, 'lb_as_v2_dump');
  const [first] = stateFrom(vips, withRemoved).state.vips;
  assert.deepEqual(
    first?.servers.map(({ address, weight }) => [address, weight]),
    [
      ['203.0.113.2', 10],
      ['203.0.113.3', 70],
    ],
  );
  const onlyRemoved = detailsOf('lb_as_v2_details', 3, 'lb_as_v2_dump');
  assert.equal(onlyRemoved.length, 9);
  const { state } = stateFrom([], onlyRemoved);
  assert.deepEqual(state.vips, []);
});
