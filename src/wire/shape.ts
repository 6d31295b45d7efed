/**
 * Checks for data that came from elsewhere: small predicates and ways to combine them. A check
 * never throws and never reads a getter, because what it is given was decoded and is `isPlain`.
 */
import { type Address, parseAddress } from '../../machines/model/ids.js';
import type { Json, JsonObject } from '../../machines/model/json.js';
import { DEPTH_MAX, NAME_CHARACTERS_MAX } from './limits.js';

export type Check<T> = (value: unknown) => value is T;
type Checks<T> = { readonly [K in keyof T]: Check<T[K]> };
type Shape = Readonly<Record<string, unknown>>;

/**
 * Nothing but text, numbers, truth values, null, lists and bare objects, nested at most DEPTH_MAX.
 */
export function isPlain(value: unknown, depth: number = DEPTH_MAX): value is Json {
  if (typeof value !== 'object') return isScalar(value);
  if (value === null) return true;
  if (depth === 0) return false;
  if (Array.isArray(value)) {
    for (const item of value) {
      // Decisions come with thousands of numbers: no call for each of them.
      if (typeof item !== 'number' && !isPlain(item, depth - 1)) return false;
    }
    return true;
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return false;
  for (const key in value) if (!isPlain((value as Shape)[key], depth - 1)) return false;
  return true;
}

/** `undefined` too: a field that is there and says nothing. */
function isScalar(value: unknown): boolean {
  const type = typeof value;
  return type === 'string' || type === 'number' || type === 'boolean' || type === 'undefined';
}

export function isText(value: unknown): value is string {
  return typeof value === 'string';
}

/** Text short enough for an id. */
export function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length <= NAME_CHARACTERS_MAX;
}

export function isFlag(value: unknown): value is boolean {
  return typeof value === 'boolean';
}

export function isNumber(value: unknown): value is number {
  return typeof value === 'number' && !Number.isNaN(value);
}

/** A whole number that counts something: 0, 1, 2 … */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

export function isAddress(value: unknown): value is Address {
  return isName(value) && parseAddress(value) !== undefined;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** For a part of a value of which `isPlain` already holds. */
export function isJson(_value: unknown): _value is Json {
  return true;
}

export function listOf<T>(check: Check<T>, max = Number.POSITIVE_INFINITY): Check<readonly T[]> {
  return (value): value is readonly T[] =>
    Array.isArray(value) && value.length <= max && value.every((item) => check(item));
}

export function oneOf<const T extends string>(...words: readonly T[]): Check<T> {
  return (value): value is T => (words as readonly unknown[]).includes(value);
}

/** An object with these fields; fields of `optional` may be missing, others are not looked at. */
export function record<R, O = Record<never, never>>(
  required: Checks<R>,
  optional?: Checks<O>,
): Check<Readonly<R & Partial<O>>> {
  const must = Object.entries(required) as readonly [string, Check<unknown>][];
  const may = Object.entries(optional ?? {}) as readonly [string, Check<unknown>][];
  return (value): value is Readonly<R & Partial<O>> => {
    if (!isObject(value)) return false;
    for (const [key, check] of must) if (!check(value[key])) return false;
    for (const [key, check] of may) {
      if (value[key] !== undefined && !check(value[key])) return false;
    }
    return true;
  };
}
