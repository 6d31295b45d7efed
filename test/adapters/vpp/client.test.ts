/** The client as a dataplane: handshake, knowledge of VIPs, failures, failpoints, reading. */
import assert from 'node:assert/strict';
import { chmod, link, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openVpp } from '../../../src/adapters/vpp/client.js';
import {
  keyOf,
  type MessageName,
  READ_MESSAGES,
  WRITE_MESSAGES,
} from '../../../src/adapters/vpp/messages.js';
import { unpackState } from '../../../src/lb/packed/vips.js';
import { attributes, expectOk, outcomeOf, vipAt } from '../../contract/dataplane-lab.js';
import { ALL_KEYS, type Answers, type Fields, handshakeReply, served } from './peer.js';
import { manualClock, withConnected, withRig } from './rig.js';

const VIP = vipAt('198.51.100.10');
const ADD = { op: 'vip.add', vip: VIP, attributes: attributes() } as const;
const FLUSH = { op: 'vip.flush', vip: VIP } as const;
const RECORD = { pfx_address: VIP.address, pfx_len: 32, protocol: 6, port: 80 };
const without = (name: MessageName) => ALL_KEYS.filter((key) => key !== keyOf(name));

/** A peer whose dumps have these records. */
function holding(vips: readonly Fields[], servers: readonly Fields[] = []): Answers {
  return {
    lb_vip_dump: ({ context }) =>
      vips.map((fields) => served('lb_vip_details', { ...fields, context })),
    lb_as_v2_dump: ({ context }) =>
      servers.map((fields) => served('lb_as_v2_details', { flags: 1, ...fields, context })),
  };
}

/** A peer that answers one request with this retval. */
function answering(name: 'lb_add_del_vip_v2' | 'lb_conf_get', retval: number): Answers {
  return {
    [name]: ({ context }: { context: number }) => [served(`${name}_reply`, { context, retval })],
  };
}

test('[VP-5] handshake: tells version and process, and registers by index', () =>
  withRig({}, async ({ dataplane, peer }) => {
    assert.deepEqual(expectOk(await dataplane.connect()), { version: 'v1', pid: 4711 });
    assert.deepEqual(
      peer.requests.map(({ name, fields }) => [name, fields['client_index']]),
      [
        ['sockclnt_create', undefined],
        ['show_version', 0x8000_0001],
        ['control_ping', 0x8000_0001],
      ],
    );
  }));

for (const name of READ_MESSAGES) {
  test(`[VP-5] handshake: a VPP without ${name} is refused by that name`, () =>
    withRig({ keys: without(name) }, async ({ dataplane, downs }) => {
      const answer = await dataplane.connect();
      assert.equal(outcomeOf(answer), 'LB_INCOMPATIBLE');
      assert.ok(!answer.ok && answer.failure.message.includes(keyOf(name)));
      assert.equal(outcomeOf(await dataplane.read()), 'LB_UNREACHABLE');
      assert.deepEqual(downs, []);
    }));
}

for (const name of WRITE_MESSAGES) {
  test(`[VP-5] handshake: a VPP without ${name} can be read and not changed`, () =>
    withRig({ keys: without(name) }, async ({ dataplane, peer }) => {
      expectOk(await dataplane.connect());
      expectOk(await dataplane.read());
      const sent = peer.requests.length;
      const answer = await dataplane.apply(ADD);
      assert.equal(outcomeOf(answer), 'LB_INCOMPATIBLE');
      assert.ok(!answer.ok && answer.failure.message.includes(keyOf(name)));
      assert.equal(peer.requests.length, sent);
    }));
}

test('[VP-5] handshake: the same name with another CRC is another message', () => {
  const keys = [...without('lb_vip_dump'), 'lb_vip_dump_00000000'];
  return withRig({ keys }, async ({ dataplane }) => {
    assert.equal(outcomeOf(await dataplane.connect()), 'LB_INCOMPATIBLE');
  });
});

const REFUSED: readonly (readonly [string, Fields, string])[] = [
  ['a handle of shared memory', { index: 1 }, 'LB_INCOMPATIBLE'],
  ['a response that is an error', { response: -1 }, 'LB_REFUSED -1'],
];
for (const [what, change, outcome] of REFUSED) {
  test(`[VP-5] handshake: ${what} is refused`, () => {
    const answers: Answers = {
      sockclnt_create: ({ context }) => [handshakeReply(context, ALL_KEYS, change)],
    };
    return withRig({ answers }, async ({ dataplane, peer }) => {
      assert.equal(outcomeOf(await dataplane.connect()), outcome);
      assert.equal(peer.requests.length, 1);
    });
  });
}

