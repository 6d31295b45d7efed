/**
 * What the database says about recent cells, aggregates and causes, remembered beside it: under load
 * most decisions concern what the one before concerned, and a read costs as much as a write.
 *
 * There is one writer and its lock is exclusive, so memory and file agree as long as every write goes
 * through here, and all is forgotten whenever a write is undone.
 */
import type Database from 'better-sqlite3';
import type { Cells } from './cells.js';
import { RECENT_CAUSES_MAX, RECENT_MAX } from './limits.js';

export interface Aggregate {
  version: number;
  level: string | null;
}

export interface Recent {
  /** 0 when there is no such cell. */
  versionOf(address: string): number;
  setVersion(address: string, version: number): void;
  /** The live entry, version 0 when nothing was published yet: whoever publishes changes it. */
  aggregateOf(orderingKey: string): Aggregate;
  /** Where the chain of causes of a decision began; its own cause when nothing is known of that. */
  rootOf(cause: string): string;
  setRoot(id: string, root: string): void;
  /** The number of who says an event; one that is new is written at once. */
  originOf(node: string, epoch: number, generation: number): number;
  nextJournalSeq(): number;
  nextOutboxSeq(): number;
  /** Between transactions: forgets when there is too much of it. */
  trim(): void;
  /** Reads everything again. */
  forget(): void;
}

export function createRecent(db: Database.Database, cells: Cells): Recent {
  const versions = new Map<string, number>();
  const aggregates = new Map<string, Aggregate>();
  const roots = new Map<string, string>();
  const maps = [versions, aggregates, roots];
  const aggregate = db.prepare<[string], Aggregate>(
    'SELECT version, level FROM aggregates WHERE ordering_key = ?',
  );
  const root = db.prepare<[string], string>('SELECT root FROM journal WHERE id = ? LIMIT 1');
  root.pluck();
  const origin = createOrigin(db);
  const journal = counter(db, 'journal');
  const outbox = counter(db, 'outbox');
  return {
    versionOf: (address) => {
      const known = versions.get(address);
      return known ?? remember(versions, address, cells.versionOf(address));
    },
    setVersion: (address, version) => void remember(versions, address, version),
    aggregateOf: (key) => {
      const known = aggregates.get(key);
      if (known !== undefined) return known;
      return remember(aggregates, key, aggregate.get(key) ?? { version: 0, level: null });
    },
    rootOf: (cause) => roots.get(cause) ?? remember(roots, cause, root.get(cause) ?? cause),
    setRoot: (id, at) => void remember(roots, id, at),
    originOf: origin.of,
    nextJournalSeq: journal.next,
    nextOutboxSeq: outbox.next,
    trim: () => {
      for (const map of [versions, aggregates]) if (map.size > RECENT_MAX) map.clear();
      if (roots.size > RECENT_CAUSES_MAX) roots.clear();
    },
    forget: () => {
      for (const map of maps) map.clear();
      origin.forget();
      journal.forget();
      outbox.forget();
    },
  };
}

function remember<T>(map: Map<string, T>, key: string, value: T): T {
  map.set(key, value);
  return value;
}

/** Neighbours mostly have the same. */
function createOrigin(db: Database.Database) {
  type Who = [node: string, epoch: number, generation: number];
  const find = db
    .prepare<Who, number>('SELECT id FROM origins WHERE node = ? AND epoch = ? AND generation = ?')
    .pluck();
  const add = db
    .prepare<Who, number>(
      'INSERT INTO origins (node, epoch, generation) VALUES (?, ?, ?) RETURNING id',
    )
    .pluck();
  let last: Who = ['', 0, 0];
  let lastId = 0;
  return {
    of: (...who: Who): number => {
      if (lastId > 0 && who.every((value, index) => value === last[index])) return lastId;
      lastId = find.get(...who) ?? add.get(...who) ?? 0;
      last = who;
      return lastId;
    },
    forget: (): void => {
      lastId = 0;
    },
  };
}

/** Retention leaves the highest row, so that no number is ever given twice. */
function counter(db: Database.Database, table: string) {
  const highest = db.prepare<[], number | null>(`SELECT max(seq) FROM ${table}`).pluck();
  let last: number | undefined;
  return {
    next: (): number => {
      last = (last ?? highest.get() ?? 0) + 1;
      return last;
    },
    forget: (): void => {
      last = undefined;
    },
  };
}
