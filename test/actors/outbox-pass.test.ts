/** Passes of the outbox: order, patience, burials, and crashes wherever they may happen. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { outboxActor } from '../../actors/outbox-actor.js';
import { emptyBacklog } from '../../actors/outbox-backlog.js';
import type { Address } from '../../machines/model/ids.js';
import { FAILPOINTS } from '../../src/ports/failpoints.js';
import { assertWhole, attemptsOf, feedOf, fill } from '../support/outbox-feeds.js';
import { Crash, createOutboxWorld, type OutboxWorld } from '../support/outbox-world.js';
import { seedOfRun } from '../support/seed.js';

test('[OB-5] outbox: rows go out in order, a pass at a time, one write-back each', async () => {
  const world = createOutboxWorld({ batchSize: 4 });
  fill(world, 'a1 b1 a2 c1 b2 a3 c2 d1 a4');
  await world.run();
  assert.equal(feedOf(world), 'a1 b1 a2 c1 b2 a3 c2 d1 a4');
  assert.deepEqual(
    world.sink.calls.map((call) => call.length),
    [4, 4, 1],
  );
  assert.deepEqual(
    world.outbox.writeBacks.map((outcomes) => outcomes.length),
    [4, 4, 1],
  );
  assert.deepEqual(
    world.outbox.writeBacks.flat().map(({ controlVersion }) => controlVersion),
    [1, 2, 3, 4, 5, 6, 7, 8, 9],
  );
  assert.equal(world.machine.context.pending, 0);
  assert.equal(world.machine.context.lastSeq, 9);
});

test('[OB-1] [OB-2] outbox: a refused row holds its own lane only', async () => {
  const world = createOutboxWorld();
  world.sink.refuses.add('a1');
  fill(world, 'a1 b1 a2 b2 a3 b3');
  await world.run(2);
  assert.equal(feedOf(world), 'b1 b2 b3');
  assert.equal(world.machine.value, 'waiting');
  assert.equal(attemptsOf(world), 'a1 pending 1, a2 pending 0, a3 pending 0');
  world.sink.refuses.clear();
  await world.run();
  assert.equal(feedOf(world), 'b1 b2 b3 a1 a2 a3');
});

test('[OB-2] outbox: a row appended to a blocked lane waits with it, others do not', async () => {
  const world = createOutboxWorld();
  world.sink.refuses.add('a1');
  fill(world, 'a1');
  await world.run(1);
  fill(world, 'a2 b1');
  world.send({ type: 'outbox.appended' });
  await world.run(1);
  assert.equal(feedOf(world), 'b1');
  assert.equal(attemptsOf(world), 'a1 pending 1, a2 pending 0');
});

test('[OB-4] outbox: refused too often, a row is buried and its lane goes on', async () => {
  const world = createOutboxWorld({ maxAttempts: 3 });
  world.sink.refuses.add('a1');
  fill(world, 'a1 a2 b1');
  await world.run();
  assert.equal(feedOf(world), 'b1 a1.tombstone a2');
  assert.equal(attemptsOf(world), 'a1 dead 3');
  const [, tombstone] = world.sink.taken;
  assert.deepEqual(
    [tombstone?.orderingKey, tombstone?.aggregateVersion, tombstone?.data],
    ['a', 1, { eventId: 'a1', type: 'group.changed' }],
  );
  assert.deepEqual(
    world.records.map(({ event }) => event),
    ['outbox.dead_lettered'],
  );
});

test('[OB-4] outbox: more poison than a batch holds stops nobody else', async () => {
  const world = createOutboxWorld({ batchSize: 2, maxAttempts: 2 });
  for (const key of 'abcdef') world.sink.refuses.add(`${key}1`);
  fill(world, 'a1 b1 c1 d1 e1 f1 g1');
  await world.run(5);
  assert.equal(feedOf(world), 'g1');
  await world.run();
  assert.equal(world.sink.taken.length, 7);
});

test('[OB-3] outbox: a sink that is down burns no attempt and opens the circuit', async () => {
  const world = createOutboxWorld();
  world.sink.downAfter = 1;
  fill(world, 'a1 a2 b1');
  await world.run(31);
  assert.equal(world.machine.value, 'open');
  assert.equal(attemptsOf(world), 'a2 pending 0, b1 pending 0');
  assert.equal(world.machine.context.lastError, 'the sink is down');
  const before = world.passes;
  for (let times = 0; times < 5; times += 1) world.send({ type: 'outbox.appended' });
  assert.equal(world.passes, before, 'appends do not hasten it');
  world.sink.downAfter = Number.POSITIVE_INFINITY;
  await world.run();
  assert.equal(feedOf(world), 'a1 a2 b1');
});

test('[OB-3] outbox: a sink that goes down before a tombstone leaves the row alive', async () => {
  const world = createOutboxWorld({ maxAttempts: 1 });
  world.sink.refuses.add('b1');
  world.sink.downAfter = 1;
  fill(world, 'a1 b1 b2');
  await world.run(1);
  assert.equal(attemptsOf(world), 'b1 pending 0, b2 pending 0');
  world.sink.downAfter = Number.POSITIVE_INFINITY;
  await world.run();
  assert.equal(feedOf(world), 'a1 b1.tombstone b2');
});

test('[OB-5] outbox: a store that is away costs a delay, not an event and not a duplicate', async () => {
  for (const failures of [1, 2, 3, 5]) {
    const world = createOutboxWorld();
    fill(world, 'a1 a2 b1 b2 b3');
    world.outbox.failures = failures;
    await world.run();
    assert.equal(feedOf(world), 'a1 a2 b1 b2 b3');
    assert.equal(attemptsOf(world), '');
  }
});

test('[OB-18] outbox: the next pass is sent while the last one is written back; of write-backs one is under way', async () => {
  for (let failing = 0; failing < 6; failing += 1) {
    const world = createOutboxWorld({ batchSize: 2 });
    const { outbox, sink } = world;
    const { outboxWriteBack } = outbox.store;
    const { append } = sink;
    const underWay: number[] = [];
    let [begun, ended] = [0, 0];
    const slow: typeof outboxWriteBack = async (outcomes) => {
      begun += 1;
      assert.equal(begun, ended + 1, 'two at once');
      for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
      ended += 1;
      if (begun === failing) outbox.failures = 1;
      return outboxWriteBack(outcomes);
    };
    Object.assign(outbox.store, { outboxWriteBack: slow });
    Object.assign(sink, {
      append: (events: Parameters<typeof append>[0]) => {
        underWay.push(begun - ended);
        return append(events);
      },
    });
    fill(world, 'a1 b1 a2 c1 b2 a3 c2 d1 a4');
    await world.run();
    assertWhole(world, `write-back ${failing} fails`);
    assert.deepEqual(new Set(underWay), new Set([0, 1]));
    assert.equal(attemptsOf(world), '');
  }
});

test('[OB-6] outbox: a lane that waits with more rows than a pass reads blocks no other', async () => {
  const world = createOutboxWorld({ batchSize: 2 });
  world.sink.refuses.add('a1');
  const lane = Array.from({ length: 100 }, (_, index) => `a${index + 1}`).join(' ');
  fill(world, `${lane} b1`);
  await world.run(60);
  assert.ok(feedOf(world).startsWith('b1'));
  await world.run();
  assert.equal(world.sink.taken.length, 101);
});

test('[OB-2] outbox: what a sink said is kept, cut to 200 bytes and whole characters', async () => {
  const world = createOutboxWorld();
  world.sink.append = async (events) =>
    events.map(() => ({
      ok: false,
      failure: { code: 'content', message: `${'x'.repeat(199)}€${'y'.repeat(98)}` },
    }));
  fill(world, 'a1');
  await world.run(1);
  assert.equal(world.outbox.rows.get(1)?.lastError, 'x'.repeat(199));
});

test('[OB-2] outbox: a control version of 0 is a refusal', async () => {
  const world = createOutboxWorld();
  world.sink.append = async (events) =>
    events.map(() => ({ ok: true, value: { controlVersion: 0 } }));
  fill(world, 'a1');
  await world.run(1);
  assert.equal(attemptsOf(world), 'a1 pending 1');
});

test('[OB-7] outbox: what an operator puts back is found by the next look', async () => {
  const world = createOutboxWorld({ maxAttempts: 1 });
  world.sink.refuses.add('a1');
  fill(world, 'a1 b1');
  await world.run();
  const row = world.outbox.rows.get(1);
  assert.ok(row);
  world.outbox.rows.set(1, { ...row, state: 'pending', attempts: 0 });
  world.sink.refuses.clear();
  world.send({ type: 'outbox.appended' });
  await world.run();
  assert.equal(feedOf(world), 'b1 a1.tombstone a1');
});

const OUTBOX_POINTS = FAILPOINTS.filter((point) => /^(publish|writeback)/.test(point));

test('[OB-5] outbox: a crash at any point repeats events, byte for byte, and loses none', async () => {
  for (const point of OUTBOX_POINTS) {
    for (const count of [1, 2, 3]) {
      const world = createOutboxWorld({ batchSize: 2, maxAttempts: 2 });
      let left = count;
      world.onFailpoint = (hit) => {
        if (hit !== point) return;
        left -= 1;
        if (left === 0) throw new Crash(point);
      };
      world.sink.refuses.add('b1');
      fill(world, 'a1 b1 a2 b2 c1');
      await world.run();
      assert.equal(left <= 0, true, `${point} was reached`);
      assertWhole(world, `${point} ${count}`);
      assert.equal(attemptsOf(world), 'b1 dead 2', point);
    }
  }
});

/** A sink keeps to its refusal once a row is beyond its attempts; see the decision record. */
const REFUSED_FOR_GOOD = 1_000;

