/**
 * Opening: what is created, what comes back, and everything that is refused without being touched.
 */
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { migrate, openSqliteStore } from '../../../src/adapters/sqlite/open.js';
import { MIGRATIONS, SCHEMA_VERSION } from '../../../src/adapters/sqlite/schema.js';
import { everything } from '../../contract/store.js';
import { unwrap } from '../../contract/store-fixture.js';
import { cellOf, decisionOf, ledgerOf, publishOf, WEB } from '../../contract/store-values.js';
import { seedOfRun } from '../../support/seed.js';
import { openOrThrow, optionsFor, type Scratch, scratch } from '../../support/sqlite-scratch.js';

const scratches: Scratch[] = [];
after(() => {
  for (const one of scratches) one.remove();
});

function place(): Scratch {
  const one = scratch();
  scratches.push(one);
  return one;
}

/** A closed database with something in it. */
async function filled(file: string): Promise<void> {
  const store = openOrThrow(file);
  for (let version = 1; version <= 50; version += 1) {
    const context = { text: 'x'.repeat(500) };
    const cell = cellOf(WEB, version, { context });
    await store.commit([decisionOf(`d-${version}`, { cell, records: [publishOf(WEB)] })]);
  }
  await store.close();
}

function refusal(file: string): { readonly code: string; readonly message: string } {
  const opened = openSqliteStore(optionsFor(file));
  assert.equal(opened.ok, false);
  return opened.ok ? { code: '', message: '' } : opened.failure;
}

test('[ST-7] open: a new file is private to its user and leaves nothing beside it', async () => {
  const { file, folder } = place();
  const store = openOrThrow(file);
  await store.commit([decisionOf('d-1', { cell: cellOf(WEB, 1) })]);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(statSync(`${file}-wal`).mode & 0o777, 0o600);
  await store.close();
  assert.deepEqual(
    ['-wal', '-shm', '.new'].filter((suffix) => existsSync(`${file}${suffix}`)),
    [],
  );
  assert.ok(statSync(folder).isDirectory());
});

test('[ST-7] open: everything committed is there again', async () => {
  const { file } = place();
  const store = openOrThrow(file);
  await store.commit([decisionOf('d-1', { cell: cellOf(WEB, 1), records: [publishOf(WEB)] })]);
  unwrap(await store.ledgerPut(ledgerOf('192.0.2.1')));
  const before = await everything(store);
  await store.close();
  const again = openOrThrow(file);
  assert.deepEqual(await everything(again), before);
  assert.equal(unwrap(await again.ledger()).length, 1);
  await again.close();
});

test('[ST-7] migrations: numbered from 1 without a gap, and applied once', () => {
  assert.deepEqual(
    MIGRATIONS.map(({ version }) => version),
    MIGRATIONS.map((_, index) => index + 1),
  );
  const db = new Database(':memory:');
  migrate(db, MIGRATIONS);
  migrate(db, MIGRATIONS);
  assert.equal(db.pragma('user_version', { simple: true }), SCHEMA_VERSION);
  const more = { version: SCHEMA_VERSION + 1, sql: 'CREATE TABLE more (x)' };
  migrate(db, [...MIGRATIONS, more]);
  migrate(db, [...MIGRATIONS, more]);
  assert.equal(db.pragma('user_version', { simple: true }), SCHEMA_VERSION + 1);
  db.close();
});

