/**
 * A sink in memory, as strict as the real ones: it refuses what a test names, goes down on request,
 * and keeps what it took, in order.
 */
import type { SinkFailure } from '../../machines/model/failures.js';
import { fail, ok, type Result } from '../../machines/model/result.js';
import { createRecentIds } from '../../src/feed/recent-ids.js';
import { wholeOf } from '../../src/ports/feed-text.js';
import type { Sink } from '../../src/ports/sink.js';
import type { FeedEvent } from '../../src/ports/store.js';
import { feedEvent } from './feed-events.js';

export interface MemorySink extends Sink {
  readonly taken: readonly FeedEvent[];
  readonly artifacts: ReadonlyMap<string, Uint8Array>;
  /** Calls so far, each with the ids it brought. */
  readonly calls: readonly (readonly string[])[];
  /** Ids refused by content. */
  readonly refuses: Set<string>;
  /** Down from this many more events on. */
  downAfter: number;
  /** Somebody else appends. */
  intrude(): void;
  /** What was acknowledged is gone, with all that was known of it. */
  forgetFrom(controlVersion: number): void;
}

export function openMemorySink(): MemorySink {
  let recent = createRecentIds();
  const taken: FeedEvent[] = [];
  const calls: string[][] = [];
  const artifacts = new Map<string, Uint8Array>();
  let fenced = false;
  const sink: MemorySink = {
    taken,
    artifacts,
    calls,
    refuses: new Set(),
    downAfter: Number.POSITIVE_INFINITY,
    async append(events) {
      calls.push(events.map(({ eventId }) => eventId));
      if (fenced) return events.map(() => fail({ code: 'fenced', message: 'not ours' }));
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
        taken.push({ ...wholeOf(event), controlVersion: taken.length + 1 });
        recent.add(event.eventId, taken.length);
        return ok({ controlVersion: taken.length });
      });
    },
    forgetFrom: (controlVersion) => {
      taken.length = controlVersion - 1;
      recent = createRecentIds();
      for (const event of taken) recent.add(event.eventId, event.controlVersion);
    },
    intrude: () => {
      fenced = true;
      const [controlVersion, eventId] = [taken.length + 1, `of-another-${taken.length}`];
      taken.push({ ...feedEvent(controlVersion), eventId, controlVersion });
    },
    resume: async () => {
      fenced = false;
      return ok({ head: taken.length });
    },
    async putArtifact(ref, bytes) {
      if (sink.downAfter <= 0) return fail({ code: 'unavailable', message: 'the sink is down' });
      artifacts.set(ref, bytes);
      return ok(undefined);
    },
    close: async () => undefined,
  };
  return sink;
}