test('[VP-5] handshake: connecting twice at once is one connection', () =>
  withRig({}, async ({ dataplane, peer }) => {
    const [one, two] = await Promise.all([dataplane.connect(), dataplane.connect()]);
    assert.deepEqual(expectOk(one), expectOk(two));
    assert.equal(peer.requests.filter(({ name }) => name === 'sockclnt_create').length, 1);
  }));

test('[VP-9] read: asks for everything, each dump followed by its ping', () =>
  withConnected({}, async ({ dataplane, peer }) => {
    const before = peer.requests.length;
    expectOk(await dataplane.read());
    assert.deepEqual(
      peer.requests.slice(before).map(({ name }) => name),
      ['lb_conf_get', 'lb_vip_dump', 'control_ping', 'lb_as_v2_dump', 'control_ping'],
    );
  }));

test('[VP-9] read: leftovers, removed, duplicate and orphaned records are left out', () => {
  const vips = [
    { ...RECORD, encap: 'gre6', dscp: 12, srv_type: 9, target_port: 36895, flow_table_length: 8 },
    { ...RECORD, encap: 'gre4', flow_table_length: 16 },
    { ...RECORD, port: 81, encap: 'l3dsr', dscp: 12 },
    { ...RECORD, port: 82, encap: 'nat6', flow_table_length: 32 },
    { ...RECORD, port: 83, protocol: 99 },
    { ...RECORD, port: 84, pfx_len: 33 },
    { ...RECORD, port: 0, protocol: 6 },
    { ...RECORD, port: 85, protocol: 255 },
  ];
  const servers = [
    { ...RECORD, app_srv: '2001:db8::1', flags: 0, weight: 9 },
    { ...RECORD, app_srv: '2001:db8::1', flags: 3, weight: 1, num_buckets: 8 },
    { ...RECORD, app_srv: '2001:db8::1', weight: 7 },
    { ...RECORD, app_srv: '2001:db8::2', flags: 0xfe },
    { ...RECORD, port: 99, app_srv: '2001:db8::3' },
    { ...RECORD, port: 83, protocol: 99, app_srv: '2001:db8::4' },
  ];
  return withConnected({ answers: holding(vips, servers) }, async ({ dataplane }) => {
    const at = (port: number) => ({ ...VIP, port });
    assert.deepEqual(unpackState(expectOk(await dataplane.read())).vips, [
      {
        vip: at(80),
        encap: 'gre6',
        dscp: 0,
        tableLength: 8,
        servers: [{ address: '2001:db8::1', weight: 1, buckets: 8 }],
      },
      { vip: at(81), encap: 'l3dsr', dscp: 12, tableLength: undefined, servers: [] },
      { vip: at(82), encap: 'nat6', dscp: 0, tableLength: 32, servers: [] },
    ]);
  });
});

test('[VP-9] read: a refused settings request fails it', () =>
  withConnected({ answers: answering('lb_conf_get', -1) }, async ({ dataplane }) => {
    assert.equal(outcomeOf(await dataplane.read()), 'LB_REFUSED -1');
  }));

const RETVALS: readonly (readonly [number, string])[] = [
  [0, 'ok'],
  [-81, 'LB_EXISTS'],
  [-6, 'LB_NO_SUCH_ENTRY'],
  [-97, 'LB_REFUSED -97'],
  [-73, 'LB_REFUSED -73'],
  [-70, 'LB_REFUSED -70'],
  [-12345, 'LB_REFUSED -12345'],
  [7, 'LB_REFUSED 7'],
];
for (const [retval, outcome] of RETVALS) {
  test(`[VP-11] retval: ${retval} means ${outcome}`, () =>
    withConnected({ answers: answering('lb_add_del_vip_v2', retval) }, async ({ dataplane }) => {
      const answer = await dataplane.apply(ADD);
      assert.equal(outcomeOf(answer), outcome);
      if (answer.ok) return;
      assert.match(answer.failure.message, /^vip\.add 198\.51\.100\.10\/32 tcp 80: .+\(-?\d+\)$/);
    }));
}

