/**
 * Where the addresses of a pool lie: of each frontend its address, of each block how many it has given, and
 * which block has room. In memory beside the pool; the blocks' own books decide.
 *
 * Input:  the range, what blocks say they have given. Output: the block a request goes to.
 *
 * Rules: [FE-22] who has an address is sent to its block; [FE-52] who has none to the lowest block with room,
 * in steps that do not grow with the number of addresses given.
 */
import { blockAfter, blockOf, capacityOf, firstBlock, isInRange, placeOf } from './address-pool.js';

export interface PoolIndex {
  /** Addresses given, also those of earlier ranges. */
  readonly size: number;
  use(cidr: string): void;
  /** A block has given it. */
  seat(frontend: string, address: string): void;
  /** It has none, or has given it back. */
  unseat(frontend: string): void;
  /** The block to ask; it counts as having given one until it is heard. Undefined: all is given. */
  blockFor(frontend: string): string | undefined;
  /** The block that has its address, or was asked for one. */
  blockOf(frontend: string): string | undefined;
}

interface Seat {
  readonly block: string;
  /** Undefined: asked for, and not heard of. */
  readonly address: string | undefined;
}

export function createPoolIndex(): PoolIndex {
  const seats = new Map<string, Seat>();
  /** Of the range in use. */
  const given = new Map<string, number>();
  let range: string | undefined;
  /** No block before it has room. */
  let lowest: string | undefined;

  const counts = ({ address }: Seat): boolean =>
    address === undefined || (range !== undefined && isInRange(range, address));

  const add = (seat: Seat, one: 1 | -1): void => {
    if (counts(seat)) given.set(seat.block, (given.get(seat.block) ?? 0) + one);
  };

  const hasRoom = (block: string): boolean =>
    range !== undefined && BigInt(given.get(block) ?? 0) < capacityOf(range, block);

  const place = (frontend: string, seat: Seat | undefined): void => {
    const before = seats.get(frontend);
    if (before !== undefined) add(before, -1);
    if (seat === undefined) seats.delete(frontend);
    else {
      seats.set(frontend, seat);
      add(seat, 1);
    }
    if (before === undefined || !hasRoom(before.block)) return;
    if (lowest === undefined || placeOf(before.block) < placeOf(lowest)) lowest = before.block;
  };

  return {
    get size() {
      return seats.size;
    },
    use: (cidr) => {
      if (cidr === range) return;
      range = cidr;
      lowest = firstBlock(cidr);
      given.clear();
      for (const seat of seats.values()) add(seat, 1);
    },
    seat: (frontend, address) => place(frontend, { address, block: blockOf(address) }),
    unseat: (frontend) => place(frontend, undefined),
    blockFor: (frontend) => {
      const known = seats.get(frontend);
      if (known !== undefined) return known.block;
      while (range !== undefined && lowest !== undefined && !hasRoom(lowest)) {
        lowest = blockAfter(range, lowest);
      }
      if (lowest === undefined) return undefined;
      place(frontend, { block: lowest, address: undefined });
      return lowest;
    },
    blockOf: (frontend) => seats.get(frontend)?.block,
  };
}
