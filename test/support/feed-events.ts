/** Feed events for tests: whole envelopes, of which a test names what it is about. */
import { feedTextOf } from '../../src/ports/feed-text.js';
import type { FeedEvent, FeedText } from '../../src/ports/store.js';

export function feedEvent(index: number, changes: Partial<FeedEvent> = {}): FeedEvent {
  const key = changes.orderingKey ?? 'group/red/web';
  return {
    eventId: `event-${index}`,
    type: 'group.changed',
    schema: 1,
    node: 'edge-1',
    epoch: 1,
    aggregateKind: 'group',
    aggregateId: key,
    aggregateVersion: index,
    orderingKey: key,
    causationId: 'cause',
    correlationId: 'cause',
    configGeneration: 1,
    occurredAt: '2026-01-01T00:00:00.000Z',
    controlVersion: 0,
    data: { size: index },
    ...changes,
  };
}

/** Events `from`..`to` of one ordering key, both included. */
export function feedEvents(from: number, to: number): readonly FeedEvent[] {
  return Array.from({ length: to - from + 1 }, (_, offset) => feedEvent(from + offset));
}

/** The same, on their way to a sink. */
export function feedText(index: number, changes: Partial<FeedEvent> = {}): FeedText {
  return feedTextOf(feedEvent(index, changes));
}

export function feedTexts(from: number, to: number): readonly FeedText[] {
  return feedEvents(from, to).map(feedTextOf);
}