test('[VP-12] flush: refused for a VIP that was never seen', () =>
  withConnected({}, async ({ dataplane, peer }) => {
    assert.equal(outcomeOf(await dataplane.apply(FLUSH)), 'LB_INVALID_REQUEST');
    expectOk(await dataplane.read());
    assert.equal(outcomeOf(await dataplane.apply(FLUSH)), 'LB_INVALID_REQUEST');
    assert.ok(!peer.requests.some(({ name }) => name === 'lb_flush_vip'));
  }));

test('[VP-12] flush: sent for a VIP that was read, and for one that was added', () =>
  withConnected({ answers: holding([RECORD]) }, async ({ dataplane }) => {
    expectOk(await dataplane.read());
    expectOk(await dataplane.apply(FLUSH));
    const other = { ...VIP, port: 81 };
    const early = dataplane.apply({ ...ADD, vip: other });
    assert.equal(outcomeOf(await dataplane.apply({ ...FLUSH, vip: other })), 'LB_INVALID_REQUEST');
    expectOk(await early);
    expectOk(await dataplane.apply({ ...FLUSH, vip: other }));
  }));

test('[VP-12] flush: a VIP is gone from the moment its delete is sent', () =>
  withConnected({}, async ({ dataplane }) => {
    expectOk(await dataplane.apply(ADD));
    const deleted = dataplane.apply({ op: 'vip.del', vip: VIP });
    assert.equal(outcomeOf(await dataplane.apply(FLUSH)), 'LB_INVALID_REQUEST');
    expectOk(await deleted);
  }));

test('[VP-12] flush: a delete that VPP refused leaves the VIP known', () => {
  const answers: Answers = {
    lb_add_del_vip_v2: ({ context, fields }) => [
      served('lb_add_del_vip_v2_reply', { context, retval: fields['is_del'] === true ? -7 : 0 }),
    ],
  };
  return withConnected({ answers }, async ({ dataplane }) => {
    expectOk(await dataplane.apply(ADD));
    assert.equal(outcomeOf(await dataplane.apply({ op: 'vip.del', vip: VIP })), 'LB_REFUSED -7');
    expectOk(await dataplane.apply(FLUSH));
  });
});

test('[VP-12] flush: a read that began before an add does not forget the VIP', async () => {
  const held: Buffer[] = [];
  const answers: Answers = {
    // The read's last answer and the add's arrive in one piece.
    control_ping: ({ context }, { requests }) => {
      const pong = served('control_ping_reply', { context });
      if (!requests.some(({ name }) => name === 'lb_as_v2_dump')) return [pong];
      held.push(pong);
      return [];
    },
    lb_add_del_vip_v2: ({ context }) => [
      ...held.splice(0),
      served('lb_add_del_vip_v2_reply', { context }),
    ],
    lb_vip_dump: ({ context }) => [
      served('lb_vip_details', { ...RECORD, port: 99, encap: 'nat4', context }),
    ],
  };
  await withConnected({ answers }, async ({ dataplane }) => {
    const [read, added] = await Promise.all([dataplane.read(), dataplane.apply(ADD)]);
    assert.deepEqual([outcomeOf(read), outcomeOf(added)], ['ok', 'ok']);
    expectOk(await dataplane.apply(FLUSH));
  });
});

test('[VP-12] unread: only adding a VIP is sent before VPP was read', () =>
  withConnected({}, async ({ dataplane, peer }) => {
    const before = peer.requests.length;
    const as = '203.0.113.1';
    const ops = [
      { op: 'vip.del', vip: VIP },
      FLUSH,
      { op: 'as.add', vip: VIP, as, weight: 1 },
      { op: 'as.weight', vip: VIP, as, weight: 1, flush: false },
      { op: 'as.del', vip: VIP, as },
    ] as const;
    for (const op of ops) assert.equal(outcomeOf(await dataplane.apply(op)), 'LB_INVALID_REQUEST');
    assert.equal(peer.requests.length, before);
    expectOk(await dataplane.apply(ADD));
    for (const op of ops.slice(1)) expectOk(await dataplane.apply(op));
  }));

