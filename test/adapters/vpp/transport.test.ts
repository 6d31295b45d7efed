/** The connection against a peer that misbehaves: splits, silence, lies and sudden ends. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../../src/adapters/system/clock.js';
import { limits } from '../../../src/adapters/vpp/limits.js';
import { ALL_PORTS, attributes, expectOk, outcomeOf, vipAt } from '../../contract/dataplane-lab.js';
import { type Answer, type Answers, framed, served } from './peer.js';
import { type Rig, settle, until, withConnected, withRig } from './rig.js';

const VIP = vipAt('198.51.100.10');
const VIP_RECORD = { pfx_address: '198.51.100.10', pfx_len: 32, protocol: 6, port: 80 };

const silence: Answer = () => [];

test('[VP-4] stream: one byte per write is understood', () =>
  withConnected({ pieceBytes: 1 }, async ({ dataplane }) => {
    assert.equal(outcomeOf(await dataplane.read()), 'ok');
    assert.equal(outcomeOf(await dataplane.ping()), 'ok');
  }));

test('[VP-4] stream: many frames in one write are understood', async () => {
  const details = Array.from({ length: 500 }, (_, index) => ({ ...VIP_RECORD, port: index + 1 }));
  const answers: Answers = {
    lb_vip_dump: ({ context }) =>
      details.map((fields) => served('lb_vip_details', { ...fields, context })),
  };
  await withConnected({ answers }, async ({ dataplane }) => {
    assert.equal(expectOk(await dataplane.read()).vips.size, 500);
  });
});

for (const length of [0, limits.frameBytesMax + 1, 0x7fff_ffff]) {
  test(`[VP-4] stream: a frame that announces ${length} bytes closes the connection`, () =>
    withConnected({}, async ({ dataplane, peer, downs }) => {
      peer.send(framed(Buffer.alloc(64), length));
      await until(() => downs.length > 0);
      assert.deepEqual(downs, [`not the API of VPP: a frame announces ${length || 'no'} bytes`]);
      assert.equal(outcomeOf(await dataplane.ping()), 'LB_UNREACHABLE');
    }));
}

test('[VP-4] stream: a frame of the largest length is waited for', () =>
  withConnected({}, async ({ dataplane, peer, downs }) => {
    peer.send(framed(Buffer.alloc(limits.frameBytesMax, 0xff)));
    assert.equal(outcomeOf(await dataplane.ping()), 'ok');
    assert.deepEqual(downs, []);
  }));

test('[VP-6] context: an answer to nobody is dropped and counted', async () => {
  const answers: Answers = {
    lb_flush_vip: ({ context }) => [
      served('lb_flush_vip_reply', { context: context + 1000, retval: -1 }),
      served('control_ping_reply', { context: 0xffff_ffff }),
      served('lb_flush_vip_reply', { context }),
    ],
  };
  await withConnected({ answers }, async ({ dataplane, downs, counts }) => {
    expectOk(await dataplane.apply({ op: 'vip.add', vip: VIP, attributes: attributes() }));
    expectOk(await dataplane.apply({ op: 'vip.flush', vip: VIP }));
    assert.deepEqual(downs, []);
    const dropped = counts.filter((entry) => entry.endsWith(',dropped}'));
    assert.deepEqual(dropped, [
      'vpp_api_total{lb_flush_vip_reply,dropped}',
      'vpp_api_total{control_ping_reply,dropped}',
    ]);
  });
});

test('[VP-6] context: an id that VPP never listed is dropped', () =>
  withConnected({}, async ({ dataplane, peer, counts }) => {
    peer.send(framed(Buffer.from('fffe00000001', 'hex')));
    expectOk(await dataplane.ping());
    assert.ok(counts.includes('vpp_api_total{unknown,dropped}'));
  }));

test('[VP-6] context: answers out of order find their requests', async () => {
  const held: Buffer[] = [];
  const answers: Answers = {
    lb_add_del_vip_v2: ({ context, fields }) => {
      held.unshift(served('lb_add_del_vip_v2_reply', { context, retval: -Number(fields['port']) }));
      return held.length === 3 ? held : [];
    },
  };
  await withConnected({ answers }, async ({ dataplane }) => {
    const outcomes = await Promise.all(
      [11, 12, 13].map((port) =>
        dataplane.apply({ op: 'vip.add', vip: { ...VIP, port }, attributes: attributes() }),
      ),
    );
    assert.deepEqual(outcomes.map(outcomeOf), [
      'LB_REFUSED -11',
      'LB_REFUSED -12',
      'LB_REFUSED -13',
    ]);
  });
});

test('[VP-6] context: an answer of the wrong kind closes the connection', async () => {
  const answers: Answers = {
    lb_conf_get: ({ context }) => [served('control_ping_reply', { context })],
  };
  await withConnected({ answers }, async ({ dataplane, downs }) => {
    assert.equal(outcomeOf(await dataplane.read()), 'LB_UNREACHABLE');
    assert.deepEqual(downs, ['not the API of VPP: control_ping_reply came for lb_conf_get']);
  });
});

test('[VP-7] silence: one request times out, the others fail with it, the loss is told once', () =>
  withConnected(
    { answers: { lb_conf_get: silence } },
    async ({ dataplane, clock, peer, downs }) => {
      const read = dataplane.read();
      clock.advance(1);
      const add = dataplane.apply({ op: 'vip.add', vip: VIP, attributes: attributes() });
      await until(() => peer.requests.some(({ name }) => name === 'lb_add_del_vip_v2'));
      clock.advance(limits.requestTimeoutMsDefault - 1);
      assert.equal(outcomeOf(await read), 'LB_TIMEOUT');
      assert.ok(['ok', 'LB_UNREACHABLE'].includes(outcomeOf(await add)));
      assert.deepEqual(downs, ['no answer to lb_conf_get in 3000 ms']);
      assert.equal(outcomeOf(await dataplane.ping()), 'LB_UNREACHABLE');
      await settle();
      assert.equal(downs.length, 1);
    },
  ));

test('[VP-7] silence: everything waiting fails, sent or not', () =>
  withConnected(
    { answers: { lb_add_del_vip_v2: silence } },
    async ({ dataplane, clock, downs }) => {
      const adds = [1, 2, 3, 4].map((port) =>
        dataplane.apply({ op: 'vip.add', vip: { ...VIP, port }, attributes: attributes() }),
      );
      clock.advance(limits.requestTimeoutMsDefault);
      const outcomes = (await Promise.all(adds)).map(outcomeOf);
      assert.deepEqual(outcomes, ['LB_TIMEOUT', ...Array(3).fill('LB_UNREACHABLE')]);
      assert.equal(downs.length, 1);
    },
    { window: 2 },
  ));

test('[VP-7] silence: a handshake that is never answered times out and was never open', () =>
  withRig({ answers: { sockclnt_create: silence } }, async ({ dataplane, clock, peer, downs }) => {
    const connecting = dataplane.connect();
    await until(() => peer.requests.length === 1);
    clock.advance(limits.requestTimeoutMsDefault);
    assert.equal(outcomeOf(await connecting), 'LB_TIMEOUT');
    assert.deepEqual(downs, []);
  }));

/** A dump of which only as much arrives as the test sends itself. */
async function withOpenDump(run: (rig: Rig, context: number) => Promise<void>): Promise<void> {
  const silentAfterConnect: Answers = {
    lb_vip_dump: silence,
    control_ping: ({ context }, { requests }) =>
      requests.some(({ name }) => name === 'lb_vip_dump')
        ? []
        : [served('control_ping_reply', { context })],
  };
  await withConnected({ answers: silentAfterConnect }, async (rig) => {
    const { peer } = rig;
    const dump = () => peer.requests.find(({ name }) => name === 'lb_vip_dump');
    const reading = rig.dataplane.read();
    await until(() => dump() !== undefined);
    await run(rig, dump()?.context ?? 0);
    assert.equal(outcomeOf(await reading), 'LB_TIMEOUT');
  });
}

