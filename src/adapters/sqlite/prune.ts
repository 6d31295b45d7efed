/**
 * Retention, a bounded bite at a time. Goes: journal rows that are too old, or the oldest ones
 * while the database is larger than allowed; outbox rows that were published, or discarded, too long ago.
 * An event that stays when its entry goes is made whole before. Stays: everything pending or dead,
 * every aggregate's version, and the row with the highest number
 * of each table, from which the next number is made. The caller comes back while `more`.
 */
import type Database from 'better-sqlite3';
import { EVENT_ARTIFACTS } from '../../ports/store.js';
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

/** Of events whose entries are about to go: from now on they stand for themselves. */
const MAKE_WHOLE = `
  UPDATE outbox SET
    event = (SELECT event FROM events WHERE events.seq = outbox.seq),
    entry = NULL, version = NULL, origin = NULL, tenant = NULL, data = NULL
  WHERE event IS NULL AND seq IN (
    SELECT outbox_seq FROM journal WHERE seq IN (${OLDEST}) AND at < ? AND outbox_seq > 0)`;

/** Up to the newest entry that went: those of an address that hold nothing of it any more. */
const END_SPANS = `
  DELETE FROM spans WHERE address = @address AND first <= @newest AND NOT EXISTS (
    SELECT 1 FROM journal
    WHERE seq BETWEEN first AND last AND (actor = @address OR subject = @address))`;

interface Gone {
  readonly seq: number;
  readonly actor: string;
  readonly subject: string | null;
}

export function createPrune(db: Database.Database): (retention: Retention) => Pruned {
  // The clock may step, so the oldest rows are those with the lowest seq; age only decides if they
  // go.
  const journal = db.prepare<[number], Gone>(
    `DELETE FROM journal WHERE seq IN (${OLDEST}) AND at < ? RETURNING seq, actor, subject`,
  );
  const endSpans = db.prepare<{ address: string; newest: number }>(END_SPANS);
  const forgetEntries = (before: number): number => {
    const gone = journal.all(before);
    const newest = Math.max(...gone.map(({ seq }) => seq));
    const addresses = new Set(gone.flatMap(({ actor, subject }) => [actor, subject ?? actor]));
    for (const address of addresses) endSpans.run({ address, newest });
    return gone.length;
  };
  const makeWhole = db.prepare<[number]>(MAKE_WHOLE);
  const outbox = db.prepare<[number]>(
    `DELETE FROM outbox WHERE seq IN (SELECT seq FROM outbox
       WHERE state IN ('published', 'discarded') AND coalesce(published_at, created_at) < ?
         AND seq < (SELECT max(seq) FROM outbox)
       ORDER BY seq LIMIT ${PRUNE_ROWS_MAX})`,
  );
  const silent = db.prepare<[number]>(
    `DELETE FROM unrecorded WHERE id IN (SELECT id FROM unrecorded WHERE at < ? ORDER BY id
       LIMIT ${PRUNE_ROWS_MAX})`,
  );
  const artifacts = db.prepare<[string]>(
    `DELETE FROM artifacts WHERE kind = ?
       AND hash NOT IN (SELECT artifact FROM outbox WHERE artifact IS NOT NULL)`,
  );
  return db.transaction((retention: Retention): Pruned => {
    const crowded = bytesInUse(db) > retention.bytesMax;
    const before = crowded ? Number.MAX_SAFE_INTEGER : retention.journalBeforeMs;
    // First: what goes anyway need not be made whole.
    const events = outbox.run(retention.outboxBeforeMs).changes;
    makeWhole.run(before);
    const gone = { journal: forgetEntries(before), outbox: events };
    silent.run(retention.journalBeforeMs);
    if (events < PRUNE_ROWS_MAX) artifacts.run(EVENT_ARTIFACTS);
    return { ...gone, more: Math.max(gone.journal, gone.outbox) >= PRUNE_ROWS_MAX };
  }).immediate;
}

function bytesInUse(db: Database.Database): number {
  const read = (name: string): number => Number(db.pragma(name, { simple: true }));
  return (read('page_count') - read('freelist_count')) * read('page_size');
}
