/**
 * Probes: what one process measures, once, by name. A probe takes plain data and answers with plain
 * numbers, so that it can run in a fresh child process, and rows are put together outside.
 */
import type { BenchRow, Scale } from '../rows.js';

export type Params = Readonly<Record<string, number>>;
/** `checksum`, where there is one, must be the same for everything that did the same work. */
export type Outcome = Readonly<Record<string, number>>;
export type Probe = (params: Params) => Promise<Outcome>;

export interface Lab {
  readonly scale: Scale;
  progress(line: string): void;
  /** At full scale in a fresh child process, at a tiny one right here. */
  run(probe: string, params: Params): Promise<Outcome>;
}

/** One question, or a few that share their measurements. */
export interface Section {
  readonly ids: readonly string[];
  rows(lab: Lab): Promise<readonly BenchRow[]>;
}

export interface Variant {
  readonly probe: string;
  readonly params: Params;
}

/**
 * Runs all variants in turn, as often as asked, so that a machine that is slower for a while is slower
 * for all of them. Throws when two of them did not do the same work.
 */
export async function interleaved<Name extends string>(
  lab: Lab,
  rounds: number,
  variants: Readonly<Record<Name, Variant>>,
): Promise<Readonly<Record<Name, readonly Outcome[]>>> {
  const names = Object.keys(variants) as Name[];
  const outcomes = Object.fromEntries(names.map((name) => [name, [] as Outcome[]]));
  const checksums = new Set<number>();
  for (let round = 1; round <= rounds; round += 1) {
    for (const name of names) {
      const { probe, params } = variants[name];
      const outcome = await lab.run(probe, params);
      outcomes[name]?.push(outcome);
      if (outcome['checksum'] !== undefined) checksums.add(outcome['checksum']);
      lab.progress(`round ${round} of ${rounds}: ${name} ${told(outcome)}`);
    }
  }
  if (checksums.size > 1) throw new Error(`different work was measured: ${[...checksums]}`);
  return outcomes as Record<Name, Outcome[]>;
}

/** One field of all outcomes. */
export function each(outcomes: readonly Outcome[], field: string): readonly number[] {
  return outcomes.map((outcome) => outcome[field] ?? Number.NaN);
}

export function param(params: Params, name: string): number {
  const value = params[name];
  if (value === undefined) throw new Error(`no parameter ${name}`);
  return value;
}

function told(outcome: Outcome): string {
  return Object.entries(outcome)
    .map(([name, value]) => `${name}=${Math.abs(value) >= 100 ? Math.round(value) : value}`)
    .join(' ');
}
