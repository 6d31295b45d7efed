/**
 * Rows that are not this release's to read: each is quarantined where everybody sees it, kept as it is,
 * and the rest of the node starts. Rows of an older version are migrated by their type, or not at all.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { type Address, addressOf } from '../../machines/model/ids.js';
import { migrate } from '../../src/adapters/sqlite/open.js';
import { MIGRATIONS } from '../../src/adapters/sqlite/schema.js';
import { createSqliteStore } from '../../src/adapters/sqlite/store.js';
import { conditionsOf } from '../../src/app/conditions.js';
import type { StoredState } from '../../src/runtime/actor-type.js';
import { PLAIN } from '../support/sqlite-scratch.js';
import {
  GROUP,
  type ToyEvent,
  type ToyOptions,
  type ToyWorld,
  toyWorld,
} from '../support/toy-node.js';

const SIBLING = addressOf('group', 't/sibling');
const CHILD = addressOf('instance', 'i-00ff-0123456789ab00');

const tell = (world: ToyWorld, message: ToyEvent, to: Address = GROUP): void =>
  world.host.tell(to, message, 'test');

const viewOf = (world: ToyWorld, address: Address = GROUP) =>
  world.host.actorViews().find((view) => view['address'] === address);

const totals = (world: ToyWorld): Readonly<Record<string, unknown>> =>
  Object.fromEntries(world.host.views('group').map((view) => [view['address'], view['total']]));

/** A stopped world of three stored actors: one asleep with 3, a sibling with 5, a child of the first. */
async function written() {
  const db = new Database(':memory:');
  migrate(db, MIGRATIONS);
  const store = createSqliteStore(db, { node: 'edge-1', ...PLAIN });
  const world = await toyWorld({ store });
  tell(world, { type: 'add', by: 3 });
  tell(world, { type: 'breed', child: 'i-00ff-0123456789ab00' });
  tell(world, { type: 'sleep' });
  tell(world, { type: 'add', by: 5 }, SIBLING);
  await world.clock.settle();
  await world.host.stop();
  const rowOf = (address: Address): unknown =>
    db.prepare('SELECT * FROM cells WHERE address = ?').get(address);
  const next = (more: ToyOptions = {}): Promise<ToyWorld> =>
    toyWorld({ store, clock: world.clock, incarnation: 2, ...more });
  return { db, rowOf, next };
}

const asOlder = (): never => {
  throw new Error('not from there');
};

const rows: readonly {
  readonly name: string;
  readonly set?: string;
  readonly release?: ToyOptions;
  readonly says: RegExp;
}[] = [
  { name: 'an unknown machine', set: "machine = 'robot'", says: /by machine robot version 1/ },
  { name: 'a newer version', set: 'machine_version = 2', says: /version 2, .* toy version 1/ },
  { name: 'an older version', release: { version: 2 }, says: /version 1, .* no migration/ },
  {
    name: 'an older version that the migration does not know',
    release: { version: 2, migrate: () => undefined },
    says: /no migration from there/,
  },
  {
    name: 'an older version whose migration throws',
    release: { version: 2, migrate: asOlder },
    says: /migration failed: Error: not from there/,
  },
  {
    name: 'an older version migrated to a state that is none',
    release: { version: 2, migrate: (old) => ({ ...old, value: 'adrift' }) },
    says: /"adrift" does not exist/,
  },
  { name: 'other states in the same version', set: "machine_hash = 'ff'", says: /states ff/ },
  { name: 'an unknown state', set: `value = '"adrift"'`, says: /"adrift" does not exist/ },
  { name: 'half a state', set: `value = '{}'`, says: /does not exist/ },
  { name: 'a value that is no JSON', set: `value = '"asl'`, says: /text damaged/ },
  { name: 'a context that is no JSON', set: `context = '{"total":'`, says: /text damaged/ },
  { name: 'a context that is no object', set: `context = '[3]'`, says: /context is no object/ },
  { name: 'timers that are no JSON', set: `timers = 'x'`, says: /text damaged/ },
  { name: 'timers that are no list', set: `timers = '{"id":1}'`, says: /no list of deadlines/ },
  { name: 'a timer without a deadline', set: `timers = '[{"id":"x"}]'`, says: /no list of dead/ },
];
for (const { name, set, release, says } of rows) {
  test(`[RT-9] ${name}: quarantined where it is seen, kept as it is, and the rest starts`, async () => {
    const { db, rowOf, next } = await written();
    if (set !== undefined) db.exec(`UPDATE cells SET ${set} WHERE address = '${GROUP}'`);
    // The others are of the release that reads them, whichever that is.
    if (release?.version === 2)
      db.exec(`UPDATE cells SET machine_version = 2 WHERE address <> '${GROUP}'`);
    const before = rowOf(GROUP);
    const world = await next(release);
    const view = viewOf(world);
    assert.deepEqual([view?.['state'], view?.['unreadable']], ['quarantined', true]);
    assert.match(String(view?.['lastError']), says);
    assert.ok(world.log.lines.some(({ message }) => message === 'stored cell quarantined'));
    assert.equal(totals(world)[SIBLING], 5);
    tell(world, { type: 'add', by: 1 });
    tell(world, { type: 'add', by: 1 }, SIBLING);
    tell(world, { type: 'add', by: 1 }, CHILD);
    await world.clock.advance(60_000);
    assert.equal(totals(world)[SIBLING], 6);
    assert.equal(viewOf(world, CHILD)?.['state'], 'awake');
    assert.equal(world.host.deadLetters.counts().quarantined, 1);
    assert.equal(world.host.resume(GROUP), false, 'nothing to resume');
    assert.deepEqual(rowOf(GROUP), before);
  });
}

