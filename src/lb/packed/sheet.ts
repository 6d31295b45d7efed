/**
 * All servers of one side, VPP's or the wanted, by the number of their VIP: blocks of bytes one behind
 * the other in a few large chunks, and columns that say where each begins.
 *
 * What two sides have in common is found by walking the columns and comparing the blocks as memory:
 * nothing is looked up and no object is touched, because at this size every pointer that is followed
 * is a wait for memory. A block is never written again; what replaces it is put behind the last one.
 */
import type { PackedServers } from '../../../machines/model/lb-packed.js';
import { areSameAttributes } from '../attributes.js';
import { bytesOf } from './servers.js';

const CHUNK_BYTES_MIN = 4096;
const CHUNK_BYTES_MAX = 1_048_576;
/** Waste that is not worth a thought. */
const SLACK_BYTES = 65_536;
const ROOM_MIN = 16;

/** By number of the VIP. `addressBytes` is 0 where there is none. */
interface Columns {
  readonly chunks: Uint32Array;
  readonly starts: Uint32Array;
  readonly sizes: Uint32Array;
  readonly counts: Uint32Array;
  readonly addressBytes: Uint8Array;
  readonly attributes: Uint32Array;
}

function columnsFor(vips: number): Columns {
  return {
    chunks: new Uint32Array(vips),
    starts: new Uint32Array(vips),
    sizes: new Uint32Array(vips),
    counts: new Uint32Array(vips),
    addressBytes: new Uint8Array(vips),
    attributes: new Uint32Array(vips),
  };
}

export class Sheet {
  readonly #chunks: Buffer[] = [];
  #columns = columnsFor(ROOM_MIN);
  /** Of the last chunk. */
  #filled = 0;
  #written = 0;
  #live = 0;

  /** Copies the servers in. Answers with where they are now: that memory stays as it is. */
  put(vip: number, attributes: number, servers: PackedServers): PackedServers {
    this.drop(vip);
    while (vip >= this.#columns.starts.length) this.#columns = grown(this.#columns);
    const columns = this.#columns;
    const size = bytesOf(servers);
    const bytes = this.#chunkFor(size);
    const at = this.#filled;
    servers.bytes.copy(bytes, at, servers.at, servers.at + size);
    columns.chunks[vip] = this.#chunks.length - 1;
    columns.starts[vip] = at;
    columns.sizes[vip] = size;
    columns.counts[vip] = servers.count;
    columns.addressBytes[vip] = servers.addressBytes;
    columns.attributes[vip] = attributes;
    this.#filled += size;
    this.#written += size;
    this.#live += size;
    const { counted, count, addressBytes } = servers;
    return { bytes, at, count, addressBytes, counted };
  }

  drop(vip: number): void {
    const { sizes, addressBytes } = this.#columns;
    if ((addressBytes[vip] ?? 0) === 0) return;
    this.#live -= sizes[vip] ?? 0;
    addressBytes[vip] = 0;
  }

  /** A third of what is kept is nobody's any more. */
  get isWasteful(): boolean {
    return this.#written - this.#live > this.#live / 2 + SLACK_BYTES;
  }

  /** Numbers of the VIPs that are wanted and are not there, not with these attributes or servers. */
  static differing(actual: Sheet, wanted: Sheet): number[] {
    const different: number[] = [];
    for (let vip = 0; vip < wanted.#columns.starts.length; vip += 1) {
      if ((wanted.#columns.addressBytes[vip] ?? 0) === 0) continue;
      if (!Sheet.#areSame(actual, wanted, vip)) different.push(vip);
    }
    return different;
  }

  static #areSame(actual: Sheet, wanted: Sheet, vip: number): boolean {
    const [a, b] = [actual.#columns, wanted.#columns];
    const addressBytes = a.addressBytes[vip] ?? 0;
    const count = a.counts[vip] ?? 0;
    if (addressBytes !== b.addressBytes[vip] || count !== b.counts[vip]) return false;
    if (!areSameAttributes(a.attributes[vip] ?? 0, b.attributes[vip] ?? 0)) return false;
    const one = actual.#chunks[a.chunks[vip] ?? 0];
    const other = wanted.#chunks[b.chunks[vip] ?? 0];
    if (one === undefined || other === undefined) return false;
    const [from, start] = [a.starts[vip] ?? 0, b.starts[vip] ?? 0];
    const length = count * (addressBytes + 1);
    return one.compare(other, start, start + length, from, from + length) === 0;
  }

  /** The chunk that has this many bytes left, all of them behind `#filled`. */
  #chunkFor(size: number): Buffer {
    const last = this.#chunks.at(-1);
    if (last !== undefined && this.#filled + size <= last.length) return last;
    const usual = Math.min(CHUNK_BYTES_MAX, Math.max(CHUNK_BYTES_MIN, this.#written));
    const chunk = Buffer.allocUnsafeSlow(Math.max(usual, size));
    this.#chunks.push(chunk);
    this.#filled = 0;
    return chunk;
  }
}

function grown(full: Columns): Columns {
  const next = columnsFor(2 * full.starts.length);
  next.chunks.set(full.chunks);
  next.starts.set(full.starts);
  next.sizes.set(full.sizes);
  next.counts.set(full.counts);
  next.addressBytes.set(full.addressBytes);
  next.attributes.set(full.attributes);
  return next;
}
