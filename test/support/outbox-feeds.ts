/** What a test of the outbox puts in, and what must have come out of it. */
import assert from 'node:assert/strict';
import { tombstoneOf } from '../../actors/outbox-lanes.js';
import { feedHash } from '../../src/ports/feed-chain.js';
import type { FeedEvent } from '../../src/ports/store.js';
import { feedEvent } from './feed-events.js';
import type { OutboxWorld } from './outbox-world.js';

/** Appends events named like `a1 b1 a2`: key and version. */
export function fill({ outbox }: OutboxWorld, names: string): void {
  for (const name of names.split(' ')) {
    const aggregateVersion = Number(name.slice(1));
    outbox.append(feedEvent(0, { eventId: name, orderingKey: name.slice(0, 1), aggregateVersion }));
  }
}

export function feedOf({ sink }: OutboxWorld): string {
  return sink.taken.map(({ eventId }) => eventId).join(' ');
}

export function attemptsOf({ outbox }: OutboxWorld): string {
  return [...outbox.rows.values()]
    .filter(({ state, attempts }) => state !== 'published' || attempts > 0)
    .map(({ event, state, attempts }) => `${event.eventId} ${state} ${attempts}`)
    .join(', ');
}

/** Each lane of the feed is exactly its rows, in order, each as itself or as its tombstone. */
export function assertWhole({ outbox, sink }: OutboxWorld, label: string): void {
  const lanes = new Map<string, FeedEvent[]>();
  for (const event of sink.taken) {
    const { orderingKey } = event;
    lanes.set(orderingKey, [...(lanes.get(orderingKey) ?? []), { ...event, controlVersion: 0 }]);
  }
  for (const [key, lane] of lanes) {
    const named = lane.slice(1).map(({ previousHash }) => previousHash);
    assert.deepEqual(named, lane.slice(0, -1).map(feedHash), `${label}: the chain of ${key}`);
    lanes.set(key, lane.map(unlinked));
  }
  const wanted = new Map<string, FeedEvent[]>();
  for (const { event, state } of outbox.rows.values()) {
    const published = unlinked(state === 'dead' ? tombstoneOf(event) : event);
    const { orderingKey } = event;
    wanted.set(orderingKey, [...(wanted.get(orderingKey) ?? []), published]);
  }
  const sorted = (map: typeof lanes) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
  assert.deepEqual(sorted(lanes), sorted(wanted), label);
}

function unlinked({ previousHash: _, ...event }: FeedEvent): FeedEvent {
  return { ...event, controlVersion: 0 };
}
