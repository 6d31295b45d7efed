/** Faults on command, through the control socket as an operator or another process would. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { withSim } from './lab.js';
import { asAdd, ases, vipAdd, vips } from './requests.js';

const VIP = { address: '198.51.100.10' } as const;

/** Sends one line, returns the answer. */
async function command(path: string, line: string): Promise<Record<string, unknown>> {
  const socket = connect(`${path}.ctl`);
  socket.setEncoding('utf8');
  socket.write(`${line}\n`);
  let text = '';
  while (!text.includes('\n')) text += (await once(socket, 'data'))[0];
  socket.destroy();
  return JSON.parse(text);
}

test('[VP-72] fault dropNthReply: the request is executed, its reply is not there', () =>
  withSim(async ({ sim, open }) => {
    const client = await open();
    assert.deepEqual(await command(sim.path, '{"dropNthReply":2}'), { ok: true });
    assert.equal(await client.ask(vipAdd(client, VIP)), 0);
    client.send(asAdd(client, { ...VIP, as: '203.0.113.1' }));
    assert.equal(await client.ask(asAdd(client, { ...VIP, as: '203.0.113.2' })), 0);
    assert.equal((await ases(client)).length, 2);
  }));

test('[VP-72] fault failNthRequest: answered as told, not executed, reads not counted', () =>
  withSim(async ({ sim, open }) => {
    const client = await open();
    await command(sim.path, '{"failNthRequest":{"n":2,"retval":-4}}');
    assert.deepEqual(await vips(client), []);
    const retvals = [];
    for (const last of [1, 2, 3]) {
      retvals.push(await client.ask(vipAdd(client, { address: `10.0.0.${last}` })));
    }
    assert.deepEqual(retvals, [0, -4, 0]);
    assert.deepEqual(
      (await vips(client)).map(({ address }) => address),
      ['10.0.0.1', '10.0.0.3'],
    );
    assert.deepEqual(
      sim.ops().map(({ retval }) => retval),
      retvals,
    );
  }));

test('[VP-72] fault answerLateMs: answers stay away, then come in order', () =>
  withSim(async ({ sim, open }) => {
    const client = await open();
    await command(sim.path, '{"answerLateMs":60}');
    const first = vipAdd(client, VIP);
    const second = vipAdd(client, VIP);
    client.send(first);
    const early = client.next().then((reply) => reply.readUInt32BE(2));
    const timeout = sleep(5, 'nothing yet' as const);
    assert.equal(await Promise.race([early, timeout]), 'nothing yet');
    await command(sim.path, '{"answerLateMs":0}');
    client.send(second);
    assert.equal(await early, first.readUInt32BE(6));
    const reply = await client.next();
    assert.deepEqual([reply.readUInt32BE(2), reply.readInt32BE(6)], [second.readUInt32BE(6), -81]);
  }));

test('[VP-72] fault freezeMs: nothing is executed until it thaws', () =>
  withSim(async ({ sim, open }) => {
    const client = await open();
    await command(sim.path, '{"freezeMs":600000}');
    const late = await openWhileFrozen();
    client.send(vipAdd(client, VIP));
    await sleep(20);
    assert.deepEqual(sim.ops(), []);
    await command(sim.path, '{"freezeMs":0}');
    assert.equal((await client.next()).readInt32BE(6), 0);
    await once(late, 'data');
    late.destroy();

    async function openWhileFrozen() {
      const socket = connect(sim.path);
      await once(socket, 'connect');
      const create = Buffer.alloc(86);
      create.writeUInt32BE(70, 8);
      create.writeUInt16BE(15, 16);
      socket.write(create);
      return socket;
    }
  }));

test('[VP-72] fault restartEmpty: clients are cut, everything is new, handles too', () =>
  withSim(
    async ({ sim, open }) => {
      const [, second] = [await open(), await open()];
      await second.ask(vipAdd(second, VIP));
      await command(sim.path, '{"restartEmpty":true}');
      await second.closed();
      const back = await open();
      assert.deepEqual([back.index, await vips(back)], [0x80000001, []]);
      assert.equal(sim.state().pid, 4712);
      await command(sim.path, '{"restartEmpty":true,"samePid":true}');
      assert.equal(sim.state().pid, 4712);
    },
    { pid: 4711 },
  ));

