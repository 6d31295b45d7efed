/**
 * A first-in, first-out queue that takes from its head in constant time and keeps its room: an array
 * and where it begins. What was taken is let go at once; the room in front is given back when it is
 * the greater part.
 */

/** So much room in front is kept without looking at what follows. */
const ROOM_MIN = 1_024;

/** A class: one shape for the hottest data of the runtime. */
export class Queue<T> {
  private items: (T | undefined)[] = [];
  private head = 0;

  get size(): number {
    return this.items.length - this.head;
  }

  push(item: T): void {
    this.items.push(item);
  }

  shift(): T | undefined {
    if (this.head === this.items.length) return undefined;
    const item = this.items[this.head];
    this.items[this.head] = undefined;
    this.head += 1;
    if (this.head === this.items.length) this.clear();
    else if (this.head > ROOM_MIN && this.head * 2 > this.items.length) this.compact();
    return item;
  }

  clear(): void {
    this.items.length = 0;
    this.head = 0;
  }

  private compact(): void {
    this.items = this.items.slice(this.head);
    this.head = 0;
  }
}
