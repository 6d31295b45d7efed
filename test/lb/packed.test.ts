/**
 * Packed servers and the diff on them, against plain objects and the plain diff: the same servers, the
 * same ops, whatever is wanted and whatever is there.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ActualAs, ActualVip, DesiredVip, VipKey } from '../../machines/model/lb.js';
import type { PackedDesired, PackedServers } from '../../machines/model/lb-packed.js';
import { compareAddresses } from '../../src/lb/address.js';
import { differingAttributes } from '../../src/lb/attributes.js';
import { diffVip } from '../../src/lb/diff.js';
import { createMemory, type Memory } from '../../src/lb/memory.js';
import { mirrorOf, renew } from '../../src/lb/mirror.js';
import { withoutServer, withServer } from '../../src/lb/packed/edits.js';
import {
  addressOf,
  areIdentical,
  areSame,
  bucketsOf,
  compareRows,
  packCounted,
  packServers,
  rowOf,
  unpackServers,
} from '../../src/lb/packed/servers.js';
import { differing, renumber, VipIndex, WantedVips } from '../../src/lb/packed/side.js';
import {
  packActual,
  packDesired,
  packState,
  unpackActual,
  unpackDesired,
} from '../../src/lb/packed/vips.js';
import { diffAll, outOfStep } from '../../src/lb/plan.js';
import { plainDiff } from '../support/plain-diff.js';
import { seedOfRun } from '../support/seed.js';
import { DEFAULT_CONF } from '../support/strict-lb.js';
import { actualOf, desiredVip, sceneOf, type World, world } from './worlds.js';

const SETTINGS = { seed: seedOfRun(), numRuns: 400 };

const ip4 = fc
  .tuple(fc.constantFrom(10, 192), fc.nat(2), fc.nat(255))
  .map(([first, third, last]) => `${first}.0.${third}.${last}`);
const ip6 = fc
  .tuple(fc.constantFrom('2001:db8:', 'fd00:1:2:'), fc.integer({ min: 1, max: 0xffff }))
  .map(([head, last]) => `${head}:${last.toString(16)}`);

function listOf(address: fc.Arbitrary<string>): fc.Arbitrary<ActualAs[]> {
  const one = fc.record({ address, weight: fc.nat(100), buckets: fc.nat(0xffff_ffff) });
  return fc.uniqueArray(one, { selector: (as) => as.address, maxLength: 12 });
}

const lists = fc.oneof(listOf(ip4), listOf(ip6), listOf(fc.oneof(ip4, ip6)));

function ascending<T extends { readonly address: string }>(servers: readonly T[]): T[] {
  return servers.toSorted((a, b) => compareAddresses(a.address, b.address));
}

function plainOf(servers: readonly ActualAs[]) {
  return ascending(servers).map(({ address, weight }) => ({ address, weight }));
}

test('[LB-70] packed servers: what was packed is unpacked, ascending, in any order it came in', () => {
  fc.assert(
    fc.property(lists, (servers) => {
      const packed = packCounted(servers);
      assert.deepEqual(unpackServers(packed), plainOf(servers));
      assert.deepEqual(unpackServers(packServers(servers.toReversed())), plainOf(servers));
      for (const [row, as] of ascending(servers).entries()) {
        assert.equal(bucketsOf(packed, row), as.buckets);
        assert.equal(rowOf(packed, as.address), row);
      }
    }),
    SETTINGS,
  );
});

test('[LB-70] packed servers: same and identical mean exactly that', () => {
  fc.assert(
    fc.property(lists, lists, fc.boolean(), (one, other, again) => {
      const right = again ? one.map((as) => ({ ...as })) : other;
      const [a, b] = [packCounted(one), packCounted(right)];
      assert.equal(areSame(a, b), isEqual(plainOf(one), plainOf(right)));
      assert.equal(areIdentical(a, b), isEqual(ascending(one), ascending(right)));
      assert.equal(areSame(a, packServers(one)), true, 'counted or not');
    }),
    SETTINGS,
  );
});

test('[LB-70] packed servers: one weight, one address or one count makes the difference', () => {
  const servers = [
    { address: '10.0.0.1', weight: 1, buckets: 3 },
    { address: '10.0.0.2', weight: 2, buckets: 4 },
  ];
  const packed = packCounted(servers);
  const but = (row: number, change: Partial<ActualAs>) =>
    packCounted(servers.map((as, index) => (index === row ? { ...as, ...change } : as)));
  for (const row of [0, 1]) {
    assert.equal(areSame(packed, but(row, { weight: 9 })), false);
    assert.equal(areSame(packed, but(row, { address: '10.0.0.9' })), false);
    assert.equal(areSame(packed, but(row, { buckets: 9 })), true);
    assert.equal(areIdentical(packed, but(row, { buckets: 9 })), false);
  }
});

test('[LB-70] packed servers: rows order as their addresses do', () => {
  fc.assert(
    fc.property(lists, lists, (one, other) => {
      const [a, b] = [packServers(one), packServers(other)];
      for (let row = 0; row < a.count; row += 1) {
        for (let column = 0; column < b.count; column += 1) {
          const expected = compareAddresses(addressOf(a, row), addressOf(b, column));
          assert.equal(Math.sign(compareRows(a, row, b, column)), Math.sign(expected));
        }
      }
    }),
    { ...SETTINGS, numRuns: 100 },
  );
});

interface Edit {
  readonly add: boolean;
  readonly as: ActualAs;
}

const edits: fc.Arbitrary<Edit[]> = fc.array(
  fc.record({
    add: fc.boolean(),
    as: fc.record({ address: fc.oneof(ip4, ip6), weight: fc.nat(100), buckets: fc.constant(0) }),
  }),
  { maxLength: 12 },
);

test('[LB-70] packed servers: edits do as they do on a list, and leave what they started from', () => {
  fc.assert(
    fc.property(lists, edits, fc.nat(20), (servers, steps, pick) => {
      let packed: PackedServers = packCounted(servers);
      const plain = new Map(servers.map((as) => [as.address, as.weight]));
      for (const { add, as } of steps) {
        const known = [...plain.keys()];
        const address = known[pick % (known.length + 1)] ?? as.address;
        const before = unpackServers(packed);
        const start = packed;
        packed = add ? withServer(packed, address, as.weight) : withoutServer(packed, address);
        assert.deepEqual(unpackServers(start), before);
        if (add) plain.set(address, as.weight);
        else plain.delete(address);
        const expected = [...plain].map(([one, weight]) => ({ address: one, weight, buckets: 0 }));
        assert.deepEqual(unpackServers(packed), plainOf(expected));
      }
    }),
    SETTINGS,
  );
});

test('[LB-70] packed VIPs: wishes and actual VIPs come back as they went in', () => {
  fc.assert(
    fc.property(desiredVip, (wish) => {
      const sorted = { ...wish, servers: ascending(wish.servers) };
      assert.deepEqual(plain(unpackDesired(packDesired(wish))), plain(sorted));
      const actual = actualLike(wish, 7);
      const ordered = { ...actual, servers: ascending(actual.servers) };
      assert.deepEqual(plain(unpackActual(packActual(actual))), plain(ordered));
    }),
    SETTINGS,
  );
});

function actualLike({ vip, attributes, servers }: DesiredVip, buckets: number): ActualVip {
  const { encap, dscp, tableLength } = attributes;
  const list = servers.map(({ address, weight }) => ({ address, weight, buckets }));
  return { vip, encap, dscp, tableLength, servers: list };
}

/** Two VIPs of one key, or one of them missing, and what is remembered of them. */
const pair = fc.record({
  there: fc.option(desiredVip),
  wanted: fc.option(desiredVip),
  building: fc.boolean(),
  flushed: fc.array(fc.tuple(fc.constantFrom('10.0.0.2', '10.0.0.9'), fc.constantFrom('e1', 'e2'))),
});