test('[VP-72] fault die: connections are cut and nobody listens any more', () =>
  withSim(async ({ sim, open }) => {
    const client = await open();
    assert.deepEqual(await command(sim.path, '{"die":true}'), { ok: true });
    assert.equal((await sim.died).cause, 'command');
    await client.closed();
    await assert.rejects(open());
    assert.equal((await sim.control({ state: true })).ok, false);
  }));

test('[VP-72] state: everything there is, with the owner of every bucket', () =>
  withSim(async ({ sim, open }) => {
    const client = await open();
    await client.ask(vipAdd(client, { ...VIP, tableLength: 8, sticky: true }));
    await client.ask(asAdd(client, { ...VIP, as: '203.0.113.2', weight: 1 }));
    await client.ask(asAdd(client, { ...VIP, as: '203.0.113.1', weight: 3 }));
    const answer = await command(sim.path, '{"state":true}');
    assert.deepEqual(answer['state'], JSON.parse(JSON.stringify(sim.state())));
    const [vip] = sim.state().vips;
    assert.deepEqual(vip?.ranks, ['203.0.113.1', '203.0.113.2']);
    assert.equal(vip?.srcIpSticky, true);
    const owned = [0, 1].map((rank) => vip?.table.filter((owner) => owner === rank).length);
    assert.deepEqual(owned, [6, 2]);
    assert.match(vip?.digest ?? '', /^[0-9a-f]{64}$/);
  }));

test('[VP-72] control: what is no command is answered so', () =>
  withSim(async ({ sim }) => {
    const lines = [
      'nonsense',
      '{}',
      '{"die":false}',
      '{"freezeMs":-1}',
      '{"die":true,"state":true}',
    ];
    for (const line of lines) assert.equal((await command(sim.path, line))['ok'], false, line);
    const pin = '{"pin":{"vip":"192.0.2.1/32 tcp 1","as":"10.0.0.1","flows":1}}';
    assert.deepEqual(await command(sim.path, pin), { ok: false, message: 'no such AS' });
  }));

test('[VP-73] op log: one line for each write, as executed, and none for reads', () =>
  withSim(async ({ sim, open }) => {
    const client = await open();
    await client.ask(vipAdd(client, { address: '2001:db8::', length: 64, port: 0, encap: 1 }));
    const as = { address: '2001:db8::7', length: 64, port: 0, as: '2001:db8:1:0:0:0:0:9' };
    await client.ask(asAdd(client, { ...as, weight: 3, flush: true }));
    await client.ask(asAdd(client, { ...as, weight: 4 }));
    await vips(client);
    const lines = readFileSync(`${sim.path}.ops.jsonl`, 'utf8').trim().split('\n');
    const written = lines.map((line) => JSON.parse(line));
    assert.deepEqual(
      written.map(({ seq }) => seq),
      [1, 2, 3, 4],
    );
    assert.deepEqual(written.slice(1), sim.ops());
    const vip = '2001:db8::/64 any 0';
    const { seq: _seq, at, ...first } = written[1];
    assert.equal(typeof at, 'number');
    assert.deepEqual(first, {
      op: 'vip.add',
      vip,
      encap: 'gre6',
      dscp: 0,
      targetPort: 0,
      tableLength: 1024,
      srcIpSticky: false,
      retval: 0,
    });
    assert.deepEqual(
      sim
        .ops()
        .map(({ op, as: server, weight, flush, retval }) => [op, server, weight, flush, retval]),
      [
        ['vip.add', undefined, undefined, undefined, 0],
        ['as.add', '2001:db8:1::9', 3, true, 0],
        ['as.add', '2001:db8:1::9', 4, false, -81],
      ],
    );
  }));
