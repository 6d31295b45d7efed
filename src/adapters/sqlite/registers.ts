/** The small tables: ledger of our VIPs, fences against dead threads, and named values. */
import type Database from 'better-sqlite3';
import { vipKey } from '../../../machines/model/lb.js';
import type { LedgerEntry } from '../../ports/store.js';
import { decodeLedger, type LedgerRow } from './rows.js';

export interface Ledger {
  all(): readonly LedgerEntry[];
  put(entry: LedgerEntry): void;
  remove(vipKey: string): void;
}

export function createLedger(db: Database.Database): Ledger {
  const all = db.prepare<[], LedgerRow>(
    'SELECT frontend, vip, attributes FROM ledger ORDER BY vip_key',
  );
  const put = db.prepare<[string, string, string, string]>(
    'INSERT OR REPLACE INTO ledger (vip_key, frontend, vip, attributes) VALUES (?, ?, ?, ?)',
  );
  const remove = db.prepare<[string]>('DELETE FROM ledger WHERE vip_key = ?');
  return {
    all: () => all.all().map(decodeLedger),
    put: ({ frontend, vip, attributes }) =>
      void put.run(vipKey(vip), frontend, JSON.stringify(vip), JSON.stringify(attributes)),
    remove: (key) => void remove.run(key),
  };
}

export interface Fences {
  /** 0 for a thread that was never fenced. */
  of(thread: string): number;
  /** Never lowers a fence. */
  raise(thread: string, incarnation: number): void;
}

const RAISE = `
  INSERT INTO fences (thread, run, incarnation) VALUES (?, ?, ?)
  ON CONFLICT (thread) DO UPDATE SET incarnation = max(incarnation, excluded.incarnation)`;

/**
 * Drops the fences of other runs: their threads are gone, and this run counts from the start again.
 */
export function createFences(db: Database.Database, run: string): Fences {
  db.prepare<[string]>('DELETE FROM fences WHERE run <> ?').run(run);
  const raise = db.prepare<[string, string, number]>(RAISE);
  const rows = db
    .prepare<[], { thread: string; incarnation: number }>('SELECT thread, incarnation FROM fences')
    .all();
  const fences = new Map(rows.map((row) => [row.thread, row.incarnation]));
  return {
    of: (thread) => fences.get(thread) ?? 0,
    raise: (thread, incarnation) => {
      // In memory first: a full disk must not leave a dead thread unfenced.
      fences.set(thread, Math.max(incarnation, fences.get(thread) ?? 0));
      raise.run(thread, run, incarnation);
    },
  };
}

export interface Meta {
  get(key: string): string | undefined;
  set(key: string, value: string): void;
}

export function createMeta(db: Database.Database): Meta {
  const get = db.prepare<[string], { value: string }>('SELECT value FROM meta WHERE key = ?');
  const set = db.prepare<[string, string]>(
    'INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)',
  );
  return {
    get: (key) => get.get(key)?.value,
    set: (key, value) => void set.run(key, value),
  };
}
