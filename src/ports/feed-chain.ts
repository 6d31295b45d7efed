/**
 * The chain of a key: every event names the hash of the one before it of its ordering key, so that who
 * has one event can prove what came before it, and that nothing is missing in between.
 *
 * The hash is the SHA-256 of the event's JSON text, with a control version of 0: the feed gives the same
 * event another number when it is told it again, and it is the same event.
 *
 * Rule: [FD-11] an event of a key that has one before it names its hash.
 */
import { hash } from 'node:crypto';
import { feedTextOf } from './feed-text.js';
import type { FeedEvent, FeedText } from './store.js';

export function hashOfText({ text }: Pick<FeedText, 'text'>): string {
  return hash('sha256', text, 'base64url');
}

/** Of an event as it was read. */
export function feedHash(event: FeedEvent): string {
  return hashOfText(feedTextOf(event));
}
