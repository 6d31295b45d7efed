/**
 * Retention, a bounded bite at a time. Goes: journal rows that are too old, or the oldest ones
 * while the database is larger than allowed; published or discarded outbox rows that are too old.
 * Stays: everything pending or dead, every aggregate's version, and the row with the highest number
 * of each table, from which the next number is made. The caller comes back while `more`.
 */
import type Database from 'better-sqlite3';
import { PRUNE_ROWS_MAX } from './limits.js';

export interface Retention {
  readonly journalBeforeMs: number;
  readonly outboxBeforeMs: number;
  /** Bytes in use by the whole database above which the oldest journal rows go early. */
  readonly bytesMax: number;
}

export interface Pruned {
  readonly journal: number;
  readonly outbox: number;
  readonly more: boolean;
}

const OLDEST = `
  SELECT seq FROM journal WHERE seq < (SELECT max(seq) FROM journal)
  ORDER BY seq LIMIT ${PRUNE_ROWS_MAX}`;

export function createPrune(db: Database.Database): (retention: Retention) => Pruned {
  // The clock may step, so the oldest rows are those with the lowest seq; age only decides if they
  // go.
  const journal = db.prepare<[number]>(`DELETE FROM journal WHERE seq IN (${OLDEST}) AND at < ?`);
  const outbox = db.prepare<[number]>(
    `DELETE FROM outbox WHERE seq IN (SELECT seq FROM outbox
       WHERE state IN ('published', 'discarded') AND created_at < ?
         AND seq < (SELECT max(seq) FROM outbox)
       ORDER BY seq LIMIT ${PRUNE_ROWS_MAX})`,
  );
  const silent = db.prepare<[number]>(
    `DELETE FROM unrecorded WHERE id IN (SELECT id FROM unrecorded WHERE at < ? ORDER BY id
       LIMIT ${PRUNE_ROWS_MAX})`,
  );
  return db.transaction((retention: Retention): Pruned => {
    const crowded = bytesInUse(db) > retention.bytesMax;
    const before = crowded ? Number.MAX_SAFE_INTEGER : retention.journalBeforeMs;
    const gone = {
      journal: journal.run(before).changes,
      outbox: outbox.run(retention.outboxBeforeMs).changes,
    };
    silent.run(retention.journalBeforeMs);
    return { ...gone, more: Math.max(gone.journal, gone.outbox) >= PRUNE_ROWS_MAX };
  }).immediate;
}

function bytesInUse(db: Database.Database): number {
  const read = (name: string): number => Number(db.pragma(name, { simple: true }));
  return (read('page_count') - read('freelist_count')) * read('page_size');
}
