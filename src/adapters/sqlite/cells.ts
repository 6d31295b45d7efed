/** The cells' table: load, loadFamily, and the three writes of a decision. */
import type Database from 'better-sqlite3';
import type { Address } from '../../../machines/model/ids.js';
import type { StoredCell } from '../../ports/store.js';
import { CELL_COLUMNS, type CellRow, decodeCell } from './rows.js';

export interface Cells {
  load(kinds: readonly string[]): readonly StoredCell[];
  loadFamily(address: Address): readonly StoredCell[];
  find(address: string): CellRow | undefined;
  /** 0 when there is no such row. */
  versionOf(address: Address): number;
  /** Inserts, or replaces everything but a parent that is not named again. */
  put(row: CellRow): void;
  remove(address: Address): void;
}

const PUT = `
  INSERT INTO cells VALUES (@address, @parent, @machine, @machineVersion, @machineHash, @version,
    @incarnation, @value, @context, @timers)
  ON CONFLICT (address) DO UPDATE SET
    parent = coalesce(excluded.parent, parent), machine = excluded.machine,
    machine_version = excluded.machine_version, machine_hash = excluded.machine_hash,
    version = excluded.version, incarnation = excluded.incarnation,
    value = excluded.value, context = excluded.context, timers = excluded.timers`;

export function createCells(db: Database.Database): Cells {
  const select = `SELECT ${CELL_COLUMNS} FROM cells`;
  const byAddress = db.prepare<[string], CellRow>(`${select} WHERE address = ?`);
  const version = db.prepare<[string], { version: number }>(
    'SELECT version FROM cells WHERE address = ?',
  );
  const family = db.prepare<[string, string], CellRow>(
    `${select} WHERE address = ? UNION SELECT ${CELL_COLUMNS} FROM cells WHERE parent = ?
     ORDER BY address`,
  );
  const range = db.prepare<[string, string], CellRow>(
    `${select} WHERE address > ? AND address < ? ORDER BY address`,
  );
  const put = db.prepare<CellRow>(PUT);
  const remove = db.prepare<[string]>('DELETE FROM cells WHERE address = ?');
  return {
    // '0' follows '/': everything between them is a key of this kind.
    load: (kinds) =>
      [...new Set(kinds)]
        .sort((a, b) => (`${a}/` < `${b}/` ? -1 : 1))
        .flatMap((kind) => range.all(`${kind}/`, `${kind}0`).map(decodeCell)),
    loadFamily: (address) => family.all(address, address).map(decodeCell),
    find: (address) => byAddress.get(address),
    versionOf: (address) => version.get(address)?.version ?? 0,
    put: (row) => void put.run(row),
    remove: (address) => void remove.run(address),
  };
}
