/**
 * zod's issues → findings in our own sentences.
 *
 * Rules: an unknown key or a value of the wrong type is `parse`, anything else `semantic`; a key
 * that is absent points to its parent; nothing is said about a value already reported as unusable.
 */
import type { z } from 'zod';
import { keysAt } from './fields.js';
import type { Finding, Path } from './problem.js';
import { didYouMean } from './suggest.js';

type Issue = z.core.$ZodIssue;

const EMPTY = 'empty value; leave the key out to get its default';

export function findingsOf(
  schema: z.ZodType,
  tree: unknown,
  issues: readonly Issue[],
): readonly Finding[] {
  return issues.flatMap((issue) => {
    const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
    if (issue.code === 'unrecognized_keys') return unknownKeys(schema, path, issue.keys);
    return [findingOf(issue, path, valueAt(tree, path))];
  });
}

/** The value at `path`, or `undefined` when there is none. */
export function valueAt(tree: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, part) => {
    if (typeof value !== 'object' || value === null) return undefined;
    return Object.hasOwn(value, part)
      ? (value as Record<string | number, unknown>)[part]
      : undefined;
  }, tree);
}

function unknownKeys(schema: z.ZodType, path: Path, keys: readonly string[]): readonly Finding[] {
  const known = keysAt(schema, path);
  return keys.map((key) => ({
    path: [...path, key],
    message: `unknown key${didYouMean(key, known)}`,
    code: 'parse',
    atKey: true,
  }));
}

function findingOf(issue: Issue, path: Path, value: unknown): Finding {
  if (issue.code === 'invalid_key') {
    return {
      path,
      message: issue.issues[0]?.message ?? issue.message,
      code: 'semantic',
      atKey: true,
    };
  }
  if (value === undefined) return { path, message: sayMissing(issue), code: 'semantic' };
  if (value === null) return { path, message: EMPTY, code: 'parse' };
  const wrongType = issue.code === 'invalid_type' || isWrongTypeInUnion(issue, value);
  return { path, message: say(issue), code: wrongType ? 'parse' : 'semantic' };
}

function sayMissing(issue: Issue): string {
  const hint = issue.message.startsWith('expected') ? `; ${issue.message}` : '';
  return `this key is required${issue.code === 'invalid_value' ? `; ${oneOf(issue)}` : hint}`;
}

function say(issue: Issue): string {
  if (issue.code === 'invalid_value' && issue.message.startsWith('Invalid')) return oneOf(issue);
  if (issue.code === 'invalid_type' && issue.message.startsWith('Invalid')) {
    return `expected ${TYPE_WORDS[issue.expected] ?? issue.expected}`;
  }
  if (issue.code === 'too_big' && issue.message.startsWith('Too')) {
    return `at most ${String(issue.maximum)} entries`;
  }
  return issue.message;
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  object: 'a mapping of keys to values',
  record: 'a mapping of names to values',
  array: 'a list',
  string: 'text',
  number: 'a number',
  boolean: 'true or false',
};

function oneOf(issue: Issue & { code: 'invalid_value' }): string {
  return `expected one of ${issue.values.map(String).join(', ')}`;
}

/** Neither branch takes a value of this kind. A literal takes its own kind. */
function isWrongTypeInUnion(issue: Issue, value: unknown): boolean {
  if (issue.code !== 'invalid_union') return false;
  return issue.errors.every(([first]) => {
    if (first?.code === 'invalid_value') return typeof first.values[0] !== typeof value;
    return first?.code === 'invalid_type';
  });
}
