/**
 * What can still be understood of a tree that failed the schema.
 *
 * Input: the schema and the tree. Output: a value that passes, made by leaving out what failed (its
 * default stands in, or its parent goes too), or `undefined`. Lists are left out whole, so that the
 * paths of what remains stay those of the file.
 */
import type { z } from 'zod';
import type { Path } from './problem.js';

/** Each round removes at least one level of each problem; the schema is about ten levels deep. */
const ROUNDS_MAX = 24;

export function salvage<S extends z.ZodType>(schema: S, tree: unknown): z.output<S> | undefined {
  let candidate = structuredClone(tree);
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const parsed = schema.safeParse(candidate);
    if (parsed.success) return parsed.data;
    const paths = parsed.error.issues.flatMap((issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => [...issue.path, key])
        : [issue.path],
    );
    if (paths.some((path) => path.length === 0)) return undefined;
    for (const path of paths) candidate = leaveOut(candidate, path.map(asKey));
  }
  return undefined;
}

function asKey(part: PropertyKey): string | number {
  return typeof part === 'number' ? part : String(part);
}

/** Deletes the nearest property at or above `path` that exists and is no list element. */
function leaveOut(tree: unknown, path: Path): unknown {
  for (let length = path.length; length > 0; length -= 1) {
    const owner = path.slice(0, length - 1).reduce<unknown>(child, tree);
    const key = path[length - 1] ?? '';
    if (typeof owner !== 'object' || owner === null || Array.isArray(owner)) continue;
    if (!Object.hasOwn(owner, key)) continue;
    Reflect.deleteProperty(owner, key);
    return tree;
  }
  return tree;
}

function child(value: unknown, part: string | number): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
  return (value as Record<string | number, unknown>)[part];
}
