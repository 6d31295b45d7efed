/**
 * Outbox rows on their way from the store: those that wait travel as lines, two for each row, many lines
 * as one text. The event's text is what lies there; what is asked of it is read where it is published.
 *
 * Rule: [OB-15] a text that is no JSON any more is a row that says so, and a lane of its own.
 */
import { feedTextOf, readFeedText, wholeOf } from './feed-text.js';
import type { FeedEvent, FeedText, OutboxRow, PendingRow } from './store.js';

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
  /** `null`: what it is told from is gone. */
  event: string | null,
];

export interface StoredPending {
  readonly seq: number;
  readonly attempts: number;
  /** As above. */
  readonly previous: string | null;
  /** Of the last of its key in the feed. */
  readonly hash: string | null;
  /** Digest of the artifact that it names. */
  readonly artifact: string | null;
  /** Empty: it cannot be read. */
  readonly event: string;
}

const NOTHING = '.';

export function packPending(row: StoredPending): string {
  const { seq, attempts, previous, hash, artifact, event } = row;
  const whole = event.includes('\n') ? '' : event;
  return `${seq},${attempts},${previous ?? NOTHING},${hash ?? NOTHING},${artifact ?? NOTHING}\n${whole}`;
}

/** So long that few texts hold a page, and so short that a port copies each within its heap. */
const TEXT_CHARACTERS = 65_536;

export function joinPending(rows: readonly string[]): readonly string[] {
  const texts: string[] = [];
  let some: string[] = [];
  let characters = 0;
  for (const row of rows) {
    if (characters + row.length > TEXT_CHARACTERS && some.length > 0) {
      texts.push(some.join('\n'));
      some = [];
      characters = 0;
    }
    some.push(row);
    characters += row.length;
  }
  return some.length === 0 ? texts : [...texts, some.join('\n')];
}

/** Throws when the text was not packed here. */
export function unpackPending(text: unknown): readonly PendingRow[] {
  if (typeof text !== 'string') throw new Error('these are no rows');
  const lines = text.split('\n');
  const rows: PendingRow[] = [];
  for (let at = 0; at + 1 < lines.length; at += 2) {
    rows.push(pendingOf(lines[at] ?? '', lines[at + 1] ?? ''));
  }
  return rows;
}

function pendingOf(head: string, text: string): PendingRow {
  const [seqText, attempts, previous, hash, artifact] = head.split(',');
  const seq = Number(seqText);
  const told = textOf(text, previous ?? NOTHING, artifact ?? NOTHING);
  return {
    seq,
    attempts: Number(attempts),
    event: told ?? feedTextOf(illegible(seq)),
    wasSent: previous !== NOTHING,
    headHash: hash === NOTHING ? undefined : hash,
    damaged: told === undefined ? ILLEGIBLE : undefined,
  };
}

/** As it was published before, if it was. */
function textOf(text: string, previous: string, artifact: string): FeedText | undefined {
  if (text === '') return undefined;
  const isLinked = previous !== NOTHING && previous !== '';
  const told = isLinked ? `${text.slice(0, -1)},"previousHash":"${previous}"}` : text;
  try {
    return readFeedText(told, artifact === NOTHING ? undefined : `sha256/${artifact}`);
  } catch {
    return undefined;
  }
}

export function outboxRowOf(stored: StoredOutboxRow): OutboxRow {
  const [seq, state, attempts, lastError, createdAt, controlVersion, previous, text] = stored;
  const event = eventOf(text ?? '');
  const base = {
    ...{ seq, state, attempts, createdAt },
    ...(lastError === null ? {} : { lastError }),
    ...(previous === null ? {} : { wasSent: true as const }),
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
    readFeedText(text, undefined);
    return wholeOf({ text });
  } catch {
    return undefined;
  }
}

const ILLEGIBLE = 'its text is no event any more';

/** A lane of its own: whose it was nobody knows. */
function illegible(seq: number): FeedEvent {
  return {
    ...{ eventId: '', type: '', schema: 0, node: '', epoch: 0 },
    ...{ aggregateKind: '', aggregateId: '', aggregateVersion: 0 },
    ...{ orderingKey: `illegible/${seq}`, causationId: '', correlationId: '' },
    ...{ configGeneration: 0, occurredAt: '', controlVersion: 0, data: {} },
  };
}
