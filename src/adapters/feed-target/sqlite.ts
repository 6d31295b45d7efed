/**
 * A target in a SQLite database of the consumer's own: it brings the change, here are the cursor, the ids
 * of what was applied, the versions and the quarantine, in the same transaction.
 *
 * Ids are kept for as long as a feed may tell an event twice and have it count: an older one is recognised
 * by the version of its aggregate.
 */
import type Database from 'better-sqlite3';
import type { JsonObject } from '../../../machines/model/json.js';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import { APPLIED_IDS_KEPT } from '../../feed/limits.js';
import { lineOf } from '../../policy/duty.js';
import type { FeedTarget, Landmark, Quarantined, TargetFailure } from '../../ports/feed-target.js';
import type { FeedEvent } from '../../ports/store.js';

/** Changes the consumer's own tables; throws what makes the event impossible to apply. */
export type ApplyChange = (db: Database.Database, event: FeedEvent, data: JsonObject) => void;

const TABLES = `
  CREATE TABLE IF NOT EXISTS feed_cursor (
    id INTEGER PRIMARY KEY CHECK (id = 1), cursor INTEGER NOT NULL) STRICT;
  INSERT OR IGNORE INTO feed_cursor VALUES (1, 0);
  CREATE TABLE IF NOT EXISTS applied_events (
    event_id TEXT PRIMARY KEY, control_version INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS applied_by_version ON applied_events (control_version);
  CREATE TABLE IF NOT EXISTS applied_versions (
    ordering_key TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS feed_quarantine (
    ordering_key TEXT PRIMARY KEY, since INTEGER NOT NULL, error TEXT NOT NULL) STRICT, WITHOUT ROWID;`;

export function createSqliteTarget(db: Database.Database, apply: ApplyChange): FeedTarget {
  db.exec(TABLES);
  const cursor = db.prepare<[], number>('SELECT cursor FROM feed_cursor').pluck();
  const move = db.prepare<[number]>('UPDATE feed_cursor SET cursor = max(cursor, ?)');
  const rewind = db.prepare<[number]>('UPDATE feed_cursor SET cursor = ?');
  const quarantined = db.prepare<[], Quarantined>(
    'SELECT ordering_key AS orderingKey, since, error FROM feed_quarantine ORDER BY ordering_key',
  );
  const quarantine = db.prepare<[string, number, string]>(
    'INSERT OR IGNORE INTO feed_quarantine VALUES (?, ?, ?)',
  );
  // What it missed has other numbers now.
  const reopen = db.prepare<[number]>('UPDATE feed_quarantine SET since = min(since, ?)');
  const release = db.prepare<[string]>('DELETE FROM feed_quarantine WHERE ordering_key = ?');
  const applied = db.prepare<[string]>('SELECT 1 FROM applied_events WHERE event_id = ?');
  const version = db
    .prepare<[string], number>('SELECT version FROM applied_versions WHERE ordering_key = ?')
    .pluck();
  const note = db.prepare<[string, number]>(
    `INSERT INTO applied_events VALUES (?, ?)
     ON CONFLICT (event_id) DO UPDATE SET control_version = excluded.control_version`,
  );
  // Still known, and nowhere in the feed: it may be told again.
  const uproot = db.prepare<[number]>(
    'UPDATE applied_events SET control_version = -control_version WHERE control_version > ?',
  );
  const landmarks = createLandmarks(db);
  const raise = db.prepare<[string, number]>(
    `INSERT INTO applied_versions VALUES (?, ?)
     ON CONFLICT (ordering_key) DO UPDATE SET version = max(version, excluded.version)`,
  );
  const forget = db.prepare<[number]>('DELETE FROM applied_events WHERE abs(control_version) < ?');

  const commit = db.transaction((step: Parameters<FeedTarget['commit']>[0]): void => {
    const applying = step.apply;
    if (applying !== undefined) change(() => apply(db, applying.event, applying.data));
    const event = applying?.event ?? step.skip;
    if (event !== undefined) {
      note.run(event.eventId, event.controlVersion);
      raise.run(lineOf(event), event.aggregateVersion);
    }
    if (step.quarantine !== undefined) {
      const { orderingKey, since, error } = step.quarantine;
      quarantine.run(orderingKey, since, error);
    }
    if (step.release !== undefined) release.run(step.release);
    if (step.rewindTo !== undefined) {
      rewind.run(step.rewindTo);
      uproot.run(step.rewindTo);
      reopen.run(step.rewindTo + 1);
    }
    move.run(step.cursor);
    if (step.cursor % FORGET_EVERY === 0) forget.run(step.cursor - APPLIED_IDS_KEPT);
  }).immediate;

  return {
    landmarks: async () => attempt(() => landmarks(cursor.get() ?? 0)),
    standing: async () =>
      attempt(() => ({ cursor: cursor.get() ?? 0, quarantined: quarantined.all() })),
    known: async (event) =>
      attempt(() => ({
        wasApplied: applied.get(event.eventId) !== undefined,
        aggregateVersion: version.get(lineOf(event)) ?? 0,
      })),
    commit: async (step) => attempt(() => commit(step)),
  };
}

/** Behind a cursor, ever further apart. */
function createLandmarks(db: Database.Database): (cursor: number) => readonly Landmark[] {
  const landmark = db.prepare<[number], Landmark>(
    `SELECT control_version AS controlVersion, event_id AS eventId FROM applied_events
     WHERE control_version BETWEEN 1 AND ? ORDER BY control_version DESC LIMIT 1`,
  );
  const oldest = db.prepare<[number], Landmark>(
    `SELECT control_version AS controlVersion, event_id AS eventId FROM applied_events
     WHERE control_version BETWEEN 1 AND ? ORDER BY control_version LIMIT 1`,
  );
  return (cursor) => {
    const found: Landmark[] = [];
    for (let back = 0; back < cursor; back = back * 2 + 1) {
      const mark = landmark.get(cursor - back);
      if (mark === undefined) break;
      if (mark.controlVersion !== found.at(-1)?.controlVersion) found.push(mark);
    }
    const first = oldest.get(cursor);
    if (first !== undefined && first.controlVersion !== found.at(-1)?.controlVersion)
      found.push(first);
    return found;
  };
}

const FORGET_EVERY = 1_000;

/** What the consumer itself says about an event. */
class Refused extends Error {}

function change(body: () => void): void {
  try {
    body();
  } catch (error) {
    // The disk's trouble is not the event's.
    if (isTrouble(error)) throw error;
    throw new Refused((error as Error).message);
  }
}

function isTrouble(error: unknown): boolean {
  const code = String((error as { readonly code?: unknown }).code ?? '');
  return /^SQLITE_(FULL|IOERR|BUSY|LOCKED|CORRUPT|READONLY|CANTOPEN|NOTADB)/.test(code);
}

function attempt<T>(body: () => T): Result<T, TargetFailure> {
  try {
    return ok(body());
  } catch (error) {
    const code = error instanceof Refused ? 'content' : 'unavailable';
    return fail({ code, message: (error as Error).message });
  }
}
