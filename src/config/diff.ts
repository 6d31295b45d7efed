/**
 * What differs between two configurations, field by field, and how each difference takes effect.
 *
 * Input: two complete configurations. Output: changes by path, with values fit for people: secrets
 * as `***`, contents that belong to others as digests, durations with their unit. A named object
 * that appears or disappears is one change: adding a frontend disturbs nothing, so only changes
 * *within* an object that exists on both sides can be disruptive.
 */
import type { Json, JsonObject } from '../../machines/model/json.js';
import { canonicalText, digestOf, isSame } from './canonical.js';
import type { Config } from './complete.js';
import { mapLeaves, shapeOf } from './fields.js';
import { followedBy } from './follows.js';
import { configLimits } from './limits.js';
import type { Apply, Note } from './notes.js';
import { type Path, printPath } from './problem.js';
import { configSchema } from './schema.js';

export interface Change {
  readonly path: string;
  /** `null`: was absent. */
  readonly from: Json;
  /** `null`: is absent now. */
  readonly to: Json;
  readonly apply: Apply;
  /** It is the default of that key, which differs too: nobody has written it. */
  readonly follows?: string;
}

export function diffConfig(from: Config, to: Config): readonly Change[] {
  const changes: Change[] = [];
  compare({ schema: configSchema, from, to, path: [], whole: { from, to } }, changes);
  return changes;
}

export function pathsThat(changes: readonly Change[], apply: Apply): readonly string[] {
  return changes.filter((change) => change.apply === apply).map((change) => change.path);
}

/** A configuration less every field that takes effect in another way. */
export function fieldsThat(config: Config, apply: Apply): JsonObject {
  const kept = mapLeaves(configSchema, config, (leaf, note) =>
    note?.apply === apply ? leaf : undefined,
  );
  return (pruned(kept) ?? {}) as JsonObject;
}

/** Undefined when nothing is left in it. What is left of a list stays in its place. */
function pruned(value: unknown): unknown {
  if (!isObject(value)) return value;
  if (Array.isArray(value)) {
    const elements = value.map(pruned);
    return elements.every((one) => one === undefined)
      ? undefined
      : elements.map((one) => one ?? {});
  }
  const fields = Object.entries(value)
    .map(([key, one]) => [key, pruned(one)] as const)
    .filter(([, one]) => one !== undefined);
  return fields.length === 0 ? undefined : Object.fromEntries(fields);
}

interface Pair {
  readonly schema: Parameters<typeof shapeOf>[0];
  readonly from: unknown;
  readonly to: unknown;
  readonly path: Path;
  readonly whole: { readonly from: unknown; readonly to: unknown };
}

function compare(pair: Pair, changes: Change[]): void {
  const { schema, from, to, path, whole } = pair;
  if (from === to || isSame(from, to)) return;
  const shape = shapeOf(schema);
  if (shape.kind === 'leaf') {
    changes.push(changeOf(pair, shape.note?.apply ?? 'reload'));
    return;
  }
  for (const key of keysOf(from, to)) {
    const inner = shape.kind === 'object' ? shape.fields[key] : elementOf(shape);
    if (inner === undefined) continue;
    const part = shape.kind === 'list' ? Number(key) : key;
    const sides = { from: at(from, key), to: at(to, key) };
    const next = { schema: inner, ...sides, path: [...path, part], whole };
    const appears = next.from === undefined || next.to === undefined;
    const isObject = shapeOf(inner).kind !== 'leaf';
    if (appears && isObject && shape.kind !== 'object') changes.push(changeOf(next, 'reload'));
    else compare(next, changes);
  }
}

function elementOf(shape: ReturnType<typeof shapeOf>) {
  if (shape.kind === 'record') return shape.value;
  return shape.kind === 'list' ? shape.element : undefined;
}

function keysOf(from: unknown, to: unknown): readonly string[] {
  return [...new Set([from, to].flatMap((value) => (isObject(value) ? Object.keys(value) : [])))];
}

function at(value: unknown, key: string): unknown {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function changeOf({ schema, from, to, path, whole }: Pair, apply: Apply): Change {
  const leader = followedBy(path, whole.from, whole.to);
  const print = (value: unknown): Json =>
    value === undefined ? null : shorten(mapLeaves(schema, value, show));
  const follows = leader === undefined ? {} : { follows: printPath(leader) };
  return { path: printPath(path), from: print(from), to: print(to), apply, ...follows };
}

function show(leaf: unknown, note: Note | undefined): unknown {
  if (leaf === undefined) return undefined;
  if (note?.secret === true) return '***';
  if (note?.opaque === true) return `sha256:${digestOf(leaf).slice(0, 12)}`;
  if (typeof leaf !== 'number') return leaf;
  if (note?.unit === 'duration') return printDuration(leaf);
  return note?.unit === 'share' ? `${Number((leaf * 100).toFixed(3))}%` : leaf;
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;

/** In the largest unit that expresses it exactly. */
export function printDuration(durationMs: number): string {
  const unit = UNITS.find(([, unitMs]) => durationMs > 0 && durationMs % unitMs === 0);
  return unit === undefined ? `${durationMs}ms` : `${durationMs / unit[1]}${unit[0]}`;
}

function shorten(value: unknown): Json {
  const text = canonicalText(value);
  if (text.length <= configLimits.changeTextMax) return value as Json;
  return `${text.slice(0, configLimits.changeTextMax)}…`;
}
