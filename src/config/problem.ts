/**
 * A problem of a configuration file, told to the person who wrote it: where, and what to do.
 *
 * Input: findings (a path or a position, and a sentence). Output: problems with a position each, in
 * the order of the file. `parse` means that the file does not speak our language (YAML, an unknown
 * key, a value of the wrong type); `semantic` means that it says something that cannot be.
 */
import type { Problem, ProblemCode } from '../ports/config-file.js';
import { configLimits } from './limits.js';

export type { Problem, ProblemCode };

export interface Position {
  readonly line: number;
  readonly column: number;
}

export type Path = readonly (string | number)[];

/** A problem before it is located. `position` wins over `path`. */
export interface Finding {
  readonly path: Path;
  readonly message: string;
  readonly code: ProblemCode;
  /** Point to the key instead of the value. */
  readonly atKey?: boolean;
  readonly position?: Position;
}

export function semantic(path: Path, message: string): Finding {
  return { path, message, code: 'semantic' };
}

export function printPath(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? part : `${text}.${part}`;
  }, '');
}

export function printProblem(problem: Problem): string {
  const place = `${problem.file}:${problem.line}:${problem.column}`;
  return `${place}: ${problem.path === '' ? '' : `${problem.path}: `}${problem.message}`;
}

/** What `switchyard check` exits with: a parse problem hides whether the rest makes sense. */
export function worstCode(problems: readonly Problem[]): ProblemCode {
  return problems.some((problem) => problem.code === 'parse') ? 'parse' : 'semantic';
}

/** Sorts by place, drops repetitions, and bounds the list with a last line that counts the rest. */
export function arrangeProblems(problems: readonly Problem[]): readonly Problem[] {
  const seen = new Set<string>();
  const sorted = [...problems]
    .sort((one, two) => one.line - two.line || one.column - two.column)
    .filter((problem) => {
      const text = printProblem(problem);
      return seen.has(text) ? false : seen.add(text) !== undefined;
    });
  const rest = sorted.length - configLimits.problemsMax;
  const last = sorted[configLimits.problemsMax];
  if (rest <= 0 || last === undefined) return sorted;
  const more: Problem = { ...last, path: '', message: `${rest} more problems are not shown` };
  return [...sorted.slice(0, configLimits.problemsMax), more];
}
