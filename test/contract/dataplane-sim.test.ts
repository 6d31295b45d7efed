/**
 * The dataplane contract on the real client and the VPP simulator, and what only the simulator can
 * show: that the client never sends what would crash VPP, and that the model of the new-flow table
 * in src/lb, written from the same description by another hand, agrees with it bucket for bucket.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { systemClock } from '../../src/adapters/system/clock.js';
import { openVpp } from '../../src/adapters/vpp/client.js';
import { bucketCounts, flowTable } from '../../src/lb/maglev.js';
import { startVppSim } from '../../src/vppsim/simulator.js';
import { seedOfRun } from '../support/seed.js';
import { dataplaneContract } from './dataplane.js';
import { attributes, expectOk, outcomeOf, vipAt } from './dataplane-lab.js';

const folder = mkdtempSync(join(tmpdir(), 'contract-'));
const sim = await startVppSim({ path: join(folder, 'vpp.sock') });

after(async () => {
  await sim.close();
  rmSync(folder, { recursive: true, force: true });
});

const open = async () => {
  const dataplane = openVpp({ path: sim.path, clock: systemClock() });
  return { dataplane, close: () => dataplane.close() };
};

dataplaneContract('client and simulator', open);

test('[VP-78] harmless: nothing the contract sent is a violation', () => {
  assert.ok(sim.ops().length > 100);
  assert.deepEqual(sim.violations(), []);
});

test('[VP-78] table: src/lb and the simulator agree on every bucket', async () => {
  const { dataplane, close } = await open();
  const families = [
    { vip: vipAt('198.51.100.200'), encap: 'gre4', prefix: '203.0.113.' },
    { vip: vipAt('2001:db8:9::1'), encap: 'gre6', prefix: '2001:db8:8::' },
  ] as const;
  const weights = fc.dictionary(
    fc.integer({ min: 10, max: 99 }).map(String),
    fc.integer({ min: 0, max: 100 }),
    { minKeys: 1, maxKeys: 8 },
  );
  const log2 = fc.integer({ min: 0, max: 11 });
  try {
    expectOk(await dataplane.connect());
    expectOk(await dataplane.read());
    const property = fc.asyncProperty(
      fc.constantFrom(...families),
      weights,
      log2,
      async ({ vip, encap, prefix }, weightsByHost, bits) => {
        const tableLength = 2 ** bits;
        const servers = Object.entries(weightsByHost).map(([host, weight]) => ({
          address: `${prefix}${host}`,
          weight,
        }));
        const attributesOfVip = attributes({ encap, tableLength });
        expectOk(await dataplane.apply({ op: 'vip.add', vip, attributes: attributesOfVip }));
        for (const { address: as, weight } of servers) {
          expectOk(await dataplane.apply({ op: 'as.add', vip, as, weight }));
        }
        const seen = sim.state().vips.find((view) => view.used && view.vip.startsWith(vip.address));
        assert.ok(seen);
        const model = flowTable(servers, tableLength);
        assert.deepEqual(
          seen.table.map((rank) => seen.ranks[rank] ?? ''),
          Array.from(model.buckets, (owner) => model.owners[owner] ?? ''),
        );
        const counts = bucketCounts(servers, tableLength);
        for (const { address, buckets } of seen.servers) {
          assert.equal(buckets, counts.get(address) ?? 0);
        }
        expectOk(await dataplane.apply({ op: 'vip.del', vip }));
      },
    );
    await fc.assert(property, { seed: seedOfRun(), numRuns: 40 });
  } finally {
    await close();
  }
});

test('[VP-78] restart: a VPP that comes back empty is a lost connection and another process', async () => {
  const { dataplane, close } = await open();
  try {
    const lost = new Promise<string>((resolve) => dataplane.onDown(resolve));
    const before = expectOk(await dataplane.connect());
    await sim.control({ restartEmpty: true });
    assert.notEqual(await lost, '');
    assert.equal(outcomeOf(await dataplane.ping()), 'LB_UNREACHABLE');
    const again = expectOk(await dataplane.connect());
    assert.notEqual(again.pid, before.pid);
    assert.equal(expectOk(await dataplane.read()).vips.size, 0);
  } finally {
    await close();
  }
});
