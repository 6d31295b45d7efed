/** The belt: for every order of acceptances, the mark passes what is accepted, and all of it arrives. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { ResourceEvent } from '../../src/policy/tenancy.js';
import {
  acceptedIn,
  advanced,
  type Belt,
  beltOf,
  hasRoom,
  isDrained,
  loaded,
  lowMark,
  NO_BELT,
  toldIn,
} from '../../src/policy/tenancy-route.js';
import { event, key } from '../support/driven-tenancy.js';
import { seedOfRun } from '../support/seed.js';

const RUNS = 500;

const arbPages = fc.array(
  fc.array(fc.tuple(fc.integer({ min: 1, max: 6 }), fc.boolean()), { maxLength: 8 }),
  { maxLength: 4 },
);
const arbWidth = fc.constantFrom(1, 2, 5, 256);
const arbChoices = fc.infiniteStream(fc.nat());

interface Told {
  readonly number: number;
  readonly id: number;
}

const numberOf = ({ resourceId }: ResourceEvent): number =>
  Number.parseInt(resourceId.slice(-6), 16);

/** Pages as the tenant manager would number them, from 43 on. */
function numbered(pages: readonly (readonly (readonly [number, boolean])[])[]) {
  let id = 42;
  return pages.map((one) =>
    one.map(([number, born]) => event(++id, born ? 'created' : 'deleted', number)),
  );
}

describe('the belt', () => {
  test('[TE-1] [TE-50] every event is told in the order of its resource, and the mark never passes one', () => {
    fc.assert(
      fc.property(arbPages, arbWidth, arbChoices, (raw, width, choices) => {
        const told: Told[] = [];
        const open = new Map<number, number>();
        let belt: Belt = NO_BELT;
        const pump = (): void => {
          while (hasRoom(belt, width)) {
            belt = advanced(belt, width);
            for (const one of toldIn(belt)) {
              told.push({ number: numberOf(one), id: one.id });
              open.set(numberOf(one), one.id);
            }
            assert.ok(open.size <= Math.max(1, width));
          }
        };
        const answerOne = (): void => {
          const all = [...open];
          const [number, id] = all[(choices.next().value ?? 0) % all.length] ?? [0, 0];
          open.delete(number);
          const tenant = key(number) as never;
          belt = acceptedIn(belt, { tenant, era: 1, id, changed: true, problem: null });
        };
        const check = (read: number): void => {
          const mark = lowMark(belt);
          if (mark === undefined) return;
          assert.ok(mark <= read);
          for (const id of open.values()) assert.ok(mark < id, `the mark ${mark} passed ${id}`);
        };
        let read = 42;
        for (const one of numbered(raw)) {
          read = one.at(-1)?.id ?? read;
          belt = loaded(belt, { events: one, until: read });
          pump();
          check(read);
          if (open.size > 0) answerOne();
          pump();
        }
        while (open.size > 0) {
          answerOne();
          pump();
          check(read);
        }
        assert.ok(isDrained(belt));
        if (raw.length > 0) assert.equal(lowMark(belt), read);
        for (let number = 1; number <= 6; number += 1) {
          const ids = told.filter((one) => one.number === number).map(({ id }) => id);
          assert.deepEqual(
            ids,
            ids.toSorted((a, b) => a - b),
          );
        }
      }),
      { seed: seedOfRun(), numRuns: RUNS },
    );
  });

  test('[TE-1] the mark of a replay is its boundary, and moves when all of it is accepted', () => {
    const events = [event(0, 'created', 1), event(0, 'created', 2)];
    const told = advanced(beltOf(42, { events, missing: [key(3)], left: 0 }), 256);
    assert.deepEqual(told.telling.missing, [key(3)]);
    assert.equal(lowMark(told), undefined);
    const accepted = [1, 2].reduce(
      (belt, number) =>
        acceptedIn(belt, {
          ...{ tenant: key(number) as never, era: 1, id: 0, changed: false, problem: null },
        }),
      told,
    );
    assert.equal(lowMark(accepted), 42);
    assert.equal(accepted.changed, 1, 'the one that was missing');
  });

  test('[TE-50] an acceptance of an older event frees no place', () => {
    const told = advanced(loaded(NO_BELT, { events: [event(43, 'created', 1)], until: 43 }), 256);
    const more = advanced(loaded(told, { events: [event(44, 'deleted', 1)], until: 44 }), 256);
    const old = { tenant: key(1) as never, era: 1, id: 43, changed: true, problem: null };
    assert.equal(lowMark(acceptedIn(more, old)), 42);
    assert.equal(lowMark(acceptedIn(more, { ...old, id: 44 })), 44);
  });
});