test('[ST-7] migrations: one that fails leaves the version and the tables as they were', () => {
  const db = new Database(':memory:');
  const broken = {
    version: SCHEMA_VERSION + 1,
    sql: 'CREATE TABLE fine (x); CREATE TABLE broken (',
  };
  assert.throws(() => migrate(db, [...MIGRATIONS, broken]));
  assert.equal(db.pragma('user_version', { simple: true }), SCHEMA_VERSION);
  assert.equal(db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'fine'").get(), undefined);
  db.close();
});

const refusals: readonly {
  readonly name: string;
  readonly code: string;
  readonly says: RegExp;
  readonly prepare: (file: string) => Promise<void> | void;
}[] = [
  {
    name: 'an empty file is damage, not a fresh start',
    code: 'damaged',
    says: /is empty.*backup/,
    prepare: (file) => writeFileSync(file, ''),
  },
  {
    name: 'a file that is no database',
    code: 'damaged',
    says: /NOTADB.*backup/,
    prepare: (file) => writeFileSync(file, 'all work and no play '.repeat(500)),
  },
  {
    name: 'a database cut short',
    code: 'damaged',
    says: /damaged/,
    prepare: async (file) => {
      await filled(file);
      truncateSync(file, Math.floor(statSync(file).size / 2));
    },
  },
  {
    name: 'a log without its database',
    code: 'damaged',
    says: /gone but/,
    prepare: (file) => writeFileSync(`${file}-wal`, 'committed once'),
  },
  {
    name: 'a database whose tables are not what its version says',
    code: 'damaged',
    says: /no such column.*backup/,
    prepare: async (file) => {
      await filled(file);
      const db = new Database(file);
      db.exec('ALTER TABLE cells RENAME COLUMN machine TO machene');
      db.close();
    },
  },
  {
    name: 'a database of another program',
    code: 'foreign',
    says: /another program/,
    prepare: (file) => void new Database(file).exec('CREATE TABLE theirs (x)').close(),
  },
  {
    name: 'a schema of a later release',
    code: 'newer',
    says: new RegExp(`schema ${SCHEMA_VERSION + 1} .* knows ${SCHEMA_VERSION}`),
    prepare: async (file) => {
      await filled(file);
      const db = new Database(file);
      db.pragma(`user_version = ${SCHEMA_VERSION + 1}`);
      db.close();
    },
  },
];
for (const { name, code, says, prepare } of refusals) {
  test(`[ST-7] open: refuses ${name}, names the file, and leaves it alone`, async () => {
    const { file } = place();
    await prepare(file);
    const before = existsSync(file) ? readFileSync(file) : undefined;
    const failure = refusal(file);
    assert.equal(failure.code, code);
    assert.match(failure.message, says);
    assert.ok(failure.message.includes(file));
    assert.match(failure.message, /^[^.]+.*: [^:]+\.$/, 'one sentence with a remedy');
    assert.deepEqual(existsSync(file) ? readFileSync(file) : undefined, before);
  });
}

test('[ST-7] open: a directory that is not there, or is a file, is unwritable', () => {
  const { file, folder } = place();
  writeFileSync(join(folder, 'plain'), '');
  for (const path of [join(folder, 'plain', 'x.db'), join(folder, 'missing', 'x.db')]) {
    const failure = refusal(path);
    assert.equal(failure.code, 'unwritable');
    assert.ok(failure.message.includes(path));
  }
  mkdirSync(file);
  chmodSync(file, 0o700);
  assert.equal(refusal(file).code, 'unwritable');
});

test('[ST-7] open: a second store on the file waits for the first to close', async () => {
  const { file } = place();
  const first = openOrThrow(file);
  const failure = refusal(file);
  assert.equal(failure.code, 'locked');
  assert.match(failure.message, /another process/);
  await first.close();
  await openOrThrow(file).close();
});

test('[ST-7] open: a writer that holds the lock is waited for, then named', async () => {
  const { file } = place();
  await filled(file);
  const other = new Database(file);
  other.exec('BEGIN IMMEDIATE');
  assert.equal(refusal(file).code, 'locked');
  other.exec('ROLLBACK');
  other.close();
  await openOrThrow(file).close();
});

test('[ST-7] open: a half-built file of an earlier crash is built again', async () => {
  const { file } = place();
  writeFileSync(`${file}.new`, 'half');
  await openOrThrow(file).close();
  assert.equal(existsSync(`${file}.new`), false);
});

test('[ST-7] open: a flipped byte anywhere is refused or answered as a failure', async () => {
  const { file } = place();
  await filled(file);
  const whole = readFileSync(file);
  const store = openOrThrow(file);
  const truth = JSON.stringify(await everything(store));
  await store.close();
  await fc.assert(
    fc.asyncProperty(
      // The first page holds the tables' own definitions: half of the flips go there.
      fc.oneof(fc.nat(4_095), fc.nat(whole.length - 1)),
      fc.integer({ min: 1, max: 255 }),
      async (at, mask) => {
        const bent = Buffer.from(whole);
        bent[at] = (bent[at] ?? 0) ^ mask;
        writeFileSync(file, bent);
        const opened = openSqliteStore(optionsFor(file));
        if (!opened.ok) return assert.notEqual(opened.failure.code, 'driver');
        const { value: store } = opened;
        const reads = [store.load(['group']), store.journal(0, 99), store.outboxPending(0, 99)];
        for (const read of await Promise.all(reads)) {
          if (!read.ok) assert.equal(read.failure.code, 'unavailable');
        }
        await store.commit([decisionOf('d-51', { cell: cellOf(WEB, 51) })]);
        await store.close();
      },
    ),
    { seed: seedOfRun(), numRuns: 120 },
  );
  writeFileSync(file, whole);
  const healed = openOrThrow(file);
  assert.equal(JSON.stringify(await everything(healed)), truth);
  await healed.close();
});
