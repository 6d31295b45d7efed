/**
 * Question: what does it cost to find out whether a large dataplane is as wanted, how large is what that
 * takes, and what does one change cost? Against nested Maps, microdiff and fast-json-patch.
 *
 * Input: the scale and which rows. Output: the rows, in order. See bench/README.md.
 */
import { CASES } from './diff/full.js';
import {
  atMost,
  type BenchRow,
  type Measured,
  median,
  ratioAtLeast,
  rowOf,
  type Scale,
} from './rows.js';
import { benchOf } from './runtime/lab.js';
import { each, interleaved, type Lab } from './runtime/probe.js';

interface Sizes {
  readonly full: { readonly vips: number; readonly servers: number };
  readonly audit: { readonly vips: number; readonly servers: number };
  readonly rounds: number;
}

const SIZES: Readonly<Record<Scale, Sizes>> = {
  tiny: { full: { vips: 20, servers: 10 }, audit: { vips: 10, servers: 4 }, rounds: 1 },
  full: { full: { vips: 10_000, servers: 100 }, audit: { vips: 1000, servers: 10 }, rounds: 3 },
};

const SAID: Readonly<Record<(typeof CASES)[number], string>> = {
  unchanged: 'nothing changed',
  one: 'one server changed',
  percent: 'one server in a hundred changed',
  all: 'every server changed',
};

export const bench = benchOf('diff', [
  { ids: [...CASES, 'bytes', 'ops'], rows: fullRows },
  { ids: ['ip6'], rows: ip6Rows },
  { ids: ['records'], rows: recordRows },
  { ids: ['audit'], rows: auditRows },
  { ids: ['vip', 'table'], rows: oneVipRows },
]);

async function fullRows(lab: Lab): Promise<readonly BenchRow[]> {
  const { full: params, rounds } = SIZES[lab.scale];
  const found = await interleaved(lab, rounds, {
    packed: { probe: 'full-packed', params },
    maps: { probe: 'full-maps', params },
    microdiff: { probe: 'full-microdiff', params },
    'fast-json-patch': { probe: 'full-fast-json-patch', params },
  });
  const servers = params.vips * params.servers;
  const of = (side: keyof typeof found, field: string) => median(each(found[side], field));
  const rows = CASES.flatMap((name): Measured[] => [
    {
      id: name,
      question: `ms for a full diff of ${servers} servers, ${SAID[name]}, against nested Maps`,
      ...compared('ms', of('packed', name), of('maps', name)),
      ...(name === 'unchanged' ? { must: ratioAtLeast(10), stretch: ratioAtLeast(25) } : {}),
    },
    ...(['microdiff', 'fast-json-patch'] as const).map((side) => ({
      id: `${name}-${side}`,
      question: `the same against ${side}`,
      ...compared('ms', of('packed', name), of(side, name)),
    })),
  ]);
  const bytes = (id: string, field: string, what: string): Measured => ({
    id,
    question: `bytes per server of what ${what}, of ${servers}, against nested Maps`,
    ...compared('B', of('packed', field), of('maps', 'bytes')),
    must: atMost(40, 'B'),
  });
  return [
    ...rows,
    bytes('bytes-actual', 'actualBytes', 'VPP has'),
    bytes('bytes-wanted', 'wantedBytes', 'is wanted'),
    {
      id: 'ops',
      question: 'ops for a site that is as wanted',
      unit: 'ops',
      value: of('packed', 'unchangedFound'),
      must: atMost(0, 'ops'),
      always: true,
    },
  ].map((row) => rowOf(row, lab.scale));
}

/** Ours and the baseline's; more than 1: ours is that many times as good. */
function compared(unit: string, value: number, baseline: number) {
  return { unit, value, baseline, ratio: baseline / value };
}

