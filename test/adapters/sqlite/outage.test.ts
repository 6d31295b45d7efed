/**
 * Outages of the disk, each as SQLite really meets it: a database that may not grow, a disk without
 * room, a write that fails, somebody else's lock. Whatever it is, the node is reflex-only while it
 * lasts, and afterwards everything that waited is there, in order and once.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { migrate } from '../../../src/adapters/sqlite/open.js';
import { MIGRATIONS } from '../../../src/adapters/sqlite/schema.js';
import { createSqliteStore } from '../../../src/adapters/sqlite/store.js';
import { ACTOR_DECISIONS_MAX } from '../../../src/runtime/limits.js';
import { type OutageNode, outageNode, type Report } from '../../support/outage-node.js';
import { PLAIN, type Scratch, scratch } from '../../support/sqlite-scratch.js';

/** A node whose disk can be taken away and given back. */
interface Rig extends OutageNode {
  begin(): Promise<void> | void;
  end(): Promise<void> | void;
  close(): Promise<void>;
}

const scratches: Scratch[] = [];
after(() => {
  for (const one of scratches) one.remove();
});

function freshPlace(): Scratch {
  const one = scratch();
  scratches.push(one);
  return one;
}

/** Over a connection of our own: whoever has it can limit it, and somebody else can lock the file. */
async function here(outage: (db: Database.Database, file: string) => Pick<Rig, 'begin' | 'end'>) {
  const { file } = freshPlace();
  const db = new Database(file, { timeout: 5 });
  db.pragma('journal_mode = WAL');
  migrate(db, MIGRATIONS);
  const store = createSqliteStore(db, { node: 'edge-1', ...PLAIN });
  const node = await outageNode(store);
  return { ...node, ...outage(db, file), close: () => store.close() };
}

const mayNotGrow = () =>
  here((db) => ({
    begin: () => {
      const pages = Number(db.pragma('page_count', { simple: true }));
      db.pragma(`max_page_count = ${pages}`);
    },
    end: () => void db.pragma('max_page_count = 1000000'),
  }));

const locked = () =>
  here((_, file) => {
    const other = new Database(file);
    return {
      begin: () => void other.exec('BEGIN IMMEDIATE'),
      end: () => void other.exec('ROLLBACK').close(),
    };
  });

const CHILD = fileURLToPath(new URL('./outage-child.js', import.meta.url));

/** In a process of its own, started by this command; `file` is where that has its database. */
async function elsewhere(command: readonly string[], file: string) {
  const [program = '', ...args] = [...command, process.execPath, CHILD, file];
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  assert.equal((await lines.next()).value, 'ready');
  const act: OutageNode['act'] = async (order) => {
    child.stdin.write(`${JSON.stringify(order)}\n`);
    return JSON.parse((await lines.next()).value ?? assert.fail('the child is gone')) ?? undefined;
  };
  return { child, act, close: () => ended(child) };
}

async function ended(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.stdin?.end();
  await gone;
}

/** A write that would make a file longer than it is fails with an I/O error. */
async function writesFail(): Promise<Rig> {
  const { file } = freshPlace();
  const { child, ...node } = await elsewhere([], file);
  const limit = (bytes: string) =>
    void execFileSync('prlimit', ['--pid', String(child.pid), `--fsize=${bytes}:unlimited`]);
  return {
    ...node,
    begin: () => limit(String(statSync(`${file}-wal`).size)),
    end: () => limit('unlimited'),
  };
}

/** A disk of two megabytes that only this process has, until its last byte is taken. */
async function diskFull(): Promise<Rig> {
  const { folder } = freshPlace();
  const script = 'mount -t tmpfs -o size=2m none "$0" && exec "$@"';
  const command = ['unshare', '-rm', 'sh', '-c', script, folder];
  const node = await elsewhere(command, `${folder}/switchyard.db`);
  const ballast = `${folder}/ballast`;
  return {
    ...node,
    begin: async () => void (await node.act({ do: 'fill', file: ballast })),
    end: async () => void (await node.act({ do: 'free', file: ballast })),
  };
}

