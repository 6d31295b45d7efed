/**
 * The rows of one or many decisions, collected and then written together: many rows by one statement,
 * and of a cell or an aggregate that changed several times only what it is in the end.
 */
import type Database from 'better-sqlite3';
import type { PackedCell } from '../../ports/packed.js';
import { ON_CELL_CONFLICT } from './cells.js';
import { STATEMENT_ROWS } from './limits.js';
import type { Aggregate } from './recent.js';

export type Value = string | number | null;

export interface Batch {
  cell(row: PackedCell): void;
  aggregate(orderingKey: string, state: Aggregate): void;
  /** A row in the order of JOURNAL_COLUMNS. */
  journal(...row: readonly Value[]): void;
  outbox(seq: number, event: string, createdAt: number): void;
  /** A decision without a record: remembered only to know it when it is sent again. */
  silent(id: string, at: number): void;
  /** Writes all and holds nothing any more. */
  write(): void;
  clear(): void;
}

const JOURNAL_COLUMNS =
  'seq, id, part, at, actor, subject, event, rule, numbers, cause, root, outbox_seq';
const ON_AGGREGATE_CONFLICT = `
  ON CONFLICT (ordering_key) DO UPDATE SET version = excluded.version, level = excluded.level`;

export function createBatch(db: Database.Database): Batch {
  const cells = new Map<string, PackedCell>();
  const aggregates = new Map<string, Aggregate>();
  const journal: Value[] = [];
  const outbox: Value[] = [];
  const silent: Value[] = [];
  const into = {
    cells: inserter(db, 'cells', 10, ON_CELL_CONFLICT),
    aggregates: inserter(db, 'aggregates', 3, ON_AGGREGATE_CONFLICT),
    journal: inserter(db, `journal (${JOURNAL_COLUMNS})`, 12),
    outbox: inserter(db, 'outbox (seq, event, created_at)', 3),
    silent: inserter(db, 'unrecorded (id, at)', 2),
  };
  const clear = (): void => {
    cells.clear();
    aggregates.clear();
    for (const values of [journal, outbox, silent]) values.length = 0;
  };
  return {
    cell: (row) => {
      const parent = row[1] ?? cells.get(row[0])?.[1] ?? null;
      cells.set(row[0], parent === row[1] ? row : withParent(row, parent));
    },
    aggregate: (orderingKey, state) => void aggregates.set(orderingKey, state),
    journal: (...row) => void journal.push(...row),
    outbox: (...row) => void outbox.push(...row),
    silent: (...row) => void silent.push(...row),
    write: () => {
      into.cells(valuesOf(cells.values()));
      into.aggregates(valuesOf(rowsOf(aggregates)));
      into.outbox(outbox);
      into.journal(journal);
      into.silent(silent);
      clear();
    },
    clear,
  };
}

function* rowsOf(aggregates: ReadonlyMap<string, Aggregate>): Generator<readonly Value[]> {
  for (const [key, { version, level }] of aggregates) yield [key, version, level];
}

function valuesOf(rows: Iterable<readonly Value[]>): readonly Value[] {
  const values: Value[] = [];
  for (const row of rows) values.push(...row);
  return values;
}

/** The row of a cell that named its parent earlier in the same batch. */
function withParent(row: PackedCell, parent: string | null): PackedCell {
  const [address, , ...rest] = row;
  return [address, parent, ...rest];
}

/** Takes the values of any number of rows, one behind the other. */
function inserter(
  db: Database.Database,
  table: string,
  columns: number,
  conflict = '',
): (values: readonly Value[]) => void {
  const row = `(${Array.from({ length: columns }, () => '?').join(', ')})`;
  const statement = (rows: number) =>
    db.prepare<Value[]>(
      `INSERT INTO ${table} VALUES ${Array.from({ length: rows }, () => row).join(', ')} ${conflict}`,
    );
  const one = statement(1);
  const many = statement(STATEMENT_ROWS);
  const width = columns * STATEMENT_ROWS;
  return (values) => {
    let at = 0;
    for (; at + width <= values.length; at += width) many.run(...values.slice(at, at + width));
    for (; at < values.length; at += columns) one.run(...values.slice(at, at + columns));
  };
}
