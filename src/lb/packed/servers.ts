/**
 * The servers of one VIP in one run of bytes (machines/model/lb-packed.ts says how): made, read,
 * compared and edited here, and nowhere else.
 *
 * Rules: [LB-70] unpacking what was packed gives the same servers, ascending by address; two packed
 * lists are the same exactly when their servers are; an edit leaves the packed list it was made of as
 * it is.
 */
import { Defect } from '../../../machines/model/assert.js';
import type { ActualAs } from '../../../machines/model/lb.js';
import type { PackedServers } from '../../../machines/model/lb-packed.js';
import {
  addressBytes,
  compareAddresses,
  formatIp4,
  formatIp6,
  ip4Number,
  isIp4,
} from '../address.js';

import { type Columns, HEAD_WORDS } from './columns.js';

type AddressBytes = PackedServers['addressBytes'];
const BUCKET_BYTES = 4;

export interface UnpackedServer {
  readonly address: string;
  readonly weight: number;
}

interface Shape {
  readonly count: number;
  readonly addressBytes: AddressBytes;
  readonly counted: boolean;
}

export function bytesOf({ count, addressBytes: size, counted }: Shape): number {
  return count * (size + 1 + (counted ? BUCKET_BYTES : 0));
}

/** Without bucket counts. */
export function packServers(servers: readonly UnpackedServer[]): PackedServers {
  const packed = blank({ count: servers.length, addressBytes: sizeFor(servers), counted: false });
  let row = 0;
  for (const { address, weight } of ascending(servers)) {
    writeAddress(packed, row, address);
    writeWeight(packed, row, weight);
    row += 1;
  }
  return packed;
}

/** With the bucket counts somebody reported. */
export function packCounted(servers: readonly ActualAs[]): PackedServers {
  const packed = blank({ count: servers.length, addressBytes: sizeFor(servers), counted: true });
  let row = 0;
  for (const { address, weight, buckets } of ascending(servers)) {
    writeAddress(packed, row, address);
    writeWeight(packed, row, weight);
    writeBuckets(packed, row, buckets);
    row += 1;
  }
  return packed;
}

/** Written from the rows of a dump that `order` names from `from` on. The one loop over a million. */
export function fill(servers: PackedServers, columns: Columns, order: Uint32Array, from: number) {
  const { bytes, at, count, addressBytes: size } = servers;
  const { tails, heads, weights, buckets } = columns;
  const weightsAt = at + size * count;
  const bucketsAt = weightsAt + count;
  for (let row = 0; row < count; row += 1) {
    const source = order[from + row] ?? 0;
    const start = at + size * row;
    if (size === 16) fillHead(bytes, start, heads, source);
    writeWord(bytes, start + size - 4, tails[source] ?? 0);
    bytes[weightsAt + row] = weights[source] ?? 0;
    writeWord(bytes, bucketsAt + BUCKET_BYTES * row, buckets[source] ?? 0);
  }
}

function fillHead(bytes: Buffer, at: number, heads: Uint32Array | undefined, row: number): void {
  for (let word = 0; word < HEAD_WORDS; word += 1) {
    writeWord(bytes, at + 4 * word, heads?.[HEAD_WORDS * row + word] ?? 0);
  }
}

function writeWord(bytes: Buffer, at: number, word: number): void {
  bytes[at] = word >>> 24;
  bytes[at + 1] = word >>> 16;
  bytes[at + 2] = word >>> 8;
  bytes[at + 3] = word;
}

/** Not written yet. Short-lived: what is kept is copied to where the others are (sheet.ts). */
export function blank(shape: Shape): PackedServers {
  return { ...shape, bytes: Buffer.allocUnsafe(bytesOf(shape)), at: 0 };
}

function sizeFor(servers: readonly UnpackedServer[]): AddressBytes {
  return servers.every(({ address }) => isIp4(address)) ? 4 : 16;
}

/** Nearly always it is already. */
function ascending<T extends UnpackedServer>(servers: readonly T[]): readonly T[] {
  for (let index = 1; index < servers.length; index += 1) {
    const [before, after] = [servers[index - 1], servers[index]];
    if (before === undefined || after === undefined) break;
    if (compareAddresses(before.address, after.address) > 0) return servers.toSorted(byAddress);
  }
  return servers;
}

function byAddress(a: UnpackedServer, b: UnpackedServer): number {
  return compareAddresses(a.address, b.address);
}

