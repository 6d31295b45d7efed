/**
 * Servers out of a dump, in any order, into packed lists: one per VIP.
 *
 * Input:  one call per live server with the number of its VIP, its address as four words (IPv4 in the
 *         last), weight and buckets. Output: the packed servers of each VIP by its number.
 *
 * What arrives is kept in columns. Once it is complete it is sorted by VIP, and by address where a VIP
 * did not arrive ascending. Of a server listed twice the first counts.
 *
 * Rules: [LB-72] what comes out does not depend on the order of what came in, duplicates aside, and
 * takes no longer than sorting it.
 */
import type { PackedServers } from '../../../machines/model/lb-packed.js';
import {
  type Columns,
  columnsFor,
  compareRowsOf,
  grown,
  HEAD_WORDS,
  isIp6Row,
  withHeads,
} from './columns.js';
import { bytesOf, fill } from './servers.js';
import { sortRows } from './sort.js';

/** Servers there is room for at first; it doubles whenever it is full. */
const ROOM_MIN = 1024;

export class ServerDump {
  #columns: Columns;
  #count = 0;

  /** `expected`: servers of the dump before this one, so that nothing has to grow. */
  constructor(expected = 0) {
    this.#columns = columnsFor(Math.max(ROOM_MIN, expected));
  }

  get count(): number {
    return this.#count;
  }

  addIp4(vip: number, address: number, weight: number, buckets: number): void {
    const row = this.#count;
    if (row === this.#columns.vips.length) this.#columns = grown(this.#columns);
    const columns = this.#columns;
    columns.vips[row] = vip;
    columns.tails[row] = address;
    columns.weights[row] = weight;
    columns.buckets[row] = buckets;
    this.#count = row + 1;
  }

  /** Four words of an address, network order. */
  addIp6(vip: number, [a, b, c, d]: Words, weight: number, buckets: number): void {
    const row = this.#count;
    this.addIp4(vip, d, weight, buckets);
    if (this.#columns.heads === undefined) this.#columns = withHeads(this.#columns);
    const { heads } = this.#columns;
    if (heads === undefined) return;
    heads[HEAD_WORDS * row] = a;
    heads[HEAD_WORDS * row + 1] = b;
    heads[HEAD_WORDS * row + 2] = c;
  }

  /** Of VIPs numbered from 0 up to here. All share one run of bytes. */
  pack(vipCount: number): readonly PackedServers[] {
    const order = new Uint32Array(this.#count);
    const starts = groupByVip(this.#columns.vips.subarray(0, this.#count), order, vipCount);
    const lists = Array.from({ length: vipCount }, (_, vip) =>
      listOf(this.#columns, order, starts[vip] ?? 0, starts[vip + 1] ?? 0),
    );
    const bytes = Buffer.allocUnsafeSlow(lists.reduce((sum, list) => sum + bytesOf(list), 0));
    let at = 0;
    return lists.map(({ from, ...shape }) => {
      const servers: PackedServers = { ...shape, bytes, at };
      at += bytesOf(shape);
      fill(servers, this.#columns, order, from);
      return servers;
    });
  }
}

type Words = readonly [number, number, number, number];

/** A counting sort: rows of one VIP stay in the order in which they came. Answers where each begins. */
function groupByVip(vips: Uint32Array, order: Uint32Array, vipCount: number): Uint32Array {
  const starts = new Uint32Array(vipCount + 1);
  for (let row = 0; row < vips.length; row += 1) {
    const next = (vips[row] ?? 0) + 1;
    starts[next] = (starts[next] ?? 0) + 1;
  }
  for (let vip = 1; vip <= vipCount; vip += 1) {
    starts[vip] = (starts[vip] ?? 0) + (starts[vip - 1] ?? 0);
  }
  const places = starts.slice();
  for (let row = 0; row < vips.length; row += 1) {
    const vip = vips[row] ?? 0;
    const place = places[vip] ?? 0;
    order[place] = row;
    places[vip] = place + 1;
  }
  return starts;
}

/** The rows of one VIP: ascending from here on, each address once; what was listed again is cut off. */
function listOf(columns: Columns, order: Uint32Array, from: number, to: number) {
  if (!isAscending(columns, order, from, to)) {
    sortRows(columns, order, from, to);
    const end = withoutRepeats(columns, order, from, to);
    return shapeOf(columns, order, from, end);
  }
  return shapeOf(columns, order, from, to);
}

function isAscending(columns: Columns, order: Uint32Array, from: number, to: number): boolean {
  for (let place = from + 1; place < to; place += 1) {
    const [before, row] = [order[place - 1] ?? 0, order[place] ?? 0];
    if (compareRowsOf(columns, before, row) >= 0) return false;
  }
  return true;
}

function withoutRepeats(columns: Columns, order: Uint32Array, from: number, to: number): number {
  let end = from;
  for (let place = from; place < to; place += 1) {
    const row = order[place] ?? 0;
    if (end > from && compareRowsOf(columns, order[end - 1] ?? 0, row) === 0) continue;
    order[end] = row;
    end += 1;
  }
  return end;
}

function shapeOf(columns: Columns, order: Uint32Array, from: number, to: number) {
  let addressBytes: 4 | 16 = 4;
  // IPv6 sorts behind IPv4: the last row tells of all.
  if (to > from && isIp6Row(columns, order[to - 1] ?? 0)) addressBytes = 16;
  return { from, count: to - from, addressBytes, counted: true };
}