function memoryOf(key: VipKey, building: boolean, flushed: readonly [string, string][]): Memory {
  const memory = createMemory();
  if (building) memory.building.add(key);
  memory.flushed.set(key, new Map(flushed));
  return memory;
}

test('[LB-1] packed diff: op for op what the plain one says', () => {
  fc.assert(
    fc.property(pair, ({ there, wanted, building, flushed }) => {
      const vip = wanted?.vip ?? there?.vip;
      if (vip === undefined) return;
      const actual = there === null ? undefined : { ...actualLike(there, 0), vip };
      const desired = wanted ?? undefined;
      const packed = {
        actual: actual && packActual(actual),
        desired: desired && packDesired(desired),
      };
      const key = packed.desired?.key ?? packed.actual?.key ?? '';
      const memory = memoryOf(key, building, flushed);
      assert.deepEqual(
        diffVip(packed.actual, packed.desired, memory),
        plainDiff(actual, desired, memory),
      );
    }),
    { ...SETTINGS, numRuns: 2000 },
  );
});

test('[LB-71] out of step: exactly the VIPs that a full diff says something about', () => {
  fc.assert(
    fc.property(world, (given) => {
      const scene = sceneOf({ ...given, ...unsticky(given), exclusive: true });
      const desired = scene.desired.map(packDesired);
      const actual = actualOf(scene);
      const named = outOfStep(actual, wantedOf(desired, actual.index), scene.rules.memory);
      const plan = diffAll(actual, desired, scene.rules);
      const wanted = new Set(desired.map(({ key }) => key));
      const busy = [...plan.steps, ...plan.findings].map(({ key }) => key);
      assert.deepEqual(named, new Set(busy.filter((key) => wanted.has(key))));
    }),
    SETTINGS,
  );
});

