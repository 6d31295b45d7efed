/**
 * The last `max` event ids and the numbers they were given: how a sink knows that it has already got an
 * event. Rule: [FD-3] the same id within the window gets the same number.
 */
import { RECENT_IDS } from './limits.js';

export interface RecentIds {
  get(eventId: string): number | undefined;
  add(eventId: string, controlVersion: number): void;
  readonly size: number;
}

export function createRecentIds(max = RECENT_IDS): RecentIds {
  const versions = new Map<string, number>();
  return {
    get: (eventId) => versions.get(eventId),
    add: (eventId, controlVersion) => {
      // A map remembers the order of insertion: an id given again is young again.
      versions.delete(eventId);
      versions.set(eventId, controlVersion);
      const [oldest] = versions.keys();
      if (versions.size > max && oldest !== undefined) versions.delete(oldest);
    },
    get size() {
      return versions.size;
    },
  };
}
