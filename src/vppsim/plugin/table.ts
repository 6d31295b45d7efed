/**
 * The cost of a new-flow table: every rebuild needs a second one for a moment, and the heap is
 * finite. A length of 0 passes VPP's test for powers of two and asks for 2^32 buckets.
 */
import { deadly, done, type LbState, type Outcome } from './state.js';

const BUCKET_BYTES = 4;

export function isPowerOfTwoOrZero(length: number): boolean {
  return (length & (length - 1)) === 0;
}

function tableBytes(tableLength: number): number {
  return BUCKET_BYTES * (tableLength === 0 ? 2 ** 32 : tableLength);
}

/** The first table of a VIP, kept for good: deleting the VIP does not free it. */
export function allocateTable(state: LbState, tableLength: number): Outcome {
  const needed = state.tableBytes + tableBytes(tableLength);
  return withinHeap({ ...state, tableBytes: needed }, needed, tableLength);
}

/** A new table beside the old one, which is freed afterwards. */
export function rebuildTable(state: LbState, tableLength: number): Outcome {
  return withinHeap(state, state.tableBytes + tableBytes(tableLength), tableLength);
}

function withinHeap(state: LbState, neededBytes: number, tableLength: number): Outcome {
  if (neededBytes <= state.heapBytes) return done(state);
  const what = `a new-flow table of ${tableLength} buckets does not fit into the heap`;
  return done(state, [deadly(what)]);
}
