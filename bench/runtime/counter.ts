/** Counts what has happened and says when there has been enough of it. */
export interface Counter {
  readonly count: number;
  add(): void;
  /** Resolves as soon as `target` things have happened in all. */
  reach(target: number): Promise<void>;
}

export function createCounter(): Counter {
  let count = 0;
  let target = Number.POSITIVE_INFINITY;
  let arrived: () => void = () => undefined;
  return {
    get count() {
      return count;
    },
    add: () => {
      count += 1;
      if (count >= target) arrived();
    },
    reach: (wanted) =>
      new Promise((resolve) => {
        target = wanted;
        arrived = resolve;
        if (count >= target) resolve();
      }),
  };
}
