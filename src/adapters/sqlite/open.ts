/**
 * Opens the database, or says in one sentence why not and what to do. Never guesses: a file that is
 * damaged, foreign, newer or somebody else's is left exactly as it is [ST-7].
 *
 * A new database is built under another name and renamed when it is whole, so a crash never leaves
 * a half-made one and an empty file is always damage. The lock is exclusive for as long as the
 * store is open: a second daemon on the same file is turned away here.
 */
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import { describe, troubleOf } from './failures.js';
import { BUSY_TIMEOUT_MS, CACHE_KIB, CHECKPOINT_PAGES, WAL_BYTES_KEPT } from './limits.js';
import { APPLICATION_ID, MIGRATIONS, type Migration, SCHEMA_VERSION } from './schema.js';
import { createSqliteStore, type SqliteStore, type SqliteStoreOptions } from './store.js';

export interface OpenOptions extends SqliteStoreOptions {
  /** Path of the database, or `:memory:`. */
  readonly file: string;
  /** `full` survives a power cut, `normal` a crash of the process only. */
  readonly durability: 'full' | 'normal';
  readonly busyTimeoutMs?: number;
}

export interface OpenFailure {
  readonly code: 'unwritable' | 'locked' | 'damaged' | 'foreign' | 'newer' | 'driver';
  /** One sentence: the file, what is wrong, what to do. */
  readonly message: string;
}

export function openSqliteStore(options: OpenOptions): Result<SqliteStore, OpenFailure> {
  const { file } = options;
  if (file !== MEMORY) {
    const prepared = prepareFile(options);
    if (!prepared.ok) return prepared;
  }
  const opened = openDatabase(options);
  return opened.ok ? storeOver(opened.value, options) : opened;
}

/**
 * Preparing every statement is the last check: tables that are not ours to the letter fail here.
 */
function storeOver(db: Database.Database, options: OpenOptions): Result<SqliteStore, OpenFailure> {
  try {
    return ok(createSqliteStore(db, options));
  } catch (error) {
    db.close();
    return fail(openFailureOf(options.file, error));
  }
}

const MEMORY = ':memory:';

/** Makes the file when there is none, and looks at what only the file system can tell. */
function prepareFile(options: OpenOptions): Result<void, OpenFailure> {
  const { file } = options;
  try {
    if (existsSync(file)) {
      accessSync(file, constants.R_OK | constants.W_OK);
      accessSync(dirname(file), constants.W_OK);
      return statSync(file).size > 0 ? ok(undefined) : fail(damaged(file, 'it is empty'));
    }
    if (existsSync(`${file}-wal`))
      return fail(damaged(file, `it is gone but ${file}-wal is there`));
    return createFile(options);
  } catch (error) {
    return fail(unwritable(file, error));
  }
}

function createFile(options: OpenOptions): Result<void, OpenFailure> {
  const { file } = options;
  const building = `${file}.new`;
  // Left by a crash while building; nothing was ever committed to it.
  for (const suffix of ['', '-wal', '-shm', '-journal'])
    rmSync(`${building}${suffix}`, { force: true });
  closeSync(openSync(building, 'wx', 0o600));
  const built = openDatabase({ ...options, file: building });
  if (!built.ok) return built;
  built.value.close();
  renameSync(building, file);
  const folder = openSync(dirname(file), 'r');
  fsyncSync(folder);
  closeSync(folder);
  return ok(undefined);
}

function openDatabase(options: OpenOptions): Result<Database.Database, OpenFailure> {
  const { file } = options;
  let db: Database.Database | undefined;
  try {
    db = new Database(file, { timeout: options.busyTimeoutMs ?? BUSY_TIMEOUT_MS });
    const refusal = settle(db, options);
    if (refusal === undefined) return ok(db);
    db.close();
    return fail(refusal);
  } catch (error) {
    db?.close();
    return fail(openFailureOf(file, error));
  }
}

/** Looks before it writes: identity and version first, then the pragmas that may touch the file. */
function settle(db: Database.Database, { file, durability }: OpenOptions): OpenFailure | undefined {
  db.pragma('locking_mode = EXCLUSIVE');
  const version = numberOf(db, 'user_version');
  const tables = db.prepare<[], { n: number }>('SELECT count(*) AS n FROM sqlite_schema').get();
  const fresh = version === 0 && tables?.n === 0;
  if (!fresh && numberOf(db, 'application_id') !== APPLICATION_ID) return foreign(file);
  if (version > SCHEMA_VERSION) return newer(file, version);
  db.pragma('journal_mode = WAL');
  db.pragma(`synchronous = ${durability.toUpperCase()}`);
  db.pragma('foreign_keys = ON');
  // Savepoints keep their undo pages in memory: as a temporary file they cost a fifth of a commit.
  db.pragma('temp_store = MEMORY');
  db.pragma(`cache_size = -${CACHE_KIB}`);
  db.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  db.pragma(`journal_size_limit = ${WAL_BYTES_KEPT}`);
  const verdict = db.pragma('quick_check(1)', { simple: true });
  if (verdict !== 'ok') return damaged(file, String(verdict).replaceAll(/\s+/g, ' '));
  migrate(db, MIGRATIONS);
  return undefined;
}

/** Applies what is missing, each migration with its version in one transaction. */
export function migrate(db: Database.Database, migrations: readonly Migration[]): void {
  const apply = db.transaction(({ version, sql }: Migration) => {
    db.exec(sql);
    db.pragma(`application_id = ${APPLICATION_ID}`);
    db.pragma(`user_version = ${version}`);
  }).immediate;
  const have = numberOf(db, 'user_version');
  for (const migration of migrations) if (migration.version > have) apply(migration);
}

function numberOf(db: Database.Database, pragma: string): number {
  return Number(db.pragma(pragma, { simple: true }));
}

function openFailureOf(file: string, error: unknown): OpenFailure {
  switch (troubleOf(error)) {
    case 'locked':
      return {
        code: 'locked',
        message:
          `${file} is in use by another process: ` +
          'stop the other daemon, or give this one its own data directory.',
      };
    case 'damaged':
    case 'content':
      return damaged(file, describe(error));
    case 'disk':
      return unwritable(file, error);
    case undefined:
      return driverFailureOf(file, error);
  }
}

/** The native half of the driver is loaded by the first open; any other surprise here is a bug. */
function driverFailureOf(file: string, error: unknown): OpenFailure {
  if (!/bindings file|NODE_MODULE_VERSION|shared object|dlopen/.test(describe(error))) throw error;
  return {
    code: 'driver',
    message:
      `${file} cannot be opened because SQLite's driver does not load: ` +
      'run npm rebuild better-sqlite3.',
  };
}

function unwritable(file: string, error: unknown): OpenFailure {
  return {
    code: 'unwritable',
    message:
      `${file} cannot be written (${describe(error)}): ` +
      'make its directory exist, writable by this user, with free space.',
  };
}

function damaged(file: string, detail: string): OpenFailure {
  return {
    code: 'damaged',
    message:
      `${file} is damaged (${detail}): ` +
      'restore it from a backup, or move it away with its -wal file to start empty.',
  };
}

function foreign(file: string): OpenFailure {
  return {
    code: 'foreign',
    message: `${file} is a database of another program: name another data directory.`,
  };
}

function newer(file: string, version: number): OpenFailure {
  return {
    code: 'newer',
    message:
      `${file} has schema ${version} and this release knows ${SCHEMA_VERSION}: ` +
      'run the newer release, or restore the backup made before it.',
  };
}
