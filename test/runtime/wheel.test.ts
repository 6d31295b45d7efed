/** The wheel and its slots on their own, beside a list that is sorted each time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NONE, Slots, SPARE_PLACES, type TimerOwner } from '../../src/runtime/slots.js';
import { Wheel } from '../../src/runtime/wheel.js';
import { seedOfRun } from '../support/seed.js';

const DAY = 86_400_000;

/** Near and far, whole and broken, and close to where levels end. */
const waits = fc.oneof(
  fc.nat(40),
  fc.nat(8 * 40).map((eighths) => eighths / 8),
  fc.nat(40_000),
  fc.nat(25 * DAY),
  fc.tuple(fc.integer({ min: 1, max: 10 }), fc.integer({ min: -2, max: 2 })).map(nearLevelEnd),
  fc.constantFrom(0, 24.8 * DAY, 25 * DAY, 60 * DAY, 730 * DAY, Number.POSITIVE_INFINITY),
);

function nearLevelEnd([level, off]: [number, number]): number {
  return Math.min(32 ** level + off, 1e13);
}

interface Waiting {
  readonly id: string;
  readonly dueMs: number;
  readonly arming: number;
}

function lab(position: number) {
  const slots = new Slots();
  const wheel = new Wheel(slots, position);
  const owner: TimerOwner = { timerHead: NONE };
  const known = new Map<string, Waiting>();
  let armings = 0;
  return {
    wheel,
    slots,
    known,
    insert: (dueMs: number): void => {
      const id = `t${armings}`;
      const slot = slots.take(owner, id);
      slots.dueMs[slot] = dueMs;
      slots.arming[slot] = armings;
      known.set(id, { id, dueMs, arming: armings++ });
      wheel.insert(slot);
    },
    remove: (id: string): void => {
      const slot = slots.find(owner, id);
      wheel.remove(slot);
      slots.give(slot);
      known.delete(id);
      if (!slots.isSparse()) return;
      slots.compact();
      wheel.readHeads();
    },
    /** What fires by `tick`, in order; it is gone then. */
    fire: (tick: number): string[] => {
      wheel.advance(tick);
      const fired: string[] = [];
      for (let slot = wheel.take(); slot !== NONE; slot = wheel.take()) {
        const id = slots.ids[slot] ?? '';
        fired.push(id);
        known.delete(id);
        slots.give(slot);
      }
      return fired;
    },
    dueBy: (tick: number): string[] =>
      [...known.values()]
        .filter(({ dueMs }) => dueMs <= tick)
        .sort((a, b) => a.dueMs - b.dueMs || a.arming - b.arming)
        .map(({ id }) => id),
  };
}

test('[RT-56] wheel: whatever is armed and cancelled and however far time jumps, the due come in order', () => {
  const operation = fc.oneof(
    { weight: 5, arbitrary: fc.record({ op: fc.constant('insert' as const), by: waits }) },
    { weight: 2, arbitrary: fc.record({ op: fc.constant('remove' as const), by: fc.nat(100) }) },
    { weight: 2, arbitrary: fc.record({ op: fc.constant('late' as const), by: fc.nat(5_000) }) },
    { weight: 3, arbitrary: fc.record({ op: fc.constant('jump' as const), by: waits }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constant('pass' as const), by: waits }) },
  );
  fc.assert(
    fc.property(
      fc.nat(2 ** 40),
      fc.array(operation, { maxLength: 120, size: 'max' }),
      (start, operations) => {
        const { wheel, known, insert, remove, fire, dueBy } = lab(start);
        let now = start;
        for (const { op, by } of operations) {
          if (op === 'insert') insert(now + by);
          else if (op === 'late') insert(now - by);
          else if (op === 'remove') [...known.keys()].slice(by, by + 1).forEach(remove);
          else {
            now = Math.min(Math.floor(now + by), 2 ** 50);
            wheel.pass(now);
            if (op === 'pass') continue;
            const wanted = dueBy(now);
            assert.deepEqual(fire(now), wanted);
          }
          const earliest = Math.min(...[...known.values()].map(({ dueMs }) => Math.ceil(dueMs)));
          assert.ok(wheel.next() <= Math.max(earliest, now), 'looks in time');
          assert.equal(wheel.isEmpty, known.size === 0);
        }
        const rest = dueBy(Number.POSITIVE_INFINITY);
        assert.deepEqual(fire(Number.MAX_SAFE_INTEGER), rest);
        assert.equal(wheel.next(), Number.POSITIVE_INFINITY);
      },
    ),
    { seed: seedOfRun(), numRuns: 1_500 },
  );
});