test('[VP-7] silence: a dump is timed out when nothing more of it comes', () =>
  withOpenDump(async ({ clock }) => {
    clock.advance(limits.requestTimeoutMsDefault);
  }));

test('[VP-7] silence: nobody is late while a dump keeps coming', () =>
  withOpenDump(async ({ clock, peer, dataplane, downs, counts }, context) => {
    const ping = dataplane.ping();
    const arrived = () => counts.filter((entry) => entry.endsWith(',dropped}')).length;
    for (let port = 1; port <= 5; port += 1) {
      clock.advance(limits.requestTimeoutMsDefault - 1);
      const stray = served('control_ping_reply', { context: 0 });
      peer.send(served('lb_vip_details', { ...VIP_RECORD, port, context }), stray);
      await until(() => arrived() === port);
      assert.deepEqual(downs, []);
    }
    await until(() => {
      clock.advance(limits.requestTimeoutMsDefault);
      return downs.length > 0;
    });
    assert.notEqual(outcomeOf(await ping), 'ok');
  }));

test('[VP-7] silence: an answer that waited for us is taken, however late we are', async () => {
  const answers: Answers = { lb_add_del_vip_v2: silence };
  await withConnected(
    { answers },
    async ({ dataplane, peer, downs }) => {
      const add = dataplane.apply({ op: 'vip.add', vip: VIP, attributes: attributes() });
      const asked = () => peer.requests.find(({ name }) => name === 'lb_add_del_vip_v2');
      await until(() => asked() !== undefined);
      peer.send(served('lb_add_del_vip_v2_reply', { context: asked()?.context }));
      // This thread stands still for longer than an answer may take.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);
      assert.equal(outcomeOf(await add), 'ok');
      assert.deepEqual(downs, []);
    },
    { clock: systemClock(), requestTimeoutMs: 300 },
  );
});

