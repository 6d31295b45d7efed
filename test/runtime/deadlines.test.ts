/** Deadlines over lives: what passed while nobody was there, in which order, and by which clock. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { setup } from 'xstate';
import {
  type Activated,
  effect,
  type RecordParams,
  type SpawnParams,
  type Stamped,
} from '../../machines/model/effects.js';
import { type Address, addressOf } from '../../machines/model/ids.js';
import type { Store, StoredCell } from '../../src/ports/store.js';
import type { ActorType } from '../../src/runtime/actor-type.js';
import { CAT, stateOf, tell, world } from '../support/cat-node.js';
import { numberedIds } from '../support/quiet.js';
import { seedOfRun } from '../support/seed.js';
import { memoryStore, type ToyWorld, toyWorld } from '../support/toy-node.js';

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => addressOf('group', `t/${name}`));

/** A store that hands its rows out in another order. */
function loadedAs(store: Store, order: readonly Address[]): Store {
  const rank = ({ address }: StoredCell): number => order.indexOf(address);
  return {
    ...store,
    load: async (kinds) => {
      const loaded = await store.load(kinds);
      return loaded.ok
        ? { ok: true, value: [...loaded.value].sort((a, b) => rank(a) - rank(b)) }
        : loaded;
    },
  };
}

function wakers({ host }: ToyWorld): Address[] {
  const woke: Address[] = [];
  host.tap(({ address, event }) => {
    if (event.type.startsWith('xstate.after')) woke.push(address);
  });
  return woke;
}

test('[RT-58] deadlines that passed while the node was down fire at once, in order, however it was loaded', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray(NAMES, { minLength: NAMES.length }),
      fc.shuffledSubarray(NAMES, { minLength: NAMES.length }),
      fc.integer({ min: 0, max: 1_500 }),
      async (order, loadOrder, downMs) => {
        const first = await toyWorld();
        for (const name of order) {
          first.host.tell(name, { type: 'sleep' } as never, 'test');
          await first.clock.advance(100);
        }
        await first.host.stop();
        await first.clock.advance(downMs);
        const { store, clock } = first;
        const next = await toyWorld({ store: loadedAs(store, loadOrder), clock, incarnation: 2 });
        const woke = wakers(next);
        await clock.advance(0);
        // The first fell asleep 600 ms before the end; each sleeps for 1,000 ms.
        const overdue = order.filter((_, n) => n * 100 + 1_000 <= 600 + downMs);
        assert.deepEqual(woke, overdue);
        await clock.advance(2_000);
        assert.deepEqual(woke, order, 'and those that had time left come after');
      },
    ),
    { seed: seedOfRun(), numRuns: 60 },
  );
});

test('[RT-58] all deadlines of a load are re-based by one reading, also when the wall clock is stepped meanwhile', async () => {
  const first = await toyWorld();
  for (const name of NAMES) first.host.tell(name, { type: 'sleep' } as never, 'test');
  await first.clock.advance(400);
  await first.host.stop();
  // Each look at the wall clock finds it set back a little further.
  const { store, clock } = first;
  const jumpy = {
    ...clock,
    now: () => {
      clock.stepWall(-7);
      return clock.now();
    },
  };
  const next = await toyWorld({ store, clock: jumpy, incarnation: 2 });
  const woke = wakers(next);
  for (let ms = 0; ms < 2_000 && woke.length === 0; ms += 1) await clock.advance(1);
  assert.deepEqual(new Set(woke), new Set(NAMES), 'all at once, as they fell asleep');
});

test('[RT-10] a deadline is stored as it was first set, however many lives it has', async () => {
  const store = memoryStore();
  const first = await world({ store });
  tell(first, { type: 'wait' });
  await first.clock.advance(100);
  const stored = async () => {
    const loaded = await store.load(['group']);
    return loaded.ok ? loaded.value.map(({ timers, version }) => ({ timers, version })) : [];
  };
  const [before] = await stored();
  assert.equal(before?.timers.length, 1);
  await first.host.stop();
  for (let life = 2; life < 5; life += 1) {
    const ids = numberedIds(`life${life}`);
    const node = await world({ store, clock: first.clock, incarnation: life, ids });
    await first.clock.advance(100.5);
    tell(node, { type: 'note' });
    await first.clock.advance(100);
    const [row] = await stored();
    assert.equal(row?.version, life, 'it was stored anew');
    assert.deepEqual(row?.timers, before?.timers);
    assert.equal(stateOf(node), 'waiting');
    await node.host.stop();
  }
  const last = await world({ store, clock: first.clock, incarnation: 9 });
  const left = (before?.timers[0]?.dueAtMs ?? 0) - first.clock.now();
  await first.clock.advance(left - 1);
  assert.equal(stateOf(last), 'waiting');
  // The wall clock has whole ms only: its reading and the tick may each be late by one.
  await first.clock.advance(3);
  assert.equal(stateOf(last), 'over');
});

type NestEvent = Activated | { readonly type: 'lay' };

const EGG = addressOf('instance', 'i-0000-0123456789ab00');

const nest = setup({
  types: { context: {} as object, events: {} as Stamped<NestEvent> },
  actions: { record: effect<RecordParams>(), spawn: effect<SpawnParams>() },
}).createMachine({
  id: 'nest',
  context: {},
  on: {
    lay: {
      actions: [
        { type: 'spawn', params: { address: EGG, input: {} } },
        { type: 'record', params: { event: 'nest.laid', rule: 'T', numbers: {} } },
      ],
    },
  },
});

const egg = setup({ types: { context: {} as object }, delays: { brood: 10_000 } }).createMachine({
  id: 'egg',
  context: {},
  initial: 'whole',
  states: { whole: { after: { brood: 'hatched' } }, hatched: {} },
});

const nestTypes: readonly ActorType[] = (
  [
    ['group', nest, true],
    ['instance', egg, false],
  ] as const
).map(([kind, machine, implicit]) => ({
  kind,
  machine,
  implicit,
  version: 1,
  stored: true,
  effects: {},
  view: ({ value }) => ({ value }),
}));

for (const stepMs of [3_600_000, -3_600_000]) {
  test(`[RT-58] a child's wait counts from the decision, though the clock is set by ${stepMs} ms before it is stored`, async () => {
    const node = await world({ types: nestTypes });
    node.mood.commit = 'held';
    node.host.tell(CAT, { type: 'lay' } as never, 'test');
    await node.clock.advance(1_000);
    node.clock.stepWall(stepMs);
    node.mood.commit = 'works';
    const eggIs = () => node.host.views('instance')[0]?.['value'];
    await node.clock.advance(8_999);
    assert.equal(eggIs(), 'whole');
    await node.clock.advance(1);
    assert.equal(eggIs(), 'hatched');
  });
}
