/**
 * Which AS owns which new-flow bucket: VPP's Maglev table, bucket for bucket.
 *
 * Input: the live ASes and the table length, a power of two. Output: for each bucket the rank of
 * its AS in address order, or -1 when no AS has weight.
 *
 * Every unit of weight is one replica. Replicas take turns, ordered by (replica, address); at its
 * turn each takes the next free bucket of its own walk, which starts and steps (by an odd number,
 * so that it visits every bucket) as a 64-bit hash of (address, replica) says.
 */
import { createHash } from 'node:crypto';
import type { Hex } from '../addresses.js';
import { byAddress, type Weighted } from './buckets.js';

const MASK = (1n << 64n) - 1n;
const LOW_HALF = 0xffffffffn;
/** The constants of xxHash. */
const PRIME = {
  one: 11400714785074694791n,
  two: 14029467366897019727n,
  three: 1609587929392839161n,
  four: 9650029242287828579n,
} as const;
/** What a 64-bit key's hash starts from, length and seed folded in. */
const START = (0x9e3779b97f4a7c13n + 2870177450012600261n + 8n) & MASK;

export const EMPTY = -1;

interface Walker {
  readonly rank: number;
  readonly step: number;
  at: number;
}

export function fillTable(servers: readonly Weighted[], tableLength: number): Int32Array {
  const table = new Int32Array(tableLength).fill(EMPTY);
  const walkers = walkersOf(servers.toSorted(byAddress), tableLength - 1);
  if (walkers.length === 0) return table;
  let filled = 0;
  while (filled < tableLength) {
    for (const walker of walkers.slice(0, tableLength - filled)) {
      while (table[walker.at] !== EMPTY) walker.at = (walker.at + walker.step) & (tableLength - 1);
      table[walker.at] = walker.rank;
      filled += 1;
    }
  }
  return table;
}

/** Names a table in 64 hexadecimal digits: equal tables, equal digests. */
export function tableDigest(servers: readonly Weighted[], table: Int32Array): string {
  const addresses = servers.toSorted(byAddress).map(({ address }) => address);
  const owners = Array.from(table, (rank) => addresses[rank] ?? '');
  return createHash('sha256').update(owners.join('\n')).digest('hex');
}

function walkersOf(sorted: readonly Weighted[], mask: number): readonly Walker[] {
  const heaviest = sorted.reduce((most, { weight }) => Math.max(most, weight), 0);
  const walkers: Walker[] = [];
  for (let replica = 0; replica < heaviest; replica += 1) {
    for (const [rank, { address, weight }] of sorted.entries()) {
      if (weight > replica) walkers.push(walkerOf(rank, hashOf(address, replica), mask));
    }
  }
  return walkers;
}

function walkerOf(rank: number, hash: bigint, mask: number): Walker {
  const step = (Number(hash & LOW_HALF) | 1) & mask;
  return { rank, step, at: Number(hash >> 32n) & mask };
}

function hashOf(address: Hex, replica: number): bigint {
  const bytes = Buffer.from(address, 'hex');
  return xxHash64(bytes.readBigUInt64LE(0) ^ bytes.readBigUInt64LE(8) ^ BigInt(replica));
}

/** xxHash of one 64-bit word. */
function xxHash64(word: bigint): bigint {
  const lane = (rotated((word * PRIME.two) & MASK, 31n) * PRIME.one) & MASK;
  let hash = (rotated(START ^ lane, 27n) * PRIME.one + PRIME.four) & MASK;
  hash = ((hash ^ (hash >> 33n)) * PRIME.two) & MASK;
  hash = ((hash ^ (hash >> 29n)) * PRIME.three) & MASK;
  return hash ^ (hash >> 32n);
}

function rotated(word: bigint, bits: bigint): bigint {
  return ((word << bits) | (word >> (64n - bits))) & MASK;
}
