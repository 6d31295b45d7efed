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
  /** A row in the order of JOURNAL_COLUMNS; spans are kept of whom it speaks of. */
  journal(...row: JournalValues): void;
  /** A row in the order of OUTBOX_COLUMNS. */
  outbox(...row: readonly Value[]): void;
  /** An event that its journal entry does not tell. */
  wholeEvent(seq: number, createdAt: number, event: string, artifact: string | null): void;
  /** A decision without a record: remembered only to know it when it is sent again. */
  silent(id: string, at: number): void;
  /** Writes all and holds nothing any more. */
  write(): void;
  clear(): void;
}

type JournalValues = readonly [
  seq: number,
  id: string,
  part: number,
  at: number,
  actor: string,
  subject: string | null,
  event: string,
  rule: string,
  numbers: string,
  cause: string,
  root: string,
  outboxSeq: number,
];

/** Ascending, as the entries are written. */
interface Span {
  readonly first: number;
  last: number;
}

const JOURNAL_COLUMNS =
  'seq, id, part, at, actor, subject, event, rule, numbers, cause, root, outbox_seq';
const AGGREGATES = 'aggregates (ordering_key, version, level)';
const OUTBOX_COLUMNS = 'seq, created_at, entry, version, origin, tenant, data, artifact';
const ON_AGGREGATE_CONFLICT = `
  ON CONFLICT (ordering_key) DO UPDATE SET version = excluded.version, level = excluded.level`;

export function createBatch(db: Database.Database): Batch {
  const cells = new Map<string, PackedCell>();
  const aggregates = new Map<string, Aggregate>();
  const journal: Value[] = [];
  const outbox: Value[] = [];
  const wholeEvents: Value[] = [];
  const silent: Value[] = [];
  const spans = new Map<string, Span>();
  const touch = (address: string, seq: number): void => {
    const span = spans.get(address);
    if (span === undefined) spans.set(address, { first: seq, last: seq });
    else span.last = seq;
  };
  const into = {
    cells: inserter(db, 'cells', 10, ON_CELL_CONFLICT),
    aggregates: inserter(db, AGGREGATES, 3, ON_AGGREGATE_CONFLICT),
    journal: inserter(db, `journal (${JOURNAL_COLUMNS})`, 12),
    outbox: inserter(db, `outbox (${OUTBOX_COLUMNS})`, 8),
    wholeEvents: inserter(db, 'outbox (seq, created_at, event, artifact)', 4),
    spans: inserter(db, 'spans', 3),
    silent: inserter(db, 'unrecorded (id, at)', 2),
  };
  const clear = (): void => {
    cells.clear();
    aggregates.clear();
    spans.clear();
    for (const values of [journal, outbox, wholeEvents, silent]) values.length = 0;
  };
  return {
    cell: (row) => {
      const parent = row[1] ?? cells.get(row[0])?.[1] ?? null;
      cells.set(row[0], parent === row[1] ? row : withParent(row, parent));
    },
    aggregate: (orderingKey, state) => void aggregates.set(orderingKey, state),
    journal: (seq, id, part, at, actor, subject, event, ...rest) => {
      journal.push(seq, id, part, at, actor, subject, event, ...rest);
      touch(actor, seq);
      if (subject !== null) touch(subject, seq);
    },
    outbox: (...row) => void outbox.push(...row),
    wholeEvent: (...row) => void wholeEvents.push(...row),
    silent: (...row) => void silent.push(...row),
    write: () => {
      into.cells(valuesOf(cells.values()));
      into.aggregates(valuesOf(rowsOf(aggregates)));
      into.outbox(outbox);
      into.wholeEvents(wholeEvents);
      into.journal(journal);
      into.spans(valuesOf(rowsOfSpans(spans)));
      into.silent(silent);
      clear();
    },
    clear,
  };
}

function* rowsOf(aggregates: ReadonlyMap<string, Aggregate>): Generator<readonly Value[]> {
  for (const [key, { version, level }] of aggregates) yield [key, version, level];
}

function* rowsOfSpans(spans: ReadonlyMap<string, Span>): Generator<readonly Value[]> {
  for (const [address, { first, last }] of spans) yield [address, first, last];
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
  const sizes = [STATEMENT_ROWS, STATEMENT_ROWS / 8, 1];
  const statements = sizes.map((rows) => ({ width: rows * columns, insert: statement(rows) }));
  return (values) => {
    let at = 0;
    for (const { width, insert } of statements) {
      for (; at + width <= values.length; at += width) insert.run(...values.slice(at, at + width));
    }
  };
}
