/**
 * The outbox table after the append: what waits, what a pass of the pump came to, what is shown. A
 * row leaves `pending` to `published` or, refused by content too often, to `dead` [ST-9]; only an operator
 * brings it back [ST-28].
 */
import type Database from 'better-sqlite3';
import type { OutboxAmendment } from '../../../machines/model/messages.js';
import {
  joinPending,
  outboxRowOf,
  type StoredOutboxRow,
  unpackPending,
} from '../../ports/packed-outbox.js';
import type { OutboxCounts, OutboxOutcome, OutboxRow, PendingRow } from '../../ports/store.js';
import { LAST_ERROR_CHARACTERS_MAX, READ_ROWS_MAX } from './limits.js';
import { createPendingRows } from './pending.js';
import { OUTBOX_COLUMNS } from './rows.js';

export interface Outbox {
  pending(afterSeq: number, max: number): readonly PendingRow[];
  /** The same, packed. */
  pendingTexts(afterSeq: number, max: number): readonly string[];
  writeBack(outcomes: readonly OutboxOutcome[], now: number): void;
  list(filter: { readonly dead?: boolean; readonly limit: number }): readonly OutboxRow[];
  counts(): OutboxCounts;
  amend(amendment: OutboxAmendment): { readonly rows: number; readonly eventId?: string };
  lastControlVersion(): number;
}

/** Rows of one statement; the least that holds all of a pass is taken, and filled up with nothing. */
const WRITE_BACK_SIZES = [1, 8, 64, 256, 1_024];

/**
 * An outcome that says neither published nor refused changes nothing. Columns of an outcome: seq, version,
 * error, dead, previous.
 */
function writeBackOf(rows: number): string {
  return `
  UPDATE outbox SET
    state = CASE WHEN outcome.column2 > 0 THEN 'published'
                 WHEN outcome.column4 THEN 'dead' ELSE 'pending' END,
    attempts = attempts + (outcome.column2 IS NULL),
    control_version = outcome.column2,
    published_at = CASE WHEN outcome.column2 > 0 OR outcome.column4 THEN ? END,
    last_error = coalesce(outcome.column3, last_error),
    previous = coalesce(outbox.previous, outcome.column5)
  FROM (VALUES ${Array.from({ length: rows }, () => '(?, ?, ?, ?, ?)').join(', ')}) AS outcome
  WHERE outbox.seq = outcome.column1 AND outbox.state = 'pending'
    AND (outcome.column2 > 0 OR outcome.column3 IS NOT NULL)`;
}

/** The newest of each key is told once. */
const MOVE_HEADS = `
  UPDATE aggregates SET hash = head.value
  FROM json_each(@heads) AS head WHERE aggregates.ordering_key = head.key`;

/** Of an event that can be read. */
const EVENT_ID = "CASE WHEN json_valid(event) THEN event ->> 'eventId' END";

const ROW_NAMED = `SELECT seq FROM events WHERE state = 'dead'
  AND (CAST(seq AS TEXT) = @row OR ${EVENT_ID} = @row)`;

/** A dead one is refused once more, and its tombstone sent again: the feed may have lost that too. */
const REPUBLISH = `
  UPDATE outbox SET state = 'pending',
    attempts = CASE state WHEN 'dead' THEN max(0, attempts - 1) ELSE 0 END
  WHERE state IN ('published', 'dead') AND published_at >= ?`;

const COUNTS = `
  SELECT (SELECT count(*) FROM outbox WHERE state = 'pending') AS pending,
         (SELECT count(*) FROM outbox WHERE state = 'dead') AS dead,
         (SELECT created_at FROM outbox WHERE state = 'pending' ORDER BY seq LIMIT 1) AS oldest`;

export function createOutbox(db: Database.Database): Outbox {
  const select = `SELECT ${OUTBOX_COLUMNS} FROM events`;
  const pending = createPendingRows(db);
  const newest = db.prepare<[number], StoredOutboxRow>(`${select} ORDER BY seq DESC LIMIT ?`).raw();
  const dead = db
    .prepare<[number], StoredOutboxRow>(`${select} WHERE state = 'dead' ORDER BY seq DESC LIMIT ?`)
    .raw();
  const counts = db.prepare<[], { pending: number; dead: number; oldest: number | null }>(COUNTS);
  const last = db
    .prepare<[], number>(
      "SELECT control_version FROM outbox WHERE state = 'published' ORDER BY seq DESC LIMIT 1",
    )
    .pluck();
  return {
    pending: (afterSeq, max) => pending(afterSeq, rowsOf(max)).flatMap(unpackPending),
    pendingTexts: (afterSeq, max) => joinPending(pending(afterSeq, rowsOf(max))),
    writeBack: createWriteBack(db),
    list: (filter) =>
      (filter.dead === true ? dead : newest).all(rowsOf(filter.limit)).map(outboxRowOf),
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
): (outcomes: readonly OutboxOutcome[], now: number) => void {
  const statements = new Map<number, Database.Statement<Value[]>>();
  const moveHeads = db.prepare<{ heads: string }>(MOVE_HEADS);
  const statementOf = (size: number): Database.Statement<Value[]> => {
    const known = statements.get(size) ?? db.prepare<Value[]>(writeBackOf(size));
    statements.set(size, known);
    return known;
  };
  return db.transaction((outcomes: readonly OutboxOutcome[], now: number): void => {
    const heads: Record<string, string> = {};
    for (let from = 0; from < outcomes.length; from += LARGEST) {
      const some = outcomes.slice(from, from + LARGEST);
      const size = WRITE_BACK_SIZES.find((rows) => rows >= some.length) ?? LARGEST;
      const values: Value[] = [now];
      for (const outcome of some) values.push(...valuesOf(outcome));
      while (values.length < 1 + size * 5) values.push(null);
      statementOf(size).run(...values);
    }
    for (const { head } of outcomes) if (head !== undefined) heads[head.key] = head.hash;
    moveHeads.run({ heads: JSON.stringify(heads) });
  }).immediate;
}

type Value = string | number | null;

const LARGEST = WRITE_BACK_SIZES.at(-1) ?? 1;

function valuesOf({ seq, controlVersion, error, dead, previousHash }: OutboxOutcome): Value[] {
  const refusal = error?.slice(0, LAST_ERROR_CHARACTERS_MAX) ?? null;
  return [seq, controlVersion ?? null, refusal, dead === true ? 1 : 0, previousHash ?? null];
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
    .prepare<[number], string | null>(`SELECT ${EVENT_ID} FROM events WHERE seq = ?`)
    .pluck();
  const republish = db.prepare<[number]>(REPUBLISH);
  // What is refused was not done: all of it, or nothing.
  return db.transaction((amendment: OutboxAmendment) => {
    if (amendment.verb === 'republish') return { rows: republish.run(amendment.sinceMs).changes };
    const seq = named.get({ row: amendment.row });
    if (seq === undefined) return { rows: 0 };
    if (amendment.verb === 'requeue') requeue.run(seq);
    else discard.run(amendment.reason.slice(0, LAST_ERROR_CHARACTERS_MAX), seq);
    return { rows: 1, eventId: eventId.get(seq) ?? '' };
  }).immediate;
}

/**
 * A read's bound: what was asked for, within READ_ROWS_MAX; SQLite takes a negative one for none.
 */
export function rowsOf(max: number): number {
  return Math.max(0, Math.min(Math.trunc(max), READ_ROWS_MAX));
}
