/** Timers of one thread: order, clocks, room, and what a firing may do to others. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { systemClock } from '../../src/adapters/system/clock.js';
import { SPARE_PLACES } from '../../src/runtime/slots.js';
import { createTimers, hasTimers, NO_TIMERS, type TimerOwner } from '../../src/runtime/timers.js';
import { createVirtualClock } from '../../src/runtime/virtual-clock.js';
import { createHandClock } from '../support/hand-clock.js';
import { seedOfRun } from '../support/seed.js';
import { createTimerModel, performOn, type TimerDeed } from '../support/timer-model.js';

const DAY = 86_400_000;

const nobody = (): TimerOwner => ({ timerHead: NO_TIMERS });

/** Sums of eighths are exact, so that the model may add as it likes. */
const waitMs = fc.oneof(
  { weight: 4, arbitrary: fc.nat(300) },
  { weight: 3, arbitrary: fc.nat(800).map((eighths) => eighths / 8) },
  { weight: 1, arbitrary: fc.constantFrom(0, 24.9 * DAY, 25 * DAY, 60 * DAY, 730 * DAY) },
);
const owner = fc.nat(3);
const id = fc.constantFrom('a', 'b', 'c');
const deeds: fc.Arbitrary<TimerDeed> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ deed: fc.constant('arm' as const), owner, id, waitMs }) },
  {
    weight: 1,
    arbitrary: fc.record({
      deed: fc.constant('armAt' as const),
      owner,
      id,
      offMs: fc.integer({ min: -4_000, max: 4_000 }).map((eighths) => eighths / 8),
    }),
  },
  { weight: 2, arbitrary: fc.record({ deed: fc.constant('cancel' as const), owner, id }) },
  { weight: 1, arbitrary: fc.record({ deed: fc.constant('cancelAll' as const), owner }) },
);
const passes = fc.record({ deed: fc.constant('pass' as const), waitMs });
const steps = fc.record({
  deed: fc.constant('step' as const),
  ms: fc.integer({ min: -DAY, max: DAY }),
});

test('[RT-56] [RT-22] timers: whatever is done, also by firings, the rest fires as a sorted list would', async () => {
  const operations = fc.array(fc.oneof({ weight: 4, arbitrary: deeds }, passes, steps), {
    maxLength: 60,
    size: 'max',
  });
  const script = fc.array(fc.array(deeds, { maxLength: 3 }), { maxLength: 20, size: 'max' });
  await fc.assert(
    fc.asyncProperty(operations, script, async (operations, script) => {
      const clock = createVirtualClock();
      const owners = [0, 1, 2, 3].map(() => nobody());
      const model = createTimerModel(script);
      const fired: string[] = [];
      const firings: { owner: TimerOwner; id: string; arming: number }[] = [];
      const timers = createTimers(clock, (owner, id, arming) => {
        firings.push({ owner, id, arming });
        const deeds = script[fired.length] ?? [];
        fired.push(`${clock.monotonic()} ${owners.indexOf(owner)}${id}`);
        for (const deed of deeds) perform(deed);
      });
      const perform = (deed: TimerDeed): void => {
        const target = owners[deed.owner];
        assert.ok(target);
        performOn(timers, target, { ...deed, nowMs: clock.monotonic() });
      };
      for (const operation of [...operations, { deed: 'pass', waitMs: 2_000 * DAY } as const]) {
        if (operation.deed === 'step') clock.stepWall(operation.ms);
        else if (operation.deed === 'pass') {
          await clock.advance(operation.waitMs);
          model.advance(operation.waitMs);
        } else {
          perform(operation);
          model.perform(operation);
        }
        assert.deepEqual(fired, model.fired);
        assert.equal(timers.size, model.size);
        const counting = firings.map((one) => timers.isArmed(one.owner, one.id, one.arming));
        assert.deepEqual(counting, model.counting());
        for (const [n, own] of owners.entries()) {
          const armed = timers.armedOf(own);
          const seen = armed.map(({ id, dueMonotonicMs }) => ({ id, dueMonotonicMs }));
          assert.deepEqual(seen, model.armedOf(n));
          assert.equal(hasTimers(own), armed.length > 0);
        }
      }
    }),
    { seed: seedOfRun(), numRuns: 300 },
  );
});

