/**
 * A sink in memory, as strict as the real ones: it refuses what a test names, goes down on request,
 * and keeps what it took, in order.
 */
import type { SinkFailure } from '../../machines/model/failures.js';
import { fail, ok, type Result } from '../../machines/model/result.js';
import { createRecentIds } from '../../src/feed/recent-ids.js';
import type { Sink } from '../../src/ports/sink.js';
import type { FeedEvent } from '../../src/ports/store.js';

export interface MemorySink extends Sink {
  readonly taken: readonly FeedEvent[];
  /** Calls so far, each with the ids it brought. */
  readonly calls: readonly (readonly string[])[];
  /** Ids refused by content. */
  readonly refuses: Set<string>;
  /** Down from this many more events on. */
  downAfter: number;
}

export function openMemorySink(): MemorySink {
  const recent = createRecentIds();
  const taken: FeedEvent[] = [];
  const calls: string[][] = [];
  const sink: MemorySink = {
    taken,
    calls,
    refuses: new Set(),
    downAfter: Number.POSITIVE_INFINITY,
    async append(events) {
      calls.push(events.map(({ eventId }) => eventId));
      const stopped = new Set<string>();
      return events.map((event): Result<{ controlVersion: number }, SinkFailure> => {
        if (sink.downAfter <= 0) return fail({ code: 'unavailable', message: 'the sink is down' });
        const known = recent.get(event.eventId);
        if (known !== undefined) return ok({ controlVersion: known });
        const refused = sink.refuses.has(event.eventId) || event.eventId === '';
        if (refused || stopped.has(event.orderingKey)) {
          stopped.add(event.orderingKey);
          return fail({ code: 'content', message: refused ? 'refused' : 'behind a refused event' });
        }
        sink.downAfter -= 1;
        taken.push({ ...event, controlVersion: taken.length + 1 });
        recent.add(event.eventId, taken.length);
        return ok({ controlVersion: taken.length });
      });
    },
    close: async () => undefined,
  };
  return sink;
}
