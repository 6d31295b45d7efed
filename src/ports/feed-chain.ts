/**
 * The chain of a key: every event names the hash of the one before it of its ordering key, so that who
 * has one event can prove what came before it, and that nothing is missing in between.
 *
 * The hash is the SHA-256 of the event's JSON text, with a control version of 0: the feed gives the same
 * event another number when it is told it again, and it is the same event. The text is made once, or
 * remembered from where the event was read.
 *
 * Rule: [FD-11] an event of a key that has one before it names its hash.
 */
import { hash } from 'node:crypto';
import type { FeedEvent } from './store.js';

const texts = new WeakMap<FeedEvent, string>();

/** `text` is this event's, with a control version of 0, as JSON.stringify would make it. */
export function rememberText(event: FeedEvent, text: string): void {
  texts.set(event, text);
}

/** The event's JSON text, with a control version of 0. */
export function textOf(event: FeedEvent): string {
  return (
    texts.get(event) ??
    JSON.stringify(event.controlVersion === 0 ? event : { ...event, controlVersion: 0 })
  );
}

export function feedHash(event: FeedEvent): string {
  return hash('sha256', textOf(event), 'base64url');
}

/** As it is published behind that one. */
export function linked(event: FeedEvent, previousHash: string | undefined): FeedEvent {
  if (previousHash === undefined) return event;
  const behind = { ...event, previousHash };
  const text = texts.get(event);
  if (text !== undefined && event.previousHash === undefined) {
    rememberText(behind, `${text.slice(0, -1)},"previousHash":"${previousHash}"}`);
  }
  return behind;
}

/** The same text, with this control version. In a text the pattern stands for nothing else: its quotes are bare. */
export function numbered(event: FeedEvent, controlVersion: number): string {
  const text = texts.get(event);
  const at = text?.indexOf(UNNUMBERED) ?? -1;
  if (text === undefined || at < 0) return JSON.stringify({ ...event, controlVersion });
  const end = at + UNNUMBERED.length;
  return `${text.slice(0, end - 2)}${controlVersion}${text.slice(end - 1)}`;
}

const UNNUMBERED = ',"controlVersion":0,';