for (const encap of ['nat4', 'nat6']) {
  test(`[VP-12] NAT: a ${encap} VIP of somebody else is shown and never touched`, () =>
    withConnected({ answers: holding([{ ...RECORD, encap }]) }, async ({ dataplane, peer }) => {
      assert.equal([...expectOk(await dataplane.read()).vips.values()][0]?.encap, encap);
      const before = peer.requests.length;
      const as = '203.0.113.1';
      const ops = [
        { op: 'vip.del', vip: VIP },
        FLUSH,
        { op: 'as.add', vip: VIP, as, weight: 1 },
        { op: 'as.weight', vip: VIP, as, weight: 0, flush: true },
        { op: 'as.del', vip: VIP, as },
      ] as const;
      for (const op of ops) {
        const answer = await dataplane.apply(op);
        assert.ok(!answer.ok && answer.failure.code === 'LB_INVALID_REQUEST');
        assert.match(answer.failure.message, /NAT VIPs are not touched/);
      }
      assert.equal(peer.requests.length, before);
    }));
}

test('[VP-12] knowledge ends with the connection', () =>
  withConnected({}, async ({ dataplane }) => {
    expectOk(await dataplane.apply(ADD));
    expectOk(await dataplane.connect());
    assert.equal(outcomeOf(await dataplane.apply(FLUSH)), 'LB_INVALID_REQUEST');
  }));

test('[VP-13] failpoints: before it is sent and after it is acknowledged, changes only', async () => {
  const passed: string[] = [];
  const failpoints = { hit: (point: string) => void passed.push(point) };
  const answers: Answers = {
    lb_add_del_vip_v2: ({ context }) => {
      passed.push('answered');
      return [served('lb_add_del_vip_v2_reply', { context })];
    },
  };
  await withConnected(
    { answers },
    async ({ dataplane }) => {
      expectOk(await dataplane.read());
      expectOk(await dataplane.ping());
      await dataplane.apply({ ...ADD, vip: { ...VIP, port: 0 } });
      assert.deepEqual(passed, []);
      expectOk(await dataplane.apply(ADD));
      assert.deepEqual(passed, ['vpp.op.before', 'answered', 'vpp.op.after']);
    },
    { failpoints },
  );
});

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'vpp-path-'));
  try {
    await run(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function unreachableBecause(path: string, reason: RegExp): Promise<void> {
  const answer = await openVpp({ path, clock: manualClock() }).connect();
  assert.ok(!answer.ok && answer.failure.code === 'LB_UNREACHABLE');
  assert.ok(answer.failure.message.includes(path));
  assert.match(answer.failure.message, reason);
}

test('[VP-15] socket: a path where nothing is, is told with its name', () =>
  inFolder((folder) => unreachableBecause(join(folder, 'none.sock'), /no such socket/)));

test('[VP-15] socket: a path that is something else is told', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'file');
    await writeFile(path, '');
    await unreachableBecause(path, /not a socket/);
  }));

test('[VP-15] socket: one that anybody may write to, or replace, is not talked to', () =>
  withRig({}, async ({ peer, dataplane }) => {
    const folder = join(peer.path, '..');
    for (const [path, mode] of [
      [peer.path, 0o777],
      [folder, 0o777],
    ] as const) {
      await chmod(path, mode);
      await unreachableBecause(peer.path, /anybody may write/);
      await chmod(path, 0o700);
    }
    assert.deepEqual(peer.requests, []);
    expectOk(await dataplane.connect());
  }));

test('[VP-15] socket: one that nobody listens on is told', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'dead.sock');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(path, resolve));
    // A second name keeps the socket when the server removes the first.
    const kept = join(folder, 'kept.sock');
    await link(path, kept);
    await new Promise((resolve) => server.close(resolve));
    await unreachableBecause(kept, /nobody listens/);
  }));

test('[VP-79] a VIP that somebody made since the read: not touched before the next one', () => {
  const touches = [
    { op: 'as.add', vip: VIP, as: '10.0.0.1', weight: 1 },
    { op: 'vip.del', vip: VIP },
  ] as const;
  return withConnected(
    { answers: { ...holding([]), ...answering('lb_add_del_vip_v2', -81) } },
    async ({ dataplane, peer }) => {
      expectOk(await dataplane.read());
      assert.equal(outcomeOf(await dataplane.apply(ADD)), 'LB_EXISTS');
      const sent = peer.requests.length;
      for (const op of touches) {
        assert.equal(outcomeOf(await dataplane.apply(op)), 'LB_INVALID_REQUEST', op.op);
      }
      assert.equal(peer.requests.length, sent);
      expectOk(await dataplane.read());
      assert.equal(outcomeOf(await dataplane.apply({ op: 'vip.del', vip: VIP })), 'LB_EXISTS');
    },
  );
});