/** Stickiness is in no dump. */
function unsticky({ present, desired }: World): Pick<World, 'present' | 'desired'> {
  const plainOne = (wish: DesiredVip): DesiredVip => ({
    ...wish,
    attributes: { ...wish.attributes, srcIpSticky: false },
  });
  return { present: present.map(plainOne), desired: desired.map(plainOne) };
}

function wantedOf(desired: readonly PackedDesired[], index: VipIndex): WantedVips {
  const wanted = new WantedVips(index);
  for (const vip of desired) wanted.set(vip.key, vip);
  return wanted;
}

test('[LB-70] sides: set, deleted, rebuilt and renumbered, they are the map that a plain one is', () => {
  const step = fc.tuple(desiredVip, fc.constantFrom('set', 'set', 'delete', 'rebuild'));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), fc.array(desiredVip), (steps, others) => {
      const mirror = mirrorOf(packState({ conf: DEFAULT_CONF, vips: others.map(asRead) }));
      const wanted = wantedOf([], mirror.index);
      const twin = new Map<VipKey, DesiredVip>();
      for (const [wish, what] of steps) {
        const packed = packDesired(wish);
        if (what === 'set') wanted.set(packed.key, packed);
        if (what === 'set') twin.set(packed.key, wish);
        if (what === 'delete') assert.equal(wanted.delete(packed.key), twin.delete(packed.key));
        if (what !== 'rebuild') continue;
        const index = new VipIndex();
        wanted.rebuild(index);
        mirror.rebuild(index);
      }
      const plainTwin = [...twin].map(([key, wish]) => [key, packDesired(wish)] as const);
      assert.deepEqual(
        [...wanted].map(([key, vip]) => [key, plain(unpackDesired(vip))]),
        plainTwin.map(([key, vip]) => [key, plain(unpackDesired(vip))]),
      );
      const named = new Set(differing(mirror, wanted));
      for (const [key, vip] of plainTwin) {
        const there = mirror.get(key);
        const isThere =
          there !== undefined &&
          differingAttributes(there, vip.attributes, undefined).length === 0 &&
          areSame(there.servers, vip.servers);
        assert.equal(named.has(key), !isThere, key);
      }
    }),
    SETTINGS,
  );
});

