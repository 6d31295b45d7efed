/** What would crash VPP: each such request ends the simulator and stands in its op log. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { VppSim } from '../../src/vppsim/simulator.js';
import { type RawClient, withSim } from './lab.js';
import { asAdd, asDelete, conf, encaps, type VipAddFields, vipAdd, vipDelete } from './requests.js';

/** The last message is the one that kills. */
type Attempt = (client: RawClient, sim: VppSim) => Promise<Buffer | 'later'>;

const NAT: VipAddFields = { address: '10.0.0.1', encap: encaps.nat4, port: 53, targetPort: 53 };
const NAT6 = { ...NAT, address: '2001:db8::1', encap: encaps.nat6 };

function sharedMapping(nat: VipAddFields, as: string): Attempt {
  return async (client, sim) => {
    for (const protocol of [6, 17]) {
      await client.ask(vipAdd(client, { ...nat, protocol }));
      await client.ask(asAdd(client, { ...nat, protocol, as }));
    }
    for (const protocol of [6, 17]) await client.ask(vipDelete(client, { ...nat, protocol }));
    await sim.control({ advanceS: 120 });
    return 'later';
  };
}

const ATTEMPTS: readonly (readonly [string, Attempt])[] = [
  ['a table of no buckets', async (client) => vipAdd(client, { ...NAT, tableLength: 0 })],
  ['a table of 2^31 buckets', async (client) => vipAdd(client, { ...NAT, tableLength: 2 ** 31 })],
  [
    'a table that fits once, but not twice for its rebuild',
    async (client) => {
      const vip = { address: '10.0.0.2', tableLength: 2 ** 28 };
      assert.equal(await client.ask(vipAdd(client, vip)), 0);
      return asAdd(client, { ...vip, as: '10.9.0.1' });
    },
  ],
  [
    'an AS of a NAT4 VIP without a port',
    async (client) => {
      assert.equal(await client.ask(vipAdd(client, { ...NAT, port: 0 })), 0);
      return asAdd(client, { ...NAT, port: 0, as: '10.9.0.1' });
    },
  ],
  [
    'an AS of a NAT6 VIP without a port',
    async (client) => {
      assert.equal(await client.ask(vipAdd(client, { ...NAT6, port: 0 })), 0);
      return asAdd(client, { ...NAT6, port: 0, as: '2001:db8::9' });
    },
  ],
  ['two NAT4 VIPs that shared an AS and a target port', sharedMapping(NAT, '10.9.0.1')],
  ['two NAT6 VIPs that shared an AS and a target port', sharedMapping(NAT6, '2001:db8::9')],
  [
    'a NAT VIP deleted, made again with the same AS too early, and deleted',
    async (client, sim) => {
      const make = async () => {
        assert.equal(await client.ask(vipAdd(client, NAT)), 0);
        assert.equal(await client.ask(asAdd(client, { ...NAT, as: '10.9.0.1' })), 0);
      };
      await make();
      await client.ask(vipDelete(client, NAT));
      await make();
      // Collects the first AS and takes the mapping of the second one along.
      await sim.control({ advanceS: 120 });
      assert.deepEqual(sim.violations(), []);
      await client.ask(vipDelete(client, NAT));
      await sim.control({ advanceS: 180 });
      return 'later';
    },
  ],
];

test('[VP-71] deadly: every way to kill VPP kills the simulator, and is written down', async () => {
  for (const [name, attempt] of ATTEMPTS) {
    await withSim(async ({ sim, open }) => {
      const client = await open();
      const last = await attempt(client, sim);
      if (last !== 'later') client.send(last);
      assert.equal((await sim.died).cause, 'violation', name);
      await client.closed();
      const written = readFileSync(`${sim.path}.ops.jsonl`, 'utf8').trim().split('\n');
      const lines = written.map((line) => JSON.parse(line));
      const fatal = lines.filter(({ violation }) => violation === 'vpp-would-crash');
      assert.deepEqual(
        fatal.map((line) => line.fatal),
        [true],
        name,
      );
      assert.equal(lines.at(-1)?.event, 'died', name);
    });
  }
});

test('[VP-71] deadly: what only looks so is survived', () =>
  withSim(async ({ sim, open }) => {
    const client = await open();
    // Refused for another reason before the table is made.
    const wrong = { address: '10.0.0.9', encap: encaps.nat6, tableLength: 0 };
    assert.equal(await client.ask(vipAdd(client, wrong)), -97);
    // The mapping of one of two is gone, its AS is not collected: nothing happens.
    for (const protocol of [6, 17]) {
      await client.ask(vipAdd(client, { ...NAT, protocol }));
      await client.ask(asAdd(client, { ...NAT, protocol, as: '10.9.0.1' }));
    }
    await client.ask(asDelete(client, { ...NAT, as: '10.9.0.1' }));
    await sim.control({ advanceS: 300 });
    assert.deepEqual(sim.violations(), []);
    // No sticky buckets: accepted, until a packet comes.
    assert.equal(await client.ask(conf(client, 0, 40)), 0);
    assert.deepEqual(
      sim.violations().map(({ violation, fatal }) => [violation, fatal]),
      [['undefined-behaviour', false]],
    );
  }));