for (const [days, label] of [
  [24.9, 'just beyond what Node can hold'],
  [60, 'two months'],
  [730, 'two years'],
  [36_500, 'a century'],
] as const) {
  test(`[RT-6] timers: a delay of ${label} neither fires early nor is lost`, async () => {
    const clock = createVirtualClock();
    let firedAt = -1;
    const timers = createTimers(clock, () => {
      firedAt = clock.monotonic();
    });
    timers.arm(nobody(), 'far', days * DAY);
    await clock.advance(days * DAY - 1);
    assert.equal(firedAt, -1);
    await clock.advance(1);
    assert.equal(firedAt, days * DAY);
  });
}

test('[RT-6] timers: no wait, one below nothing and one that is no number end at once; one without end never', async () => {
  const clock = createVirtualClock();
  const fired: string[] = [];
  const timers = createTimers(clock, (_owner, id) => fired.push(id));
  const own = nobody();
  timers.arm(own, 'never', Number.POSITIVE_INFINITY);
  timers.arm(own, 'zero', 0);
  timers.arm(own, 'below', -5);
  timers.arm(own, 'none', Number.NaN);
  assert.deepEqual(fired, [], 'not before the turn is over');
  await clock.advance(0);
  assert.deepEqual(fired, ['zero', 'below', 'none']);
  await clock.advance(100 * 365 * DAY);
  assert.equal(fired.length, 3);
});

test('[RT-6] timers: a host that wakes too early does not make a timer fire early', () => {
  const clock = createHandClock(10);
  const fired: string[] = [];
  const timers = createTimers({ ...clock, after: (_ms, run) => clock.after(0, run) }, (_own, id) =>
    fired.push(id),
  );
  timers.arm(nobody(), 'a', 2.5);
  for (const [passedMs, wanted] of [
    [0, 0],
    [2.25, 0],
    [0.25, 0],
    [0.5, 1],
  ] as const) {
    clock.sleep(passedMs);
    clock.wake();
    assert.equal(fired.length, wanted, `${clock.monotonic()}`);
  }
});

test('[RT-6] system clock: asks Node for no less than the wait, whose fractions Node drops', (t) => {
  const asked: unknown[] = [];
  t.mock.method(globalThis, 'setTimeout', (_run: () => void, delayMs: number) => {
    asked.push(delayMs);
  });
  const clock = systemClock();
  for (const delayMs of [0, 0.1, 1, 1.5, 24.001, -3]) clock.after(delayMs, () => undefined);
  assert.deepEqual(asked, [0, 1, 1, 2, 25, 0]);
});

test('[RT-56] timers: after a long sleep all that is due fires in one go, in deadline order', () => {
  fc.assert(
    fc.property(
      fc.array(waitMs, { minLength: 1, maxLength: 200, size: 'max' }),
      fc.constantFrom(100, 40_000, 30 * DAY, 731 * DAY),
      (waits, sleptMs) => {
        const clock = createHandClock(5.5);
        const fired: number[] = [];
        const timers = createTimers(clock, (_owner, id) => fired.push(Number(id)));
        for (const [n, wait] of waits.entries()) timers.arm(nobody(), `${n}`, wait);
        clock.sleep(sleptMs);
        clock.wake();
        const wanted = [...waits.entries()]
          .filter(([, wait]) => Math.ceil(5.5 + wait) <= clock.monotonic())
          .sort((a, b) => a[1] - b[1] || a[0] - b[0]);
        assert.deepEqual(
          fired,
          wanted.map(([n]) => n),
        );
      },
    ),
    { seed: seedOfRun(), numRuns: 200 },
  );
});

test('[RT-56] timers: a firing that arms itself again for now is not fired twice in one look', () => {
  const clock = createHandClock(1);
  let fired = 0;
  const timers = createTimers(clock, (owner, id) => {
    fired += 1;
    timers.arm(owner, id, 0);
  });
  timers.arm(nobody(), 'again', 0);
  clock.wake();
  assert.equal(fired, 1);
  clock.wake();
  assert.equal(fired, 2);
});

