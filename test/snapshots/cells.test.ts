/**
 * Rows of stored actors as each release left them, in every state they can rest in: this release
 * restores all of them and goes on. `npm run snapshots` records those of this release.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import type { Json } from '../../machines/model/json.js';
import { migrate } from '../../src/adapters/sqlite/open.js';
import { MIGRATIONS } from '../../src/adapters/sqlite/schema.js';
import { createSqliteStore } from '../../src/adapters/sqlite/store.js';
import type { Store, StoredCell } from '../../src/ports/store.js';
import type { ActorType } from '../../src/runtime/actor-type.js';
import { differencesOf, shapeOf } from '../support/context-shape.js';
import { SAMPLES } from '../support/machine-samples.js';
import {
  RECORDS,
  RELEASE,
  recordCells,
  recordedReleases,
  recordingOf,
} from '../support/snapshot-files.js';
import {
  type Life,
  leavesIn,
  leavesOf,
  liveOn,
  rowAt,
  STORED_TYPES,
  typeOf,
  WALKED_FROM_MS,
  walkedRows,
} from '../support/snapshot-walks.js';
import { PLAIN } from '../support/sqlite-scratch.js';

const WALKS_RECORDED_MAX = 2_000;
const WALKS_RECORDED_MIN = 40;
const WALKS_COMPARED = 6;

/** States no row is ever left in. */
const NEVER_AT_REST: Readonly<Record<string, string>> = {
  'identity.unbound': 'nothing was decided yet',
  'reload.settled': 'passed through',
  'pool.empty': 'nothing is decided before it is told what to be',
  'resource.unknown': 'nothing is decided before it is told what to be',
  'resource.gone': 'forgets itself',
  'tenant.unknown': 'nothing is decided before it is told what to be',
  'tenant.absent': 'forgets itself',
  'tenant.removed': 'forgets itself',
  'group.unknown': 'nothing is decided before it is told what to be',
  'group.removed': 'forgets itself',
  'frontend.idle': 'nothing is decided before it is told what to be',
  'frontend.releasing.choosing': 'passed through',
  'frontend.removed': 'forgets itself',
  'announcement.judging': 'passed through',
  'announcement.over': 'forgets itself',
  'override.empty': 'nothing is decided before the first order',
  'override.ended': 'forgets itself',
};

function unmet(type: ActorType, rows: readonly StoredCell[]): readonly string[] {
  const met = new Set(rows.flatMap(({ value }) => leavesIn(value, type.machine.id)));
  return leavesOf(type).filter((leaf) => !met.has(leaf) && NEVER_AT_REST[leaf] === undefined);
}

if (RECORDS) {
  const cells: StoredCell[] = [];
  for (const type of STORED_TYPES) {
    const rows = await walkedRows(
      type,
      WALKS_RECORDED_MAX,
      (so, walks) => walks > WALKS_RECORDED_MIN && unmet(type, so).length === 0,
    );
    cells.push(...rows);
  }
  recordCells(cells);
}

const recordings = recordedReleases().map(recordingOf);
const own = recordings.find(({ release }) => release === RELEASE);

test('[ST-21] recorded: this release has recorded each stored kind in every state it can rest in', () => {
  const cells = own?.cells ?? assert.fail(`no recording of ${RELEASE}: npm run snapshots`);
  for (const type of STORED_TYPES) {
    const rows = cells.filter(({ address }) => typeOf(address) === type);
    const met = new Set(rows.flatMap(({ value }) => leavesIn(value, type.machine.id)));
    assert.deepEqual(unmet(type, rows), [], `${type.kind}: npm run snapshots`);
    const wrong = [...met].filter((leaf) => NEVER_AT_REST[leaf] !== undefined);
    assert.deepEqual(wrong, [], `${type.kind} does rest there`);
  }
});

/** The row in a database with the tables of its release, brought up to ours. */
function storeWith(row: StoredCell, schema: number): Store {
  const db = new Database(':memory:');
  migrate(
    db,
    MIGRATIONS.filter(({ version }) => version <= schema),
  );
  const columns = [
    ...[row.address, row.parent ?? null, row.machine, row.machineVersion, row.machineHash],
    ...[row.version, row.incarnation],
    ...[row.value, row.context, row.timers].map((value) => JSON.stringify(value)),
  ];
  db.prepare(`INSERT INTO cells VALUES (${columns.map(() => '?').join(', ')})`).run(columns);
  migrate(db, MIGRATIONS);
  return createSqliteStore(db, { node: 'edge-1', ...PLAIN });
}

