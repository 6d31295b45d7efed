/** The cells' table: reading in short bites, and the writes of a decision taken one by one. */
import type Database from 'better-sqlite3';
import type { Address } from '../../../machines/model/ids.js';
import type { PackedCell } from '../../ports/packed.js';
import { LOAD_ROWS_MAX } from './limits.js';
import { CELL_COLUMNS } from './rows.js';

export interface Cells {
  /** Cells of these kinds behind an address, ascending by it; fewer than asked for: these are the last. */
  page(kinds: readonly string[], after: string): readonly PackedCell[];
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
  const range = db
    .prepare<[string, string, number], PackedCell>(
      `${select} WHERE address > ? AND address < ? ORDER BY address LIMIT ?`,
    )
    .raw();
  const put = db.prepare<PackedCell[]>(
    `INSERT INTO cells VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ${ON_CELL_CONFLICT}`,
  );
  const remove = db.prepare<[string]>('DELETE FROM cells WHERE address = ?');
  return {
    page: (kinds, after) => {
      const page: PackedCell[] = [];
      for (const kind of inOrder(kinds)) {
        // '0' follows '/': everything between them is a key of this kind.
        const [from, end] = [`${kind}/`, `${kind}0`];
        if (after >= end) continue;
        const left = LOAD_ROWS_MAX - page.length;
        const begun = after > from;
        if (left > 0) page.push(...range.all(begun ? after : from, end, left));
      }
      return page;
    },
    loadFamily: (address) => family.all(address, address),
    find: (address) => byAddress.get(address),
    versionOf: (address) => version.get(address) ?? 0,
    put: (row) => void put.run(row as never),
    remove: (address) => void remove.run(address),
  };
}

function inOrder(kinds: readonly string[]): readonly string[] {
  return [...new Set(kinds)].sort((a, b) => (`${a}/` < `${b}/` ? -1 : 1));
}
