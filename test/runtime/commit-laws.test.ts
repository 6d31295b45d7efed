/**
 * The commit protocol under load and bad luck: actors of two threads decide all at once while answers get
 * lost, calls arrive twice or by half, decisions are spoiled, the disk is away, the store is opened again
 * and threads are replaced whose old lives go on writing. Whatever happens, what is stored is what a plain
 * store says of the same decisions taken one after the other, and effects ran as their class allows.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { type Address, addressOf } from '../../machines/model/ids.js';
import type { Message } from '../../machines/model/messages.js';
import { migrate } from '../../src/adapters/sqlite/open.js';
import { MIGRATIONS } from '../../src/adapters/sqlite/schema.js';
import { createSqliteStore } from '../../src/adapters/sqlite/store.js';
import type { Store } from '../../src/ports/store.js';
import { createVirtualClock, type VirtualClock } from '../../src/runtime/virtual-clock.js';
import { everything } from '../contract/store.js';
import { unwrap } from '../contract/store-fixture.js';
import { type ChaosStore, chaosStore, type Fault } from '../support/chaos-store.js';
import { seedOfRun } from '../support/seed.js';
import { PLAIN } from '../support/sqlite-scratch.js';
import { type ToyWorld, toyWorld } from '../support/toy-node.js';
import { twinStore } from '../support/twin-store.js';

const THREADS = ['a', 'b'] as const;
const ACTORS = ['one', 'two', 'three', 'four'] as const;

type Command =
  | { readonly do: 'add'; readonly thread: number; readonly actor: number; readonly count: number }
  /** To the life before this one, when there was one. */
  | {
      readonly do: 'haunt';
      readonly thread: number;
      readonly actor: number;
      readonly count: number;
    }
  | {
      readonly do: 'flinch';
      readonly thread: number;
      readonly actor: number;
      readonly count: number;
    }
  /** Somebody else moves a row on, behind the back of whoever has it in memory. */
  | { readonly do: 'meddle'; readonly thread: number; readonly actor: number }
  | { readonly do: 'fault'; readonly fault: Fault }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'replace'; readonly thread: number }
  | { readonly do: 'reopen' };

const at = fc.nat(40);
const ms = fc.integer({ min: 1, max: 400 });
const arbFault: fc.Arbitrary<Fault> = fc.oneof(
  fc.constantFrom<Fault>({ kind: 'lost-answer' }, { kind: 'twice' }),
  fc.record({ kind: fc.constantFrom('half' as const, 'gap' as const, 'spoiled' as const), at }),
  fc.record({ kind: fc.constantFrom('slow' as const, 'away' as const), ms }),
);
const told = {
  thread: fc.nat(THREADS.length - 1),
  actor: fc.nat(ACTORS.length - 1),
  count: fc.integer({ min: 1, max: 12 }),
};
const arbCommand: fc.Arbitrary<Command> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('add' as const), ...told }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('haunt' as const), ...told }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('flinch' as const), ...told }) },
  {
    weight: 1,
    arbitrary: fc.record({
      ...{ do: fc.constant('meddle' as const), thread: told.thread, actor: told.actor },
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('fault' as const), fault: arbFault }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('wait' as const), ms }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('replace' as const), thread: told.thread }) },
  { weight: 1, arbitrary: fc.constant({ do: 'reopen' as const }) },
);

const arbHistory = fc.array(arbCommand, { minLength: 5, maxLength: 60 });

interface Life {
  readonly world: ToyWorld;
  readonly thread: string;
  readonly incarnation: number;
}

interface Rig {
  readonly clock: VirtualClock;
  readonly store: ChaosStore;
  /** The latest of each thread, and those before it. */
  readonly living: Map<string, Life>;
  readonly replaced: Life[];
  next: number;
  reopen(): void;
}

type Base = () => { readonly store: Store; reopen(): Store };

const sqlite: Base = () => {
  const db = new Database(':memory:');
  migrate(db, MIGRATIONS);
  const open = (): Store => createSqliteStore(db, { node: 'n', epoch: 1, run: 'r', ...PLAIN });
  return { store: open(), reopen: open };
};

const twin: Base = () => {
  const store = twinStore({ node: 'n', epoch: 1 });
  return { store, reopen: () => store };
};

