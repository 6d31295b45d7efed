/** Garbage: how long removed ASes and VIPs stay in dumps, and what collecting them can break. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type RawClient, type SimLab, withSim } from './lab.js';
import { asAdd, asDelete, ases, encaps, vipAdd, vipDelete, vips } from './requests.js';

const VIP = { address: '198.51.100.10' } as const;
const AS = { ...VIP, as: '203.0.113.1' } as const;

/** Flags of every AS in the dump. */
async function flags(client: RawClient): Promise<readonly number[]> {
  return (await ases(client)).map((row) => row.flags);
}

function withVip(run: (client: RawClient, lab: SimLab) => Promise<void>): Promise<void> {
  return withSim(async (lab) => {
    const client = await lab.open();
    await client.ask(vipAdd(client, VIP));
    await client.ask(asAdd(client, AS));
    await run(client, lab);
  });
}

test('[VP-70] removed AS: listed until the sweep after its minute', () =>
  withVip(async (client, { sim }) => {
    await client.ask(asDelete(client, AS));
    assert.deepEqual(await flags(client), [0]);
    // The sweep at 60 s finds the gate shut: more than a minute must have passed.
    await sim.control({ advanceS: 119 });
    assert.deepEqual(await flags(client), [0]);
    await sim.control({ advanceS: 1 });
    assert.deepEqual(await flags(client), []);
  }));

test('[VP-70] removed AS: an AS request on its VIP collects it too', () =>
  withVip(async (client, { sim }) => {
    await client.ask(asDelete(client, AS));
    await sim.control({ advanceS: 60 });
    await client.ask(asAdd(client, { ...VIP, as: '203.0.113.2' }));
    assert.deepEqual(await flags(client), [0, 1]);
    await sim.control({ advanceS: 1 });
    await client.ask(asAdd(client, { ...VIP, as: '203.0.113.3' }));
    assert.deepEqual(await flags(client), [1, 1]);
  }));

test('[VP-70] removed AS: its time of removal is restamped, and kept on revival', () =>
  withVip(async (client, { sim }) => {
    const removedAt = async () => (await ases(client)).map((row) => row.removedAtS);
    assert.deepEqual(await removedAt(), [0]);
    await sim.control({ advanceS: 5 });
    await client.ask(asDelete(client, AS));
    await sim.control({ advanceS: 4 });
    await client.ask(asDelete(client, AS));
    assert.deepEqual(await removedAt(), [9]);
    await client.ask(asAdd(client, AS));
    assert.deepEqual([await removedAt(), await flags(client)], [[9], [1]]);
  }));

test('[VP-70] pinned AS: stays as long as flows pin it, a flush frees it', () =>
  withVip(async (client, { sim }) => {
    const pin = { vip: '198.51.100.10/32 tcp 80', as: AS.as, flows: 3 };
    assert.deepEqual(await sim.control({ pin }), { ok: true });
    await client.ask(asDelete(client, AS));
    await sim.control({ advanceS: 600 });
    assert.deepEqual(await flags(client), [0]);
    await client.ask(asDelete(client, { ...AS, flush: true }));
    await sim.control({ advanceS: 120 });
    assert.deepEqual(await flags(client), []);
  }));

test('[VP-70] deleted VIP: gone at once, its ASes later, its key free', () =>
  withVip(async (client, { sim }) => {
    await client.ask(vipDelete(client, VIP));
    assert.deepEqual([await vips(client), await flags(client)], [[], [0]]);
    await client.ask(vipAdd(client, { ...VIP, encap: encaps.gre6, tableLength: 64 }));
    await client.ask(asAdd(client, { ...VIP, as: '2001:db8::1' }));
    const rows = await ases(client);
    assert.deepEqual(
      rows.map((row) => [row.address, row.flags, row.buckets]),
      [
        [VIP.address, 0, 0],
        [VIP.address, 1, 64],
      ],
    );
    await sim.control({ advanceS: 180 });
    assert.deepEqual(await flags(client), [1]);
  }));

test('[VP-70] deleted VIP: its table is never given back', () =>
  withSim(async ({ sim, open }) => {
    const client = await open();
    for (const expected of [4096, 8192, 12_288]) {
      await client.ask(vipAdd(client, VIP));
      await client.ask(vipDelete(client, VIP));
      await sim.control({ advanceS: 60 });
      assert.equal(sim.state().tableBytes, expected);
    }
  }));

test('[VP-70] slots: the one freed last is listed where it was', () =>
  withSim(async ({ sim, open }) => {
    const client = await open();
    const order = async () => (await vips(client)).map(({ address }) => address);
    for (const last of [1, 2, 3]) await client.ask(vipAdd(client, { address: `10.0.0.${last}` }));
    await client.ask(vipDelete(client, { address: '10.0.0.1' }));
    await client.ask(vipDelete(client, { address: '10.0.0.2' }));
    await client.ask(vipAdd(client, { address: '10.0.0.4' }));
    assert.deepEqual(await order(), ['10.0.0.3', '10.0.0.4'], 'not swept yet');
    await sim.control({ advanceS: 60 });
    await client.ask(vipAdd(client, { address: '10.0.0.5' }));
    await client.ask(vipAdd(client, { address: '10.0.0.6' }));
    assert.deepEqual(await order(), ['10.0.0.6', '10.0.0.5', '10.0.0.3', '10.0.0.4']);
  }));

const NAT = { encap: encaps.nat4, targetPort: 53, port: 53 } as const;

test('[VP-76] nat: plain cycles that wait for collection are survived', () =>
  withSim(async ({ sim, open }) => {
    const client = await open();
    const vip = { address: '10.7.0.1', ...NAT };
    for (let cycle = 0; cycle < 3; cycle += 1) {
      assert.equal(await client.ask(vipAdd(client, vip)), 0);
      assert.equal(await client.ask(asAdd(client, { ...vip, as: '10.9.0.1' })), 0);
      assert.equal(await client.ask(asDelete(client, { ...vip, as: '10.9.0.1' })), 0);
      assert.equal(await client.ask(asAdd(client, { ...vip, as: '10.9.0.1' })), 0, 'revived');
      assert.equal(await client.ask(vipDelete(client, vip)), 0);
      await sim.control({ advanceS: 180 });
      assert.deepEqual(await flags(client), []);
    }
    assert.deepEqual(sim.violations(), []);
  }));
