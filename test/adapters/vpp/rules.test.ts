/** One row per rule about requests: what breaks it is refused with its sentence and never sent. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LbOp, Vip, VipAttributes } from '../../../machines/model/lb.js';
import { limits } from '../../../src/adapters/vpp/limits.js';
import { ALL_PORTS, attributes, expectOk, outcomeOf, vipAt } from '../../contract/dataplane-lab.js';
import { served } from './peer.js';
import { withConnected } from './rig.js';

const IP4 = vipAt('198.51.100.10');
const IP6 = vipAt('2001:db8::10');

const add = (vip: Vip, change: object = {}): LbOp => ({
  op: 'vip.add',
  vip,
  attributes: { ...attributes(), ...change } as VipAttributes,
});
const vip = (change: object): LbOp => add({ ...IP4, ...change } as Vip);
const server = (as: string, weight: number, at = IP4): LbOp => ({
  op: 'as.add',
  vip: at,
  as,
  weight,
});
const conf = (change: object): LbOp => ({
  op: 'conf.set',
  conf: {
    ip4Source: '192.0.2.1',
    ip6Source: '2001:db8::1',
    stickyBucketsPerCore: 1024,
    flowTimeoutS: 40,
    ...change,
  },
});

const BROKEN: readonly (readonly [string, LbOp, RegExp])[] = [
  ['VIP address: not one', vip({ address: 'vip.example' }), /not an IP address/],
  ['VIP address: leading zero', vip({ address: '198.51.100.010' }), /canonical/],
  ['VIP address: upper case', add(vipAt('2001:DB8::10')), /canonical/],
  ['VIP address: zone', add(vipAt('fe80::1%eth0')), /canonical/],
  ['prefix length: IPv4 beyond 32', vip({ prefixLength: 33 }), /0 to 32, not 33/],
  ['prefix length: IPv6 beyond 128', add({ ...IP6, prefixLength: 129 }), /0 to 128/],
  ['prefix length: negative', vip({ prefixLength: -1 }), /0 to 32/],
  ['prefix length: a fraction', vip({ prefixLength: 31.5 }), /0 to 32/],
  ['host bits: IPv4', vip({ address: '198.51.100.9', prefixLength: 24 }), /host bits/],
  ['host bits: inside a byte', vip({ address: '198.51.100.6', prefixLength: 30 }), /host bits/],
  ['host bits: IPv6', add({ ...IP6, prefixLength: 64 }), /host bits/],
  ['::/96: a VIP', add(vipAt('::5')), /::\/96/],
  ['::/96: everything', add({ ...vipAt('::', ALL_PORTS), prefixLength: 0 }), /::\/96/],
  ['::/96: an AS', server('::5', 1, IP6), /::\/96/],
  ['port: without a protocol', vip({ protocol: 'any', port: 80 }), /needs the protocol/],
  ['port: 0 with a protocol', vip({ port: 0 }), /1 to 65535, not 0/],
  ['port: too large', vip({ port: 65536 }), /1 to 65535/],
  ['port: not a number', vip({ port: Number.NaN }), /1 to 65535/],
  ['protocol: another', vip({ protocol: 'sctp' }), /sctp is not tcp, udp or any/],
  ['encap: NAT4', add(IP4, { encap: 'nat4' }), /NAT can end VPP/],
  ['encap: NAT6', add(IP6, { encap: 'nat6' }), /NAT can end VPP/],
  ['encap: unheard of', add(IP4, { encap: 'vxlan' }), /not sent/],
  ['encap: L3DSR with IPv6', add(IP6, { encap: 'l3dsr' }), /IPv6 VIP/],
  ['dscp: beyond 63', add(IP4, { encap: 'l3dsr', dscp: 64 }), /0 to 63, not 64/],
  ['dscp: without L3DSR', add(IP4, { dscp: 1 }), /0 to 0, not 1/],
  ['table length: 0', add(IP4, { tableLength: 0 }), /power of two/],
  ['table length: no power of two', add(IP4, { tableLength: 1000 }), /power of two/],
  ['table length: too long to read back', add(IP4, { tableLength: 65536 }), /power of two/],
  ['table length: 2^31', add(IP4, { tableLength: 2 ** 31 }), /power of two/],
  ['weight: beyond 100', server('203.0.113.1', 101), /0 to 100, not 101/],
  ['weight: negative', server('203.0.113.1', -1), /0 to 100/],
  ['weight: a fraction', server('203.0.113.1', 0.5), /0 to 100/],
  [
    'weight: changed to too much',
    { op: 'as.weight', vip: IP4, as: '203.0.113.1', weight: 255, flush: false },
    /0 to 100/,
  ],
  ['AS address: not one', server('web-1', 1), /not an IP address/],
  ['AS family: IPv6 over GRE4', server('2001:db8::1', 1), /gre4 reaches IPv4/],
  ['AS family: IPv4 over GRE6', server('203.0.113.1', 1, IP6), /gre6 reaches IPv6/],
  ['AS family: on delete', { op: 'as.del', vip: IP4, as: '2001:db8::1' }, /gre4 reaches IPv4/],
  ['VIP of an AS: host bits', server('203.0.113.1', 1, { ...IP4, prefixLength: 8 }), /host bits/],
  ['VIP of a delete: port', { op: 'vip.del', vip: { ...IP4, port: 0 } }, /1 to 65535/],
  ['VIP of a flush: unknown', { op: 'vip.flush', vip: { ...IP4, port: 81 } }, /can be flushed/],
  ['source: IPv6 for IPv4', conf({ ip4Source: '2001:db8::1' }), /not an IPv4 source/],
  ['source: IPv4 for IPv6', conf({ ip6Source: '192.0.2.1' }), /not an IPv6 source/],
  ['source: the default of VPP', conf({ ip4Source: '255.255.255.255' }), /not an IPv4 source/],
  ['sticky buckets: 0', conf({ stickyBucketsPerCore: 0 }), /power of two/],
  ['sticky buckets: no power of two', conf({ stickyBucketsPerCore: 1000 }), /power of two/],
  [
    'sticky buckets: too many',
    conf({ stickyBucketsPerCore: limits.stickyBucketsMax * 2 }),
    /power of two/,
  ],
  ['sticky buckets: "keep"', conf({ stickyBucketsPerCore: 0xffff_ffff }), /power of two/],
  ['flow timeout: 0', conf({ flowTimeoutS: 0 }), /flow timeout/],
  ['flow timeout: "keep"', conf({ flowTimeoutS: 0xffff_ffff }), /flow timeout/],
];

for (const [what, op, rule] of BROKEN) {
  test(`[VP-10] rule: ${what}`, () =>
    withConnected({}, async ({ dataplane, peer }) => {
      expectOk(await dataplane.read());
      expectOk(await dataplane.apply(add(IP4)));
      expectOk(await dataplane.apply(add(IP6, { encap: 'gre6' })));
      const sent = peer.requests.length;
      const answer = await dataplane.apply(op);
      assert.ok(!answer.ok && answer.failure.code === 'LB_INVALID_REQUEST');
      assert.match(answer.failure.message, rule);
      assert.ok(answer.failure.message.startsWith(`${op.op}`));
      // Whatever was sent before this answer has arrived by the time the ping has.
      expectOk(await dataplane.ping());
      assert.equal(peer.requests.length, sent + 1);
    }));
}

const KEY4 = { pfx_address: '198.51.100.10', pfx_len: 32, protocol: 6, port: 80 };
const VIP_FIELDS = { type: 0, target_port: 0, node_port: 0 };
const AS_OF = { ...KEY4, as_address: '203.0.113.1' };

const SENT: readonly (readonly [LbOp, string, object])[] = [
  [
    conf({ ip4Source: undefined, ip6Source: undefined }),
    'lb_conf',
    {
      ip4_src_address: '255.255.255.255',
      ip6_src_address: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
      sticky_buckets_per_core: 1024,
      flow_timeout: 40,
    },
  ],
  [
    add(IP4, { encap: 'l3dsr', dscp: 63, srcIpSticky: true, tableLength: 32768 }),
    'lb_add_del_vip_v2',
    {
      ...KEY4,
      ...VIP_FIELDS,
      encap: 'l3dsr',
      dscp: 63,
      new_flows_table_length: 32768,
      src_ip_sticky: true,
      is_del: false,
    },
  ],
  [
    add({ ...vipAt('2001:db8::', ALL_PORTS), prefixLength: 32 }, { encap: 'gre6', tableLength: 1 }),
    'lb_add_del_vip_v2',
    {
      ...VIP_FIELDS,
      pfx_address: '2001:db8::',
      pfx_len: 32,
      protocol: 255,
      port: 0,
      encap: 'gre6',
      dscp: 0,
      new_flows_table_length: 1,
      src_ip_sticky: false,
      is_del: false,
    },
  ],
  [
    { op: 'vip.del', vip: IP4 },
    'lb_add_del_vip_v2',
    {
      ...KEY4,
      ...VIP_FIELDS,
      encap: 'gre4',
      dscp: 0,
      new_flows_table_length: 1024,
      src_ip_sticky: false,
      is_del: true,
    },
  ],
  [{ op: 'vip.flush', vip: IP4 }, 'lb_flush_vip', KEY4],
  [
    server('203.0.113.1', 100),
    'lb_add_del_as_v2',
    { ...AS_OF, weight: 100, is_del: false, is_flush: false },
  ],
  [
    { op: 'as.weight', vip: IP4, as: '203.0.113.1', weight: 0, flush: true },
    'lb_as_set_weight',
    { ...AS_OF, weight: 0, is_flush: true },
  ],
  [
    { op: 'as.del', vip: IP4, as: '203.0.113.1' },
    'lb_add_del_as_v2',
    { ...AS_OF, weight: 0, is_del: true, is_flush: true },
  ],
];

for (const [nth, [op, name, fields]] of SENT.entries()) {
  test(`[VP-10] request ${nth + 1}: ${op.op} goes out as one ${name}`, async () => {
    const answers = {
      lb_vip_dump: ({ context }: { context: number }) => [
        served('lb_vip_details', { ...KEY4, context }),
      ],
    };
    await withConnected({ answers }, async ({ dataplane, peer }) => {
      expectOk(await dataplane.read());
      const before = peer.requests.length;
      assert.equal(outcomeOf(await dataplane.apply(op)), 'ok');
      const [sent, ...more] = peer.requests.slice(before);
      assert.deepEqual(more, []);
      const { client_index: from, context, ...body } = sent?.fields ?? {};
      assert.deepEqual([sent?.name, from, context], [name, 0x8000_0001, sent?.context]);
      assert.deepEqual(body, fields);
    });
  });
}
