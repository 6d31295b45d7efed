/**
 * Servers as they come out of a dump: one column for each field, one row for each server, of all VIPs
 * together and in any order.
 */

export interface Columns {
  /** Number of the VIP. */
  readonly vips: Uint32Array;
  /** The last four bytes of the address: all there is of an IPv4 one. */
  readonly tails: Uint32Array;
  /** The first twelve bytes, three words each; absent until somebody has IPv6. */
  readonly heads: Uint32Array | undefined;
  readonly weights: Uint8Array;
  readonly buckets: Uint32Array;
}

export const HEAD_WORDS = 3;

export function columnsFor(rows: number): Columns {
  return {
    vips: new Uint32Array(rows),
    tails: new Uint32Array(rows),
    heads: undefined,
    weights: new Uint8Array(rows),
    buckets: new Uint32Array(rows),
  };
}

export function withHeads(columns: Columns): Columns {
  return { ...columns, heads: new Uint32Array(HEAD_WORDS * columns.vips.length) };
}

/** Room for twice as many. */
export function grown(full: Columns): Columns {
  const next = columnsFor(2 * full.vips.length);
  next.vips.set(full.vips);
  next.tails.set(full.tails);
  next.weights.set(full.weights);
  next.buckets.set(full.buckets);
  if (full.heads === undefined) return next;
  const heads = new Uint32Array(HEAD_WORDS * next.vips.length);
  heads.set(full.heads);
  return { ...next, heads };
}

/** Order of the addresses of two rows. */
export function compareRowsOf({ tails, heads }: Columns, row: number, other: number): number {
  if (heads !== undefined) {
    const [at, place] = [HEAD_WORDS * row, HEAD_WORDS * other];
    for (let word = 0; word < HEAD_WORDS; word += 1) {
      const difference = (heads[at + word] ?? 0) - (heads[place + word] ?? 0);
      if (difference !== 0) return difference;
    }
  }
  return (tails[row] ?? 0) - (tails[other] ?? 0);
}

export function isIp6Row({ heads }: Columns, row: number): boolean {
  if (heads === undefined) return false;
  const at = HEAD_WORDS * row;
  return ((heads[at] ?? 0) | (heads[at + 1] ?? 0) | (heads[at + 2] ?? 0)) !== 0;
}
