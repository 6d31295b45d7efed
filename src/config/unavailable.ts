/**
 * What the interface promises and this release does not do yet. A value other than the default is
 * refused with a sentence instead of being ignored; a feature that arrives loses its line here.
 *
 * `*` stands for any name or index. `values`: refused only when the value is one of these.
 */
import { isSame } from './canonical.js';
import type { Config } from './complete.js';
import { schemaAt } from './fields.js';
import { type Finding, type Path, semantic } from './problem.js';
import { configSchema } from './schema.js';

export interface Unavailable {
  readonly path: string;
  readonly values?: readonly string[];
  /** Subject of "… is not available in this release". */
  readonly what: string;
}

export const UNAVAILABLE: readonly Unavailable[] = [
  { path: 'feed.source', what: 'a feed from elsewhere' },
  { path: 'feed.unknownTypes', what: 'another rule for unknown feed events' },
];

export function checkAvailable(config: Config): readonly Finding[] {
  return UNAVAILABLE.flatMap((row) =>
    valuesAt(config, row.path.split('.'))
      .filter(({ path, value }) => isRefused(row, path, value))
      .map(({ path }) => semantic(path, `${row.what} is not available in this release`)),
  );
}

function isRefused(row: Unavailable, path: Path, value: unknown): boolean {
  if (row.values !== undefined) return row.values.includes(String(value));
  return !isSame(value, defaultAt(path));
}

/** What the schema gives when the key is left out; `undefined` when nothing. */
function defaultAt(path: Path): unknown {
  const parsed = schemaAt(configSchema, path)?.safeParse(undefined);
  return parsed?.success === true ? parsed.data : undefined;
}

function valuesAt(
  value: unknown,
  pattern: readonly string[],
  path: Path = [],
): readonly { readonly path: Path; readonly value: unknown }[] {
  const [part, ...rest] = pattern;
  if (part === undefined) return value === undefined ? [] : [{ path, value }];
  if (typeof value !== 'object' || value === null) return [];
  const record = value as Readonly<Record<string, unknown>>;
  const keys = part === '*' ? Object.keys(record) : [part];
  return keys.flatMap((key) => valuesAt(record[key], rest, [...path, key]));
}