/** No later than its first deadline. */
function before({ timers }: StoredCell): number {
  return Math.min(...timers.map(({ dueAtMs }) => dueAtMs - 1), WALKED_FROM_MS + 86_400_000);
}

function expected(row: StoredCell): Pick<StoredCell, 'value' | 'context' | 'timers'> {
  const { migrate: migrates, version } = typeOf(row.address);
  const { machineVersion, value, context, timers } = row;
  if (machineVersion === version) return { value, context, timers };
  return migrates?.({ machineVersion, value, context, timers }) ?? { value, context, timers };
}

const inOrder = (timers: Json): Json =>
  [...(timers as { id: string; dueAtMs: number }[])].sort((a, b) => (a.id < b.id ? -1 : 1));

function assertRestored({ host }: Life, row: StoredCell): void {
  const [actor] = host.actorViews();
  assert.equal(actor?.['quarantined'], false, String(actor?.['lastError']));
  const [view] = host.views(typeOf(row.address).kind);
  const { value, context, timers } = expected(row);
  assert.deepEqual(view?.['value'], value);
  assert.deepEqual(view?.['context'], context);
  assert.deepEqual(inOrder(view?.['timers'] as Json), inOrder(timers as never));
}

function assertUntroubled({ host, log }: Life): void {
  const crashed = log.lines.filter(({ level }) => level === 'error');
  assert.deepEqual(crashed, []);
  assert.ok(host.actorViews().every(({ restarts }) => restarts === 0));
}

/** Says to it what is said to its kind until it has decided something: false when nothing moves it. */
async function movesOn({ host, clock }: Life, store: Store, row: StoredCell): Promise<boolean> {
  const moved = async () => (await rowAt(store, row.address))?.version !== row.version;
  for (const event of SAMPLES[typeOf(row.address).machine.id]?.events ?? []) {
    if (await moved()) return true;
    host.tell(row.address, event, 'on');
    await clock.settle();
  }
  return moved();
}

for (const { release, schema, cells } of recordings) {
  const values = cells.map((row) => `${row.machine} ${JSON.stringify(row.value)}`);
  test(`[ST-21] recorded by ${release}: ${cells.length} rows are restored as they were and go on`, async () => {
    for (const [index, row] of cells.entries()) {
      const about = `${values[index]} (line ${index + 2})`;
      const store = storeWith(row, schema);
      const life = await liveOn(store, before(row), row.incarnation + 1);
      try {
        assertRestored(life, row);
        for (const { id } of expected(row).timers) {
          const { events } = typeOf(row.address).machine;
          assert.ok(events.includes(id), `nobody hears the timer ${id} any more`);
        }
        await life.clock.settle();
        assertUntroubled(life);
        const due = row.timers.map(({ dueAtMs }) => dueAtMs - life.clock.now());
        await life.clock.advance(Math.max(0, ...due));
        assertUntroubled(life);
        assert.ok(await movesOn(life, store, row), 'nothing moves it');
      } catch (error) {
        throw new Error(`${about}: ${(error as Error).message}`, { cause: error });
      }
      await life.host.stop();
      await store.close();
    }
  });
}

for (const type of STORED_TYPES) {
  test(`[ST-21] ${type.kind}: its context looks as recorded, or its version is another one`, async () => {
    const contexts = own?.cells
      .filter(({ machine, machineVersion }) => {
        return machine === type.machine.id && machineVersion === type.version;
      })
      .map(({ context }) => context);
    if (contexts === undefined || contexts.length === 0) return;
    const now = (await walkedRows(type, WALKS_COMPARED)).map(({ context }) => context);
    assert.deepEqual(
      differencesOf(shapeOf(contexts), shapeOf(now)),
      [],
      `${type.kind} stores another shape: raise its version and migrate (or, before the release: npm run snapshots)`,
    );
  });
}
