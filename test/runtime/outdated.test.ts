/**
 * A living actor whose decision the store calls stale: somebody else has moved its row, and what it has in
 * memory is the past. It comes back from the store with its family, never from its own beginning.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Address, addressOf } from '../../machines/model/ids.js';
import { fail } from '../../machines/model/result.js';
import type { Decision, Store, StoredCell } from '../../src/ports/store.js';
import { unwrap } from '../contract/store-fixture.js';
import { GROUP, memoryStore, type ToyEvent, type ToyWorld, toyWorld } from '../support/toy-node.js';

const CHILD = addressOf('instance', 'i-00ff-0123456789ab00');

const tell = (world: ToyWorld, message: ToyEvent, to: Address = GROUP): void =>
  world.host.tell(to, message, 'test');

const viewOf = (world: ToyWorld, address: Address = GROUP) =>
  world.host.actorViews().find((view) => view['address'] === address);

async function totalOf(world: ToyWorld, to: Address = GROUP): Promise<unknown> {
  const answer = world.host.ask(to, { type: 'peek' });
  await world.clock.advance(10_000);
  const outcome = await answer;
  return outcome.ok ? (outcome.value as { total: number }).total : outcome.failure.code;
}

async function rowOf({ store }: ToyWorld, address: Address): Promise<StoredCell> {
  const family = unwrap(await store.loadFamily(address));
  return family.find((row) => row.address === address) ?? assert.fail(`no row of ${address}`);
}

/** Somebody else's decision about an actor, behind the back of whoever has it in memory. */
async function elsewhere(
  { store }: ToyWorld,
  row: StoredCell,
  change: Partial<Decision> = {},
): Promise<void> {
  const { incarnation: _, parent, ...cell } = row;
  const decision: Decision = {
    ...{ id: `elsewhere-${row.version}`, at: 1, actor: row.address, cause: 'elsewhere' },
    ...{ thread: 'other', incarnation: 1, spawns: [], forget: false, records: [] },
    configGeneration: 1,
    cell: { ...cell, version: row.version + 1, ...(parent === undefined ? {} : { parent }) },
    ...change,
  };
  const [outcome] = await store.commit([decision]);
  assert.ok(outcome?.ok, JSON.stringify(outcome));
}

const withTotal = (row: StoredCell, total: number): StoredCell => ({
  ...row,
  context: { ...row.context, total },
});

async function grown(wrap?: (store: Store) => Store): Promise<ToyWorld> {
  const world = await toyWorld({ store: memoryStore(), ...(wrap === undefined ? {} : { wrap }) });
  tell(world, { type: 'add', by: 5 });
  await world.clock.settle();
  return world;
}

test('[RT-66] stale: it comes back as the store has it, and goes on from there', async () => {
  const world = await grown();
  await elsewhere(world, withTotal(await rowOf(world, GROUP), 50));
  tell(world, { type: 'add', by: 100 });
  const asked = world.host.ask(GROUP, { type: 'peek' });
  await world.clock.settle();
  assert.equal(viewOf(world)?.['restarts'], 1);
  tell(world, { type: 'add', by: 1 });
  assert.equal(await totalOf(world), 51);
  assert.ok((await asked).ok, 'who asked meanwhile is answered');
  assert.ok(!world.said.includes('decided 100'), 'what was refused took its effects with it');
  assert.ok(world.said.includes('decided 1'));
  const { version, context } = await rowOf(world, GROUP);
  assert.deepEqual([version, context['total']], [3, 51]);
  const lost = world.host.deadLetters.list().filter(({ to }) => to === GROUP);
  assert.deepEqual(lost, []);
});

test('[RT-66] stale: also its state and its deadlines are those of the store', async () => {
  const world = await grown();
  const row = await rowOf(world, GROUP);
  const due = { id: 'xstate.after.nap.toy.asleep', dueAtMs: world.clock.now() + 700 };
  await elsewhere(world, { ...row, value: 'asleep', timers: [due] });
  tell(world, { type: 'add', by: 100 });
  await world.clock.advance(600);
  assert.equal(viewOf(world)?.['state'], 'asleep');
  await world.clock.advance(100);
  assert.equal(viewOf(world)?.['state'], 'awake');
});

test('[RT-66] stale with many decisions under way: none of them is done, and it comes back once', async () => {
  const world = await grown();
  await elsewhere(world, withTotal(await rowOf(world, GROUP), 50));
  for (let by = 101; by <= 120; by += 1) tell(world, { type: 'add', by });
  await world.clock.advance(1_000);
  assert.equal(await totalOf(world), 50);
  assert.ok(!world.said.some((word) => /^decided 1\d\d$/.test(word)));
  assert.equal(viewOf(world)?.['restarts'], 1);
});