export function addressOf({ bytes, at, addressBytes: size }: PackedServers, row: number): string {
  const start = at + size * row;
  if (size === 4) return formatIp4(bytes, start);
  const isFour = bytes.readUInt32BE(start) === 0 && bytes.readUIntBE(start + 4, 6) === 0;
  if (isFour && bytes.readUInt16BE(start + 10) === 0) return formatIp4(bytes, start + 12);
  return formatIp6(bytes, start);
}

export function writeAddress(servers: PackedServers, row: number, address: string): void {
  const { bytes, at, addressBytes: size } = servers;
  const start = at + size * row;
  if (size === 4) bytes.writeUInt32BE(ip4Number(address), start);
  else bytes.set(addressBytes(address), start);
}

export function weightOf({ bytes, at, count, addressBytes: size }: PackedServers, row: number) {
  return bytes[at + size * count + row] ?? 0;
}

export function writeWeight(servers: PackedServers, row: number, weight: number): void {
  const { bytes, at, count, addressBytes: size } = servers;
  if (!(weight >= 0 && weight <= 255)) throw new Defect(`weight ${weight} does not fit a byte`);
  bytes[at + size * count + row] = weight;
}

/** Only of servers that are `counted`. */
export function bucketsOf({ bytes, at, count, addressBytes: size }: PackedServers, row: number) {
  return bytes.readUInt32BE(at + (size + 1) * count + BUCKET_BYTES * row);
}

export function writeBuckets(servers: PackedServers, row: number, buckets: number): void {
  const { bytes, at, count, addressBytes: size } = servers;
  bytes.writeUInt32BE(buckets, at + (size + 1) * count + BUCKET_BYTES * row);
}

export function unpackServers(servers: PackedServers): UnpackedServer[] {
  return Array.from({ length: servers.count }, (_, row) => ({
    address: addressOf(servers, row),
    weight: weightOf(servers, row),
  }));
}

export function weightsOf(servers: PackedServers): Uint8Array {
  const start = servers.at + servers.addressBytes * servers.count;
  return servers.bytes.subarray(start, start + servers.count);
}

/** Addresses and weights, compared as memory: this is what a site at rest costs. */
export function areSame(left: PackedServers, right: PackedServers): boolean {
  if (left.count !== right.count || left.addressBytes !== right.addressBytes) return false;
  return sameBytes(left, right, left.count * (left.addressBytes + 1));
}

/** The same servers, whatever they weigh: then a row is the same server on both sides. */
export function haveSameAddresses(left: PackedServers, right: PackedServers): boolean {
  if (left.count !== right.count || left.addressBytes !== right.addressBytes) return false;
  return sameBytes(left, right, left.count * left.addressBytes);
}

/** The same, and counted the same. */
export function areIdentical(left: PackedServers, right: PackedServers): boolean {
  if (left.count !== right.count || left.addressBytes !== right.addressBytes) return false;
  return left.counted === right.counted && sameBytes(left, right, bytesOf(left));
}

function sameBytes(left: PackedServers, right: PackedServers, length: number): boolean {
  const { at } = left;
  return left.bytes.compare(right.bytes, right.at, right.at + length, at, at + length) === 0;
}

/** Order of two rows, as `compareAddresses` has it. */
export function compareRows(left: PackedServers, row: number, right: PackedServers, other: number) {
  if (left.addressBytes === 4 && right.addressBytes === 4)
    return lastWord(left, row) - lastWord(right, other);
  for (let word = 0; word < 4; word += 1) {
    const difference = wordOf(left, row, word) - wordOf(right, other, word);
    if (difference !== 0) return difference;
  }
  return 0;
}

function lastWord({ bytes, at }: PackedServers, row: number): number {
  return bytes.readUInt32BE(at + 4 * row);
}

function wordOf(servers: PackedServers, row: number, word: number): number {
  if (servers.addressBytes === 4) return word < 3 ? 0 : lastWord(servers, row);
  return servers.bytes.readUInt32BE(servers.at + 16 * row + 4 * word);
}

export function hasWeight(servers: PackedServers): boolean {
  for (let row = 0; row < servers.count; row += 1) if (weightOf(servers, row) > 0) return true;
  return false;
}

/** Its row; of one that is not there, `-1 -` the row where it would be. */
export function rowOf(servers: PackedServers, address: string): number {
  const wanted = packServers([{ address, weight: 0 }]);
  let [low, high] = [0, servers.count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const order = compareRows(servers, middle, wanted, 0);
    if (order === 0) return middle;
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return -1 - low;
}
