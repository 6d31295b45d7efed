/** The book of overrides, and the weights ordered in it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PoolSpec } from '../../machines/model/desired.js';
import { type GroupKey, instanceIdFor } from '../../machines/model/ids.js';
import type { Json } from '../../machines/model/json.js';
import type { OverrideOrder, Overrides } from '../../machines/model/overrides.js';
import {
  bookIn,
  expiredAt,
  inForce,
  nextExpiryMs,
  withOrder,
  without,
  yielding,
} from '../../src/policy/overrides.js';
import { configuredWeight, orderFor, weightKind } from '../../src/policy/weight-orders.js';
import { backend, I1 } from '../support/frontend-lab.js';
import { seedOfRun } from '../support/seed.js';

const json = fc.oneof(fc.boolean(), fc.integer(), fc.string(), fc.constant(null));
const order = fc.record({
  kind: fc.constantFrom('pause', 'enabled', 'size'),
  value: json,
  configured: json,
  owner: fc.string(),
  reason: fc.string(),
  forMs: fc.option(fc.integer({ min: 1, max: 100 })),
});
const orders = fc.array(fc.record({ order, waitMs: fc.nat(50) }), { maxLength: 12 });

interface Told {
  readonly order: OverrideOrder;
  readonly at: number;
}

function written(said: readonly { order: OverrideOrder; waitMs: number }[]) {
  let now = 0;
  let book: Overrides = {};
  const last = new Map<string, Told>();
  for (const one of said) {
    now += one.waitMs;
    book = withOrder(book, one.order, now);
    last.set(one.order.kind, { order: one.order, at: now });
  }
  return { book, now, last };
}

test('[OV-5] book: the newest order of each kind stands, with its own end', () => {
  fc.assert(
    fc.property(orders, (said) => {
      const { book, last } = written(said);
      assert.deepEqual(Object.keys(book).sort(), [...last.keys()].sort());
      for (const [kind, { order: newest, at }] of last) {
        const { forMs } = newest;
        const entry = book[kind];
        assert.equal(entry?.value, newest.value);
        assert.equal(entry?.sinceMs, at);
        assert.equal(entry?.untilMs, forMs === null ? null : at + forMs);
      }
    }),
    { seed: seedOfRun() },
  );
});

test('[OV-4] book: at any time exactly those are over whose end has come, and the next end is the first', () => {
  fc.assert(
    fc.property(orders, fc.nat(800), (said, at) => {
      const { book, last } = written(said);
      const isOver = ({ order: { forMs }, at: since }: Told) =>
        forMs !== null && since + forMs <= at;
      const over = [...last].filter(([, told]) => isOver(told)).map(([kind]) => kind);
      assert.deepEqual([...expiredAt(book, at)].sort(), over.sort());
      const rest = without(book, expiredAt(book, at));
      const next = nextExpiryMs(rest);
      assert.ok(next === null || next > at);
      assert.deepEqual(
        next === null ? [] : expiredAt(rest, next).slice(0, 1).length,
        next === null ? [] : 1,
      );
    }),
    { seed: seedOfRun() },
  );
});

test('[OV-3] book: in force while what is configured is what it was, else it yields', () => {
  fc.assert(
    fc.property(orders, json, (said, configured: Json) => {
      const { book } = written(said);
      const yields = yielding(book, () => configured);
      for (const [kind, entry] of Object.entries(book)) {
        const stands = JSON.stringify(entry.configured) === JSON.stringify(configured);
        assert.equal(inForce(book, kind, configured), stands ? entry : undefined);
        assert.equal(yields.includes(kind), !stands);
      }
      assert.deepEqual([...yielding(book, () => undefined)], Object.keys(book));
    }),
    { seed: seedOfRun() },
  );
});

test('[OV-2] book: read from the row beside the object; one that cannot be read says nothing', () => {
  const { book } = written([{ waitMs: 0, order: { ...ORDER, kind: 'pause' } }]);
  const address = 'override/backend/b1' as never;
  const row = { address, value: 'holding', context: { object: 'backend/b1', book: book as never } };
  assert.deepEqual(bookIn([row]), book);
  assert.deepEqual(bookIn([]), {});
  assert.equal(bookIn([{ ...row, unreadable: true }]), undefined);
  for (const damaged of [
    null,
    7,
    { pause: null },
    { pause: { ...book['pause'], kind: 'enabled' } },
  ]) {
    assert.equal(bookIn([{ ...row, context: { book: damaged as never } }]), undefined);
  }
});

const ORDER = { kind: '', value: 5, configured: 100, owner: 'ops', reason: '', forMs: null };
const GROUP = 'acme/web' as GroupKey;
const OTHER = 'acme/api' as GroupKey;
const POOLS: readonly PoolSpec[] = [
  { name: 'one', members: [backend('b1', '10.0.0.11', 30)] },
  {
    name: 'two',
    members: [
      { ref: { kind: 'group', group: OTHER, maxSize: 3 }, weight: 70 },
      { ref: { kind: 'group', group: GROUP, maxSize: 3 }, weight: 40 },
    ],
  },
];
const OF_GROUP = instanceIdFor(GROUP, '0190aaaabbbb7ccc8dddeeeeffff0000', 1);
const OF_OTHER = instanceIdFor(OTHER, '0190aaaabbbb7ccc8dddeeeeffff0000', 1);
const OF_NONE = instanceIdFor('acme/none' as GroupKey, '0190aaaabbbb7ccc8dddeeeeffff0000', 1);

test('[FE-36] weights: a place is a member of a pool, or an instance in a pool with its group', () => {
  const places: readonly (readonly [string, string, number | undefined])[] = [
    ['one', 'b1', 30],
    ['two', GROUP, 40],
    ['two', OF_GROUP, 40],
    ['two', OF_OTHER, 70],
    ['two', OF_NONE, undefined],
    ['one', OF_GROUP, undefined],
    ['one', 'b2', undefined],
    ['two', 'b1', undefined],
    ['three', 'b1', undefined],
  ];
  for (const [pool, member, weight] of places) {
    assert.equal(configuredWeight(POOLS, weightKind(pool, member)), weight, `${pool} ${member}`);
  }
  assert.equal(configuredWeight(POOLS, 'freeze'), undefined);
});

test('[FE-35] weights: the order for an instance is stronger than that for its group', () => {
  const of = (member: string, value: number): OverrideOrder => ({
    ...ORDER,
    kind: weightKind('two', member),
    value,
    configured: 40,
  });
  const group = withOrder({}, of(GROUP, 5), 0);
  const both = withOrder(group, of(I1, 9), 0);
  const place = { pool: 'two', member: GROUP, configured: 40 };
  assert.equal(orderFor(group, place, I1)?.value, 5);
  assert.equal(orderFor(both, place, I1)?.value, 9);
  assert.equal(orderFor(both, place, 'another')?.value, 5);
  assert.equal(orderFor(both, { ...place, configured: 50 }, I1), undefined);
});
