/** Several clients, their handles, and requests that VPP drops without a word. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { capturedFrames, framed, idOf, type RawClient, withSim } from './lab.js';
import { asAdd, asDump, ases, vipAdd, vipDelete, vipDump, vips } from './requests.js';

const VIP = { address: '198.51.100.10' } as const;

test('[VP-61] handshake: the handle has bit 31, the table is the recorded one', () =>
  withSim(async ({ open }) => {
    const client = await open();
    assert.equal(client.index, 0x80000001);
    const create = Buffer.alloc(70);
    create.writeUInt16BE(15, 0);
    create.writeUInt32BE(0xffffffff, 2);
    client.send(create);
    const again = await client.next();
    const recorded = capturedFrames()[1]?.message ?? Buffer.alloc(0);
    assert.equal(again.readUInt32BE(6), 0xffffffff);
    assert.deepEqual(again.subarray(10), recorded.subarray(10));
  }));

test('[VP-62] handles: each client has its own, a freed one is used again at once', () =>
  withSim(async ({ sim, open }) => {
    const [one, two, three] = [await open(), await open(), await open()];
    assert.deepEqual(
      [one, two, three].map(({ index }) => index),
      [0x80000001, 0x80000002, 0x80000003],
    );
    const leave = two.head('sockclnt_delete', 14);
    leave.writeUInt32BE(two.index, 10);
    assert.equal(await two.ask(leave), 1);
    await two.closed();
    assert.equal((await open()).index, 0x80000002);
    assert.equal(sim.state().clients, 3);
    assert.deepEqual(sim.violations(), []);
  }));

test('[VP-62] handles: deleting one that is free is refused', () =>
  withSim(async ({ open }) => {
    const client = await open();
    const leave = client.head('sockclnt_delete', 14);
    leave.writeUInt32BE(0x80000077, 10);
    assert.equal(await client.ask(leave), -1);
    assert.deepEqual(await vips(client), []);
  }));

test('[VP-62] handles: two clients see one state, a closed one takes nothing along', () =>
  withSim(async ({ open }) => {
    const [one, two] = [await open(), await open()];
    await one.ask(vipAdd(one, VIP));
    assert.equal(await two.ask(vipAdd(two, VIP)), -81);
    await two.ask(asAdd(two, { ...VIP, as: '203.0.113.1' }));
    two.destroy();
    assert.equal((await ases(one)).length, 1);
  }));

test('[VP-63] client index: a wrong one is executed, the reply goes elsewhere or nowhere', () =>
  withSim(async ({ open }) => {
    const [one, two] = [await open(), await open()];
    const misdirected = vipAdd(one, VIP);
    misdirected.writeUInt32BE(two.index, 2);
    one.send(misdirected);
    const stolen = await two.next();
    assert.equal(stolen.readUInt16BE(0), idOf('lb_add_del_vip_v2_reply'));
    for (const index of [0, 1, 0x80000050]) {
      const lost = vipDelete(one, VIP);
      lost.writeUInt32BE(index, 2);
      assert.deepEqual(await one.until(lost), []);
      assert.deepEqual(await vips(one), []);
      await one.ask(vipAdd(one, VIP));
    }
  }));

/** Requests nobody answers; `VIP` must not come of any. */
const DROPPED: readonly (readonly [string, (client: RawClient) => Buffer])[] = [
  ['an unknown id', (client) => withId(client.head('control_ping', 10), 60_000)],
  ['id 0', (client) => withId(client.head('control_ping', 10), 0)],
  ['a request of another feature', (client) => client.head('show_threads', 10)],
  ['a message of one byte', () => Buffer.from([0])],
  ['a truncated ping', (client) => client.head('control_ping', 10).subarray(0, 9)],
  ['a truncated write', (client) => vipAdd(client, VIP).subarray(0, 49)],
  ['a truncated dump', (client) => vipDump(client).subarray(0, 32)],
  ['a keepalive', (client) => client.head('memclnt_keepalive', 10)],
  ['a keepalive reply', (client) => client.head('memclnt_keepalive_reply', 10)],
];

function withId(message: Buffer, id: number): Buffer {
  message.writeUInt16BE(id, 0);
  return message;
}

test('[VP-62] dropped: no reply, nothing executed, the connection stays', () =>
  withSim(async ({ sim, open }) => {
    const client = await open();
    for (const [name, request] of DROPPED) {
      assert.deepEqual(await client.until(request(client)), [], name);
      assert.deepEqual(sim.ops(), [], name);
    }
  }));

test('[VP-62] tails: a message longer than its size is accepted', () =>
  withSim(async ({ open }) => {
    const client = await open();
    const long = Buffer.concat([vipAdd(client, VIP), Buffer.alloc(30, 7)]);
    assert.equal(await client.ask(long), 0);
  }));

test('[VP-62] dumps: several in flight come one after the other, each with its context', () =>
  withSim(async ({ open }) => {
    const client = await open();
    await client.ask(vipAdd(client, VIP));
    for (const last of [1, 2]) {
      await client.ask(asAdd(client, { ...VIP, as: `203.0.113.${last}` }));
    }
    const dumps = [vipDump(client), asDump(client, Buffer.alloc(16)), vipDump(client)];
    const details = await client.until(...dumps);
    const contexts = dumps.map((dump) => dump.readUInt32BE(6));
    assert.deepEqual(
      details.map((message) => contexts.indexOf(message.readUInt32BE(2))),
      [0, 1, 1, 2],
    );
  }));

test('[VP-62] version 1 AS dump: the same rows without weight and buckets', () =>
  withSim(async ({ open }) => {
    const client = await open();
    await client.ask(vipAdd(client, VIP));
    await client.ask(asAdd(client, { ...VIP, as: '203.0.113.1' }));
    const [row] = await client.until(client.head('lb_as_dump', 31));
    const [newer] = await client.until(asDump(client, Buffer.alloc(16)));
    assert.equal(row?.length, 49);
    assert.deepEqual(row?.subarray(6), newer?.subarray(6, 49));
  }));

test('[VP-62] ping and time: the process id asked for, the time unswapped', () =>
  withSim(
    async ({ open }) => {
      const client = await open();
      client.send(client.head('control_ping', 10), client.head('show_vpe_system_time', 10));
      const [ping, time] = [await client.next(), await client.next()];
      assert.deepEqual([ping.readUInt32BE(10), ping.readUInt32BE(14)], [client.index, 4711]);
      assert.ok(time.readDoubleLE(10) > 1_500_000_000);
    },
    { pid: 4711 },
  ));

test('[VP-60] back-pressure: a client that reads late gets everything', () =>
  withSim(async ({ open }) => {
    const [slow, other] = [await open(), await open()];
    slow.socket.pause();
    const create = Buffer.alloc(70);
    create.writeUInt16BE(15, 0);
    const rounds = 60;
    slow.socket.write(Buffer.concat(Array.from({ length: rounds }, () => framed(create))));
    assert.deepEqual(await vips(other), []);
    slow.socket.resume();
    for (let round = 0; round < rounds; round += 1) {
      assert.equal((await slow.next()).length, 56_318);
    }
  }));
