/** Rule GR-25: cron expressions and the windows they open, as tables and against a dumb search. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isOpenAt, nextOpening, parseCron } from '../../src/policy/cron.js';
import { seedOfRun } from '../support/seed.js';

const at = (text: string): number => Date.parse(`${text}Z`);
const HOUR_MS = 3_600_000;

const STARTS: readonly (readonly [cron: string, after: string, next: string])[] = [
  ['0 2 * * *', '2026-03-01T01:59', '2026-03-01T02:00'],
  ['0 2 * * *', '2026-03-01T02:00', '2026-03-02T02:00'],
  ['*/15 * * * *', '2026-03-01T23:46', '2026-03-02T00:00'],
  ['30 1-3 * * *', '2026-03-01T03:30', '2026-03-02T01:30'],
  ['10/20 4 * * *', '2026-03-01T04:10', '2026-03-01T04:30'],
  ['0 0 * * 1-5', '2026-03-06T12:00', '2026-03-09T00:00'],
  ['0 0 * * 7', '2026-03-02T00:00', '2026-03-08T00:00'],
  ['0 0 29 2 *', '2026-03-01T00:00', '2028-02-29T00:00'],
  ['0 0 1,15 * *', '2026-03-02T00:00', '2026-03-15T00:00'],
  // Either of the two days, when both are named.
  ['0 0 13 * 5', '2026-03-07T00:00', '2026-03-13T00:00'],
  ['0 0 10 * 5', '2026-03-07T00:00', '2026-03-10T00:00'],
];
for (const [cron, after, next] of STARTS) {
  test(`[GR-25] cron: "${cron}" after ${after} comes at ${next}`, () => {
    assert.equal(nextOpening([{ cron, durationMs: 1 }], at(after)), at(next));
  });
}

const WRONG: readonly (readonly [cron: string, says: RegExp])[] = [
  ['0 2 * *', /five fields/],
  ['60 2 * * *', /minute from 0 to 59/],
  ['0 24 * * *', /hour from 0 to 23/],
  ['0 0 0 * *', /day of month from 1 to 31/],
  ['0 0 * 13 *', /month from 1 to 12/],
  ['0 0 * * 8', /day of week from 0 to 7/],
  ['5-1 0 * * *', /minute/],
  ['*/0 0 * * *', /minute/],
  ['0 0 * * MON', /day of week/],
  ['0 0 31 2,4 *', /no such day/],
];
for (const [cron, says] of WRONG) {
  test(`[GR-25] cron: "${cron}" is refused`, () => {
    const parsed = parseCron(cron);
    assert.ok(!parsed.ok);
    assert.match(parsed.failure, says);
  });
}

test('[GR-25] windows: open from the start on, closed at the end; one that is open is enough', () => {
  const night = { cron: '0 2 * * *', durationMs: 2 * HOUR_MS };
  const weekend = { cron: '0 0 * * 6', durationMs: 48 * HOUR_MS };
  const rows: readonly (readonly [string, boolean])[] = [
    ['2026-03-03T01:59:59.999', false],
    ['2026-03-03T02:00', true],
    ['2026-03-03T03:59:59.999', true],
    ['2026-03-03T04:00', false],
    ['2026-03-07T00:00', true],
    ['2026-03-08T23:59', true],
    ['2026-03-09T00:00', false],
  ];
  for (const [time, open] of rows) assert.equal(isOpenAt([night, weekend], at(time)), open, time);
  assert.equal(isOpenAt('always', at('2026-03-03T00:00')), true);
});

const fieldArb = (min: number, max: number) =>
  fc.oneof(
    fc.constant('*'),
    fc.integer({ min, max }).map(String),
    fc.integer({ min: 2, max: 20 }).map((step) => `*/${step}`),
  );

test('[GR-25] windows: as open as a search minute by minute says', () => {
  const cronArb = fc.tuple(fieldArb(0, 59), fieldArb(0, 23), fieldArb(1, 28), fieldArb(0, 6));
  const timeArb = fc.integer({ min: at('2026-01-01T00:00'), max: at('2027-01-01T00:00') });
  fc.assert(
    fc.property(cronArb, timeArb, fc.integer({ min: 1, max: 300 }), (fields, time, minutes) => {
      const [minute, hour, day, weekday] = fields;
      const cron = `${minute} ${hour} ${day} * ${weekday}`;
      const open = isOpenAt([{ cron, durationMs: minutes * 60_000 }], time);
      const latest = Math.floor(time / 60_000);
      const starts = Array.from({ length: minutes + 1 }, (_, back) => (latest - back) * 60_000);
      const expected = starts.some(
        (start) => start + minutes * 60_000 > time && startsAt(fields, new Date(start)),
      );
      assert.equal(open, expected, cron);
    }),
    { seed: seedOfRun(), numRuns: 300 },
  );
});

function startsAt([minute, hour, day, weekday]: readonly string[], date: Date): boolean {
  const byDay = hits(day, date.getUTCDate(), 1);
  const byWeekday = hits(weekday, date.getUTCDay(), 0);
  const either = !day?.startsWith('*') && !weekday?.startsWith('*');
  const onDay = either ? byDay || byWeekday : byDay && byWeekday;
  return hits(minute, date.getUTCMinutes(), 0) && hits(hour, date.getUTCHours(), 0) && onDay;
}

function hits(field: string | undefined, value: number, min: number): boolean {
  const [base, step] = (field ?? '').split('/');
  return base === '*' ? (value - min) % Number(step ?? 1) === 0 : Number(base) === value;
}
