/**
 * What an exec provider knows of its instances without asking: who was seen when, in which state; who is
 * watched; of whose host's end was told; and whose absence has been noticed how often. Plain memory, no calls.
 *
 * Rules: [PR-32] dead is what was seen dead, or positively not found in a row of polls; absence from a list
 * alone is a reason to ask.
 */
import type { ProvidedInstance } from '../../ports/provider.js';
import { STRIKES } from './limits.js';

interface Sighting {
  readonly state: ProvidedInstance['state'];
  readonly atMs: number;
}

export interface Sightings {
  saw(instance: ProvidedInstance, atMs: number): void;
  /** What is told of its host is other than what was told last. */
  isNews(providerId: string, notice: string): boolean;
  gone(providerId: string): void;
  /** Everything there is was seen: who is not among it and not watched is forgotten. */
  sawAll(listed: ReadonlySet<string>): void;
  /** Seen not longer ago than this. */
  fresh(providerId: string, sinceMs: number): Sighting | undefined;
  /** Instances there are, as far as they were seen. */
  readonly size: number;
  watch(providerId: string): void;
  unwatch(providerId: string): void;
  readonly watched: readonly string[];
  isWatched(providerId: string): boolean;
  /** Positively not found once more; true: often enough to be gone. */
  strike(providerId: string): boolean;
}

export function createSightings(): Sightings {
  const seen = new Map<string, Sighting>();
  /** Watched → times in a row it was not found. */
  const strikes = new Map<string, number>();
  /** The last notice of each that had one. */
  const notices = new Map<string, string>();
  return {
    isNews: (providerId, notice) => {
      if (!strikes.has(providerId) || notices.get(providerId) === notice) return false;
      notices.set(providerId, notice);
      return true;
    },
    saw: ({ providerId, state }, atMs) => {
      seen.set(providerId, { state, atMs });
      if (strikes.has(providerId)) strikes.set(providerId, 0);
    },
    gone: (providerId) => void seen.delete(providerId),
    sawAll: (listed) => {
      for (const id of seen.keys()) if (!listed.has(id) && !strikes.has(id)) seen.delete(id);
    },
    fresh: (providerId, sinceMs) => {
      const sighting = seen.get(providerId);
      return sighting !== undefined && sighting.atMs >= sinceMs ? sighting : undefined;
    },
    get size() {
      return seen.size;
    },
    watch: (providerId) => {
      if (!strikes.has(providerId)) strikes.set(providerId, 0);
    },
    unwatch: (providerId) => {
      strikes.delete(providerId);
      notices.delete(providerId);
    },
    get watched() {
      return [...strikes.keys()];
    },
    isWatched: (providerId) => strikes.has(providerId),
    strike: (providerId) => {
      const count = (strikes.get(providerId) ?? 0) + 1;
      if (strikes.has(providerId)) strikes.set(providerId, count);
      return count >= STRIKES;
    },
  };
}
