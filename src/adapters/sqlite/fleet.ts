/**
 * The fleet's rows, as its log has them. A row is whole in every event, so the last one counts; applying
 * a batch twice changes nothing, because the cursor moves in the same transaction. An event that comes late
 * (a dead one that was sent again, one republished, one of a log that is read again) takes nothing back, and
 * brings back nothing that is gone.
 *
 * Rule: [FL-5] rows and cursor move together; cells are replaced by them all at once or not at all.
 */
import type Database from 'better-sqlite3';
import type {
  AggregateHead,
  FleetBatch,
  FleetChange,
  FleetEvent,
} from '../../ports/fleet-store.js';
import { rowsOf } from './outbox.js';

export interface Fleet {
  apply(batch: FleetBatch): void;
  cursor(): number;
  ground(): string | undefined;
  standing(): string | undefined;
  rows(prefix: string, after: string, max: number): readonly FleetChange[];
  adopt(prefixes: readonly string[]): void;
  abandon(seqs: readonly number[], reason: string): void;
}

const CURSOR = 'fleet.cursor';
const STANDING = 'fleet.standing';
const GROUND = 'fleet.ground';

const ADOPT = `
  INSERT INTO cells
    (address, parent, machine, machine_version, machine_hash, version, incarnation, value, context, timers)
  SELECT address, row ->> 'parent', row ->> 'machine', row ->> 'machineVersion', row ->> 'machineHash',
         row ->> 'version', 0, row -> 'value', row -> 'context', row -> 'timers'
  FROM fleet WHERE address >= ? AND address < ?`;

/** `forget`: what is remembered of the tables is no longer what they say. */
export function createFleet(db: Database.Database, forget: () => void): Fleet {
  const put = db.prepare<[string, string]>(
    `INSERT INTO fleet (address, row) VALUES (?, ?)
     ON CONFLICT (address) DO UPDATE SET row = excluded.row`,
  );
  const lay = db.prepare<[string, string]>(
    'INSERT OR IGNORE INTO fleet (address, row) VALUES (?, ?)',
  );
  const newest = db.prepare<[string], { epoch: number; version: number }>(
    'SELECT epoch, version FROM fleet_keys WHERE ordering_key = ?',
  );
  const note = db.prepare<[string, number, number]>(
    'INSERT OR REPLACE INTO fleet_keys (ordering_key, epoch, version) VALUES (?, ?, ?)',
  );
  const remove = db.prepare<[string]>('DELETE FROM fleet WHERE address = ?');
  const heads = createHeads(db);
  const { cursor, move } = createWords(db);
  const rows = db.prepare<[string, string, string, number], FleetChange>(
    'SELECT address, row FROM fleet WHERE address > max(?, ?) AND address < ? ORDER BY address LIMIT ?',
  );
  const clear = db.prepare<[string, string]>(
    'DELETE FROM cells WHERE address >= ? AND address < ?',
  );
  const adopt = db.prepare<[string, string]>(ADOPT);
  const abandon = db.prepare<[string, string]>(
    `UPDATE outbox SET state = 'discarded', last_error = ?
     WHERE state = 'pending' AND seq IN (SELECT value FROM json_each(?))`,
  );
  const cursorNow = (): number => Number(cursor.get(CURSOR) ?? 0);
  const applyEvent = ({ key, epoch, version, changes }: FleetEvent): void => {
    const known = newest.get(key) ?? { epoch: -1, version: 0 };
    const isLate = epoch < known.epoch || (epoch === known.epoch && version <= known.version);
    for (const { address, row } of changes) {
      if (!isLate) row === null ? remove.run(address) : put.run(address, row);
      // Of a child that never said anything itself nothing newer can have been said.
      else if (row !== null && newest.get(address) === undefined) lay.run(address, row);
    }
    if (!isLate) note.run(key, epoch, version);
  };
  return {
    apply: db.transaction((batch: FleetBatch) => {
      if (batch.cursor <= cursorNow() && batch.rewind !== true) return;
      for (const event of batch.events) applyEvent(event);
      for (const head of batch.versions) heads.note(head);
      move.run(CURSOR, String(batch.cursor));
      if (isNewer(batch.standing, cursor.get(STANDING))) move.run(STANDING, batch.standing);
      if (batch.ground !== undefined) move.run(GROUND, batch.ground);
      if (batch.versions.some(({ own }) => own !== true)) forget();
    }),
    cursor: cursorNow,
    ground: () => cursor.get(GROUND),
    standing: () => cursor.get(STANDING),
    rows: (prefix, after, max) => rows.all(prefix, after, endOf(prefix), rowsOf(max)),
    adopt: db.transaction((prefixes: readonly string[]) => {
      for (const prefix of prefixes) {
        clear.run(prefix, endOf(prefix));
        adopt.run(prefix, endOf(prefix));
      }
      heads.adopt();
      forget();
    }),
    abandon: (seqs, reason) => void abandon.run(reason, JSON.stringify(seqs)),
  };
}

/** How far each key is counted, here and in the log. */
function createHeads(db: Database.Database) {
  const count = db.prepare<[string, number, string]>(
    `INSERT INTO aggregates (ordering_key, version, level, hash) VALUES (?, ?, NULL, ?)
     ON CONFLICT (ordering_key) DO UPDATE SET
       version = max(version, excluded.version), level = NULL,
       hash = CASE WHEN excluded.version >= version THEN excluded.hash ELSE hash END`,
  );
  const note = db.prepare<[string, number, number, string]>(
    `INSERT INTO fleet_heads (ordering_key, epoch, version, hash) VALUES (?, ?, ?, ?)
     ON CONFLICT (ordering_key) DO UPDATE SET
       epoch = excluded.epoch, version = excluded.version, hash = excluded.hash
     WHERE (excluded.epoch, excluded.version) > (epoch, version)`,
  );
  const adopt = db.prepare(
    `UPDATE aggregates SET version = head.version, level = NULL, hash = head.hash
     FROM fleet_heads AS head WHERE head.ordering_key = aggregates.ordering_key`,
  );
  return {
    note: ({ key, epoch, version, hash, own }: AggregateHead): void => {
      note.run(key, epoch, version, hash);
      if (own !== true) count.run(key, version, hash);
    },
    adopt: (): void => void adopt.run(),
  };
}

function createWords(db: Database.Database) {
  return {
    cursor: db.prepare<[string], string>('SELECT value FROM meta WHERE key = ?').pluck(),
    move: db.prepare<[string, string]>('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)'),
  };
}

/** A beginning that comes late, sent again or put back by an operator, takes nothing back. */
function isNewer(next: string | undefined, known: string | undefined): next is string {
  if (next === undefined || known === undefined) return next !== undefined;
  return epochIn(next) > epochIn(known);
}

function epochIn(standing: string): number {
  return (JSON.parse(standing) as { readonly epoch: number }).epoch;
}

/** '0' follows '/': nothing that begins with the prefix is behind it. */
function endOf(prefix: string): string {
  return `${prefix.slice(0, -1)}0`;
}
