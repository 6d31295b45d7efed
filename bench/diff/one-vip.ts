/**
 * One VIP: what it costs to look at it when something may have changed, and what the model of its
 * table costs once it has.
 */
import { diffVip } from '../../src/lb/diff.js';
import { flowTable, shareOut, tableDigest, type WeightedServer } from '../../src/lb/maglev.js';
import { NOTHING_REMEMBERED } from '../../src/lb/memory.js';
import { packActual, packDesired } from '../../src/lb/packed/vips.js';
import type { Outcome, Params } from '../runtime/probe.js';
import { perRunUs, sizeIn } from './measure.js';
import { diffServers, type WeightChange } from './nested-maps.js';
import { desiredVip, NONE_CHANGED, type SiteSize } from './site.js';

const RUNS = 2000;
const TABLES = 20;

export const oneVipProbes = {
  'vip-packed': async (params: Params) => vipPacked(sizeIn(params)),
  'vip-maps': async (params: Params) => vipInMaps(sizeIn(params)),
  'vip-table': async (params: Params) => tableModel(sizeIn(params)),
  'vip-table-dealt': async (params: Params) => tableDealt(sizeIn(params)),
};

/** The weight of one server changes: the one in the middle. */
function wishesOf(size: SiteSize) {
  const one = { ...size, vips: 1 };
  return {
    same: desiredVip(one, 0, NONE_CHANGED),
    other: desiredVip(one, 0, size.servers),
  };
}

function vipPacked(size: SiteSize): Outcome {
  const { same, other } = wishesOf(size);
  const { vip, attributes, servers } = same;
  const { encap, dscp, tableLength } = attributes;
  const counted = servers.map((as) => ({ ...as, buckets: 0 }));
  const actual = packActual({ vip, encap, dscp, tableLength, servers: counted });
  const [unchanged, changed] = [packDesired(same), packDesired(other)];
  let checksum = 0;
  const run = (desired: typeof changed) => () => {
    checksum = diffVip(actual, desired, NOTHING_REMEMBERED).length;
  };
  const sameUs = perRunUs(RUNS, run(unchanged));
  return { sameUs, changedUs: perRunUs(RUNS, run(changed)), checksum };
}

function vipInMaps(size: SiteSize): Outcome {
  const { same, other } = wishesOf(size);
  const mapOf = (servers: readonly WeightedServer[]) =>
    new Map(servers.map(({ address, weight }) => [`${address}`, weight]));
  const actual = mapOf(desiredVip({ ...size, vips: 1 }, 0, NONE_CHANGED).servers);
  const [unchanged, changed] = [mapOf(same.servers), mapOf(other.servers)];
  let checksum = 0;
  const run = (wanted: ReadonlyMap<string, number>) => () => {
    const changes: WeightChange[] = [];
    diffServers('vip', actual, wanted, changes);
    checksum = changes.length;
  };
  const sameUs = perRunUs(RUNS, run(unchanged));
  return { sameUs, changedUs: perRunUs(RUNS, run(changed)), checksum };
}

function tableModel(size: SiteSize): Outcome {
  const { servers, attributes } = wishesOf(size).other;
  const weights = servers.map(({ weight }) => weight);
  let checksum = 0;
  const countsUs = perRunUs(RUNS, () => {
    checksum = sumOf(shareOut(weights, attributes.tableLength));
  });
  const tableUs = perRunUs(TABLES, () => void flowTable(servers, attributes.tableLength));
  const digestUs = perRunUs(TABLES, () => void tableDigest(servers, attributes.tableLength));
  return { countsUs, tableUs, digestUs, checksum };
}

/** The counts the long way: write out the list of entries, deal the buckets to it in turn. */
function tableDealt(size: SiteSize): Outcome {
  const { servers, attributes } = wishesOf(size).other;
  let checksum = 0;
  const countsUs = perRunUs(TABLES, () => {
    const list = servers.flatMap(({ weight }, owner) =>
      Array.from({ length: weight }, (_, replica) => ({ owner, replica })),
    );
    list.sort((a, b) => a.replica - b.replica || a.owner - b.owner);
    const counts = new Uint32Array(servers.length);
    for (let bucket = 0; bucket < attributes.tableLength; bucket += 1) {
      const owner = list[bucket % list.length]?.owner ?? 0;
      counts[owner] = (counts[owner] ?? 0) + 1;
    }
    checksum = sumOf(counts);
  });
  return { countsUs, checksum };
}

/** Weighed by place, so that counts of other servers make another sum. */
function sumOf(counts: Uint32Array): number {
  return counts.reduce((sum, count, row) => sum + count * (row + 1), 0);
}