test('[RT-56] timers: a firing that throws keeps nobody else waiting', () => {
  const clock = createHandClock();
  const fired: string[] = [];
  const timers = createTimers(clock, (_owner, id) => {
    fired.push(id);
    if (id === 'b') throw new Error('not taken');
  });
  for (const name of ['a', 'b', 'c']) timers.arm(nobody(), name, 10);
  clock.sleep(10);
  assert.throws(() => clock.wake(), /not taken/);
  clock.wake();
  assert.deepEqual(fired, ['a', 'b', 'c']);
});

test('[RT-57] timers: one host timer for all, none when nothing is armed, and none after the end', () => {
  const clock = createHandClock();
  const timers = createTimers(clock, () => undefined);
  const owners = Array.from({ length: 1_000 }, nobody);
  for (const [n, own] of owners.entries()) timers.arm(own, 'a', 5_000 - n);
  assert.equal(clock.waiting.length, 1);
  const { asked } = clock;
  for (const own of owners) timers.arm(own, 'b', 60_000);
  assert.equal(clock.asked, asked, 'later deadlines leave the host alone');
  for (const own of owners) timers.cancelAll(own);
  assert.equal(clock.waiting.length, 0);
  timers.arm(nobody(), 'last', 10);
  clock.sleep(10);
  clock.wake();
  assert.equal(clock.waiting.length, 0, 'what fired waits for nothing');
  timers.arm(nobody(), 'too late', 10);
  timers.close();
  timers.arm(nobody(), 'later still', 5);
  assert.equal(clock.waiting.length, 0);
});

test('[RT-57] timers: whatever a firing arms, the host is asked once when all have fired', () => {
  const clock = createHandClock();
  const timers = createTimers(clock, (owner, id) => timers.arm(owner, id, 9_000 - timers.size));
  for (let n = 0; n < 100; n += 1) timers.arm(nobody(), 'a', 10);
  const { asked } = clock;
  clock.sleep(10);
  clock.wake();
  assert.equal(clock.asked, asked + 1);
  assert.ok(clock.waiting.every(({ dueMs }) => dueMs > clock.monotonic()));
});

test('[RT-57] timers: a short wait beside a long one asks the host for just its own end', () => {
  const clock = createHandClock();
  const timers = createTimers(clock, () => undefined);
  timers.arm(nobody(), 'long', 10 * DAY);
  clock.sleep(3 * 3_600_000 + 7);
  timers.arm(nobody(), 'short', 10);
  assert.deepEqual(
    clock.waiting.map(({ dueMs }) => dueMs),
    [clock.monotonic() + 10],
  );
});

test('[RT-57] timers: the host is asked a few times for one long wait, not each tick of it', async () => {
  const clock = createVirtualClock();
  let asked = 0;
  const counted: typeof clock.after = (delayMs, run) => {
    asked += 1;
    assert.ok(delayMs < 2 ** 31, 'Node can hold it');
    return clock.after(delayMs, run);
  };
  const timers = createTimers({ ...clock, after: counted }, () => undefined);
  timers.arm(nobody(), 'hour', 3_600_000);
  await clock.advance(3_600_000);
  assert.ok(asked <= 6, `${asked} times for an hour`);
  timers.arm(nobody(), 'two years', 730 * DAY);
  await clock.advance(730 * DAY);
  assert.ok(asked <= 50, `${asked} times for two years`);
});

test('[RT-23] timers: 100,000 are armed, half are cancelled, the rest fires in order, in bounded room', () => {
  const count = 100_000;
  const clock = createHandClock();
  const seed = seedOfRun();
  const waits = fc.sample(fc.integer({ min: 0, max: 8 * 30 * DAY }), { seed, numRuns: count });
  const owners = Array.from({ length: count }, nobody);
  const number = new Map(owners.map((own, n) => [own, n]));
  const fired: number[] = [];
  const timers = createTimers(clock, (own) => fired.push(number.get(own) ?? -1));
  for (const [n, own] of owners.entries()) timers.arm(own, 'a', (waits[n] ?? 0) / 8);
  assert.equal(timers.size, count);
  assert.ok(timers.places <= 1.25 * count + 64, `${timers.places} places`);
  for (const [n, own] of owners.entries()) if ((waits[n] ?? 0) % 2 === 1) timers.cancel(own, 'a');
  const left = [...owners.keys()].filter((n) => (waits[n] ?? 0) % 2 === 0);
  assert.equal(timers.size, left.length);
  assert.ok(timers.places <= 2 * timers.size + SPARE_PLACES, `${timers.places} places`);
  for (let day = 0; day < 31; day += 1) {
    clock.sleep(DAY);
    clock.wake();
  }
  const wanted = left.sort((a, b) => (waits[a] ?? 0) - (waits[b] ?? 0) || a - b);
  assert.deepEqual(fired, wanted);
  for (const own of owners) timers.cancel(own, 'a');
  assert.equal(timers.size, 0);
  assert.ok(timers.places <= SPARE_PLACES, `${timers.places} places for none`);
});

