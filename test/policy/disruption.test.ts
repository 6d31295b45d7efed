/** Rules GR-20..GR-24: what may be replaced now, as tables and as laws over random books. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DEFAULT_DISRUPTION } from '../../machines/model/desired.js';
import { nextBreaker } from '../../src/policy/breaker.js';
import { budgetOf, isOut } from '../../src/policy/budget.js';
import { type Books, type BreakerState, type Member, stayingOf } from '../../src/policy/members.js';
import { waitingOf } from '../../src/policy/replace.js';
import { causeOf, expiresAtMs } from '../../src/policy/rotation.js';
import { nextStep } from '../../src/policy/scale.js';
import {
  books,
  booksArb,
  INFRA,
  idOf,
  member,
  NOW_MS,
  named,
  rulesWith,
} from '../support/books.js';
import { seedOfRun } from '../support/seed.js';

const OLD = 'local/old';
const drifted = (index: number, change: Partial<Member> = {}): Member =>
  member(index, { infra: OLD, ...change });
const current = (index: number, change: Partial<Member> = {}): Member =>
  member(index, { infra: INFRA, ...change });
const allDrifted = [drifted(1), drifted(2), drifted(3)];
const never = { windows: [{ cron: '0 2 1 1 *', durationMs: 1_000 }] } as const;

function check(rows: readonly (readonly [string, Books, string])[]): void {
  for (const [what, given, expected] of rows) {
    assert.equal(named(nextStep(given)), expected, what);
  }
}

test('[GR-21] drift: the oldest first, one at a time, and only when it is known', () => {
  const takingOver = [...allDrifted, current(4, { replaces: idOf(1) })];
  const draining = [
    { ...drifted(1), leaving: 'config-drift' as const, state: 'draining' as const },
  ];
  const after = [...draining, drifted(2), drifted(3), current(4, { replaces: idOf(1) })];
  check([
    ['all of them', books(allDrifted), 'create for 1'],
    ['not known', books([member(1), member(2), member(3)]), 'rest'],
    ['as wanted', books([current(1), current(2), current(3)]), 'rest'],
    ['its successor serves', books(takingOver), 'drain 1 config-drift'],
    ['it drains: the next waits', books(after), 'rest'],
    ['two at a time', books(after, { rules: rulesWith({ max: 2 }) }), 'create for 2'],
    [
      'a successor is its own affair later',
      books([
        ...allDrifted.slice(0, 2),
        current(3),
        drifted(4, { state: 'booting', replaces: idOf(1) }),
      ]),
      'rest',
    ],
  ]);
  assert.equal(waitingOf(books(after))?.why, 'budget');
});

test('[GR-20] budget: what is out for whatever reason counts, and costs nothing to replace', () => {
  const one = [drifted(1, { state: 'suspect', inService: false }), drifted(2), drifted(3)];
  const dead = [
    current(1, { state: 'lost' }),
    drifted(2),
    drifted(3),
    current(4, { state: 'booting', replaces: idOf(1) }),
  ];
  const unsure = [drifted(1, { inService: false }), drifted(2), drifted(3)];
  check([
    ['down: replaced although one is out', books(one), 'create for 1'],
    ['another died: nobody starts', books(dead), 'rest'],
    ['not out, only not yet confirmed', books(unsure), 'rest'],
    ['room for one more', books(dead, { rules: rulesWith({ max: 2 }) }), 'create for 2'],
  ]);
});

test('[GR-20] budget: a share of the group, at least one', () => {
  const rules = (share: number) => ({
    ...rulesWith({}),
    budget: { max: { share }, windows: 'always' as const },
  });
  const maxOf = (share: number, wanted: number) =>
    budgetOf({ ...books([]), rules: rules(share), wanted }).max;
  assert.deepEqual([maxOf(0.1, 3), maxOf(0.1, 19), maxOf(0.1, 20), maxOf(0.5, 3)], [1, 1, 2, 1]);
});

test('[GR-20] budget: outside a window only forced expiry begins, one at a time', () => {
  const closed = { rules: rulesWith(never) };
  const forced = { rules: rulesWith({ ...never, forcedAgeMs: 100 }) };
  const busy = [
    ...allDrifted.slice(0, 2),
    member(3),
    current(4, { state: 'booting', replaces: idOf(1) }),
  ];
  check([
    ['drift waits', books(allDrifted, closed), 'rest'],
    ['forced does not', books(allDrifted, forced), 'create for 1'],
    ['but one at a time', books(busy, forced), 'rest'],
    [
      'within a window, one more than the budget',
      books(busy, { rules: rulesWith({ forcedAgeMs: 100 }) }),
      'create for 2',
    ],
    [
      'asked is asked',
      books([current(1, { replaceWanted: true }), current(2), current(3)], closed),
      'create for 1',
    ],
  ]);
  assert.equal(waitingOf(books(allDrifted, closed))?.why, 'window');
});

test('[GR-20] budget, delete-first: a gap no larger than the budget', () => {
  const mode = { replace: 'delete-first', wanted: 3 } as const;
  const gap = [
    { ...drifted(1), leaving: 'config-drift' as const },
    drifted(2),
    drifted(3),
    current(4, { state: 'booting', replaces: idOf(1) }),
  ];
  check([
    ['one', books(allDrifted, mode), 'drain 1 config-drift'],
    ['the next waits', books(gap, mode), 'rest'],
    [
      'unless two may be out',
      books(gap, { ...mode, rules: rulesWith({ max: 2 }) }),
      'drain 2 config-drift',
    ],
    ['creates fail', books(allDrifted, { ...mode, failures: 1 }), 'rest'],
  ]);
});

test('[GR-22] expiry: strictly older, forced before drifted before eligible, the oldest first', () => {
  const aged = (index: number, ageMs: number) => current(index, { requestedAtMs: NOW_MS - ageMs });
  const rules = rulesWith({ eligibleAgeMs: 10_000, forcedAgeMs: 100_000 });
  const cause = (one: Member) => causeOf(books([one], { rules }), one);
  assert.equal(cause(aged(1, 8_999)), undefined, 'younger than any jitter allows');
  assert.equal(cause(aged(1, 10_001)), 'eligible-expiry');
  assert.equal(cause({ ...aged(1, 10_001), infra: OLD }), 'config-drift');
  assert.equal(cause({ ...aged(1, 100_001), infra: OLD }), 'forced-expiry');
  assert.equal(cause({ ...aged(1, 100_001), replaceWanted: true }), 'asked');
  check([
    [
      'forced first',
      books([aged(1, 20_000), aged(2, 100_001), { ...aged(3, 50), infra: OLD }], { rules }),
      'create for 2',
    ],
    [
      'then drifted',
      books([aged(1, 20_000), aged(2, 50), { ...aged(3, 50), infra: OLD }], { rules }),
      'create for 3',
    ],
    [
      'the oldest',
      books([aged(1, 20_000), aged(2, 30_000), aged(3, 50)], { rules }),
      'create for 2',
    ],
  ]);
});

test('[GR-22] expiry: what never served is not too old, however long it boots', () => {
  const rules = rulesWith({ eligibleAgeMs: 1_000, forcedAgeMs: 2_000 });
  const booting = current(1, {
    state: 'booting',
    inService: false,
    requestedAtMs: NOW_MS - 60_000,
  });
  assert.equal(causeOf(books([booting], { rules }), booting), undefined);
  const down = { ...booting, state: 'suspect' } as const;
  assert.equal(causeOf(books([down], { rules }), down), 'forced-expiry');
});

test('[GR-20] budget: a percentage is exact, rounded down, and at least one', () => {
  const share = (percent: number, wanted: number) => {
    const rules = { ...DEFAULT_DISRUPTION, budget: { max: { share: percent / 100 }, windows: [] } };
    return budgetOf({ rules, wanted, members: [] }).max;
  };
  for (let percent = 1; percent <= 100; percent += 1) {
    for (const wanted of [1, 7, 100, 180, 1_000]) {
      const exact = Number((BigInt(percent) * BigInt(wanted)) / 100n);
      assert.equal(share(percent, wanted), Math.max(1, exact), `${percent} % of ${wanted}`);
    }
  }
});

test('[GR-22] expiry: what was born together dies within a tenth of its age, and apart', () => {
  const rules = rulesWith({ eligibleAgeMs: 100_000 });
  const ages = Array.from(
    { length: 200 },
    (_, index) => expiresAtMs({ rules }, member(index, { requestedAtMs: 0 })) ?? 0,
  );
  assert.ok(ages.every((age) => age >= 90_000 && age <= 100_000));
  const tenths = new Set(ages.map((age) => Math.floor(age / 1_000)));
  assert.ok(tenths.size >= 9, `spread over ${tenths.size} of ten parts`);
});

// --- breaker ----------------------------------------------------------------------------------

const sick = (index: number, change: Partial<Member> = {}): Member =>
  current(index, { state: 'suspect', inService: false, ...change });

function group(sickCount: number, size: number, more: readonly Member[] = []): readonly Member[] {
  const own = Array.from({ length: size }, (_, i) => (i < sickCount ? sick(i) : current(i)));
  return [...own, ...more];
}

const MOVES: readonly (readonly [string, readonly Member[], BreakerState, BreakerState])[] = [
  ['all well', group(0, 10), 'closed', 'closed'],
  ['40 % is not more than 40 %', group(4, 10), 'closed', 'closed'],
  ['50 % is', group(5, 10), 'closed', 'open'],
  ['one of two is only one', group(1, 2), 'closed', 'closed'],
  ['two of three', group(2, 3), 'closed', 'open'],
  [
    'dead ones are no members',
    group(
      0,
      5,
      [1, 2, 3, 4, 5].map((i) => current(i + 20, { state: 'lost' })),
    ),
    'closed',
    'closed',
  ],
  ['below the threshold, not below half of it', group(3, 10), 'open', 'open'],
  ['at half of it', group(2, 10), 'open', 'half-open'],
  ['between the two, it stays half-open', group(4, 10), 'half-open', 'half-open'],
  ['above again', group(5, 10), 'half-open', 'open'],
  ['nobody is unhealthy', group(0, 10), 'open', 'closed'],
  ['nobody is unhealthy any more', group(0, 10), 'half-open', 'closed'],
];
for (const [what, members, from, to] of MOVES) {
  test(`[GR-23] [GR-24] breaker: ${what}: ${from} to ${to}`, () => {
    const wanted = members.length;
    assert.equal(nextBreaker(books(members, { wanted, breaker: from })), to);
  });
}

test('[GR-24] breaker: a place that is filled no longer counts', () => {
  const filled = [0, 1, 2].map((index) => current(20 + index, { replaces: idOf(index) }));
  const given = books(group(5, 10, filled), { wanted: 10, maxSize: 20, breaker: 'open' });
  assert.equal(nextBreaker(given), 'half-open');
});

test('[GR-23] breaker: open, nobody unhealthy leaves, and successors come one at a time', () => {
  const open = { wanted: 4, maxSize: 8, breaker: 'open' } as const;
  const overdue = [
    sick(1, { replaceWanted: true }),
    sick(2, { replaceWanted: true }),
    current(3),
    current(4),
  ];
  const surging = [...overdue, current(5, { state: 'booting', replaces: idOf(1) })];
  const filled = [...overdue, current(5, { replaces: idOf(1) })];
  check([
    ['a successor', books(overdue, open), 'create for 1'],
    ['one at a time', books(surging, open), 'rest'],
    [
      'a successor of old that is unhealthy itself does not stand in its own way',
      books([sick(1, { replaceWanted: true, replaces: idOf(0) }), current(3)], {
        ...open,
        ...{ wanted: 2, breaker: 'half-open' },
      }),
      'create for 1',
    ],
    ['its place filled, it stays; the next', books(filled, open), 'create for 2'],
    ['no room', books(overdue, { ...open, maxSize: 4 }), 'rest'],
    ['no surplus', books(overdue, { ...open, wanted: 3 }), 'create for 1'],
    ['the others are enough', books(overdue, { ...open, wanted: 2 }), 'rest'],
    ['delete-first', books(overdue, { ...open, replace: 'delete-first' }), 'rest'],
    [
      'the dead are replaced',
      books([...overdue.slice(0, 3), current(4, { state: 'lost' })], open),
      'create for 4',
    ],
    ['nobody is wanted', books(overdue, { ...open, wanted: 0 }), 'drain 1 scale-down'],
    [
      'drift waits',
      books([...overdue.slice(0, 2), drifted(3), sick(4)], { ...open, maxSize: 4 }),
      'rest',
    ],
  ]);
});

test('[GR-24] breaker: half-open, one unhealthy member at a time leaves', () => {
  const half = { wanted: 4, maxSize: 8, breaker: 'half-open' } as const;
  const filled = [
    ...[sick(1, { replaceWanted: true }), sick(2, { replaceWanted: true }), current(3), current(4)],
    ...[current(5, { replaces: idOf(1) }), current(6, { replaces: idOf(2) })],
  ];
  const leaving = filled.map((one) =>
    one.id === idOf(1) ? { ...one, leaving: 'replaced' as const, state: 'draining' as const } : one,
  );
  check([
    ['the first', books(filled, half), 'drain 1 replaced'],
    ['the second waits', books(leaving, half), 'rest'],
    ['until that is gone', books(leaving.slice(1), half), 'drain 2 replaced'],
    ['nor is it surplus before', books(leaving, { ...half, wanted: 2 }), 'rest'],
  ]);
});

// --- laws -------------------------------------------------------------------------------------

function missing(given: Books): number {
  return Math.max(0, given.wanted - given.members.filter(({ inService }) => inService).length);
}

test('[GR-20] [GR-23] budget: no voluntary step takes more away than the budget allows', () => {
  fc.assert(
    fc.property(booksArb, (given) => {
      const step = nextStep(given);
      if (step?.kind !== 'drain' || step.reason === 'scale-down') return;
      const leaver = given.members.find(({ id }) => id === step.id);
      assert.ok(leaver);
      const asked = leaver.replaceWanted;
      if (given.breaker === 'open') assert.notEqual(leaver.state, 'suspect');
      if (!leaver.inService) return;
      const others = stayingOf(given.members).filter(({ id }) => id !== step.id);
      const covered = others.some(({ replaces, inService }) => replaces === step.id && inService);
      const { max } = budgetOf(given);
      const spare = !asked && step.reason === 'forced-expiry' ? 1 : 0;
      const left = missing({ ...given, members: others });
      assert.ok(covered || left <= max + spare, `${left} missing, ${max} allowed`);
    }),
    { seed: seedOfRun(), numRuns: 2_000 },
  );
});

test('[GR-20] budget: no rotation of a member in service begins beyond the budget', () => {
  fc.assert(
    fc.property(booksArb, (given) => {
      const step = nextStep(given);
      if (step?.kind !== 'create' || step.rule !== 'GR-4') return;
      const old = given.members.find(({ id }) => id === step.replaces);
      assert.ok(old);
      const cause = causeOf(given, old);
      if (cause === 'asked' || isOut(old)) return;
      const { max, used } = budgetOf(given);
      assert.ok(used < max + (cause === 'forced-expiry' ? 1 : 0));
      assert.equal(given.breaker, 'closed');
    }),
    { seed: seedOfRun(), numRuns: 2_000 },
  );
});
