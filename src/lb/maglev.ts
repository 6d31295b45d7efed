/**
 * An exact model of VPP's new-flow table: who owns which bucket, without asking VPP.
 *
 * Input:  the servers of one VIP (address, weight) and the table's length, a power of two.
 * Output: bucket counts (equal to the `num_buckets` VPP reports), the table itself, a digest of it
 *         for comparing nodes, and the share of new flows that a change moves.
 *
 * VPP lists every server `weight` times, sorted by (replica, address). Each entry starts somewhere in
 * the table and strides by an odd step, both taken from a hash of its address and replica; entries
 * claim free buckets in turn until none is left. The counts follow without filling anything.
 *
 * Rules: [LB-20] counts equal VPP's; [LB-21] the order of servers does not matter.
 */
import { assert } from '../../machines/model/assert.js';
import { addressBytes, compareAddresses } from './address.js';
import { seedOf, splitSeed } from './seed-hash.js';

export interface WeightedServer {
  readonly address: string;
  readonly weight: number;
}

/** A bucket nobody owns: all weights are 0 and its packets are dropped. */
export const NOBODY = -1;

/** Owner of each bucket as an index into `owners`, or NOBODY. */
export interface FlowTable {
  /** Addresses with weight, ascending. */
  readonly owners: readonly string[];
  readonly buckets: Int32Array;
}

function ascending(servers: readonly WeightedServer[]): readonly WeightedServer[] {
  return servers
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => compareAddresses(a.address, b.address));
}

/**
 * Buckets each address owns: `weight` times the whole part of length / W, and one more for each of
 * its entries among the first (length mod W) of the list. Addresses without weight are absent.
 */
export function bucketCounts(
  servers: readonly WeightedServer[],
  tableLength: number,
): ReadonlyMap<string, number> {
  const sorted = ascending(servers);
  const counts = shareOut(
    sorted.map(({ weight }) => weight),
    tableLength,
  );
  return new Map(sorted.map(({ address }, row) => [address, counts[row] ?? 0]));
}

/** The same for weights in ascending order of address; those of 0 get nothing. */
export function shareOut(weights: ArrayLike<number>, tableLength: number): Uint32Array {
  const counts = new Uint32Array(weights.length);
  let total = 0;
  for (let row = 0; row < weights.length; row += 1) total += weights[row] ?? 0;
  if (total === 0) return counts;
  const each = Math.floor(tableLength / total);
  for (let row = 0; row < counts.length; row += 1) counts[row] = (weights[row] ?? 0) * each;
  giveRemainder(counts, weights, tableLength % total);
  return counts;
}

function giveRemainder(counts: Uint32Array, weights: ArrayLike<number>, remainder: number): void {
  let left = remainder;
  for (let replica = 0; left > 0; replica += 1) {
    for (let row = 0; row < counts.length && left > 0; row += 1) {
      if ((weights[row] ?? 0) <= replica) continue;
      counts[row] = (counts[row] ?? 0) + 1;
      left -= 1;
    }
  }
}

interface Entry {
  readonly owner: number;
  readonly skip: number;
  next: number;
}

export function flowTable(servers: readonly WeightedServer[], tableLength: number): FlowTable {
  assert(Number.isInteger(Math.log2(tableLength)), `table length ${tableLength}: no power of two`);
  const sorted = ascending(servers);
  const buckets = new Int32Array(tableLength).fill(NOBODY);
  const entries = entriesOf(sorted, tableLength - 1);
  if (entries.length > 0) fill(buckets, entries);
  return { owners: sorted.map(({ address }) => address), buckets };
}

/** Sorted by (replica, address). `mask` is length - 1: an odd step modulo a power of two visits all. */
function entriesOf(sorted: readonly WeightedServer[], mask: number): Entry[] {
  const replicas = sorted.reduce((most, { weight }) => Math.max(most, weight), 0);
  const bytes = sorted.map(({ address }) => addressBytes(address));
  const entries: Entry[] = [];
  for (let replica = 0; replica < replicas; replica += 1) {
    for (const [owner, server] of sorted.entries()) {
      if (server.weight <= replica) continue;
      const { low, high } = splitSeed(
        seedOf(bytes[owner] ?? addressBytes(server.address), replica),
      );
      entries.push({ owner, skip: (low | 1) & mask, next: high & mask });
    }
  }
  return entries;
}

function fill(buckets: Int32Array, entries: readonly Entry[]): void {
  const mask = buckets.length - 1;
  for (let claimed = 0; claimed < buckets.length; claimed += 1) {
    const entry = entries[claimed % entries.length];
    if (entry === undefined) return;
    while (buckets[entry.next] !== NOBODY) entry.next = (entry.next + entry.skip) & mask;
    buckets[entry.next] = entry.owner;
    entry.next = (entry.next + entry.skip) & mask;
  }
}

/** Owner's address of each bucket in turn. */
function ownersInOrder({ owners, buckets }: FlowTable): readonly (string | undefined)[] {
  return Array.from(buckets, (owner) => owners[owner]);
}

/** Share (0..1) of the buckets that change owner: new flows that land elsewhere than before. */
export function movedShare(before: FlowTable, after: FlowTable): number {
  assert(before.buckets.length === after.buckets.length, 'only tables of one length compare');
  const [was, is] = [ownersInOrder(before), ownersInOrder(after)];
  const moved = was.filter((owner, bucket) => owner !== is[bucket]).length;
  return moved / was.length;
}

/** Eight hex digits over the owner of every bucket: equal on two nodes that hash alike. */
export function tableDigest(servers: readonly WeightedServer[], tableLength: number): string {
  let hash = 0x811c9dc5;
  for (const owner of ownersInOrder(flowTable(servers, tableLength))) {
    for (const byte of owner === undefined ? [0] : addressBytes(owner)) {
      hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
    }
  }
  return hash.toString(16).padStart(8, '0');
}