test('[LB-70] sides: what is replaced over and over takes no more room than it has to', () => {
  const index = new VipIndex();
  const wanted = new WantedVips(index);
  const wish = (vip: number, weight: number): PackedDesired =>
    packDesired({
      frontend: 'web' as DesiredVip['frontend'],
      vip: { address: `192.0.2.${vip}`, prefixLength: 32, protocol: 'tcp', port: 80 },
      attributes: { encap: 'gre4', dscp: 0, srcIpSticky: false, tableLength: 1024 },
      servers: Array.from({ length: 100 }, (_, n) => ({ address: `10.0.0.${n}`, weight })),
      revision: 1,
      priority: 1,
    });
  const kept = wish(1, 1);
  wanted.set(kept.key, kept);
  const before = wanted.get(kept.key);
  for (let round = 0; round < 5000; round += 1) {
    const next = wish(2 + (round % 9), round % 100);
    wanted.set(next.key, next);
  }
  const chunks = new Set([...wanted.values()].map(({ servers }) => servers.bytes));
  const bytes = [...chunks].reduce((sum, chunk) => sum + chunk.length, 0);
  assert.ok(bytes < 500_000, `${bytes} bytes are kept`);
  assert.deepEqual(before && plain(unpackDesired(before)), plain(unpackDesired(kept)), 'as it was');
});

test('[LB-70] sides: numbers of VIPs that are gone are given back', () => {
  const mirror = mirrorOf(packState({ conf: DEFAULT_CONF, vips: [] }));
  const wanted = wantedOf([], mirror.index);
  for (let port = 1; port < 3000; port += 1) {
    const vip = { address: '192.0.2.1', prefixLength: 32, protocol: 'tcp', port } as const;
    const attributes = { encap: 'gre4', dscp: 0, srcIpSticky: false, tableLength: 16 } as const;
    const frontend = 'web' as DesiredVip['frontend'];
    const wish = { frontend, vip, attributes, servers: [], revision: 1, priority: 1 };
    const packed = packDesired(wish);
    wanted.set(packed.key, packed);
    if (port > 2) wanted.delete(packed.key);
  }
  const { index } = wanted;
  renumber(mirror, wanted);
  assert.notEqual(wanted.index, index);
  assert.equal(wanted.index, mirror.index);
  assert.equal(differing(mirror, wanted).length, 2);
  renumber(mirror, wanted);
});

test('[LB-71] mirror: renewed by a read it is that read, and names what is new and nothing else', () => {
  fc.assert(
    fc.property(fc.array(desiredVip), fc.array(desiredVip), fc.nat(1), (one, other, keep) => {
      const vips = one.map((wish) => actualLike(wish, 1));
      const later = [...vips.filter((_, index) => index % 2 === keep), ...other.map(asRead)];
      const first = packState({ conf: DEFAULT_CONF, vips });
      const second = packState({ conf: DEFAULT_CONF, vips: later });
      const mirror = mirrorOf(first);
      const kept = new Map(mirror);
      const news = new Set(renew(mirror, second).map(({ key }) => key));
      assert.deepEqual(plainMap(mirror), plainMap(second.vips));
      for (const key of new Set([...first.vips.keys(), ...second.vips.keys()])) {
        const [before, after] = [first.vips.get(key), second.vips.get(key)];
        const isNew = !isEqual(before && unpackActual(before), after && unpackActual(after));
        assert.equal(news.has(key), isNew, key);
        if (!isNew) assert.equal(mirror.get(key), kept.get(key), 'the very same value');
      }
      assert.deepEqual(renew(mirror, second), [], 'nothing is new twice');
    }),
    SETTINGS,
  );
});

function asRead(wish: DesiredVip): ActualVip {
  return actualLike(wish, 1);
}

function plainMap(vips: ReadonlyMap<VipKey, ReturnType<typeof packActual>>) {
  return new Map([...vips].sort().map(([key, vip]) => [key, unpackActual(vip)]));
}

/** Without prototypes, which generated records lack. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function isEqual(left: unknown, right: unknown): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
