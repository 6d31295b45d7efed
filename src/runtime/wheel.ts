/**
 * A hierarchical timing wheel over slots: which timers are due by a tick, in which order, and when to
 * look next. Pure: time comes in as a number, and one tick is one whole millisecond.
 *
 *   level 0     32 buckets of 1 tick
 *   level 1     32 buckets of 32 ticks
 *   …
 *   level 10    32 buckets of 32^10 ticks: every tick there is has its bucket
 *
 * A timer lies at the lowest level whose 32 buckets hold both its tick and the wheel's position. So
 * whatever is at a lower level is due earlier, and so is a lower bucket of one level: the next bucket
 * to look at is the lowest bit of the lowest level that has any, however far away it is. Passing a
 * bucket above level 0 deals its timers out to the levels below, at most once for each level.
 *
 * Deadlines keep their fractions: a timer's tick is the first that is not before its deadline, and
 * timers of one tick fire in the order of their deadlines, ties in the order they were armed [RT-6].
 */
import { assert } from '../../machines/model/assert.js';
import { NONE, OUT, type Slots, type TimerOwner } from './slots.js';

const BITS = 5;
const BUCKETS = 2 ** BITS;
const LEVELS = 11;

/** Armed for a time that has passed: fires at the next look. */
const OVERDUE = LEVELS * BUCKETS;
/** Found due, in order, and not yet handed out. */
const DUE = OVERDUE + 1;

/** Ticks in one bucket of each level, and at the end those of a level that does not exist. */
const WIDTHS = Float64Array.from({ length: LEVELS + 1 }, (_, level) => BUCKETS ** level);

assert((WIDTHS[LEVELS] as number) > Number.MAX_SAFE_INTEGER, 'every tick has its bucket');

/** A class: `insert` and `remove` are on the path of every step of every cell. */
export class Wheel {
  private readonly slots: Slots;
  /** First slot of each bucket. */
  private readonly heads = new Int32Array(DUE + 1).fill(NONE);
  /** One bit for each bucket that holds anything, and one for each level. */
  private readonly filled = new Uint32Array(LEVELS);
  private levels = 0;
  /** Everything due by this tick has been handed out, or waits in `DUE` and `OVERDUE`. */
  private position = 0;
  /** First tick beyond the buckets of each level. */
  private readonly ends = new Float64Array(LEVELS);

  constructor(slots: Slots, position: number) {
    assert(position >= 0, 'ticks count from 0');
    this.slots = slots;
    this.moveTo(position);
  }

  /** Puts a slot into the bucket of its deadline; when that bucket has to be looked at. */
  insert(slot: number): number {
    const tick = Math.min(Math.ceil(this.slots.dueMs[slot] as number), Number.MAX_SAFE_INTEGER);
    // Said this way round, a deadline that is no number at all has passed too.
    if (!(tick > this.position)) {
      this.link(slot, OVERDUE);
      return this.position;
    }
    let level = 0;
    while (tick >= (this.ends[level] as number)) level += 1;
    const width = WIDTHS[level] as number;
    const first = this.firstOf(level);
    const index = Math.floor((tick - first) / width);
    this.link(slot, level * BUCKETS + index);
    this.filled[level] = (this.filled[level] as number) | (1 << index);
    this.levels |= 1 << level;
    return first + index * width;
  }

  /** Takes a slot out of the bucket it is in, if any. */
  remove(slot: number): void {
    const { next, prev } = this.slots;
    const before = prev[slot] as number;
    if (before === OUT) return;
    const after = next[slot] as number;
    if (after !== NONE) prev[after] = before;
    if (before >= 0) next[before] = after;
    else this.behead(bucketOf(before), after);
    prev[slot] = OUT;
  }

  /** A timer of this owner was handed out, and keeps its slot. */
  hasFired(owner: TimerOwner): boolean {
    const { prev, sibling } = this.slots;
    let slot = owner.timerHead;
    while (slot !== NONE && prev[slot] !== OUT) slot = sibling[slot] as number;
    return slot !== NONE;
  }

