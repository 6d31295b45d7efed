/**
 * The chain of a key: every event names the hash of the one before it of its ordering key, so that who
 * has one event can prove what came before it, and that nothing is missing in between.
 *
 * The hash is the SHA-256 of the event's JSON text, with a control version of 0: the feed gives the same
 * event another number when it is told it again, and it is the same event.
 *
 * Rule: [FD-11] an event of a key that has one before it names its hash.
 */
import { createHash } from 'node:crypto';
import type { FeedEvent } from './store.js';

export function feedHash(event: FeedEvent): string {
  const text = JSON.stringify(event.controlVersion === 0 ? event : { ...event, controlVersion: 0 });
  return createHash('sha256').update(text).digest('base64url');
}

/** As it is published behind that one. */
export function linked(event: FeedEvent, previousHash: string | undefined): FeedEvent {
  return previousHash === undefined ? event : { ...event, previousHash };
}
