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

export function createJournal(db: Database.Database): Journal {
  const select = `SELECT ${JOURNAL_COLUMNS} FROM journal`;
  const after = db.prepare<[number, number], JournalRow>(
    `${select} WHERE seq > ? ORDER BY seq LIMIT ?`,
  );
  const head = db.prepare<[], { seq: number | null }>('SELECT max(seq) AS seq FROM journal');
  // Two index walks merged from the newest end, so that a long history costs only what is asked
  // for.
  const about = db.prepare<[string, string, number], JournalRow>(
    `${select} WHERE actor = ? UNION ALL ${select} WHERE subject = ? ORDER BY seq DESC LIMIT ?`,
  );
  const byId = db.prepare<[string, number], JournalRow>(
    `${select} WHERE id = ? ORDER BY seq LIMIT ?`,
  );
  return {
    after: (seq, max) => after.all(seq, rowsOf(max)).map(decodeJournal),
    head: () => head.get()?.seq ?? 0,
    of: (actor, max) => about.all(actor, actor, rowsOf(max)).map(decodeJournal),
    byId: (id) => byId.all(id, READ_ROWS_MAX).map(decodeJournal),
  };
}