test('[RT-66] stale while it is down, or quarantined: it comes back as the store has it', async () => {
  const world = await grown();
  await elsewhere(world, withTotal(await rowOf(world, GROUP), 50));
  tell(world, { type: 'add', by: 100 });
  tell(world, { type: 'explode' });
  await world.clock.advance(10_000);
  assert.equal(await totalOf(world), 50);
  await elsewhere(world, withTotal(await rowOf(world, GROUP), 70));
  tell(world, { type: 'add', by: 100 });
  for (let n = 0; n < 12; n += 1) tell(world, { type: 'implode' });
  await world.clock.advance(60_000);
  assert.equal(viewOf(world)?.['quarantined'], true);
  world.host.resume(GROUP);
  await world.clock.advance(60_000);
  assert.equal(await totalOf(world), 70);
});

test('[RT-66] stale: children it did not know of are here with it, those it has stay as they are', async () => {
  const world = await grown();
  tell(world, { type: 'breed', child: 'i-00aa-0123456789ab00' });
  await world.clock.settle();
  const known = addressOf('instance', 'i-00aa-0123456789ab00');
  tell(world, { type: 'add', by: 2 }, known);
  await world.clock.settle();
  const spawn = { ...(await rowOf(world, known)), address: CHILD, parent: GROUP, version: 1 };
  await elsewhere(world, await rowOf(world, GROUP), { spawns: [withTotal(spawn, 33)] });
  tell(world, { type: 'add', by: 100 });
  await world.clock.settle();
  assert.equal(await totalOf(world, CHILD), 33);
  assert.equal(await totalOf(world, known), 9);
  assert.equal(world.host.views('group')[0]?.['children'], 2);
  tell(world, { type: 'add', by: 1 }, CHILD);
  assert.equal(await totalOf(world, CHILD), 34);
});

test('[RT-66] stale and no longer there: who may begin by itself begins anew, a child is gone', async () => {
  const world = await grown();
  tell(world, { type: 'breed', child: 'i-00ff-0123456789ab00' });
  await world.clock.settle();
  await elsewhere(world, await rowOf(world, CHILD), { forget: true });
  tell(world, { type: 'add', by: 100 }, CHILD);
  await world.clock.settle();
  assert.equal(await totalOf(world, CHILD), 'no-actor');
  await elsewhere(world, await rowOf(world, GROUP), { forget: true });
  tell(world, { type: 'add', by: 100 });
  await world.clock.settle();
  tell(world, { type: 'add', by: 3 });
  assert.equal(await totalOf(world), 3);
  assert.equal((await rowOf(world, GROUP)).version, 1);
});

test('[RT-66] stale, and the store away when it is asked: it waits, and comes back when there is an answer', async () => {
  let away = false;
  const world = await grown((store) => ({
    ...store,
    loadFamily: (address) =>
      away
        ? Promise.resolve(fail({ code: 'unavailable', message: 'full' } as const))
        : store.loadFamily(address),
  }));
  await elsewhere(world, withTotal(await rowOf(world, GROUP), 50));
  away = true;
  tell(world, { type: 'add', by: 100 });
  await world.clock.advance(60_000);
  assert.equal(viewOf(world)?.['state'], 'restarting');
  away = false;
  await world.clock.advance(10_000);
  assert.equal(await totalOf(world), 50);
  assert.equal(viewOf(world)?.['restarts'], 1);
});

test('[RT-66] stale, and the row is of another release: quarantined, and kept as it is', async () => {
  const world = await grown();
  await elsewhere(world, { ...(await rowOf(world, GROUP)), machineVersion: 2 });
  tell(world, { type: 'add', by: 100 });
  tell(world, { type: 'add', by: 200 });
  await world.clock.advance(60_000);
  assert.deepEqual([viewOf(world)?.['quarantined'], viewOf(world)?.['unreadable']], [true, true]);
  assert.equal((await rowOf(world, GROUP)).machineVersion, 2);
  assert.equal(world.host.resume(GROUP), false);
});

test('[RT-19] fenced off: its thread has a successor, so what waits has come to the wrong place', async () => {
  const world = await grown();
  unwrap(await world.store.fence('main', 2));
  tell(world, { type: 'add', by: 100 });
  const asked = world.host.ask(GROUP, { type: 'peek' });
  await world.clock.advance(1_000);
  assert.equal(viewOf(world), undefined);
  assert.ok(!world.said.includes('decided 100'));
  await asked;
});
