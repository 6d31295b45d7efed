/**
 * The outbox table after the append: what waits, what a pass of the pump came to, what is shown. A
 * row leaves `pending` to `published` or, refused by content too often, to `dead` [ST-9]; only an operator
 * brings it back [ST-28].
 */
import type Database from 'better-sqlite3';
import type { OutboxAmendment } from '../../../machines/model/messages.js';
import type { OutboxCounts, OutboxOutcome, OutboxRow } from '../../ports/store.js';
import { LAST_ERROR_CHARACTERS_MAX, READ_ROWS_MAX } from './limits.js';
import { decodeOutbox, OUTBOX_COLUMNS, type StoredOutboxRow } from './rows.js';

export interface Outbox {
  pending(afterSeq: number, max: number): readonly OutboxRow[];
  writeBack(outcomes: readonly OutboxOutcome[], now: number): void;
  list(filter: { readonly dead?: boolean; readonly limit: number }): readonly OutboxRow[];
  counts(): OutboxCounts;
  amend(amendment: OutboxAmendment): { readonly rows: number; readonly eventId?: string };
  lastControlVersion(): number;
}

/** An outcome that says neither published nor refused changes nothing. */
const WRITE_BACK = `
  UPDATE outbox SET
    state = CASE WHEN outcome.version > 0 THEN 'published'
                 WHEN outcome.dead OR attempts + 1 >= @attemptsMax THEN 'dead' ELSE 'pending' END,
    attempts = attempts + (outcome.version IS NULL),
    control_version = outcome.version,
    published_at = CASE WHEN outcome.version > 0 THEN @now END,
    last_error = coalesce(outcome.error, last_error),
    previous = coalesce(outbox.previous, outcome.previous)
  FROM (
    SELECT value ->> 'seq' AS seq, value ->> 'version' AS version, value ->> 'error' AS error,
           coalesce(value ->> 'dead', 0) AS dead, value ->> 'previous' AS previous
    FROM json_each(@outcomes)
  ) AS outcome
  WHERE outbox.seq = outcome.seq AND outbox.state = 'pending'
    AND (outcome.version > 0 OR outcome.error IS NOT NULL)`;

/** The newest of each key is told once. */
const MOVE_HEADS = `
  UPDATE aggregates SET hash = head.value
  FROM json_each(@heads) AS head WHERE aggregates.ordering_key = head.key`;

const ROW_NAMED = `SELECT seq FROM events WHERE state = 'dead'
  AND (CAST(seq AS TEXT) = @row OR event ->> 'eventId' = @row)`;

const COUNTS = `
  SELECT (SELECT count(*) FROM outbox WHERE state = 'pending') AS pending,
         (SELECT count(*) FROM outbox WHERE state = 'dead') AS dead,
         (SELECT created_at FROM outbox WHERE state = 'pending' ORDER BY seq LIMIT 1) AS oldest`;

export function createOutbox(db: Database.Database, attemptsMax: number): Outbox {
  const select = `SELECT ${OUTBOX_COLUMNS} FROM events LEFT JOIN aggregates USING (ordering_key)`;
  const pending = db.prepare<[number, number], StoredOutboxRow>(
    `${select} WHERE state = 'pending' AND seq > ? ORDER BY seq LIMIT ?`,
  );
  const newest = db.prepare<[number], StoredOutboxRow>(`${select} ORDER BY seq DESC LIMIT ?`);
  const dead = db.prepare<[number], StoredOutboxRow>(
    `${select} WHERE state = 'dead' ORDER BY seq DESC LIMIT ?`,
  );
  const counts = db.prepare<[], { pending: number; dead: number; oldest: number | null }>(COUNTS);
  const last = db
    .prepare<[], number>(
      "SELECT control_version FROM outbox WHERE state = 'published' ORDER BY seq DESC LIMIT 1",
    )
    .pluck();
  return {
    pending: (afterSeq, max) => pending.all(afterSeq, rowsOf(max)).map(decodeOutbox),
    writeBack: createWriteBack(db, attemptsMax),
    list: (filter) =>
      (filter.dead === true ? dead : newest).all(rowsOf(filter.limit)).map(decodeOutbox),
    counts: () => {
      const row = counts.get();
      return {
        pending: row?.pending ?? 0,
        dead: row?.dead ?? 0,
        ...(row?.oldest == null ? {} : { oldestPendingAt: row.oldest }),
      };
    },
    amend: createAmend(db),
    lastControlVersion: () => last.get() ?? 0,
  };
}

function createWriteBack(
  db: Database.Database,
  attemptsMax: number,
): (outcomes: readonly OutboxOutcome[], now: number) => void {
  const writeBack = db.prepare<{ outcomes: string; attemptsMax: number; now: number }>(WRITE_BACK);
  const moveHeads = db.prepare<{ heads: string }>(MOVE_HEADS);
  return db.transaction((outcomes: readonly OutboxOutcome[], now: number): void => {
    const heads: Record<string, string> = {};
    const items = outcomes.map(({ seq, controlVersion, error, dead, previousHash, head }) => {
      if (head !== undefined) heads[head.key] = head.hash;
      const refusal = error?.slice(0, LAST_ERROR_CHARACTERS_MAX);
      return { seq, version: controlVersion, dead, error: refusal, previous: previousHash };
    });
    writeBack.run({ outcomes: JSON.stringify(items), attemptsMax, now });
    moveHeads.run({ heads: JSON.stringify(heads) });
  }).immediate;
}

function createAmend(db: Database.Database): Outbox['amend'] {
  const named = db.prepare<{ row: string }, number>(ROW_NAMED).pluck();
  const requeue = db.prepare<[number]>(
    "UPDATE outbox SET state = 'pending', attempts = 0 WHERE seq = ?",
  );
  const discard = db.prepare<[string, number]>(
    "UPDATE outbox SET state = 'discarded', last_error = ? WHERE seq = ?",
  );
  const eventId = db
    .prepare<[number], string>("SELECT event ->> 'eventId' FROM events WHERE seq = ?")
    .pluck();
  const republish = db.prepare<[number]>(
    "UPDATE outbox SET state = 'pending', attempts = 0 WHERE state = 'published' AND published_at >= ?",
  );
  return (amendment) => {
    if (amendment.verb === 'republish') return { rows: republish.run(amendment.sinceMs).changes };
    const seq = named.get({ row: amendment.row });
    if (seq === undefined) return { rows: 0 };
    if (amendment.verb === 'requeue') requeue.run(seq);
    else discard.run(amendment.reason.slice(0, LAST_ERROR_CHARACTERS_MAX), seq);
    return { rows: 1, eventId: eventId.get(seq) ?? '' };
  };
}

/**
 * A read's bound: what was asked for, within READ_ROWS_MAX; SQLite takes a negative one for none.
 */
export function rowsOf(max: number): number {
  return Math.max(0, Math.min(Math.trunc(max), READ_ROWS_MAX));
}