test('[RT-24] timers: the stored deadline is kept over a drift, and moved by a step of the wall clock', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(100_000),
      fc.double({ min: 0, max: 1e6, noNaN: true }),
      fc.oneof(fc.integer({ min: -990, max: 990 }), fc.integer({ min: -DAY, max: DAY })),
      async (passedMs, wait, stepMs) => {
        const clock = createVirtualClock();
        await clock.advance(passedMs);
        const timers = createTimers(clock, () => undefined);
        const own = nobody();
        timers.arm(own, 'a', wait);
        const before = timers.armedOf(own)[0]?.dueAtMs ?? 0;
        assert.equal(before, Math.ceil(clock.now() + wait));
        clock.stepWall(stepMs);
        const after = timers.armedOf(own)[0];
        if (Math.abs(stepMs) < 999) assert.equal(after?.dueAtMs, before);
        if (Math.abs(stepMs) > 1_001) assert.equal(after?.dueAtMs, before + stepMs);
        assert.equal(after?.dueMonotonicMs, clock.monotonic() + wait);
      },
    ),
    { seed: seedOfRun(), numRuns: 200 },
  );
});

test('[RT-58] timers: those armed with the deadlines they had keep them exactly, and fire by them', async () => {
  const clock = createVirtualClock();
  await clock.advance(5_000);
  const fired: string[] = [];
  const timers = createTimers(clock, (_own, id) => fired.push(id));
  const own = nobody();
  const aheadMs = clock.monotonic() - clock.now();
  const due = (id: string, offMs: number) => {
    const dueAtMs = clock.now() + offMs;
    return { id, dueAtMs, dueMonotonicMs: dueAtMs + aheadMs };
  };
  const had = [due('long ago', -9_000), due('just now', -1), due('soon', 3)];
  for (const timer of [...had].reverse()) timers.armAt(own, timer);
  assert.deepEqual(timers.armedOf(own), had);
  await clock.advance(0);
  assert.deepEqual(fired, ['long ago', 'just now']);
  await clock.advance(3);
  assert.deepEqual(fired, ['long ago', 'just now', 'soon']);
});

test('[RT-22] timers: one that fired is armed until it is taken, then that arming is over', async () => {
  const clock = createVirtualClock();
  const firings: number[] = [];
  const timers = createTimers(clock, (_owner, _id, arming) => firings.push(arming));
  const owner = nobody();
  timers.arm(owner, 'a', 10);
  await clock.advance(10);
  const [first = -1] = firings;
  assert.deepEqual(
    timers.armedOf(owner).map(({ id }) => id),
    ['a'],
  );
  assert.ok(timers.isArmed(owner, 'a', first));
  timers.arm(owner, 'a', 10);
  assert.equal(timers.isArmed(owner, 'a', first), false);
  timers.cancelAll(owner);
  await clock.advance(10);
  assert.deepEqual(firings, [first]);
});

test('[RT-23] timers: those that were cancelled take no more room than those that wait', () => {
  const timers = createTimers(createVirtualClock(), () => undefined);
  const owner = nobody();
  for (let n = 0; n < 20_000; n += 1) timers.arm(owner, 'again', 3_600_000 + n);
  assert.equal(timers.size, 1);
  assert.ok(timers.places < 2_000, `${timers.places} places for one timer`);
});

test('[RT-24] timers: what is left of a wait is stored, whatever the wall clock was set to', async () => {
  const clock = createVirtualClock();
  const timers = createTimers(clock, () => undefined);
  const owner = nobody();
  timers.arm(owner, 'a', 1_000);
  await clock.advance(400);
  clock.stepWall(86_400_000);
  const [armed] = timers.armedOf(owner);
  assert.equal(armed?.dueAtMs, clock.now() + 600);
});
