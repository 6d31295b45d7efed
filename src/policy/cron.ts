/**
 * Windows of time: when voluntary replacements may begin.
 *
 * Input:  a cron expression of five fields (minute, hour, day of month, month, day of week) in UTC and
 *         a duration. Output: whether a window is open at a time, and when the next one opens.
 *
 * A field is `*`, a number, a range `1-5`, a list of those, each with an optional step. As in cron, a day
 * matches by either of its two fields when both are restricted. 0 and 7 are Sunday.
 *
 * Rule: [GR-25] a window is open from each start for its duration, its end not included.
 */
import { fail, ok, type Result } from '../../machines/model/result.js';

export interface Window {
  readonly cron: string;
  readonly durationMs: number;
}

interface Cron {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  matchesDay(date: Date): boolean;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** A longer window is no window. */
export const WINDOW_MS_MAX = 31 * DAY_MS;
/** Every day that a cron can name comes within eight years (29 February over 2100). */
const SEARCH_DAYS_MAX = 8 * 366 + 1;

const FIELDS = [
  ['minute', 0, 59],
  ['hour', 0, 23],
  ['day of month', 1, 31],
  ['month', 1, 12],
  ['day of week', 0, 7],
] as const;

export function parseCron(text: string): Result<Cron, string> {
  const words = text.trim().split(/\s+/);
  if (words.length !== FIELDS.length) return fail('expected five fields, like "0 2 * * 1-5"');
  const sets: (readonly number[])[] = [];
  for (const [index, [name, min, max]] of FIELDS.entries()) {
    const values = valuesOf(words[index] ?? '', min, max);
    if (values === undefined) return fail(`expected a ${name} from ${min} to ${max}`);
    sets.push(values);
  }
  const [minutes = [], hours = [], days = [], months = [], weekdays = []] = sets;
  const everyDay = (words[2] ?? '').startsWith('*');
  const everyWeekday = (words[4] ?? '').startsWith('*');
  const matchesDay = (date: Date): boolean => {
    if (!months.includes(date.getUTCMonth() + 1)) return false;
    const byDay = days.includes(date.getUTCDate());
    const byWeekday = weekdays.some((weekday) => weekday % 7 === date.getUTCDay());
    return everyDay || everyWeekday ? byDay && byWeekday : byDay || byWeekday;
  };
  const cron = { minutes, hours, matchesDay };
  const comes = nextStartFrom(cron, 0) !== undefined;
  return comes ? ok(cron) : fail('no such day ever comes');
}

function valuesOf(word: string, min: number, max: number): readonly number[] | undefined {
  const found = new Set<number>();
  for (const part of word.split(',')) {
    const [, all, low, high, step] = /^(?:(\*)|(\d+)(?:-(\d+))?)(?:\/(\d+))?$/.exec(part) ?? [];
    if (all === undefined && low === undefined) return undefined;
    const from = all === undefined ? Number(low) : min;
    const to = all === undefined ? Number(high ?? (step === undefined ? low : max)) : max;
    const by = Number(step ?? 1);
    if (from < min || to > max || from > to || by < 1) return undefined;
    for (let value = from; value <= to; value += by) found.add(value);
  }
  return [...found].sort((a, b) => a - b);
}

export function isOpenAt(windows: readonly Window[] | 'always', at: number): boolean {
  if (windows === 'always') return true;
  return windows.some(({ cron, durationMs }) => {
    const parsed = parseCron(cron);
    if (!parsed.ok) return false;
    // The first start that is late enough to be still open: has it come?
    const start = nextStartFrom(parsed.value, at - durationMs + 1);
    return start !== undefined && start <= at;
  });
}

/** The next time at which some window opens, after `at`. */
export function nextOpening(windows: readonly Window[], at: number): number | undefined {
  const starts = windows.flatMap(({ cron }) => {
    const parsed = parseCron(cron);
    return parsed.ok ? (nextStartFrom(parsed.value, at + 1) ?? []) : [];
  });
  return starts.length === 0 ? undefined : Math.min(...starts);
}

/** The first start that is not before `from`. */
function nextStartFrom(cron: Cron, from: number): number | undefined {
  const firstDay = Math.floor(from / DAY_MS) * DAY_MS;
  for (let day = 0; day < SEARCH_DAYS_MAX; day += 1) {
    const midnight = firstDay + day * DAY_MS;
    if (!cron.matchesDay(new Date(midnight))) continue;
    for (const hour of cron.hours) {
      if (midnight + (hour + 1) * HOUR_MS <= from) continue;
      const hits = cron.minutes.map((minute) => midnight + hour * HOUR_MS + minute * MINUTE_MS);
      const start = hits.find((hit) => hit >= from);
      if (start !== undefined) return start;
    }
  }
  return undefined;
}
