/** Rules GR-2..GR-9: the next step of a group, as tables and as laws over random books. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonObject } from '../../machines/model/json.js';
import { isOnItsWayOut } from '../../src/policy/breaker.js';
import { type Books, countedOf, standingOf, stayingOf } from '../../src/policy/members.js';
import { waitingOf } from '../../src/policy/replace.js';
import { missingAlike, nextStep, type ScaleStep } from '../../src/policy/scale.js';
import { after, books, booksArb, idOf, member, named } from '../support/books.js';
import { seedOfRun } from '../support/seed.js';

function check(rows: readonly (readonly [string, Books, string])[]): void {
  for (const [what, given, expected] of rows) {
    assert.equal(named(nextStep(given)), expected, what);
  }
}

const three = [member(1), member(2), member(3)];

test('[GR-8] [SG-4] scale: while surplus waits for the guard nobody is replaced whom the others make up for', () => {
  for (const replace of ['create-first', 'delete-first'] as const) {
    const members = [member(1, { replaceWanted: true }), member(2), member(3)];
    const held = { ...books(members), replace, wanted: 1, floor: 3 };
    assert.equal(nextStep(held), undefined);
    assert.notEqual(nextStep({ ...held, wanted: 3 }), undefined);
    const tired = [1, 2, 3].map((index) =>
      member(index, { replaceWanted: true, state: 'suspect', inService: false }),
    );
    assert.notEqual(nextStep({ ...held, members: tired }), undefined, 'the others do not suffice');
  }
});

test('[GR-2] scale: only staying members count', () => {
  check([
    ['enough', books(three), 'rest'],
    ['one draining', books([member(1, { state: 'draining' }), ...three.slice(1)]), 'create'],
    ['one lost', books([member(1, { state: 'lost' }), ...three.slice(1)]), 'create for 1'],
    ['one failed', books([member(1, { state: 'failed' }), ...three.slice(1)]), 'create'],
    ['told to leave', books([member(1, { leaving: 'operator' }), ...three.slice(1)]), 'create'],
    ['draining beside enough', books([...three, member(4, { state: 'draining' })]), 'rest'],
  ]);
});

test('[GR-7] scale: surplus leaves in the order of the rule', () => {
  const inOrder = [
    member(9, { state: 'booting' }),
    member(8, { state: 'registered' }),
    member(7, { state: 'suspect' }),
    member(6, { replaceWanted: true }),
    member(1),
    member(2),
  ];
  for (const [index, first] of inOrder.entries()) {
    const rest = [...inOrder.slice(index)].reverse();
    const step = nextStep(books(rest, { wanted: rest.length - 1, replace: 'delete-first' }));
    const expected = first.id;
    // A member that wants to be replaced may also be drained for that reason; either way it is first.
    assert.equal(step?.kind === 'drain' ? step.id : undefined, expected, `step ${index}`);
  }
});

test('[GR-8] scale: creates up to the wanted size, never beyond the maximum', () => {
  check([
    ['none', books([]), 'create'],
    ['two of three', books(three.slice(1)), 'create'],
    ['wanted beyond the maximum', books(three, { wanted: 5, maxSize: 3 }), 'rest'],
  ]);
});

test('[GR-9] scale: after three failed creates one is tried at a time', () => {
  const trying = member(1, { state: 'booting' });
  check([
    ['two failures', books([trying], { failures: 2 }), 'create'],
    ['three failures, one on its way', books([trying], { failures: 3 }), 'rest'],
    ['three failures, none on its way', books([member(1)], { failures: 3 }), 'create'],
  ]);
});

const tired = member(1, { replaceWanted: true });
const others = [member(2), member(3)];

test('[GR-3] [GR-4] replace, create-first: successor, service, then the predecessor leaves', () => {
  const booting = member(4, { state: 'booting', replaces: idOf(1) });
  const serving = member(4, { replaces: idOf(1) });
  check([
    ['asked', books([tired, ...others]), 'create for 1'],
    ['on its way', books([tired, ...others, booting]), 'rest'],
    ['in service', books([tired, ...others, serving]), 'drain 1 replaced'],
    ['done', books([{ ...tired, leaving: 'replaced' }, ...others, serving]), 'rest'],
    [
      'the successor failed',
      books([tired, ...others, { ...booting, state: 'failed' }]),
      'create for 1',
    ],
  ]);
});

test('[GR-4] replace, delete-first: one after another, and only while all others serve', () => {
  const mode = { replace: 'delete-first' } as const;
  const gone = { ...tired, leaving: 'replaced' } as const;
  const alsoTired = member(2, { replaceWanted: true });
  const sick = member(2, { state: 'suspect', replaceWanted: true });
  check([
    ['asked', books([tired, ...others], mode), 'drain 1 replaced'],
    ['then missing', books([gone, ...others], mode), 'create for 1'],
    [
      'the next waits',
      books([gone, alsoTired, member(3), member(4, { state: 'booting' })], mode),
      'rest',
    ],
    ['creates fail', books([tired, ...others], { ...mode, failures: 1 }), 'rest'],
    ['out of service it costs nothing', books([tired, sick, member(3)], mode), 'drain 2 replaced'],
  ]);
});

test('[GR-5] replace: a successor nobody needs leaves before it serves', () => {
  const booting = member(4, { state: 'booting', replaces: idOf(1) });
  check([['recovered', books([...three, booting]), 'drain 4 scale-down']]);
});

test('[GR-6] replace: without room only a member out of service makes room', () => {
  const full = { maxSize: 3 };
  const sick = member(1, { state: 'suspect', replaceWanted: true });
  check([
    ['in service', books([tired, ...others], full), 'rest'],
    ['out of service', books([sick, ...others], full), 'drain 1 replaced'],
  ]);
  assert.deepEqual(waitingOf(books([tired, ...others], full)), { why: 'room', id: idOf(1) });
  assert.equal(waitingOf(books([tired, ...others])), undefined);
});

// --- laws -------------------------------------------------------------------------------------

test('[GR-2] [GR-6] [GR-8] scale: steps end, and no create breaks the size', () => {
  fc.assert(
    fc.property(booksArb, (given) => {
      let now = given;
      for (let taken = 0; ; taken += 1) {
        assert.ok(taken < 40, 'the steps of one event must end');
        const step = nextStep(now);
        if (step === undefined) break;
        const next = after(now, step);
        if (step.kind === 'create') {
          assert.ok(stayingOf(next.members).length <= next.maxSize, 'beyond maxSize');
          assert.ok(
            countedOf(next.members).length <= Math.max(next.wanted, countedOf(now.members).length),
          );
        } else {
          const drained = now.members.find(({ id }) => id === step.id);
          assert.ok(drained && standingOf(drained) === 'staying', 'drains who is there');
        }
        now = next;
      }
      const waits = now.breaker === 'half-open' && now.members.some(isOnItsWayOut);
      const kept = (now.breaker === 'open' || waits) && now.wanted > 0;
      assert.ok(kept || countedOf(now.members).length <= now.wanted, 'surplus is gone at rest');
    }),
    { seed: seedOfRun(), numRuns: 500 },
  );
});

test('[GR-13] scale: what is missing may be made at once: step by step it would be the same', () => {
  fc.assert(
    fc.property(booksArb, (given) => {
      const first = nextStep(given);
      if (first?.kind !== 'create') return;
      const alike = missingAlike(given, first);
      const { numbers }: { readonly numbers: JsonObject } = first;
      let now: Books = given;
      for (let made = 0; made < alike; made += 1) {
        const step: ScaleStep | undefined = nextStep(now);
        assert.equal(named(step), named(first), `create ${made + 1} of ${alike}`);
        assert.deepEqual(step?.numbers, behind(numbers, made));
        now = after(now, step ?? first);
      }
    }),
    { seed: seedOfRun(), numRuns: 2_000 },
  );
});

function behind(numbers: JsonObject, made: number): JsonObject {
  const { counted, staying } = numbers;
  return { ...numbers, counted: Number(counted) + made, staying: Number(staying) + made };
}
