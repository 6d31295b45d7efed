/**
 * An event on its way to the feed: its text, and what those on the way ask of it. The text is made once,
 * where the row is read; nobody on the way reads the whole of it, and nobody writes it again.
 *
 * Rule: [FD-13] what is asked of a text is what its event says.
 */
import type { FeedEvent, FeedText } from './store.js';

export function feedTextOf(event: FeedEvent): FeedText {
  return asked(
    event,
    JSON.stringify(event.controlVersion === 0 ? event : { ...event, controlVersion: 0 }),
  );
}

/** `text` is one event's, with a control version of 0. Throws when it is no JSON, or no event. */
export function readFeedText(text: string, artifactRef: string | undefined): FeedText {
  const found = scanned(text, artifactRef) ?? asked(wholeOf({ text }), text);
  for (const name of [found.eventId, found.type, found.orderingKey]) {
    if (typeof name !== 'string') throw new Error('it is no event');
  }
  return found;
}

export function wholeOf({ text }: Pick<FeedText, 'text'>): FeedEvent {
  return JSON.parse(text) as FeedEvent;
}

/** As it is published behind the event of that hash. */
export function behind(event: FeedText, previousHash: string | undefined): FeedText {
  if (previousHash === undefined) return event;
  const { text, eventId, type, node, epoch, aggregateKind, orderingKey, artifactRef } = event;
  const told = `${text.slice(0, -1)},"previousHash":"${previousHash}"}`;
  return { text: told, eventId, type, node, epoch, aggregateKind, orderingKey, artifactRef };
}

/** The text with this control version. In a text the pattern stands for nothing else: its quotes are bare. */
export function numbered({ text }: FeedText, controlVersion: number): string {
  const at = text.indexOf(UNNUMBERED);
  if (at < 0) return JSON.stringify({ ...wholeOf({ text }), controlVersion });
  const end = at + UNNUMBERED.length;
  return `${text.slice(0, end - 2)}${controlVersion}${text.slice(end - 1)}`;
}

const UNNUMBERED = ',"controlVersion":0,';

function asked(event: FeedEvent, text: string): FeedText {
  const { eventId, type, node, epoch, aggregateKind, orderingKey, artifactRef } = event;
  return { text, eventId, type, node, epoch, aggregateKind, orderingKey, artifactRef };
}

/**
 * From where the fields stand when we have written them; what stands elsewhere, or needs escapes, is read
 * as JSON. Before `orderingKey` there are plain values only, and within them every quote is escaped: a name
 * between bare quotes is the field.
 */
function scanned(text: string, artifactRef: string | undefined): FeedText | undefined {
  const typeAt = text.indexOf(TYPE);
  const afterType = text.indexOf('"', typeAt + TYPE.length);
  const nodeAt = text.indexOf(NODE, afterType) + NODE.length;
  const afterNode = text.indexOf('"', nodeAt);
  const epochAt = text.indexOf(EPOCH, afterNode) + EPOCH.length;
  const kindAt = text.indexOf(KIND, epochAt) + KIND.length;
  const afterKind = text.indexOf('"', kindAt);
  const keyAt = text.indexOf(KEY, afterKind) + KEY.length;
  if (!text.startsWith(ID) || typeAt < 0 || nodeAt < afterType) return undefined;
  if (epochAt < afterNode || kindAt < epochAt || keyAt < afterKind) return undefined;
  const eventId = text.slice(ID.length, typeAt);
  const type = text.slice(typeAt + TYPE.length, afterType);
  const node = text.slice(nodeAt, afterNode);
  const aggregateKind = text.slice(kindAt, afterKind);
  const orderingKey = text.slice(keyAt, text.indexOf('"', keyAt));
  if (text.lastIndexOf('\\', keyAt + orderingKey.length) >= 0) return undefined;
  const epoch = Number.parseInt(text.slice(epochAt, epochAt + DIGITS), 10);
  return { text, eventId, type, node, epoch, aggregateKind, orderingKey, artifactRef };
}

const ID = '{"eventId":"';
const TYPE = '","type":"';
const NODE = '"node":"';
const EPOCH = ',"epoch":';
const KIND = '"aggregateKind":"';
const KEY = '"orderingKey":"';
/** Of a safe integer. */
const DIGITS = 16;
