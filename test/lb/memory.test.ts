/** Flush memory, addresses and attributes: the small pieces the diff stands on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { Defect } from '../../machines/model/assert.js';
import type { ActualVip } from '../../machines/model/lb.js';
import { addressBytes, compareAddresses } from '../../src/lb/address.js';
import { differingAttributes, takesSameServers } from '../../src/lb/attributes.js';
import { isDefaultConf } from '../../src/lb/conf.js';
import { diffVip } from '../../src/lb/diff.js';
import { adopt, createMemory, forgetAll, remember } from '../../src/lb/memory.js';
import { packActual, packDesired } from '../../src/lb/packed/vips.js';
import { seedOfRun } from '../support/seed.js';
import { createStrictLb, DEFAULT_CONF } from '../support/strict-lb.js';
import { desiredVip } from './worlds.js';

const SETTINGS = { seed: seedOfRun(), numRuns: 300 };

test('[LB-5] addresses: IPv4 before IPv6, and by number', () => {
  const sorted = ['2001:db8::1', '10.0.0.10', '::ffff:0:0:1', '10.0.0.2'].sort(compareAddresses);
  assert.deepEqual(sorted, ['10.0.0.2', '10.0.0.10', '::ffff:0:0:1', '2001:db8::1']);
});

test('[LB-5] addresses: bytes equal another parser’s', () => {
  const ip6 = fc.uint8Array({ minLength: 16, maxLength: 16 });
  fc.assert(
    fc.property(ip6, (bytes) => {
      const text = new ipaddr.IPv6([...bytes]).toRFC5952String();
      assert.deepEqual([...addressBytes(text)], [...bytes]);
    }),
    SETTINGS,
  );
  fc.assert(
    fc.property(fc.ipV4(), (text) => {
      assert.deepEqual([...addressBytes(text).subarray(12)], text.split('.').map(Number));
    }),
    SETTINGS,
  );
});

for (const text of ['10.0.0', '10.0.0.256', '1::zz', '1:2:3', 'g::1']) {
  test(`[LB-5] addresses: ${text} is a defect`, () => {
    assert.throws(() => addressBytes(text), Defect);
  });
}

test('[LB-9] memory: a VIP found as wanted needs nothing, whatever its episodes are called', () => {
  fc.assert(
    fc.property(desiredVip, (wish) => {
      const desired = packDesired(wish);
      const lb = createStrictLb();
      for (const op of diffVip(undefined, desired, createMemory())) lb.apply(op);
      const [vip] = lb.state().vips;
      assert.ok(vip);
      const found = packActual(vip);
      const memory = createMemory();
      adopt(memory, found, desired);
      assert.deepEqual(diffVip(found, desired, memory), []);
    }),
    SETTINGS,
  );
});

test('[LB-8] memory: a new episode flushes again, a forgotten one too', () => {
  fc.assert(
    fc.property(desiredVip, (wanted) => {
      const servers = wanted.servers.map((as) => ({ ...as, weight: 0, flushEpisode: 'e1' }));
      const later = servers.map((as) => ({ ...as, flushEpisode: 'e2' }));
      const desired = packDesired({ ...wanted, servers });
      const again = packDesired({ ...wanted, servers: later });
      const lb = createStrictLb();
      const memory = createMemory();
      for (const op of diffVip(undefined, desired, memory)) {
        lb.apply(op);
        remember(memory, op, desired);
      }
      const found = lb.state().vips.map(packActual)[0];
      assert.deepEqual(diffVip(found, desired, memory), []);
      assert.equal(diffVip(found, again, memory).length, servers.length);
      forgetAll(memory);
      assert.equal(diffVip(found, desired, memory).length, servers.length);
    }),
    SETTINGS,
  );
});

const VIP = { address: '192.0.2.1', prefixLength: 32, protocol: 'tcp', port: 80 } as const;
const ACTUAL: ActualVip = { vip: VIP, encap: 'gre4', dscp: 9, tableLength: 1024, servers: [] };
const WANTED = { encap: 'gre4', dscp: 0, srcIpSticky: false, tableLength: 1024 } as const;

test('[LB-12] attributes: only what can be known is compared', () => {
  const sticky = { ...WANTED, srcIpSticky: true };
  const l3dsr = { ...WANTED, encap: 'l3dsr' } as const;
  assert.deepEqual(differingAttributes(ACTUAL, WANTED, undefined), []);
  assert.deepEqual(differingAttributes(ACTUAL, sticky, undefined), []);
  assert.deepEqual(differingAttributes(ACTUAL, sticky, WANTED), ['srcIpSticky']);
  assert.deepEqual(differingAttributes(ACTUAL, { ...WANTED, tableLength: 64 }, WANTED), [
    'tableLength',
  ]);
  const unknown = { ...ACTUAL, tableLength: undefined };
  assert.deepEqual(differingAttributes(unknown, WANTED, WANTED), []);
  assert.deepEqual(differingAttributes(ACTUAL, l3dsr, undefined), ['encap']);
  assert.deepEqual(differingAttributes({ ...ACTUAL, encap: 'l3dsr' }, l3dsr, undefined), ['dscp']);
});

test('[LB-12] attributes: encapsulations share servers when they carry one family', () => {
  assert.ok(takesSameServers('gre4', 'l3dsr'));
  assert.ok(takesSameServers('nat4', 'gre4'));
  assert.ok(!takesSameServers('gre4', 'gre6'));
});

test('[LB-15] conf: VPP’s defaults are recognised, anything else is not', () => {
  assert.ok(isDefaultConf(DEFAULT_CONF));
  assert.ok(!isDefaultConf({ ...DEFAULT_CONF, flowTimeoutS: 41 }));
  assert.ok(!isDefaultConf({ ...DEFAULT_CONF, ip4Source: '192.0.2.1' }));
});