function works(program: string, ...args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const mounts = works('unshare', '-rm', 'sh', '-c', 'mount -t tmpfs -o size=1m none /tmp');

const outages = [
  { name: 'a database that may not grow', says: /SQLITE_FULL/, start: mayNotGrow },
  { name: "somebody else's lock", says: /SQLITE_BUSY/, start: locked },
  {
    name: 'writes that fail',
    says: /SQLITE_IOERR/,
    start: writesFail,
    skip: works('prlimit', '--version') ? false : 'no prlimit here',
  },
  {
    name: 'a disk without room',
    says: /SQLITE_(FULL|IOERR)/,
    start: diskFull,
    skip: mounts ? false : 'no private mounts here',
  },
];

const range = (from: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => from + index);

const own = (report: Report, name: string): readonly string[] =>
  report.added.filter((entry) => entry.startsWith(`group/t/${name} `));

for (const { name, says, start, skip = false } of outages) {
  test(`[ST-20] ${name}: reflex-only while it lasts, then everything in order and once`, {
    skip,
  }, async (t) => {
    const rig = await start();
    t.after(rig.close);
    const tell = (to: string, type: string, by: number[]) =>
      rig.act({ do: 'tell', to: `t/${to}`, type, by });
    const look = async (): Promise<Report> => (await rig.act({ do: 'look' })) as Report;
    const wait = (ms: number) => rig.act({ do: 'wait', ms });

    await tell('few', 'add', range(1, 5));
    await tell('many', 'add', range(1_001, 5));
    await tell('calm', 'add', [2_001]);
    await wait(1_000);
    const before = await look();
    assert.equal(before.reflexOnly, null);
    assert.equal(before.added.length, 11);

    await rig.begin();
    // More than an actor may have under way, records alone, and a change behind those.
    await tell('few', 'add', range(11, 10));
    await tell('many', 'add', range(1_011, 3 * ACTOR_DECISIONS_MAX));
    await tell('calm', 'flinch', range(2_011, 3 * ACTOR_DECISIONS_MAX));
    await tell('calm', 'add', [2_901]);
    await tell('calm', 'flinch', range(3_001, 5));
    await wait(20_000);
    const during = await look();
    assert.match(String(during.reflexOnly), says);
    const since = during.said.slice(before.said.length);
    assert.deepEqual(
      since.filter((word) => word.startsWith('decided')),
      [],
      'what waits for the disk waits',
    );
    const acted = (words: number[], verb: string) => words.map((by) => `${verb} ${by}`);
    for (const word of acted(range(11, 10), 'reflex')) assert.ok(since.includes(word), word);
    for (const word of acted(range(2_011, 3 * ACTOR_DECISIONS_MAX), 'flinched')) {
      assert.ok(since.includes(word), word);
    }
    for (const word of acted(range(3_001, 5), 'flinched')) assert.ok(since.includes(word), word);
    assert.deepEqual(during.added, before.added, 'what was acknowledged is there, nothing else');
    assert.equal(during.depths['group/t/many'], 2 * ACTOR_DECISIONS_MAX, 'the rest waits its turn');

    await rig.end();
    await wait(120_000);
    const later = await look();
    assert.equal(later.reflexOnly, null);
    const few = [...range(1, 5), ...range(11, 10)];
    const many = [...range(1_001, 5), ...range(1_011, 3 * ACTOR_DECISIONS_MAX)];
    const calm = [2_001, 2_901];
    for (const [actor, all] of Object.entries({ few, many, calm })) {
      assert.deepEqual(
        own(later, actor),
        all.map((by) => `group/t/${actor} ${by}`),
      );
      const sum = all.reduce((total, by) => total + by, 0);
      assert.equal(later.totals[`group/t/${actor}`], sum);
      const decided = later.said.filter((word) => all.some((by) => word === `decided ${by}`));
      assert.deepEqual(
        decided,
        all.map((by) => `decided ${by}`),
        'effects once, in order',
      );
    }
    assert.equal(new Set(later.ids).size, later.ids.length, 'no decision twice in the journal');
    assert.equal(new Set(later.events).size, later.added.length, 'one event each in the outbox');
    assert.deepEqual(later.aggregateVersions, range(1, later.added.length));
    assert.equal(later.versions['group/t/few'], few.length);
    assert.equal(later.versions['group/t/many'], many.length);
  });
}
