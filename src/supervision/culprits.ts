/**
 * Who killed a thread: the actor that was in turn when it died, counted. One that did so too often is
 * kept out of the next life, before the thread's own restart limit ends the node for it.
 *
 * Rules: [SU-13] a killer of `attemptsMax` lives is quarantined, and forgiven when it is resumed.
 */
import type { Address } from '../../machines/model/ids.js';
import { CULPRITS_MAX } from './limits.js';

export interface Culprits {
  /** It was in turn when a life of this thread ended. @returns how often by now. */
  blame(thread: string, culprit: Address): number;
  /** Those the next life of this thread must not run. */
  quarantined(thread: string): readonly Address[];
  /** An operator brings it back. */
  forgive(culprit: Address): void;
}

export function createCulprits(attemptsMax: number): Culprits {
  const byThread = new Map<string, Map<Address, number>>();
  return {
    blame: (thread, culprit) => {
      const counts = byThread.get(thread) ?? new Map<Address, number>();
      byThread.set(thread, counts);
      const count = (counts.get(culprit) ?? 0) + 1;
      counts.delete(culprit);
      counts.set(culprit, count);
      const [oldest] = counts.keys();
      if (counts.size > CULPRITS_MAX && oldest !== undefined) counts.delete(oldest);
      return count;
    },
    quarantined: (thread) =>
      [...(byThread.get(thread) ?? [])].flatMap(([culprit, count]) =>
        count >= attemptsMax ? [culprit] : [],
      ),
    forgive: (culprit) => {
      for (const counts of byThread.values()) counts.delete(culprit);
    },
  };
}