test('[RT-9] a child that cannot be read is named to its parent as such', async () => {
  const { db, next } = await written();
  db.exec(`UPDATE cells SET context = '!' WHERE address = '${CHILD}'`);
  const world = await next();
  assert.equal(viewOf(world)?.['state'], 'asleep');
  assert.equal(world.host.views('group')[0]?.['children'], 1);
  assert.equal(viewOf(world, CHILD)?.['quarantined'], true);
});

test('[RT-9] a row that cannot be read is a condition that says what helps, and resume is not it', async () => {
  const { db, next } = await written();
  db.exec(`UPDATE cells SET machine_version = 7 WHERE address = '${GROUP}'`);
  const { host } = await next();
  const directory = {
    views: async () => [],
    actors: async () => host.actorViews(),
    reflexOnly: async () => [],
  };
  const [condition, ...rest] = await conditionsOf({ directory: directory as never });
  assert.deepEqual(rest, []);
  assert.equal(condition?.['object'], GROUP);
  assert.match(String(condition?.['message']), /version 7/);
  assert.doesNotMatch(String(condition?.['next']), /resume/);
});

test('[RT-65] an older row is migrated once it is needed, with its timers, and stored as the new version', async () => {
  const { rowOf, next } = await written();
  const seen: unknown[] = [];
  const older = (old: StoredState & { readonly machineVersion: number }): StoredState => {
    seen.push(old.machineVersion);
    return { ...old, context: { ...old.context, total: Number(old.context['total']) * 10 } };
  };
  const release: ToyOptions = { version: 2, migrate: older };
  const before = rowOf(GROUP);
  const looking = await next(release);
  assert.deepEqual(seen, [1, 1, 1]);
  assert.deepEqual(totals(looking), { [GROUP]: 30, [SIBLING]: 50 });
  assert.deepEqual(rowOf(GROUP), before, 'looking writes nothing');
  await looking.host.stop();
  const world = await next({ ...release, incarnation: 3 });
  await world.clock.advance(1_000);
  assert.equal(viewOf(world)?.['state'], 'awake', 'its timer went off');
  tell(world, { type: 'explode' });
  await world.clock.advance(60_000);
  assert.equal(totals(world)[GROUP], 30, 'a crash comes back to the migrated state');
  const row = rowOf(GROUP) as { machine_version: number; version: number };
  assert.deepEqual(row.machine_version, 2);
  assert.equal(row.version, (before as { version: number }).version + 1);
});
