/**
 * A binary heap: the first of many in logarithmic time. What is taken out early is only marked by
 * whoever owns it and swept from time to time, so that it never is the greater part for long.
 */

export interface Heap<T> {
  push(item: T): void;
  readonly first: T | undefined;
  /** Takes the first out. */
  pop(): T | undefined;
  readonly size: number;
  /** Drops all that is not kept. */
  sweep(isKept: (item: T) => boolean): void;
}

export function createHeap<T>(isBefore: (a: T, b: T) => boolean): Heap<T> {
  let items: T[] = [];

  const rise = (item: T): void => {
    let index = items.push(item) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = items[parent] as T;
      if (!isBefore(item, above)) break;
      items[index] = above;
      index = parent;
    }
    items[index] = item;
  };

  const sink = (item: T): void => {
    let index = 0;
    for (let child = 1; child < items.length; child = 2 * index + 1) {
      const right = child + 1 < items.length && isBefore(items[child + 1] as T, items[child] as T);
      const least = right ? child + 1 : child;
      const below = items[least] as T;
      if (!isBefore(below, item)) break;
      items[index] = below;
      index = least;
    }
    items[index] = item;
  };

  return {
    push: rise,
    get first() {
      return items[0];
    },
    pop: () => {
      const first = items[0];
      const last = items.pop();
      if (last !== undefined && items.length > 0) sink(last);
      return first;
    },
    get size() {
      return items.length;
    },
    sweep: (isKept) => {
      // In order, a list is a heap as it stands.
      items = items.filter(isKept).sort((a, b) => (isBefore(a, b) ? -1 : 1));
    },
  };
}
