/**
 * Which servers of a VIP are not as wanted: two packed lists walked side by side, once. Only what
 * differs is put into words.
 *
 * Input:  the servers VPP has, the VIP as wanted, and the flushes already sent.
 * Output: one change per server that needs one, ascending by address.
 *
 * Rules: [LB-5] ascending; [LB-8] a flush that was sent for its episode is none.
 */
import type { PackedDesired, PackedServers } from '../../../machines/model/lb-packed.js';
import {
  addressOf,
  areSame,
  compareRows,
  haveSameAddresses,
  weightOf,
  weightsOf,
} from './servers.js';

export interface Change {
  readonly address: string;
  /** Weight VPP has; absent: it does not have the server. */
  readonly from: number | undefined;
  /** Weight wanted; absent: the server is not. */
  readonly to: number | undefined;
  /** Its pinned flows are to be evicted. */
  readonly flush: boolean;
}

/** Address to the episode whose flows were evicted last. */
export type Flushed = ReadonlyMap<string, string> | undefined;

const NO_ROWS: ReadonlySet<number> = new Set();

/** Whether there is nothing to do for a VIP, told without a word. */
export function isAsWanted(
  actual: PackedServers,
  desired: PackedDesired,
  flushed: Flushed,
): boolean {
  return areSame(actual, desired.servers) && !hasPending(desired, flushed);
}

/** Flows to be evicted that were not. */
export function hasPending({ evictions }: PackedDesired, flushed: Flushed): boolean {
  return evictions.some(({ address, episode }) => flushed?.get(address) !== episode);
}

export function changesOf(
  actual: PackedServers,
  desired: PackedDesired,
  flushed: Flushed,
): Change[] {
  return changesBetween(actual, desired.servers, pendingRows(desired, flushed));
}

/** `flushes`: rows of what is wanted whose flows are to be evicted, changed or not. */
export function changesBetween(
  before: PackedServers,
  after: PackedServers,
  flushes: ReadonlySet<number> = NO_ROWS,
): Change[] {
  if (haveSameAddresses(before, after)) return weightChanges(before, after, flushes);
  const changes: Change[] = [];
  let [had, row] = [0, 0];
  while (had < before.count || row < after.count) {
    const order = nextOrder(before, had, after, row);
    const from = order <= 0 ? weightOf(before, had) : undefined;
    const to = order >= 0 ? weightOf(after, row) : undefined;
    const flush = order >= 0 && flushes.has(row);
    if (from !== to || flush) {
      const address = order <= 0 ? addressOf(before, had) : addressOf(after, row);
      changes.push({ address, from, to, flush });
    }
    if (order <= 0) had += 1;
    if (order >= 0) row += 1;
  }
  return changes;
}

/** By far the most changes: a server weighs something else. */
function weightChanges(
  before: PackedServers,
  after: PackedServers,
  flushes: ReadonlySet<number>,
): Change[] {
  const [had, has] = [weightsOf(before), weightsOf(after)];
  const changes: Change[] = [];
  for (let row = 0; row < has.length; row += 1) {
    const [from, to, flush] = [had[row], has[row], flushes.has(row)];
    if (from !== to || flush) changes.push({ address: addressOf(after, row), from, to, flush });
  }
  return changes;
}

/** Negative: only in the first list; positive: only in the second. */
function nextOrder(left: PackedServers, row: number, right: PackedServers, other: number): number {
  if (row === left.count) return 1;
  return other === right.count ? -1 : compareRows(left, row, right, other);
}

function pendingRows({ evictions }: PackedDesired, flushed: Flushed): ReadonlySet<number> {
  if (evictions.length === 0) return NO_ROWS;
  const pending = evictions.filter(({ address, episode }) => flushed?.get(address) !== episode);
  return new Set(pending.map(({ row }) => row));
}
