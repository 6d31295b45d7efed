/**
 * The `nop` sink: takes every event and keeps none, so that the outbox drains on nodes whose decisions
 * nobody reads. Its numbers rise for as long as it lives.
 */
import { ok } from '../../../machines/model/result.js';
import { createRecentIds } from '../../feed/recent-ids.js';
import type { Sink } from '../../ports/sink.js';

export function openNopSink(): Sink {
  const recent = createRecentIds();
  let last = 0;
  const numberOf = (eventId: string): number => {
    const known = recent.get(eventId);
    if (known !== undefined) return known;
    last += 1;
    recent.add(eventId, last);
    return last;
  };
  return {
    resume: async () => ok({ head: last }),
    putArtifact: async () => ok(undefined),
    append: async (events) =>
      events.map(({ eventId }) => ok({ controlVersion: numberOf(eventId) })),
    close: async () => undefined,
  };
}
