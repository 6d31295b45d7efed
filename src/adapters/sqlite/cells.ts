/** The cells' table: reading in short bites, and the writes of a decision taken one by one. */
import type Database from 'better-sqlite3';
import type { Address } from '../../../machines/model/ids.js';
import type { CellLine, PackedCell } from '../../ports/packed.js';
import { LOAD_ROWS_MAX } from './limits.js';
import { CELL_COLUMNS, CELL_LINE } from './rows.js';

export interface Cells {
  /** Cells of these kinds behind an address, ascending by it; fewer than asked for: these are the last. */
  page(kinds: readonly string[], after: string): readonly PackedCell[];
  /** The same as texts; damage in a row shows when its text is read. */
  lines(kinds: readonly string[], after: string): readonly CellLine[];
  loadFamily(address: Address): readonly PackedCell[];
  find(address: string): PackedCell | undefined;
  /** 0 when there is no such row. */
  versionOf(address: string): number;
  /** Inserts, or replaces everything but a parent that is not named again. */
  put(row: PackedCell): void;
  remove(address: string): void;
}

/** Behind the VALUES of any number of rows. */
export const ON_CELL_CONFLICT = `
  ON CONFLICT (address) DO UPDATE SET
    parent = coalesce(excluded.parent, parent), machine = excluded.machine,
    machine_version = excluded.machine_version, machine_hash = excluded.machine_hash,
    version = excluded.version, incarnation = excluded.incarnation,
    value = excluded.value, context = excluded.context, timers = excluded.timers`;

export function createCells(db: Database.Database): Cells {
  const select = `SELECT ${CELL_COLUMNS} FROM cells`;
  const byAddress = db.prepare<[string], PackedCell>(`${select} WHERE address = ?`).raw();
  const version = db.prepare<[string], number>('SELECT version FROM cells WHERE address = ?');
  version.pluck();
  const family = db
    .prepare<[string, string], PackedCell>(
      `${select} WHERE address = ? UNION SELECT ${CELL_COLUMNS} FROM cells WHERE parent = ?
       ORDER BY address`,
    )
    .raw();
  const between = 'FROM cells WHERE address > ? AND address < ? ORDER BY address LIMIT ?';
  const range = db.prepare<Range, PackedCell>(`SELECT ${CELL_COLUMNS} ${between}`).raw();
  const lines = db.prepare<Range, CellLine>(`SELECT address, ${CELL_LINE} ${between}`).raw();
  const put = db.prepare<PackedCell[]>(
    `INSERT INTO cells VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ${ON_CELL_CONFLICT}`,
  );
  const remove = db.prepare<[string]>('DELETE FROM cells WHERE address = ?');
  return {
    page: (kinds, after) => bite(range, kinds, after),
    lines: (kinds, after) => bite(lines, kinds, after),
    loadFamily: (address) => family.all(address, address),
    find: (address) => byAddress.get(address),
    versionOf: (address) => version.get(address) ?? 0,
    put: (row) => void put.run(row as never),
    remove: (address) => void remove.run(address),
  };
}

type Range = [after: string, end: string, rows: number];

/** Of several kinds one behind the other, as many as one bite has. */
function bite<R>(
  range: Database.Statement<Range, R>,
  kinds: readonly string[],
  after: string,
): readonly R[] {
  const rows: R[] = [];
  for (const kind of inOrder(kinds)) {
    // '0' follows '/': everything between them is a key of this kind.
    const [from, end] = [`${kind}/`, `${kind}0`];
    if (after >= end) continue;
    const left = LOAD_ROWS_MAX - rows.length;
    if (left > 0) rows.push(...range.all(after > from ? after : from, end, left));
  }
  return rows;
}

function inOrder(kinds: readonly string[]): readonly string[] {
  return [...new Set(kinds)].sort((a, b) => (`${a}/` < `${b}/` ? -1 : 1));
}
