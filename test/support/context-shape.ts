/**
 * What contexts look like, without what they say: which fields an object has, which type a value. Two
 * releases agree when at every place something that one wrote looks like something that the other
 * wrote; at the root, when the fields are the same. Names that are no identifiers are keys of a map.
 */
import type { Json, JsonObject } from '../../machines/model/json.js';

interface Place {
  readonly types: Set<string>;
  /** Sets of fields, each as one text. */
  readonly fields: Set<string>;
}

export type ContextShape = ReadonlyMap<string, Place>;

const ROOT = 'context';

export function shapeOf(contexts: readonly JsonObject[]): ContextShape {
  const shape = new Map<string, Place>();
  for (const context of contexts) look(shape, ROOT, context);
  return shape;
}

function look(shape: Map<string, Place>, path: string, value: Json | undefined): void {
  // Nothing yet is what every other type may be.
  if (value === null || value === undefined) return;
  const place = shape.get(path) ?? { types: new Set(), fields: new Set() };
  shape.set(path, place);
  place.types.add(Array.isArray(value) ? 'list' : typeof value);
  if (Array.isArray(value)) for (const item of value) look(shape, `${path}[]`, item);
  if (typeof value !== 'object' || Array.isArray(value)) return;
  const entries = Object.entries(value as JsonObject).map(([key, field]) => [nameOf(key), field]);
  place.fields.add([...new Set(entries.map(([key]) => key))].sort().join(' '));
  for (const [key, field] of entries) look(shape, `${path}.${key}`, field as Json);
}

function nameOf(key: string): string {
  return /^[A-Za-z]+$/.test(key) ? key : '*';
}

/** One sentence for each place where nothing of the one looks like anything of the other. */
export function differencesOf(recorded: ContextShape, now: ContextShape): readonly string[] {
  return [...recorded].flatMap(([path, was]) => {
    const is = now.get(path);
    if (is === undefined) return [];
    const root = path === ROOT;
    const fields = root ? equal(was.fields, is.fields) : meet(was.fields, is.fields);
    return [
      ...(meet(was.types, is.types)
        ? []
        : [`${path} was ${list(was.types)}, is ${list(is.types)}`]),
      ...(fields ? [] : [`${path} had {${list(was.fields)}}, has {${list(is.fields)}}`]),
    ];
  });
}

function meet(some: ReadonlySet<string>, others: ReadonlySet<string>): boolean {
  return some.size === 0 || others.size === 0 || [...some].some((one) => others.has(one));
}

function equal(some: ReadonlySet<string>, others: ReadonlySet<string>): boolean {
  return list(some) === list(others);
}

function list(names: ReadonlySet<string>): string {
  return [...names].sort().join(' | ');
}
