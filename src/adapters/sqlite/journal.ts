/** Reading the journal: from a point on, its newest entry, of one actor, of one decision. */
import type Database from 'better-sqlite3';
import type { Address } from '../../../machines/model/ids.js';
import type { JournalEntry } from '../../ports/store.js';
import { READ_ROWS_MAX } from './limits.js';
import { rowsOf } from './outbox.js';
import { decodeJournal, JOURNAL_COLUMNS, type JournalRow } from './rows.js';

export interface Journal {
  after(seq: number, max: number): readonly JournalEntry[];
  head(): number;
  of(actor: Address, max: number): readonly JournalEntry[];
  byId(id: string): readonly JournalEntry[];
}

/**
 * From the newest span on, so that a long history costs only what is asked for. Spans of an address do
 * not overlap: theirs is the order of the entries.
 */
export const ABOUT = `
  SELECT ${JOURNAL_COLUMNS} FROM spans CROSS JOIN journal
  WHERE address = @address AND seq BETWEEN first AND last
    AND (actor = @address OR subject = @address)
  ORDER BY first DESC, seq DESC LIMIT @max`;

export function createJournal(db: Database.Database): Journal {
  const select = `SELECT ${JOURNAL_COLUMNS} FROM journal`;
  const after = db.prepare<[number, number], JournalRow>(
    `${select} WHERE seq > ? ORDER BY seq LIMIT ?`,
  );
  const head = db.prepare<[], { seq: number | null }>('SELECT max(seq) AS seq FROM journal');
  const about = db.prepare<{ address: string; max: number }, JournalRow>(ABOUT);
  const byId = db.prepare<[string, number], JournalRow>(
    `${select} WHERE id = ? ORDER BY seq LIMIT ?`,
  );
  return {
    after: (seq, max) => after.all(seq, rowsOf(max)).map(decodeJournal),
    head: () => head.get()?.seq ?? 0,
    of: (address, max) => about.all({ address, max: rowsOf(max) }).map(decodeJournal),
    byId: (id) => byId.all(id, READ_ROWS_MAX).map(decodeJournal),
  };
}
