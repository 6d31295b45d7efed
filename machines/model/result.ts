/**
 * Expected outcomes as values: what the world may refuse is a `Result`, never an exception.
 *
 * Output: `ok`/`fail` constructors and the two readers everybody needs. A failure always carries a
 * stable `code` (see failures.ts). Bugs are `Defect`s, see assert.ts.
 */

export type Result<T, F> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: F };

export function ok<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

export function fail<F>(failure: F): { readonly ok: false; readonly failure: F } {
  return { ok: false, failure };
}