  /** The tick to look at next: never later than the earliest deadline. Infinity: nothing waits. */
  next(): number {
    if (this.heads[OVERDUE] !== NONE || this.heads[DUE] !== NONE) return this.position;
    if (this.levels === 0) return Number.POSITIVE_INFINITY;
    const level = lowestBit(this.levels);
    const index = lowestBit(this.filled[level] as number);
    return this.firstOf(level) + index * (WIDTHS[level] as number);
  }

  get isEmpty(): boolean {
    return this.levels === 0 && this.heads[OVERDUE] === NONE && this.heads[DUE] === NONE;
  }

  /** Time has passed and nothing is due by it: what comes next needs no look but its own. */
  pass(tick: number): void {
    if (tick > this.position && tick < this.next()) this.moveTo(tick);
  }

  /** Finds all that is due by `tick`, however far away that is; `take` hands it out. */
  advance(tick: number): void {
    const due = this.drain(DUE);
    this.collectOverdue(due);
    for (let start = this.next(); start <= tick; start = this.next()) {
      const level = lowestBit(this.levels);
      const bucket = level * BUCKETS + lowestBit(this.filled[level] as number);
      this.moveTo(start);
      for (const slot of this.drain(bucket)) this.insert(slot);
      this.collectOverdue(due);
    }
    this.moveTo(Math.max(tick, this.position));
    for (let at = due.length - 1; at >= 0; at -= 1) this.link(due[at] as number, DUE);
  }

  /** The next of what is due; it keeps its slot and is in no bucket any more. */
  take(): number {
    const slot = this.heads[DUE] as number;
    if (slot !== NONE) this.remove(slot);
    return slot;
  }

  /** The slots have moved: each head of a bucket says which bucket that is. */
  readHeads(): void {
    for (let slot = 0; slot < this.slots.size; slot += 1) {
      const before = this.slots.prev[slot] as number;
      if (before < OUT) this.heads[bucketOf(before)] = slot;
    }
  }

  /** Levels above the first that stays the same stay the same too. */
  private moveTo(tick: number): void {
    this.position = tick;
    for (let level = 0; level < LEVELS && tick >= (this.ends[level] as number); level += 1) {
      const all = WIDTHS[level + 1] as number;
      this.ends[level] = (Math.floor(tick / all) + 1) * all;
    }
  }

  private firstOf(level: number): number {
    return (this.ends[level] as number) - (WIDTHS[level + 1] as number);
  }

  private link(slot: number, bucket: number): void {
    const { next, prev } = this.slots;
    const head = this.heads[bucket] as number;
    next[slot] = head;
    prev[slot] = headOf(bucket);
    if (head !== NONE) prev[head] = slot;
    this.heads[bucket] = slot;
  }

  private behead(bucket: number, after: number): void {
    this.heads[bucket] = after;
    if (after !== NONE || bucket >= OVERDUE) return;
    const level = bucket >> BITS;
    const left = (this.filled[level] as number) & ~(1 << (bucket % BUCKETS));
    this.filled[level] = left;
    if (left === 0) this.levels &= ~(1 << level);
  }

  /** All slots of a bucket, the head first; the bucket is empty then. */
  private drain(bucket: number): number[] {
    const drained: number[] = [];
    for (let slot = this.heads[bucket] as number; slot !== NONE; ) {
      drained.push(slot);
      this.remove(slot);
      slot = this.heads[bucket] as number;
    }
    return drained;
  }

  private collectOverdue(into: number[]): void {
    const found = this.drain(OVERDUE).sort((a, b) => this.slots.compare(a, b));
    for (const slot of found) into.push(slot);
  }
}

function lowestBit(bits: number): number {
  return 31 - Math.clz32(bits & -bits);
}

/** How `prev` of a bucket's first slot names the bucket. */
function headOf(bucket: number): number {
  return OUT - 1 - bucket;
}

function bucketOf(before: number): number {
  return OUT - 1 - before;
}
