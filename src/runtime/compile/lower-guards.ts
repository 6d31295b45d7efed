/**
 * Guards of a definition, lowered: names are looked up once; `and`, `or`, `not` and `stateIn` become a
 * small tree of their own.
 */
import { type AnyStateMachine, and, not, or, stateIn } from 'xstate';
import { GUARD_DEPTH_MAX } from '../limits.js';
import type { Expression, Guard, Node } from './chart.js';
import type { Refuse } from './lower-actions.js';

type Configured = string | Checked | { readonly type: string; readonly params?: unknown };

/** A guard function; XState's own have a `check`. */
interface Checked {
  (...args: never): unknown;
  readonly check?: unknown;
  readonly guards?: readonly unknown[];
  readonly stateValue?: unknown;
}

export interface GuardLowering {
  readonly machine: AnyStateMachine;
  /** By id. */
  readonly nodes: ReadonlyMap<string, Node>;
  readonly refuse: Refuse;
}

const checkOf = (guard: unknown): unknown => (guard as Checked).check;

/** How XState marks its own, found by making one of each. */
const KINDS = new Map<unknown, Guard['kind']>([
  [checkOf(and([])), 'and'],
  [checkOf(or([])), 'or'],
  [checkOf(not('_')), 'not'],
  [checkOf(stateIn('_')), 'in'],
]);

const NEVER: Guard = {
  kind: 'test',
  test: () => false,
  params: undefined,
  paramsOf: undefined,
  inner: [],
  node: undefined,
  value: undefined,
};

export function lowerGuard(lowering: GuardLowering, guard: unknown, depth = 0): Guard {
  if (depth > GUARD_DEPTH_MAX) return refused(lowering, 'guards that name each other');
  const configured = guard as Configured;
  if (typeof configured === 'function') return lowerFunction(lowering, configured, depth);
  const name = typeof configured === 'string' ? configured : configured.type;
  const found: unknown = (lowering.machine.implementations.guards as Record<string, unknown>)[name];
  if (found === undefined || found === null) return refused(lowering, `no guard called ${name}`);
  if (typeof found !== 'function') return lowerGuard(lowering, found, depth + 1);
  const lowered = lowerFunction(lowering, found as Checked, depth);
  const params = typeof configured === 'string' ? undefined : configured.params;
  if (typeof params !== 'function') return { ...lowered, params };
  return { ...lowered, paramsOf: params as Expression<unknown> };
}

function lowerFunction(lowering: GuardLowering, guard: Checked, depth: number): Guard {
  if (!('check' in guard)) return { ...NEVER, test: guard as unknown as Guard['test'] };
  const kind = KINDS.get(guard.check);
  if (kind === undefined) return refused(lowering, 'a guard of a kind that is not known');
  if (kind === 'in') return lowerStateIn(lowering, guard.stateValue);
  const inner = (guard.guards ?? []).map((one) => lowerGuard(lowering, one, depth + 1));
  return { ...NEVER, kind, inner };
}

function lowerStateIn(lowering: GuardLowering, value: unknown): Guard {
  if (typeof value !== 'string' || !value.startsWith('#')) return { ...NEVER, kind: 'in', value };
  const node = nodeOf(lowering, value);
  if (node === undefined) return refused(lowering, `no state ${value}`);
  return { ...NEVER, kind: 'in', node };
}

function nodeOf({ machine, nodes }: GuardLowering, id: string): Node | undefined {
  try {
    return nodes.get(machine.getStateNodeById(id).id);
  } catch {
    return undefined;
  }
}

function refused({ refuse }: GuardLowering, what: string): Guard {
  refuse(what);
  return NEVER;
}
