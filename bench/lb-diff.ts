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
import { packDesired, packState } from '../src/lb/packed/vips.js';
import { type Actual, type DiffRules, diffAll } from '../src/lb/plan.js';
import { opsOf } from '../src/lb/steps.js';
import { dumbChanges } from './dumb-diff.js';
import {
  all,
  atMost,
  type BenchOptions,
  type BenchResult,
  median,
  ratioAtLeast,
  rowOf,
  wanted,
} from './rows.js';

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
const IDS = ['unchanged', 'one-change'];

export async function bench({ scale, only = [] }: BenchOptions): Promise<BenchResult> {
  if (!IDS.some((id) => wanted(id, only))) return { bench: 'lb-diff', rows: [] };
  const size = SIZES[scale];
  const site = siteOf(size);
  const changed = withOneChange(site.desired);
  const [same, other] = [site.desired.map(packDesired), changed.map(packDesired)];
  const unchanged = measure(size, () => opsOf(diffAll(site.mirror, same, site.rules)).length, 0);
  const change = measure(size, () => opsOf(diffAll(site.mirror, other, site.rules)).length, 1);
  const dumb = measure(size, () => dumbChanges(site.actual, site.desired).length, 0);
  const dumbChange = measure(size, () => dumbChanges(site.actual, changed).length, 1);
  const what = `${size.vips} VIPs × ${size.servers} servers`;
  const common = { unit: 'ms', must: all(atMost(UNCHANGED_MS_MAX, 'ms'), ratioAtLeast(RATIO_MIN)) };
  const rows = [
    { id: 'unchanged', question: `${what}: second diff`, value: unchanged, baseline: dumb },
    { id: 'one-change', question: `${what}: one weight`, value: change, baseline: dumbChange },
  ].filter(({ id }) => wanted(id, only));
  return {
    bench: 'lb-diff',
    rows: rows.map((row) => rowOf({ ...row, ...common, ratio: row.baseline / row.value }, scale)),
  };
}

interface Site {
  readonly actual: readonly ActualVip[];
  readonly desired: readonly DesiredVip[];
  readonly mirror: Actual;
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
  const mirror = mirrorOf(packState({ conf: CONF, vips: actual }));
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
