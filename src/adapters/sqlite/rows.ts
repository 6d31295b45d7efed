/**
 * Rows as they lie in the tables, and the port's values they stand for. Reading trusts the shape of
 * what was written, and calls text that is no JSON any more what it is: damage.
 */
import Database from 'better-sqlite3';
import type { Address } from '../../../machines/model/ids.js';
import type { JsonObject } from '../../../machines/model/json.js';
import type { Vip, VipAttributes } from '../../../machines/model/lb.js';
import type { JournalEntry, LedgerEntry } from '../../ports/store.js';

export const CELL_COLUMNS = `address, parent, machine, machine_version, machine_hash, version,
  incarnation, value, context, timers`;

/** The same as the JSON text of a list; a name that needs escapes makes it text that is no JSON. */
export const CELL_LINE = `'["' || address || '",' || coalesce('"' || parent || '"', 'null') || ',"' ||
  machine || '",' || machine_version || ',"' || machine_hash || '",' || version || ',' ||
  incarnation || ',' || value || ',' || context || ',' || timers || ']'`;

/** Raises what SQLite itself raises for a damaged page: quick_check does not look into our text. */
function parse(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw damaged(name);
  }
}

function damaged(name: string): Error {
  return new Database.SqliteError(`${name} is not JSON any more`, 'SQLITE_CORRUPT');
}

export type JournalRow = Omit<JournalEntry, 'actor' | 'subject' | 'numbers'> & {
  readonly actor: string;
  readonly subject: string | null;
  readonly numbers: string;
};

export const JOURNAL_COLUMNS = 'seq, id, at, actor, subject, event, rule, numbers, cause';

export function decodeJournal(row: JournalRow): JournalEntry {
  const { subject, ...entry } = row;
  return {
    ...entry,
    actor: row.actor as Address,
    ...(subject === null ? {} : { subject: subject as Address }),
    numbers: parse(row.numbers, `journal entry ${row.seq}`) as JsonObject,
  };
}

/** In the order of the port's StoredOutboxRow. */
export const OUTBOX_COLUMNS = `seq, state, attempts, last_error, created_at, control_version,
  previous, event`;

export interface LedgerRow {
  readonly frontend: string;
  readonly vip: string;
  readonly attributes: string;
}

export function decodeLedger(row: LedgerRow): LedgerEntry {
  return {
    frontend: row.frontend,
    vip: parse(row.vip, `ledger entry of ${row.frontend}`) as Vip,
    attributes: parse(row.attributes, `ledger entry of ${row.frontend}`) as VipAttributes,
  };
}
