/**
 * What a plan will do to one VIP's traffic, before anything is sent.
 *
 * Input:  the VIP as VPP has it (absent: it will be built) and the VIP as wanted.
 * Output: bucket counts before and after, the share of new flows that land elsewhere, how often VPP
 *         rebuilds its table and about how long it forwards nothing meanwhile.
 *
 * The pause is an estimate for one core of a common server: VPP sorts one entry per unit of weight
 * and then fills every bucket, under its worker barrier, once per server op.
 */
import type { ActualVip, DesiredVip, LbOp } from '../../machines/model/lb.js';
import { compareAddresses } from './address.js';
import { bucketCounts, flowTable, movedShare, type WeightedServer } from './maglev.js';

export interface BucketChange {
  readonly as: string;
  readonly before: number;
  readonly after: number;
}

export interface Forecast {
  /** Ascending by address. */
  readonly buckets: readonly BucketChange[];
  /** 0..1; 1 when the VIP is new or its table changes length. */
  readonly movedNewFlows: number;
  readonly rebuilds: number;
  readonly estimatedPauseUs: number;
}

/** Fitted to a release build of VPP on a small machine: between 5 and 5,500 µs over all sizes tried. */
const BARRIER_US = 4;
const PER_ENTRY_US = 0.04;
const PER_BUCKET_US = 0.005;

export function forecast(
  actual: ActualVip | undefined,
  desired: DesiredVip,
  ops: readonly LbOp[],
): Forecast {
  const { tableLength } = desired.attributes;
  const before = actual?.servers ?? [];
  const comparable = actual?.tableLength === tableLength;
  const rebuilds = ops.filter(({ op }) => op.startsWith('as.')).length;
  return {
    buckets: bucketChanges(actual, desired),
    movedNewFlows: comparable
      ? movedShare(flowTable(before, tableLength), flowTable(desired.servers, tableLength))
      : 1,
    rebuilds,
    estimatedPauseUs: Math.round(rebuilds * rebuildUs(desired.servers, tableLength)),
  };
}

function bucketChanges(actual: ActualVip | undefined, desired: DesiredVip): BucketChange[] {
  const before = new Map(actual?.servers.map((as) => [as.address, as.buckets]));
  const after = bucketCounts(desired.servers, desired.attributes.tableLength);
  const addresses = new Set([...before.keys(), ...desired.servers.map((as) => as.address)]);
  return [...addresses].sort(compareAddresses).map((as) => ({
    as,
    before: before.get(as) ?? 0,
    after: after.get(as) ?? 0,
  }));
}

function rebuildUs(servers: readonly WeightedServer[], tableLength: number): number {
  const entries = servers.reduce((sum, { weight }) => sum + weight, 0);
  return BARRIER_US + PER_ENTRY_US * entries + PER_BUCKET_US * tableLength;
}
