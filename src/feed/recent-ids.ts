/**
 * The last event ids and the numbers they were given, `max` at least: how a sink knows that it has already
 * got an event. Rule: [FD-3] the same id within the window gets the same number.
 *
 * Ids are gathered until there are `max`; then those are the older half, and what was that is forgotten at
 * once. To forget one for each that comes would cost more than all else that is done for an event: a map
 * walks over what was deleted from it to find its oldest.
 */
import { RECENT_IDS } from './limits.js';

export interface RecentIds {
  get(eventId: string): number | undefined;
  add(eventId: string, controlVersion: number): void;
  readonly size: number;
}

export function createRecentIds(max = RECENT_IDS): RecentIds {
  let younger = new Map<string, number>();
  let older = new Map<string, number>();
  return {
    get: (eventId) => younger.get(eventId) ?? older.get(eventId),
    add: (eventId, controlVersion) => {
      if (younger.size >= max) {
        older = younger;
        younger = new Map();
      }
      younger.set(eventId, controlVersion);
    },
    get size() {
      return younger.size + older.size;
    },
  };
}