async function rigOn(base: Base): Promise<Rig> {
  const clock = createVirtualClock();
  const made = base();
  let current = made.store;
  const rig: Rig = {
    ...{ clock, living: new Map(), replaced: [], next: 1 },
    store: chaosStore(() => current, clock),
    reopen: () => {
      current = made.reopen();
    },
  };
  for (const thread of THREADS) await replace(rig, thread);
  return rig;
}

async function replace(rig: Rig, thread: string): Promise<void> {
  const { clock, living, store } = rig;
  const before = living.get(thread);
  if (before !== undefined) rig.replaced.push(before);
  const incarnation = (before?.incarnation ?? 0) + 1;
  unwrap(await store.fence(thread, incarnation));
  const threadOf = (address: Address): string => address.split('/')[1] ?? '';
  const placement = { shards: [...THREADS], threadOf };
  const world = await toyWorld({ store, clock, thread, placement, incarnation });
  living.set(thread, { world, thread, incarnation });
}

const addressAt = (thread: number, actor: number): Address =>
  addressOf('group', `${THREADS[thread]}/${ACTORS[actor]}`);

/**
 * Who writes to somebody else's row comes between any two decisions, but not between one that is held up
 * and one that follows it: no thread but its own writes to a row while that is not fenced off, and then
 * nothing is held up.
 */
function possible(commands: readonly Command[], meddled: boolean): readonly Command[] {
  if (!meddled) return commands.filter((command) => command.do !== 'meddle');
  const orderly = ['lost-answer', 'twice', 'slow'];
  return commands.filter((command) => {
    if (command.do === 'fault') return orderly.includes(command.fault.kind);
    return command.do !== 'reopen';
  });
}

async function make(rig: Rig, command: Command): Promise<void> {
  switch (command.do) {
    case 'add':
    case 'haunt':
    case 'flinch': {
      const thread = THREADS[command.thread] ?? 'a';
      const ghost = rig.replaced.findLast((life) => life.thread === thread);
      const life = command.do === 'haunt' ? ghost : rig.living.get(thread);
      const type = command.do === 'flinch' ? 'flinch' : 'add';
      for (let n = 0; n < command.count; n += 1) {
        const message = { type, by: rig.next++ } as Message;
        life?.world.host.tell(addressAt(command.thread, command.actor), message, 'test');
      }
      return;
    }
    case 'meddle':
      return meddle(rig, addressAt(command.thread, command.actor));
    case 'fault':
      return void rig.store.faults.push(command.fault);
    case 'wait':
      return rig.clock.advance(command.ms);
    case 'replace':
      return replace(rig, THREADS[command.thread] ?? 'a');
    case 'reopen':
      return rig.reopen();
  }
}

/** What the actor itself would have decided, by one who has looked a moment ago. */
async function meddle(rig: Rig, address: Address): Promise<void> {
  const row = unwrap(await rig.store.load(['group'])).find((one) => one.address === address);
  if (row === undefined) return;
  const { incarnation: _, parent: _parent, context, version, ...cell } = row;
  const by = rig.next++;
  const total = Number(context['total']) + by;
  await rig.store.undisturbed([
    {
      ...{ id: `meddled-${by}`, at: rig.clock.now(), actor: address, cause: 'meddler' },
      ...{ thread: 'meddler', incarnation: 1, spawns: [], forget: false, configGeneration: 1 },
      cell: { ...cell, version: version + 1, context: { ...context, total } },
      records: [{ event: 'toy.added', rule: 'T', numbers: { by, total } }],
    },
  ]);
}

/** The faults are over: everything comes to rest, and who was taken out is let in again. */
async function calm(rig: Rig): Promise<void> {
  rig.store.faults.length = 0;
  for (let round = 0; round < 3; round += 1) {
    await rig.clock.advance(120_000);
    for (const { world } of rig.living.values()) {
      for (const view of world.host.actorViews()) {
        if (view['quarantined'] === true) world.host.resume(view['address'] as Address);
      }
    }
  }
  // Who was overtaken and has not noticed yet notices now.
  for (let round = 0; round < 2; round += 1) {
    for (const { world } of rig.living.values()) {
      for (const view of world.host.actorViews()) {
        const message = { type: 'add', by: rig.next++ } as Message;
        world.host.tell(view['address'] as Address, message, 'test');
      }
    }
    await rig.clock.advance(120_000);
  }
}

const numbersOf = (said: readonly string[], verb: string): readonly number[] =>
  said.flatMap((word) => (word.startsWith(`${verb} `) ? [Number(word.split(' ')[1])] : []));