test('[RT-57] wheel: from look to look a timer is met after a few looks, however long its delay', () => {
  fc.assert(
    fc.property(fc.nat(2 ** 45), fc.nat(1_000 * DAY), (start, wait) => {
      const { wheel, insert, fire } = lab(start);
      insert(start + wait + 1);
      let looks = 0;
      for (let fired = false; !fired; looks += 1) {
        const next = wheel.next();
        assert.ok(next > start || looks > 0);
        fired = fire(next).length > 0;
        assert.equal(fired, next === start + wait + 1);
      }
      assert.ok(looks <= 11, `${looks} looks`);
      assert.equal(wheel.next(), Number.POSITIVE_INFINITY);
    }),
    { seed: seedOfRun(), numRuns: 500 },
  );
});

test('[RT-57] wheel: time that passed with nothing due is no reason for another look', () => {
  const { wheel, insert, fire } = lab(0);
  insert(10 * DAY);
  wheel.pass(5 * DAY + 1);
  insert(5 * DAY + 3);
  assert.equal(wheel.next(), 5 * DAY + 3);
  assert.deepEqual(fire(10 * DAY), ['t1', 't0']);
});

test('[RT-56] wheel: a deadline that is no number has passed, and keeps nobody else waiting', () => {
  const { insert, fire } = lab(50);
  insert(60);
  insert(Number.NaN);
  insert(Number.NEGATIVE_INFINITY);
  assert.deepEqual(fire(50).sort(), ['t1', 't2']);
  assert.deepEqual(fire(60), ['t0']);
});

test('[RT-23] slots: those of an owner and the buckets stay whole when the arrays shrink', () => {
  fc.assert(
    fc.property(fc.infiniteStream(fc.nat(9)), fc.infiniteStream(waits), (picks, delays) => {
      const slots = new Slots();
      const wheel = new Wheel(slots, 0);
      const owners = Array.from({ length: 10 }, (): TimerOwner => ({ timerHead: NONE }));
      for (let n = 0; n < 3_000; n += 1) {
        const slot = slots.take(owners[n % 10] as TimerOwner, `${n}`);
        slots.dueMs[slot] = delays.next().value as number;
        slots.arming[slot] = n;
        wheel.insert(slot);
      }
      const stays = new Set<number>();
      for (let n = 0; n < 3_000; n += 1) if (picks.next().value === 0) stays.add(n);
      const dues = new Map<string, number>();
      for (let n = 0; n < 3_000; n += 1) {
        const slot = slots.find(owners[n % 10] as TimerOwner, `${n}`);
        if (stays.has(n)) dues.set(`${n}`, slots.dueMs[slot] as number);
        else {
          wheel.remove(slot);
          slots.give(slot);
        }
        if (!slots.isSparse()) continue;
        slots.compact();
        wheel.readHeads();
      }
      assert.equal(slots.size, stays.size);
      assert.ok(slots.places <= 2 * slots.size + SPARE_PLACES);
      for (const n of stays)
        assert.notEqual(slots.find(owners[n % 10] as TimerOwner, `${n}`), NONE);
      wheel.advance(Number.MAX_SAFE_INTEGER);
      const fired: string[] = [];
      for (let slot = wheel.take(); slot !== NONE; slot = wheel.take())
        fired.push(slots.ids[slot] ?? '');
      const wanted = [...dues].sort((a, b) => a[1] - b[1] || Number(a[0]) - Number(b[0]));
      assert.deepEqual(
        fired,
        wanted.map(([id]) => id),
      );
    }),
    { seed: seedOfRun(), numRuns: 20 },
  );
});