interface Trouble {
  readonly keys: readonly string[];
  /** Rows by index that are refused, and how often. */
  readonly refused: readonly { readonly row: number; readonly times: number }[];
  readonly crashes: readonly number[];
  readonly storeFailures: readonly number[];
  readonly sinkDownAt: readonly number[];
}

const arbTrouble: fc.Arbitrary<Trouble> = fc.record({
  keys: fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 24 }),
  refused: fc.array(
    fc.record({ row: fc.nat(23), times: fc.constantFrom(1, 2, REFUSED_FOR_GOOD) }),
    {
      maxLength: 6,
    },
  ),
  crashes: fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 6 }),
  storeFailures: fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 4 }),
  sinkDownAt: fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 4 }),
});

test('[OB-1] [OB-4] [OB-5] outbox: whatever breaks, every lane arrives whole and in order', async () => {
  await fc.assert(
    fc.asyncProperty(arbTrouble, async (trouble) => {
      const world = createOutboxWorld({ batchSize: 3, maxAttempts: 3 });
      for (const [index, key] of trouble.keys.entries()) {
        const earlier = trouble.keys.slice(0, index).filter((other) => other === key).length;
        fill(world, `${key}${earlier + 1}`);
      }
      makeTrouble(world, trouble);
      await world.run();
      assert.equal(world.machine.value, 'idle');
      assertWhole(world, JSON.stringify(trouble));
      for (const { state, attempts } of world.outbox.rows.values()) {
        assert.ok(state === 'dead' ? attempts === 3 : state === 'published' && attempts < 3);
      }
    }),
    { seed: seedOfRun(), numRuns: 300 },
  );
});

