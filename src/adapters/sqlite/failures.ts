/**
 * What SQLite's error codes mean to us. Content (a constraint, a type, a size) condemns one
 * decision; everything else is the disk, the lock or the file, and condemns nothing: `unavailable`
 * until it heals. Anything that SQLite did not say is a bug and is thrown on.
 */
import Database from 'better-sqlite3';
import type { StoreFailure } from '../../../machines/model/failures.js';

const CONTENT = /^SQLITE_(CONSTRAINT|TOOBIG|MISMATCH|RANGE)/;
const LOCKED = /^SQLITE_(BUSY|LOCKED)/;
/** SQLITE_ERROR: our own statement does not fit the tables, so the tables are not ours any more. */
const DAMAGED = /^SQLITE_(CORRUPT|NOTADB|FORMAT|SCHEMA|ERROR)/;

/** `content` is about one row; the others are about the file. */
export type SqliteTrouble = 'content' | 'locked' | 'damaged' | 'disk';

/** @returns `undefined` when SQLite did not raise this error. */
export function troubleOf(error: unknown): SqliteTrouble | undefined {
  if (!(error instanceof Database.SqliteError)) return undefined;
  if (CONTENT.test(error.code)) return 'content';
  if (LOCKED.test(error.code)) return 'locked';
  return DAMAGED.test(error.code) ? 'damaged' : 'disk';
}

export function failureOf(error: unknown): StoreFailure {
  const trouble = troubleOf(error);
  if (trouble === undefined || !(error instanceof Error)) throw error;
  const code = trouble === 'content' ? 'rejected' : 'unavailable';
  return { code, message: `the store could not do this (${trouble}): ${describe(error)}` };
}

/** SQLite's own words with its code: `SQLITE_FULL: database or disk is full`. */
export function describe(error: unknown): string {
  if (error instanceof Database.SqliteError) return `${error.code}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}

export function stale(message: string): StoreFailure {
  return { code: 'stale', message };
}

export function fenced(message: string): StoreFailure {
  return { code: 'fenced', message };
}

export function rejected(message: string): StoreFailure {
  return { code: 'rejected', message };
}

export function unavailable(message: string): StoreFailure {
  return { code: 'unavailable', message };
}
