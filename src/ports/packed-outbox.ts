/**
 * Outbox rows on their way from the store: the event's text travels as it lies there, and is read once,
 * where it is published. A text that is no JSON any more is a row that says so.
 */
import type { Json } from '../../machines/model/json.js';
import { rememberText } from './feed-chain.js';
import type { FeedEvent, OutboxRow } from './store.js';

/** As the database has it. */
export type StoredOutboxRow = readonly [
  seq: number,
  state: OutboxRow['state'],
  attempts: number,
  lastError: string | null,
  createdAt: number,
  controlVersion: number | null,
  /** `null`: it was never published; empty: it is the first of its key. */
  previous: string | null,
  /** Of the last of its key in the feed. */
  hash: string | null,
  /** `null`: what it is told from is gone. */
  event: string | null,
];

/** A list, a line feed, and the event's text. */
export function packOutboxRow(row: StoredOutboxRow): string {
  return `${JSON.stringify(row.slice(0, -1))}\n${row[8] ?? ''}`;
}

/** Throws when the text was not packed here. */
export function unpackOutboxRow(text: unknown): OutboxRow {
  if (typeof text !== 'string') throw new Error('it is no row');
  const end = text.indexOf('\n');
  const head = JSON.parse(text.slice(0, end)) as readonly Json[];
  return outboxRowOf([...head, text.slice(end + 1)] as unknown as StoredOutboxRow);
}

export function outboxRowOf(stored: StoredOutboxRow): OutboxRow {
  const [seq, state, attempts, lastError, createdAt, controlVersion, previous, hash, text] = stored;
  const event = eventOf(text ?? '');
  const base = {
    ...{ seq, state, attempts, createdAt },
    ...(lastError === null ? {} : { lastError }),
    ...(previous === null ? {} : { wasSent: true as const }),
    ...(hash === null ? {} : { headHash: hash }),
  };
  if (event === undefined) return { ...base, event: illegible(seq), damaged: ILLEGIBLE };
  if (controlVersion === null && previous === null) return { ...base, event };
  const told = {
    ...event,
    ...(controlVersion === null ? {} : { controlVersion }),
    ...(previous === null || previous === '' ? {} : { previousHash: previous }),
  };
  return { ...base, event: told };
}

function eventOf(text: string): FeedEvent | undefined {
  try {
    const event = JSON.parse(text) as FeedEvent;
    rememberText(event, text);
    return event;
  } catch {
    return undefined;
  }
}

const ILLEGIBLE = 'its text is no JSON any more';

/** A lane of its own: whose it was nobody knows. */
function illegible(seq: number): FeedEvent {
  return {
    ...{ eventId: '', type: '', schema: 0, node: '', epoch: 0 },
    ...{ aggregateKind: '', aggregateId: '', aggregateVersion: 0 },
    ...{ orderingKey: `illegible/${seq}`, causationId: '', correlationId: '' },
    ...{ configGeneration: 0, occurredAt: '', controlVersion: 0, data: {} },
  };
}
