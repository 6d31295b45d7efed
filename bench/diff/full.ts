/**
 * The full diff: everything VPP has against everything wanted, with nothing, one server, one in a hundred
 * and every server changed. Ours plans every op, in order; the others only say what differs.
 *
 * Every side runs in a process of its own. What each finds is counted: the same number for all.
 */
import fastJsonPatch from 'fast-json-patch';
import microdiff from 'microdiff';
import { type VipAttributes, type VipKey, vipKey } from '../../machines/model/lb.js';
import type { PackedActual } from '../../machines/model/lb-packed.js';
import { StateReader } from '../../src/adapters/vpp/state.js';
import { NOTHING_REMEMBERED } from '../../src/lb/memory.js';
import { mirrorOf } from '../../src/lb/mirror.js';
import { type Mirror, type VipIndex, WantedVips } from '../../src/lb/packed/side.js';
import { packDesired, packState } from '../../src/lb/packed/vips.js';
import { type DiffRules, diffAll, outOfStep } from '../../src/lb/plan.js';
import { opsOf } from '../../src/lb/steps.js';
import type { Outcome, Params } from '../runtime/probe.js';
import { serverFrames, vipFrames } from './frames.js';
import { heldBytes, medianMs, readWith, sizeIn } from './measure.js';
import { diffMaps, nestedMaps, nestedObjects } from './nested-maps.js';
import {
  attributesOf,
  changesOf,
  desiredVip,
  type Every,
  NONE_CHANGED,
  type SiteSize,
  vipAt,
} from './site.js';

/** Names of the outcome's fields, in the order of `changesOf`. */
export const CASES = ['unchanged', 'one', 'percent', 'all'] as const;

export const fullProbes = {
  'full-packed': async (params: Params) => packed(sizeIn(params)),
  'full-maps': async (params: Params) => maps(sizeIn(params)),
  'full-microdiff': async (params: Params) => objects(sizeIn(params), microdiff),
  'full-fast-json-patch': async (params: Params) => objects(sizeIn(params), fastJsonPatch.compare),
};

async function packed(size: SiteSize): Promise<Outcome> {
  const before = await heldBytes();
  const actual = mirror(size);
  const between = await heldBytes();
  const wanted = wantedOf(size, NONE_CHANGED, actual.index);
  const after = await heldBytes();
  const rules = rulesOf(size);
  const outcome = measureCases(size, (every) => {
    const desired = every === NONE_CHANGED ? wanted : wantedOf(size, every, actual.index);
    return () => diffEverything(actual, desired, rules).length;
  });
  const servers = size.vips * size.servers;
  const [actualBytes, wantedBytes] = [(between - before) / servers, (after - between) / servers];
  return { ...outcome, actualBytes, wantedBytes };
}

/** As lbsync does it: what is out of step is found, and planned with what VPP has of it. */
export function diffEverything(actual: Mirror, wanted: WantedVips, rules: DiffRules) {
  const keys = [...outOfStep(actual, wanted, rules.memory)];
  const present = new Map(keys.flatMap((key) => pairOf(key, actual)));
  const desired = keys.flatMap((key) => wanted.get(key) ?? []);
  return opsOf(diffAll(present, desired, rules));
}

function pairOf(key: VipKey, actual: Mirror): [VipKey, PackedActual][] {
  const vip = actual.get(key);
  return vip === undefined ? [] : [[key, vip]];
}

/** Read as it is in life: out of the frames of a dump. IPv6 comes packed from plain words. */
function mirror(size: SiteSize): Mirror {
  if (size.ip6 !== true) {
    const reader = new StateReader();
    readWith(reader, vipFrames(size), 'vip');
    readWith(reader, serverFrames(size), 'server');
    return mirrorOf(reader.state(CONF_REPLY).state);
  }
  const vips = Array.from({ length: size.vips }, (_, index) => {
    const { vip, attributes, servers } = desiredVip(size, index, NONE_CHANGED);
    const { encap, dscp, tableLength } = attributes;
    const counted = servers.map(({ address, weight }) => ({ address, weight, buckets: 20 }));
    return { vip, encap, dscp, tableLength, servers: counted };
  });
  return mirrorOf(packState({ conf: CONF, vips }));
}

const CONF = {
  ip4Source: undefined,
  ip6Source: undefined,
  stickyBucketsPerCore: 1024,
  flowTimeoutS: 40,
};

export const CONF_REPLY = {
  context: 0,
  retval: 0,
  ip4_src_address: '255.255.255.255',
  ip6_src_address: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
  sticky_buckets_per_core: 1024,
  flow_timeout: 40,
};

/** One after the other, so that no more than one is there in plain words. */
export function wantedOf(size: SiteSize, every: Every, index: VipIndex): WantedVips {
  const wanted = new WantedVips(index);
  for (let vip = 0; vip < size.vips; vip += 1) {
    const packed = packDesired(desiredVip(size, vip, every));
    wanted.set(packed.key, packed);
  }
  return wanted;
}

export function rulesOf(size: SiteSize): DiffRules {
  const attributes = attributesOf(size.ip6);
  const ledger = new Map<VipKey, VipAttributes>();
  for (let vip = 0; vip < size.vips; vip += 1) ledger.set(vipKey(vipAt(vip)), attributes);
  return {
    ownership: 'ledger',
    ledger,
    held: new Set(),
    removable: new Set(),
    memory: NOTHING_REMEMBERED,
  };
}

async function maps(size: SiteSize): Promise<Outcome> {
  const before = await heldBytes();
  const actual = nestedMaps(size, NONE_CHANGED);
  const bytes = ((await heldBytes()) - before) / (size.vips * size.servers);
  const outcome = measureCases(size, (every) => {
    const wanted = nestedMaps(size, every);
    return () => diffMaps(actual, wanted).length;
  });
  return { ...outcome, bytes };
}

type Objects = Record<string, unknown>;

async function objects(
  size: SiteSize,
  diff: (actual: Objects, wanted: Objects) => readonly unknown[],
): Promise<Outcome> {
  const actual = nestedObjects(nestedMaps(size, NONE_CHANGED));
  return measureCases(size, (every) => {
    const wanted = nestedObjects(nestedMaps(size, every));
    return () => diff(actual, wanted).length;
  });
}

/** Time of each case, and how many changes were found in all of them. */
function measureCases(size: SiteSize, prepare: (every: Every) => () => number): Outcome {
  const outcome: Record<string, number> = {};
  let checksum = 0;
  for (const [index, every] of changesOf(size).entries()) {
    const run = prepare(every);
    const name = CASES[index] ?? '';
    outcome[name] = medianMs(index < 2 ? 9 : 3, () => {
      outcome[`${name}Found`] = run();
    });
    checksum = checksum * 7 + (outcome[`${name}Found`] ?? 0);
  }
  return { ...outcome, checksum };
}
