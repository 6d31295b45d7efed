/**
 * Random dataplanes for the properties of the diff core: small pools of addresses and keys, so that
 * collisions (same prefix, same server, other encapsulation) are the rule and not the exception.
 */
import fc from 'fast-check';
import type { FrontendName } from '../../machines/model/ids.js';
import {
  type DesiredAs,
  type DesiredVip,
  type Encap,
  type Vip,
  type VipAttributes,
  type VipKey,
  vipKey,
} from '../../machines/model/lb.js';
import { NOTHING_REMEMBERED } from '../../src/lb/memory.js';
import { mirrorOf } from '../../src/lb/mirror.js';
import { packState } from '../../src/lb/packed/vips.js';
import type { DiffRules } from '../../src/lb/plan.js';
import { createStrictLb, type StrictLb } from '../support/strict-lb.js';

const SERVERS_4 = ['10.0.0.2', '10.0.0.10', '10.0.0.9', '10.0.1.1'];
const SERVERS_6 = ['2001:db8::1', '2001:db8::a', '2001:db8:1::2', 'fd00::9'];

const vip: fc.Arbitrary<Vip> = fc
  .record({
    address: fc.constantFrom('192.0.2.1', '192.0.2.2', '2001:db8:f::1'),
    port: fc.constantFrom(0, 80, 443),
    udp: fc.boolean(),
  })
  .map(({ address, port, udp }) => ({
    address,
    prefixLength: address.includes(':') ? 128 : 32,
    protocol: port === 0 ? 'any' : udp ? 'udp' : 'tcp',
    port,
  }));

function attributesFor(address: string): fc.Arbitrary<VipAttributes> {
  const encaps: Encap[] = address.includes(':') ? ['gre4', 'gre6'] : ['gre4', 'gre6', 'l3dsr'];
  return fc.record({
    encap: fc.constantFrom(...encaps),
    dscp: fc.constantFrom(0, 12),
    srcIpSticky: fc.boolean(),
    tableLength: fc.constantFrom(16, 64),
  });
}

const weight = fc.constantFrom(0, 0, 1, 2, 5);

function serversFor(encap: Encap): fc.Arbitrary<DesiredAs[]> {
  const pool = encap === 'gre6' ? SERVERS_6 : SERVERS_4;
  const one = fc.record(
    { address: fc.constantFrom(...pool), weight, flushEpisode: fc.constantFrom('e1', 'e2') },
    { requiredKeys: ['address', 'weight'] },
  );
  return fc.uniqueArray(one, { selector: ({ address }) => address, maxLength: 4 });
}

export const desiredVip: fc.Arbitrary<DesiredVip> = vip.chain((key) =>
  attributesFor(key.address).chain((attributes) =>
    fc.record({
      frontend: fc.constant(`f-${vipKey(key).replaceAll(/[^0-9a-z]/g, '-')}` as FrontendName),
      vip: fc.constant(key),
      attributes: fc.constant(attributes),
      servers: serversFor(attributes.encap),
      revision: fc.constant(1),
      priority: fc.constantFrom(1, 2),
      mayRecreate: fc.boolean(),
    }),
  ),
);

export function desiredVips(maxLength: number): fc.Arbitrary<DesiredVip[]> {
  return fc.uniqueArray(desiredVip, { selector: (wanted) => vipKey(wanted.vip), maxLength });
}

export interface World {
  readonly present: readonly DesiredVip[];
  readonly desired: readonly DesiredVip[];
  /** Of the present VIPs, by index: ours according to the ledger. */
  readonly ours: readonly boolean[];
  readonly exclusive: boolean;
}

export const world: fc.Arbitrary<World> = fc.record({
  present: desiredVips(6),
  desired: desiredVips(6),
  ours: fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
  exclusive: fc.boolean(),
});

export interface Scene {
  readonly lb: StrictLb;
  readonly desired: readonly DesiredVip[];
  readonly rules: DiffRules;
}

/** What VPP accepted of `present` is the actual state; VIPs that exclude each other never coexist. */
export function sceneOf({ present, desired, ours, exclusive }: World): Scene {
  const lb = createStrictLb();
  const ledger = new Map<VipKey, VipAttributes>();
  for (const [index, { vip: key, attributes, servers }] of present.entries()) {
    if (lb.apply({ op: 'vip.add', vip: key, attributes }) !== undefined) continue;
    if (ours[index] === true) ledger.set(vipKey(key), attributes);
    for (const as of servers)
      lb.apply({ op: 'as.add', vip: key, as: as.address, weight: as.weight });
  }
  lb.acknowledged.length = 0;
  const ownership = exclusive ? 'exclusive' : 'ledger';
  const rules: DiffRules = {
    ownership,
    ledger,
    held: new Set(),
    removable: 'all',
    memory: NOTHING_REMEMBERED,
  };
  return { lb, desired, rules };
}

export function actualOf({ lb }: Scene) {
  return mirrorOf(packState(lb.state()));
}

/** Without those that configuration check refuses: VIPs of one prefix that exclude each other. */
export function compatible(desired: readonly DesiredVip[]): readonly DesiredVip[] {
  const kept: DesiredVip[] = [];
  for (const wanted of desired) {
    const { vip: key, attributes } = wanted;
    const clash = kept.some(
      (other) =>
        other.vip.address === key.address &&
        (other.attributes.encap !== attributes.encap ||
          (other.vip.port === 0) !== (key.port === 0)),
    );
    if (!clash) kept.push(wanted);
  }
  return kept;
}
