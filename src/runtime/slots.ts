/**
 * The places of all armed timers of one thread: one slot each, in parallel arrays of plain numbers.
 *
 * A timer costs the 52 bytes of its slot and no object. The slots of one owner are a list that begins
 * in the owner itself; `next` and `prev` belong to the wheel, which threads its buckets through them,
 * and to the list of free slots. A freed slot is used again at once, and the arrays shrink with what
 * is armed, so cancelled timers take no room [RT-23]. Slots move when that happens: nobody keeps the
 * number of a slot over a call that may free one. What names an arming for good is its `arming`.
 */

/** No slot, and the end of every list. */
export const NONE = -1;

/** `prev` of a slot that is in no bucket; below it, `prev` says of which bucket the slot is the head. */
export const OUT = -1;

/** Whoever has timers carries the head of the list of them: no map from owners to timers is needed. */
export interface TimerOwner {
  timerHead: number;
}

/** So many places are kept whatever is armed. */
export const SPARE_PLACES = 1_024;

const FIRST_PLACES = 64;

/** A class: its fields are read millions of times a second, and typed arrays are replaced as they grow. */
export class Slots {
  /** Deadline on the monotonic clock, fractions of a ms included. */
  dueMs = new Float64Array(0);
  /** The same on the wall clock, as the store has it. */
  dueAtMs = new Float64Array(0);
  /** Unique and ascending: names this arming, and says who was armed first. */
  arming = new Float64Array(0);
  next = new Int32Array(0);
  prev = new Int32Array(0);
  /** The next slot of the same owner. */
  sibling = new Int32Array(0);
  owners: (TimerOwner | undefined)[] = [];
  /** The owner's own strings: a machine has a handful of timer ids, shared by all its cells. */
  ids: string[] = [];
  size = 0;

  private free = NONE;
  /** Slots from here on were never used. */
  private fresh = 0;

  get places(): number {
    return this.next.length;
  }

  /** A new slot at the head of its owner's list, in no bucket yet. */
  take(owner: TimerOwner, id: string): number {
    if (this.free === NONE && this.fresh === this.places) this.resize();
    const slot = this.free === NONE ? this.fresh++ : this.free;
    if (slot === this.free) this.free = this.next[slot] as number;
    this.owners[slot] = owner;
    this.ids[slot] = id;
    this.next[slot] = NONE;
    this.prev[slot] = OUT;
    this.sibling[slot] = owner.timerHead;
    owner.timerHead = slot;
    this.size += 1;
    return slot;
  }

  /** Gives back a slot that is in no bucket any more. */
  give(slot: number): void {
    const owner = this.owners[slot];
    if (owner === undefined) return;
    const after = this.sibling[slot] as number;
    if (owner.timerHead === slot) owner.timerHead = after;
    else this.sibling[this.olderSibling(owner, slot)] = after;
    this.owners[slot] = undefined;
    this.ids[slot] = '';
    this.next[slot] = this.free;
    this.free = slot;
    this.size -= 1;
  }

  /** The slot of this timer of this owner. */
  find(owner: TimerOwner, id: string): number {
    let slot = owner.timerHead;
    while (slot !== NONE && this.ids[slot] !== id) slot = this.sibling[slot] as number;
    return slot;
  }

  isSparse(): boolean {
    return this.places > 2 * this.size + SPARE_PLACES;
  }

  /** Earlier deadline first, then who was armed first. */
  compare(a: number, b: number): number {
    const byDue = (this.dueMs[a] as number) - (this.dueMs[b] as number);
    return byDue || (this.arming[a] as number) - (this.arming[b] as number);
  }

  /** Moves what is armed to the front, in place, and lets the rest go. The wheel must look again. */
  compact(): void {
    const places = this.renumbered();
    for (let from = 0; from < this.fresh; from += 1) {
      const owner = this.owners[from];
      if (owner === undefined) continue;
      const to = places[from] as number;
      // Ascending, and no place is above its old one: a head that was moved is never met again.
      if (owner.timerHead === from) owner.timerHead = to;
      this.move(from, to, places);
    }
    this.fresh = this.size;
    this.free = NONE;
    this.resize();
  }

  private renumbered(): Int32Array {
    const places = new Int32Array(this.fresh).fill(NONE);
    let place = 0;
    for (let slot = 0; slot < this.fresh; slot += 1) {
      if (this.owners[slot] !== undefined) places[slot] = place++;
    }
    return places;
  }

  private move(from: number, to: number, places: Int32Array): void {
    const placeOf = (slot: number): number => (slot < 0 ? slot : (places[slot] as number));
    this.owners[to] = this.owners[from];
    this.ids[to] = this.ids[from] as string;
    this.dueMs[to] = this.dueMs[from] as number;
    this.dueAtMs[to] = this.dueAtMs[from] as number;
    this.arming[to] = this.arming[from] as number;
    this.next[to] = placeOf(this.next[from] as number);
    this.prev[to] = placeOf(this.prev[from] as number);
    this.sibling[to] = placeOf(this.sibling[from] as number);
  }

  private olderSibling(owner: TimerOwner, slot: number): number {
    let older = owner.timerHead;
    while (this.sibling[older] !== slot) older = this.sibling[older] as number;
    return older;
  }

  /** A quarter more than is in use: growth copies each slot four times, and wastes a tenth on average. */
  private resize(): void {
    const places = Math.max(FIRST_PLACES, Math.ceil(this.fresh * 1.25));
    this.dueMs = copied(this.dueMs, new Float64Array(places), this.fresh);
    this.dueAtMs = copied(this.dueAtMs, new Float64Array(places), this.fresh);
    this.arming = copied(this.arming, new Float64Array(places), this.fresh);
    this.next = copied(this.next, new Int32Array(places), this.fresh);
    this.prev = copied(this.prev, new Int32Array(places), this.fresh);
    this.sibling = copied(this.sibling, new Int32Array(places), this.fresh);
    this.owners = copiedList(this.owners, new Array(places).fill(undefined), this.fresh);
    this.ids = copiedList(this.ids, new Array(places).fill(''), this.fresh);
  }
}

function copied<T extends Float64Array | Int32Array>(from: T, into: T, count: number): T {
  into.set(from.subarray(0, count));
  return into;
}

/** A list that is pushed to grows by half; one made at its size holds no more than that. */
function copiedList<T>(from: readonly T[], into: T[], count: number): T[] {
  for (let at = 0; at < count; at += 1) into[at] = from[at] as T;
  return into;
}
