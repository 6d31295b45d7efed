/**
 * A machine's configuration as plain data: what the Stately tools draw a chart from.
 *
 * Input: a machine. Output: its configuration with every function replaced by `{type: name}`, and what
 * only makes sense as a function (the context factory, computed parameters) left out. Combined guards
 * keep their parts in their name: `and(isKnown, isOlder)`.
 */
import type { AnyStateMachine } from 'xstate';
import type { Json, JsonObject } from '../../../machines/model/json.js';

/** Fields whose functions compute values at run time; a chart has no use for them. */
const COMPUTED: ReadonlySet<string> = new Set(['context', 'params', 'input', 'output']);

export function plainConfig(machine: AnyStateMachine): JsonObject {
  return (plain('', machine.config) ?? {}) as JsonObject;
}

function plain(key: string, value: unknown): Json | undefined {
  if (typeof value === 'function') return plainFunction(key, value);
  if (Array.isArray(value)) return value.map((item) => plain(key, item) ?? null);
  if (typeof value !== 'object' || value === null) return value as Json | undefined;
  const fields = Object.entries(value).flatMap(([name, field]) => {
    const made = plain(name, field);
    return made === undefined ? [] : [[name, made] as const];
  });
  return Object.fromEntries(fields);
}

function plainFunction(key: string, value: unknown): Json | undefined {
  if (COMPUTED.has(key)) return undefined;
  return { type: key === 'guard' ? guardName(value) : functionName(value) };
}

interface NamedFunction {
  readonly name?: string;
  readonly type?: string;
  readonly guards?: readonly unknown[];
  readonly stateValue?: unknown;
}

/** Name of a guard however it is written: a word, `{type}`, or a combination of guards. */
export function guardName(guard: unknown): string {
  if (typeof guard === 'string') return guard;
  const { name, type, guards, stateValue } = guard as NamedFunction;
  if (guards !== undefined) return `${name}(${guards.map(guardName).join(', ')})`;
  if (stateValue !== undefined) return `in ${statePath(stateValue)}`;
  return type ?? functionName(guard);
}

/** Name of an action however it is written. */
export function actionName(action: unknown): string {
  if (typeof action === 'string') return action;
  const { type } = action as NamedFunction;
  return type ?? functionName(action);
}

function functionName(value: unknown): string {
  const { name, type } = value as NamedFunction;
  return type ?? (name === undefined || name === '' ? 'anonymous' : name);
}

function statePath(value: unknown): string {
  return typeof value === 'string' ? value.replace('#', '') : JSON.stringify(value);
}
