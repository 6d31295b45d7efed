/**
 * Rows: what every bench answers with, and the few statistics all of them use.
 *
 * A row asks one question. `ratio` is ours against the baseline of the same run, so that more is
 * better; `must` binds only at full scale, since a tiny run proves that the bench works and not how
 * fast anything is.
 */

export type Scale = 'tiny' | 'full';

export interface BenchRow {
  readonly id: string;
  readonly question: string;
  readonly value: number;
  readonly unit: string;
  /** The same question answered by what we measure ourselves against, in the same unit. */
  readonly baseline?: number;
  readonly ratio?: number;
  readonly must?: string;
  /** What we would like to reach beyond the must; it fails nothing. */
  readonly stretch?: string;
  readonly verdict: Verdict;
}

/**
 * `stretch`: beyond the must. `unjudged`: a run that is too small to judge how fast anything is.
 * `informs`: there is no must.
 */
export type Verdict = 'pass' | 'stretch' | 'falls-short' | 'unjudged' | 'informs';

export interface BenchResult {
  readonly bench: string;
  readonly rows: readonly BenchRow[];
}

/** How many rows had each verdict. */
export function countsOf(rows: readonly BenchRow[]): Readonly<Record<Verdict, number>> {
  const counts = { pass: 0, stretch: 0, 'falls-short': 0, unjudged: 0, informs: 0 };
  for (const { verdict } of rows) counts[verdict] += 1;
  return counts;
}

/** What a whole bench says at its end, and by name what falls short. */
export function conclusionOf(rows: readonly BenchRow[]): string {
  const { pass, stretch, 'falls-short': short, unjudged, informs } = countsOf(rows);
  const names = rows.filter(({ verdict }) => verdict === 'falls-short').map(({ id }) => id);
  return [
    `${pass + stretch} of ${pass + stretch + short} musts hold, ${stretch} of them with their stretch`,
    ...(short === 0 ? [] : [`${names.join(', ')} ${short === 1 ? 'falls' : 'fall'} short`]),
    ...(unjudged === 0 ? [] : [`${unjudged} not judged`]),
    ...(informs === 0 ? [] : [`${informs} for information`]),
  ].join('; ');
}

export interface BenchOptions {
  readonly scale: Scale;
  /** Only these rows, and what belongs to them (`G9`: G9-linear too); empty: all. */
  readonly only?: readonly string[];
  /** Long work says what it is doing. */
  progress?(line: string): void;
}

/** A target as it is printed, and whether a row reaches it. */
export interface Target {
  readonly text: string;
  holds(row: { readonly value: number; readonly ratio: number }): boolean;
}

export const atMost = (value: number, unit: string): Target => ({
  text: `<= ${value} ${unit}`,
  holds: (row) => row.value <= value,
});

export const ratioAtLeast = (ratio: number): Target => ({
  text: `>= ${ratio} times the baseline`,
  holds: (row) => row.ratio >= ratio,
});

export const ratioAtMost = (ratio: number): Target => ({
  text: `<= ${ratio} times the baseline`,
  holds: (row) => row.ratio <= ratio,
});

export const all = (...targets: readonly Target[]): Target => ({
  text: targets.map(({ text }) => text).join(' and '),
  holds: (row) => targets.every((target) => target.holds(row)),
});

export interface Measured {
  readonly id: string;
  readonly question: string;
  readonly unit: string;
  readonly value: number;
  readonly baseline?: number;
  /** How the two compare; absent: value / baseline. */
  readonly ratio?: number;
  readonly must?: Target;
  readonly stretch?: Target;
  /** The must is about what is right, not about how fast it is: a tiny run is judged too. */
  readonly always?: boolean;
}

/** A row whose must is judged at full scale; at a tiny one only if it is not about speed. */
export function rowOf(measured: Measured, scale: Scale): BenchRow {
  const { id, question, unit, value, baseline, must, stretch } = measured;
  const ratio = measured.ratio ?? (baseline === undefined ? undefined : value / baseline);
  const judged = { value, ratio: ratio ?? Number.NaN };
  return {
    id,
    question,
    value: rounded(value),
    unit,
    ...(baseline === undefined ? {} : { baseline: rounded(baseline) }),
    ...(ratio === undefined ? {} : { ratio: rounded(ratio) }),
    ...(must === undefined ? {} : { must: must.text }),
    ...(stretch === undefined ? {} : { stretch: stretch.text }),
    verdict: verdictOf(measured, judged, scale),
  };
}

function verdictOf(
  { must, stretch, always = false }: Measured,
  judged: { readonly value: number; readonly ratio: number },
  scale: Scale,
): Verdict {
  if (must === undefined) return 'informs';
  if (scale === 'tiny' && !always) return 'unjudged';
  if (!must.holds(judged)) return 'falls-short';
  return stretch?.holds(judged) === true ? 'stretch' : 'pass';
}

/** Is a row, or a family of rows, among those that were asked for? */
export function wanted(id: string, only: readonly string[]): boolean {
  return only.length === 0 || only.some((name) => id === name || id.startsWith(`${name}-`));
}

/** Four significant digits, whole numbers from a thousand on: what two runs may have in common. */
export function rounded(value: number): number {
  return Math.abs(value) >= 1_000 ? Math.round(value) : Number(value.toPrecision(4));
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** Nearest rank; NaN of nothing. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
