/**
 * Rows that wait, packed for their way to the feed: each event's text is put together from its entry and
 * its row, or is the row's own. A text that is no JSON any more leaves as none.
 *
 * The pump reads every row once, a page at a time; what it asks SQLite for is columns, and the text is made
 * here: the view `events`, which has the same text, takes twice as long.
 */
import type Database from 'better-sqlite3';
import { packPending } from '../../ports/packed-outbox.js';
import { eventTextOf } from './feed-event.js';

const PENDING = `
  SELECT outbox.seq, attempts, previous, hash, artifact,
    json_valid(coalesce(outbox.event, data)), outbox.event,
    journal.id, part, journal.event, node, epoch, tenant, coalesce(subject, actor), outbox.version,
    root, generation, at, data
  FROM outbox
  LEFT JOIN journal ON journal.seq = outbox.entry
  LEFT JOIN origins ON origins.id = outbox.origin
  LEFT JOIN aggregates ON aggregates.ordering_key = coalesce(subject, actor,
    CASE WHEN json_valid(outbox.event) THEN outbox.event ->> 'orderingKey' END)
  WHERE state = 'pending' AND outbox.seq > ? ORDER BY outbox.seq LIMIT ?`;

type Row = readonly [
  seq: number,
  attempts: number,
  previous: string | null,
  hash: string | null,
  artifact: string | null,
  /** `null`: what it is told from is gone. */
  isJson: 0 | 1 | null,
  whole: string | null,
  ...pieces: Pieces,
];

type Pieces = readonly [
  decisionId: string | null,
  part: number,
  type: string,
  node: string | null,
  epoch: number,
  tenant: string | null,
  orderingKey: string,
  version: number,
  root: string,
  generation: number,
  at: number,
  data: string,
];

/** Oldest first, each packed. */
export function createPendingRows(
  db: Database.Database,
): (afterSeq: number, max: number) => readonly string[] {
  const pending = db.prepare<[number, number], Row>(PENDING).raw();
  return (afterSeq, max) => pending.all(afterSeq, max).map(packed);
}

function packed(row: Row): string {
  const [seq, attempts, previous, hash, artifact, isJson, whole] = row;
  const event = isJson === 1 ? (whole ?? textOf(row, artifact)) : '';
  return packPending({ seq, attempts, previous, hash, artifact, event });
}

function textOf(row: Row, artifact: string | null): string {
  const [, , , , , , , decisionId, part, type, node, epoch, tenant, orderingKey, version] = row;
  if (decisionId === null || node === null) return '';
  const end = orderingKey.indexOf('/');
  return eventTextOf({
    decisionId,
    part,
    type,
    node,
    epoch,
    tenant,
    aggregateKind: orderingKey.slice(0, end),
    aggregateId: orderingKey.slice(end + 1),
    version,
    orderingKey,
    root: row[15],
    generation: row[16],
    at: row[17],
    data: row[18],
    artifact,
  });
}