async function ip6Rows(lab: Lab): Promise<readonly BenchRow[]> {
  const { full, rounds } = SIZES[lab.scale];
  const params = { ...full, ip6: 1 };
  const { packed, maps } = await interleaved(lab, Math.min(2, rounds), {
    packed: { probe: 'full-packed', params },
    maps: { probe: 'full-maps', params },
  });
  const of = (side: typeof packed, field: string) => median(each(side, field));
  return [
    {
      id: 'ip6-unchanged',
      question: 'unchanged, with IPv6 servers',
      ...compared('ms', of(packed, 'unchanged'), of(maps, 'unchanged')),
      must: ratioAtLeast(10),
      stretch: ratioAtLeast(25),
    },
    {
      id: 'ip6-bytes',
      question: 'bytes per server of the larger side, with IPv6 servers',
      ...compared(
        'B',
        Math.max(of(packed, 'actualBytes'), of(packed, 'wantedBytes')),
        of(maps, 'bytes'),
      ),
      must: atMost(40, 'B'),
    },
  ].map((row) => rowOf(row, lab.scale));
}

async function recordRows(lab: Lab): Promise<readonly BenchRow[]> {
  const { full, rounds } = SIZES[lab.scale];
  const [grouped, shuffled] = [
    { ...full, shuffled: 0 },
    { ...full, shuffled: 1 },
  ];
  const found = await interleaved(lab, rounds, {
    packed: { probe: 'records-packed', params: grouped },
    maps: { probe: 'records-maps', params: grouped },
    shuffled: { probe: 'records-packed', params: shuffled },
    shuffledMaps: { probe: 'records-maps', params: shuffled },
  });
  const of = (side: keyof typeof found) => median(each(found[side], 'ns'));
  return [
    {
      id: 'records',
      question: 'ns per record from the frames of a dump to what is compared, against nested Maps',
      ...compared('ns', of('packed'), of('maps')),
      must: atMost(150, 'ns'),
    },
    {
      id: 'records-shuffled',
      question: 'the same when the servers of all VIPs come mixed up',
      ...compared('ns', of('shuffled'), of('shuffledMaps')),
    },
  ].map((row) => rowOf(row, lab.scale));
}

async function auditRows(lab: Lab): Promise<readonly BenchRow[]> {
  const { audit: params, rounds } = SIZES[lab.scale];
  const { packed, maps } = await interleaved(lab, rounds, {
    packed: { probe: 'audit-packed', params },
    maps: { probe: 'audit-maps', params },
  });
  const row = {
    id: 'audit',
    question: `ms to decode and diff ${params.vips * params.servers} records, against nested Maps`,
    ...compared('ms', median(each(packed, 'ms')), median(each(maps, 'ms'))),
    must: atMost(20, 'ms'),
  };
  return [rowOf(row, lab.scale)];
}

async function oneVipRows(lab: Lab): Promise<readonly BenchRow[]> {
  const { full, rounds } = SIZES[lab.scale];
  const params = { vips: 1, servers: full.servers };
  const found = await interleaved(lab, rounds, {
    packed: { probe: 'vip-packed', params },
    maps: { probe: 'vip-maps', params },
  });
  const tables = await interleaved(lab, rounds, {
    model: { probe: 'vip-table', params },
    dealt: { probe: 'vip-table-dealt', params },
  });
  const of = (side: keyof typeof found, field: string) => median(each(found[side], field));
  const table = (field: string) => median(each(tables.model, field));
  const rows: Measured[] = [
    {
      id: 'vip-same',
      question: `µs to diff one VIP of ${params.servers} servers, nothing changed`,
      ...compared('µs', of('packed', 'sameUs'), of('maps', 'sameUs')),
      must: ratioAtLeast(1),
    },
    {
      id: 'vip-changed',
      question: 'the same, one weight changed',
      ...compared('µs', of('packed', 'changedUs'), of('maps', 'changedUs')),
      must: ratioAtLeast(1),
    },
    {
      id: 'table-counts',
      question: 'µs for the bucket counts of that VIP, against dealing 4096 buckets in turn',
      ...compared('µs', table('countsUs'), median(each(tables.dealt, 'countsUs'))),
    },
    {
      id: 'table-fill',
      question: 'µs to fill the table of that VIP as VPP does',
      unit: 'µs',
      value: table('tableUs'),
    },
    {
      id: 'table-digest',
      question: 'the same and its digest',
      unit: 'µs',
      value: table('digestUs'),
    },
  ];
  return rows.map((row) => rowOf(row, lab.scale));
}