function makeTrouble(world: OutboxWorld, trouble: Trouble): void {
  const timesLeft = new Map<string, number>();
  for (const { row, times } of trouble.refused) {
    const event = world.outbox.rows.get(row + 1)?.event;
    if (event !== undefined) timesLeft.set(event.eventId, times);
  }
  const append = world.sink.append.bind(world.sink);
  let call = 0;
  world.sink.append = async (events) => {
    call += 1;
    world.sink.downAfter = trouble.sinkDownAt.includes(call) ? 1 : Number.POSITIVE_INFINITY;
    world.sink.refuses.clear();
    for (const [eventId, left] of timesLeft) if (left > 0) world.sink.refuses.add(eventId);
    const results = await append(events);
    for (const [index, result] of results.entries()) {
      if (result.ok || result.failure.message !== 'refused') continue;
      const eventId = events[index]?.eventId ?? '';
      timesLeft.set(eventId, (timesLeft.get(eventId) ?? 0) - 1);
    }
    return results;
  };
  let hits = 0;
  world.onFailpoint = () => {
    hits += 1;
    if (trouble.storeFailures.includes(hits)) world.outbox.failures = 1;
    if (trouble.crashes.includes(hits)) throw new Crash();
  };
}

test('[OB-7] outbox actor: its view says where it stands', () => {
  const cell = {
    address: 'outbox/main' as Address,
    value: 'waiting',
    context: { pending: 3, lastSeq: 9, lastError: 'refused', circuitOpen: false, lost: null },
    timers: [],
  };
  assert.deepEqual(outboxActor.view(cell, emptyBacklog()), {
    conditions: [],
    state: 'waiting',
    lastSeq: 9,
    pending: 3,
    lastError: 'refused',
  });
  const keys = ['outbox.appended', 'outbox.settings', 'pass.finished'].map((type) =>
    outboxActor.coalesce?.({ type }),
  );
  assert.deepEqual(keys, ['outbox.appended', 'outbox.settings', undefined]);
});
