/**
 * Question: what does it cost to find out that a large dataplane is as wanted, and what one change
 * costs then? Against the dumb implementation, in the same run on the same machine.
 *
 * Input:  the scale. Output: one row per question; a ratio is baseline / ours, so more is better.
 * `must` binds only at full scale: a tiny run proves that the bench works, not how fast it is.
 */
import { performance } from 'node:perf_hooks';
import type { FrontendName } from '../machines/model/ids.js';
import { type ActualVip, type DesiredVip, type Vip, vipKey } from '../machines/model/lb.js';
import { NOTHING_REMEMBERED } from '../src/lb/memory.js';
import { mirrorOf } from '../src/lb/mirror.js';
import { type DiffRules, diffAll } from '../src/lb/plan.js';
import { opsOf } from '../src/lb/steps.js';
import { dumbChanges } from './dumb-diff.js';
import { type BenchOptions, type BenchResult, type BenchRow, median, rounded } from './rows.js';

interface Size {
  readonly vips: number;
  readonly servers: number;
  readonly rounds: number;
}

const SIZES: Readonly<Record<'tiny' | 'full', Size>> = {
  tiny: { vips: 20, servers: 4, rounds: 3 },
  full: { vips: 1000, servers: 10, rounds: 15 },
};

/** A full diff that finds nothing must take less than this, and the dumb one many times as long. */
const UNCHANGED_MS_MAX = 25;
const RATIO_MIN = 5;

export async function bench({ scale }: BenchOptions): Promise<BenchResult> {
  const size = SIZES[scale];
  const site = siteOf(size);
  const changed = withOneChange(site.desired);
  const unchanged = measure(size, () => count(site, site.desired), 0);
  const change = measure(size, () => count(site, changed), 1);
  const dumb = measure(size, () => dumbChanges(site.actual, site.desired).length, 0);
  const dumbChange = measure(size, () => dumbChanges(site.actual, changed).length, 1);
  const what = `${size.vips} VIPs × ${size.servers} servers`;
  const judged = scale === 'full';
  return {
    bench: 'lb-diff',
    rows: [
      row({ id: 'unchanged', question: `${what}: second diff`, ms: unchanged, dumb, judged }),
      row({
        id: 'one-change',
        question: `${what}: one weight`,
        ms: change,
        dumb: dumbChange,
        judged,
      }),
    ],
  };
}

interface Measured {
  readonly id: string;
  readonly question: string;
  readonly ms: number;
  readonly dumb: number;
  readonly judged: boolean;
}

function row({ id, question, ms, dumb, judged }: Measured): BenchRow {
  const ratio = dumb / ms;
  const holds = ms <= UNCHANGED_MS_MAX && ratio >= RATIO_MIN;
  const must = `<= ${UNCHANGED_MS_MAX} ms and >= ${RATIO_MIN} times the dumb one`;
  const base = { id, question, value: rounded(ms), unit: 'ms', baseline: rounded(dumb) };
  return judged
    ? { ...base, ratio: rounded(ratio), must, pass: holds }
    : { ...base, ratio: rounded(ratio), pass: true };
}

interface Site {
  readonly actual: readonly ActualVip[];
  readonly desired: readonly DesiredVip[];
  readonly mirror: ReadonlyMap<string, ActualVip>;
  readonly rules: DiffRules;
}

function siteOf({ vips, servers }: Size): Site {
  const desired = Array.from({ length: vips }, (_, index) => desiredVip(index, servers));
  const actual = desired.map(asActual);
  const rules: DiffRules = {
    ownership: 'ledger',
    ledger: new Map(desired.map(({ vip, attributes }) => [vipKey(vip), attributes])),
    held: new Set(),
    removable: 'all',
    memory: NOTHING_REMEMBERED,
  };
  const mirror = mirrorOf({ conf: CONF, vips: actual });
  return { actual, desired, mirror, rules };
}

const CONF = {
  ip4Source: undefined,
  ip6Source: undefined,
  stickyBucketsPerCore: 1024,
  flowTimeoutS: 40,
};

function desiredVip(index: number, servers: number): DesiredVip {
  const vip: Vip = {
    address: `198.18.${index >>> 8}.${index & 255}`,
    prefixLength: 32,
    protocol: 'tcp',
    port: 443,
  };
  return {
    frontend: `f${index}` as FrontendName,
    vip,
    attributes: { encap: 'gre4', dscp: 0, srcIpSticky: false, tableLength: 1024 },
    servers: Array.from({ length: servers }, (_, server) => ({
      address: `10.${index >>> 8}.${index & 255}.${server + 1}`,
      weight: 1,
    })),
    revision: 1,
    priority: 100,
  };
}

/** Built from parts, as a dump is: no string is the very same object as in the wish. */
function asActual({ vip, servers }: DesiredVip): ActualVip {
  const copy = structuredClone({ vip, servers });
  return {
    vip: copy.vip,
    encap: 'gre4',
    dscp: 0,
    tableLength: 1024,
    servers: copy.servers.map(({ address, weight }) => ({ address, weight, buckets: 0 })),
  };
}

function withOneChange(desired: readonly DesiredVip[]): readonly DesiredVip[] {
  const changed = Math.floor(desired.length / 2);
  return desired.map((wanted, index) =>
    index === changed
      ? { ...wanted, servers: wanted.servers.map((as, n) => (n === 1 ? { ...as, weight: 2 } : as)) }
      : wanted,
  );
}

function count({ mirror, rules }: Site, desired: readonly DesiredVip[]): number {
  return opsOf(diffAll(mirror, desired, rules)).length;
}

/** Median of the rounds, in ms; the answer is checked in each, so that nobody measures nothing. */
function measure({ rounds }: Size, run: () => number, expected: number): number {
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const startedAt = performance.now();
    const answer = run();
    times.push(performance.now() - startedAt);
    if (answer !== expected) throw new Error(`measured ${answer} changes instead of ${expected}`);
  }
  return median(times);
}