function once(numbers: readonly number[], what: string): void {
  assert.equal(new Set(numbers).size, numbers.length, `${what} twice: ${numbers.join(' ')}`);
}

async function judge({ living, replaced, store }: Rig): Promise<void> {
  const serial = twinStore({ node: 'n', epoch: 1 });
  for (const decision of store.accepted) {
    const [outcome] = await serial.commit([decision]);
    assert.ok(outcome?.ok, `accepted, though it does not follow: ${JSON.stringify(outcome)}`);
  }
  assert.deepEqual(await everything(store), await everything(serial));

  const journal = unwrap(await store.journal(0, 10_000));
  for (const { id } of journal) assert.equal(store.refused.get(id), undefined, `${id} was refused`);
  const added = journal.filter(({ event }) => event === 'toy.added');
  once(
    added.map(({ numbers }) => Number(numbers['by'])),
    'journaled',
  );

  for (const { address, context } of unwrap(await store.load(['group']))) {
    const all = added.filter(({ actor }) => actor === address);
    const sum = all.reduce((total, { numbers }) => total + Number(numbers['by']), 0);
    assert.equal(context['total'], sum, `${address} holds exactly what its journal says`);
  }

  const accepted = new Set(added.map(({ numbers }) => Number(numbers['by'])));
  for (const { world } of [...living.values(), ...replaced]) {
    const decided = numbersOf(world.said, 'decided');
    once(decided, 'decided');
    once(numbersOf(world.said, 'reflex'), 'reflex');
    for (const by of decided) {
      assert.ok(accepted.has(by), `${by} was done without a commit`);
      const [reflex, done] = [`reflex ${by}`, `decided ${by}`].map((w) => world.said.indexOf(w));
      assert.ok((reflex ?? -1) >= 0 && (reflex ?? 0) < (done ?? 0), 'a reflex does not wait');
    }
  }
  for (const life of living.values()) judgeLife(life, store);
}

/** Of a life that lasted: everything of it that was committed was done, in order, and it knows where it stands. */
function judgeLife({ world, thread, incarnation }: Life, store: ChaosStore): void {
  const totals = new Map<string, number>();
  const own = new Map<string, number[]>();
  for (const decision of store.accepted) {
    for (const { numbers } of decision.records) {
      const by = Number(numbers['by'] ?? 0);
      totals.set(decision.actor, (totals.get(decision.actor) ?? 0) + by);
      const mine = decision.thread === thread && decision.incarnation === incarnation && by > 0;
      if (mine) own.set(decision.actor, [...(own.get(decision.actor) ?? []), by]);
    }
  }
  const decided = numbersOf(world.said, 'decided');
  for (const [actor, numbers] of own) {
    assert.deepEqual(
      decided.filter((by) => numbers.includes(by)),
      numbers,
      `${actor}: effects of what was committed, once and in order`,
    );
  }
  for (const view of world.host.views('group')) {
    const address = view['address'] as string;
    assert.equal(view['total'], totals.get(address) ?? 0, `${address} is what was accepted of it`);
  }
  for (const view of world.host.actorViews()) {
    assert.equal(view['state'], 'awake', `${view['address']}: ${view['lastError']}`);
  }
}

test('[RT-28] what is answered ahead of an earlier decision of its actor waits for that one', async () => {
  const commands: readonly Command[] = [
    { do: 'fault', fault: { kind: 'lost-answer' } },
    { do: 'fault', fault: { kind: 'gap', at: 1 } },
    { do: 'add', thread: 0, actor: 0, count: 3 },
    { do: 'wait', ms: 1_000 },
  ];
  const rig = await rigOn(sqlite);
  for (const command of commands) await make(rig, command);
  await calm(rig);
  await judge(rig);
  await rig.store.close();
});

for (const { name, base, runs } of [
  { name: 'SQLite', base: sqlite, runs: 100 },
  { name: 'its twin', base: twin, runs: 50 },
]) {
  test(`[ST-23] [ST-2] [ST-3] [ST-22] ${name}: under load and faults, as if decisions had come one by one`, async () => {
    await fc.assert(
      fc.asyncProperty(arbHistory, fc.boolean(), async (history, meddled) => {
        const rig = await rigOn(base);
        for (const command of possible(history, meddled)) await make(rig, command);
        await calm(rig);
        await judge(rig);
        await rig.store.close();
      }),
      { seed: seedOfRun(), numRuns: runs },
    );
  });
}
