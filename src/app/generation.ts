/** The generation of configuration this thread knows; every decision is stamped with it. */

export interface Generation {
  readonly current: number;
  /** Never goes back; answers what is current now. */
  raise(to: number): number;
}

/** `start`: what the store knew when the node began. */
export function createGeneration(start: number): Generation {
  let current = start;
  return {
    get current() {
      return current;
    },
    raise: (to) => {
      if (Number.isSafeInteger(to)) current = Math.max(current, to);
      return current;
    },
  };
}