test('[VP-7] loss: hanging up in the middle of an answer fails it', async () => {
  const answers: Answers = {
    lb_conf_get: ({ context }) => [served('lb_conf_get_reply', { context }).subarray(0, 40)],
    control_ping: ({ context }, peer) => {
      if (peer.requests.some(({ name }) => name === 'lb_as_v2_dump')) peer.hangUp();
      return [served('control_ping_reply', { context })];
    },
  };
  await withConnected({ answers }, async ({ dataplane, downs }) => {
    assert.equal(outcomeOf(await dataplane.read()), 'LB_UNREACHABLE');
    assert.equal(downs.length, 1);
  });
});

test('[VP-7] loss: an idle connection that ends is told once, and connect starts afresh', () =>
  withConnected({}, async ({ dataplane, peer, downs }) => {
    peer.hangUp();
    await until(() => downs.length > 0);
    assert.deepEqual(downs, ['VPP closed the connection']);
    assert.equal(outcomeOf(await dataplane.read()), 'LB_UNREACHABLE');
    expectOk(await dataplane.connect());
    expectOk(await dataplane.read());
    assert.equal(downs.length, 1);
  }));

test('[VP-7] loss: closing on purpose fails what is pending and is not told', () =>
  withConnected({ answers: { lb_conf_get: silence } }, async ({ dataplane, downs }) => {
    const read = dataplane.read();
    await dataplane.close();
    assert.equal(outcomeOf(await read), 'LB_UNREACHABLE');
    await settle();
    assert.deepEqual(downs, []);
  }));

test('[VP-7] loss: closing wins over a connect under way', () =>
  withRig({ answers: { sockclnt_create: silence } }, async ({ dataplane, peer, downs }) => {
    const early = dataplane.connect();
    await dataplane.close();
    assert.equal(outcomeOf(await early), 'LB_UNREACHABLE');
    const late = dataplane.connect();
    await until(() => peer.requests.length === 1);
    await dataplane.close();
    assert.equal(outcomeOf(await late), 'LB_UNREACHABLE');
    assert.equal(outcomeOf(await dataplane.ping()), 'LB_UNREACHABLE');
    assert.deepEqual(downs, []);
  }));

