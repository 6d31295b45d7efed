/**
 * Ends threads that must not live on (silent, or caught sending garbage), one at a time: the next only
 * when the last one has its successor, so that a mistake, or a machine that is too slow for everybody,
 * does not take down the whole node at once.
 *
 * Rules: [SU-14] one execution at a time, of exactly the life that was accused.
 */
import type { Peer } from '../adapters/threads/mesh.js';

export interface Executioner {
  accuse(suspect: Peer, reason: string): void;
  /** This thread was replaced, or will not be. */
  over(name: string): void;
}

/** @param end ends that life of a thread; false: it is over already */
export function createExecutioner(end: (suspect: Peer, reason: string) => boolean): Executioner {
  /** By thread, so at most one for each; the newest life is the one that matters. */
  const waiting = new Map<string, { readonly suspect: Peer; readonly reason: string }>();
  let current: string | undefined;

  const next = (): void => {
    for (const [name, { suspect, reason }] of waiting) {
      if (current !== undefined) return;
      waiting.delete(name);
      if (end(suspect, reason)) current = name;
    }
  };

  return {
    accuse: (suspect, reason) => {
      waiting.set(suspect.name, { suspect, reason });
      next();
    },
    over: (name) => {
      if (current === name) current = undefined;
      next();
    },
  };
}
