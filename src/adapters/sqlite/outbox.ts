/**
 * The outbox table after the append: what waits, what a pass of the pump came to, what is shown. A
 * row leaves `pending` once, to `published` or, refused by content too often, to `dead` [ST-9].
 */
import type Database from 'better-sqlite3';
import type { OutboxOutcome, OutboxRow } from '../../ports/store.js';
import { LAST_ERROR_CHARACTERS_MAX, READ_ROWS_MAX } from './limits.js';
import { decodeOutbox, OUTBOX_COLUMNS, type StoredOutboxRow } from './rows.js';

export interface OutboxCounts {
  pending: number;
  dead: number;
  oldestPendingAt?: number;
}

export interface Outbox {
  pending(afterSeq: number, max: number): readonly OutboxRow[];
  writeBack(outcomes: readonly OutboxOutcome[], now: number): void;
  list(filter: { readonly dead?: boolean; readonly limit: number }): readonly OutboxRow[];
  counts(): OutboxCounts;
}

/** An outcome that says neither published nor refused changes nothing. */
const WRITE_BACK = `
  UPDATE outbox SET
    state = CASE WHEN outcome.version > 0 THEN 'published'
                 WHEN outcome.dead OR attempts + 1 >= @attemptsMax THEN 'dead' ELSE 'pending' END,
    attempts = attempts + (outcome.version IS NULL),
    control_version = outcome.version,
    published_at = CASE WHEN outcome.version > 0 THEN @now END,
    last_error = coalesce(outcome.error, last_error)
  FROM (
    SELECT value ->> 'seq' AS seq, value ->> 'version' AS version, value ->> 'error' AS error,
           coalesce(value ->> 'dead', 0) AS dead
    FROM json_each(@outcomes)
  ) AS outcome
  WHERE outbox.seq = outcome.seq AND outbox.state = 'pending'
    AND (outcome.version > 0 OR outcome.error IS NOT NULL)`;

const COUNTS = `
  SELECT (SELECT count(*) FROM outbox WHERE state = 'pending') AS pending,
         (SELECT count(*) FROM outbox WHERE state = 'dead') AS dead,
         (SELECT created_at FROM outbox WHERE state = 'pending' ORDER BY seq LIMIT 1) AS oldest`;

export function createOutbox(db: Database.Database, attemptsMax: number): Outbox {
  const select = `SELECT ${OUTBOX_COLUMNS} FROM events`;
  const pending = db.prepare<[number, number], StoredOutboxRow>(
    `${select} WHERE state = 'pending' AND seq > ? ORDER BY seq LIMIT ?`,
  );
  const newest = db.prepare<[number], StoredOutboxRow>(`${select} ORDER BY seq DESC LIMIT ?`);
  const dead = db.prepare<[number], StoredOutboxRow>(
    `${select} WHERE state = 'dead' ORDER BY seq DESC LIMIT ?`,
  );
  const writeBack = db.prepare<{ outcomes: string; attemptsMax: number; now: number }>(WRITE_BACK);
  const counts = db.prepare<[], { pending: number; dead: number; oldest: number | null }>(COUNTS);
  return {
    pending: (afterSeq, max) => pending.all(afterSeq, rowsOf(max)).map(decodeOutbox),
    writeBack: (outcomes, now) => {
      const items = outcomes.map(({ seq, controlVersion, error, dead }) => ({
        seq,
        version: controlVersion,
        dead,
        error: error?.slice(0, LAST_ERROR_CHARACTERS_MAX),
      }));
      writeBack.run({ outcomes: JSON.stringify(items), attemptsMax, now });
    },
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
  };
}

/**
 * A read's bound: what was asked for, within READ_ROWS_MAX; SQLite takes a negative one for none.
 */
export function rowsOf(max: number): number {
  return Math.max(0, Math.min(Math.trunc(max), READ_ROWS_MAX));
}