test('[VP-8] window: never more in flight, and first come first served', async () => {
  const held: Buffer[] = [];
  const answers: Answers = {
    lb_add_del_vip_v2: ({ context }) => {
      held.push(served('lb_add_del_vip_v2_reply', { context }));
      return [];
    },
  };
  const ports = Array.from({ length: 10 }, (_, index) => index + 1);
  await withConnected(
    { answers },
    async ({ dataplane, peer }) => {
      const adds = ports.map((port) =>
        dataplane.apply({ op: 'vip.add', vip: { ...VIP, port }, attributes: attributes() }),
      );
      const sent = () => peer.requests.filter(({ name }) => name === 'lb_add_del_vip_v2');
      for (const answered of ports) {
        const expected = Math.min(answered + 2, ports.length);
        await until(() => sent().length >= expected);
        await settle();
        assert.equal(sent().length, expected);
        peer.send(...held.splice(0, 1));
      }
      assert.deepEqual((await Promise.all(adds)).map(outcomeOf), Array(10).fill('ok'));
      assert.deepEqual(
        sent().map(({ fields }) => fields['port']),
        ports,
      );
    },
    { window: 3 },
  );
});

test('[VP-8] queue: at its bound a request is refused and not sent', () =>
  withConnected(
    { answers: { lb_add_del_vip_v2: silence } },
    async ({ dataplane, peer }) => {
      const vip = { ...VIP, ...ALL_PORTS };
      const adds = Array.from({ length: limits.queueMax + 2 }, () =>
        dataplane.apply({ op: 'vip.add', vip, attributes: attributes() }),
      );
      const sent = () => peer.requests.filter(({ name }) => name === 'lb_add_del_vip_v2').length;
      await until(() => sent() > 0);
      await dataplane.close();
      const outcomes = (await Promise.all(adds)).map(outcomeOf);
      assert.equal(outcomes.pop(), 'LB_INVALID_REQUEST');
      assert.deepEqual(new Set(outcomes), new Set(['LB_UNREACHABLE']));
      assert.equal(sent(), 1);
    },
    { window: 1 },
  ));

const HOSTILE: readonly (readonly [string, (whole: Buffer) => Buffer])[] = [
  ['one byte short', (whole) => framed(whole.subarray(16, -1))],
  ['one byte long', (whole) => framed(Buffer.concat([whole.subarray(16), Buffer.alloc(1)]))],
  ['only an id', (whole) => framed(whole.subarray(16, 18))],
  ['half an id', (whole) => framed(whole.subarray(16, 17))],
];
for (const [what, spoil] of HOSTILE) {
  test(`[VP-3] hostile reply: ${what} closes the connection`, async () => {
    const answers: Answers = {
      lb_conf_get: ({ context }) => [spoil(served('lb_conf_get_reply', { context }))],
    };
    await withConnected({ answers }, async ({ dataplane, downs }) => {
      assert.equal(outcomeOf(await dataplane.read()), 'LB_UNREACHABLE');
      assert.equal(downs.length, 1);
      assert.match(downs[0] ?? '', /^not the API of VPP/);
    });
  });
}

test('[VP-3] hostile reply: an unheard-of encapsulation closes the connection', async () => {
  const answers: Answers = {
    lb_vip_dump: ({ context }) => [served('lb_vip_details', { ...VIP_RECORD, context, encap: 5 })],
  };
  await withConnected({ answers }, async ({ dataplane, downs }) => {
    assert.equal(outcomeOf(await dataplane.read()), 'LB_UNREACHABLE');
    assert.deepEqual(downs, ['not the API of VPP: lb_vip_details has an impossible encap']);
  });
});
