/**
 * Actions of a definition, lowered to ops: names are looked up once, what never changes is made once.
 *
 * Lowered are named effects and XState's own `assign`, `raise` and `cancel`. Anything else of XState's
 * is refused, and the machine then runs on XState's core, which refuses what machines may not use.
 */
import type { AnyStateMachine } from 'xstate';
import { armed, type MachineEvent } from '../step.js';
import type { Expression, Op } from './chart.js';
import { createRevision } from './revision.js';

/** Where the compiler says what it cannot lower. */
export type Refuse = (what: string) => void;

type Action =
  | string
  | (BuiltIn & ((...args: never) => unknown))
  | { readonly type: string; readonly params?: unknown };

interface BuiltIn {
  readonly name: string;
  readonly type?: string;
  readonly resolve?: unknown;
  readonly assignment?: unknown;
  readonly event?: unknown;
  readonly id?: unknown;
  readonly delay?: unknown;
  readonly sendId?: unknown;
}

/** What an op is before it is anything. */
export const NO_OP: Op = {
  kind: 'effect',
  type: '',
  params: undefined,
  paramsOf: undefined,
  effect: undefined,
  timer: undefined,
  revision: createRevision({}),
  compute: undefined,
  event: undefined,
  id: undefined,
  delay: undefined,
  delayOf: undefined,
};

export function lowerActions(
  machine: AnyStateMachine,
  actions: readonly unknown[],
  refuse: Refuse,
): readonly Op[] {
  return actions.map((action) => lowerAction(machine, action as Action, refuse));
}

function lowerAction(machine: AnyStateMachine, action: Action, refuse: Refuse): Op {
  const base = { ...NO_OP, ...paramsOf(action) };
  const named = machine.implementations.actions as Record<string, unknown>;
  const found = typeof action === 'function' ? action : named[nameOf(action)];
  if (found !== undefined && typeof found !== 'function') refuse('an action that is no function');
  const known = found as BuiltIn | undefined;
  if (known === undefined || !('resolve' in known)) return effectOf(base, nameOf(action), refuse);
  switch (known.type) {
    case 'xstate.assign':
      return assignOf(base, known);
    case 'xstate.raise':
      return raiseOf(base, known, { machine, refuse });
    case 'xstate.cancel':
      return cancelOf(base, known);
    default:
      refuse(`${known.type}`);
      return base;
  }
}

function nameOf(action: Action): string {
  if (typeof action === 'string') return action;
  return typeof action === 'function' ? action.name || '(anonymous)' : action.type;
}

function paramsOf(action: Action): Pick<Op, 'params' | 'paramsOf'> {
  const params = typeof action === 'object' ? action.params : undefined;
  if (typeof params !== 'function') return { params, paramsOf: undefined };
  return { params: undefined, paramsOf: params as Expression<unknown> };
}

function effectOf(base: Op, type: string, refuse: Refuse): Op {
  if (type.startsWith('xstate.')) refuse(`an effect called ${type}`);
  const { params, paramsOf } = base;
  const effect = paramsOf === undefined ? Object.freeze({ type, params }) : undefined;
  return { ...base, kind: 'effect', type, effect };
}

function assignOf(base: Op, { assignment }: BuiltIn): Op {
  const isFunction = typeof assignment === 'function';
  const revision = createRevision(isFunction ? {} : (assignment as object));
  const compute = isFunction ? (assignment as Expression<unknown>) : undefined;
  return { ...base, kind: 'assign', revision, compute };
}

interface Around {
  readonly machine: AnyStateMachine;
  readonly refuse: Refuse;
}

function raiseOf(base: Op, { event, id, delay }: BuiltIn, { machine, refuse }: Around): Op {
  if (typeof event === 'string') refuse('raise of an event that is no object');
  const delays = machine.implementations.delays as Record<string, unknown>;
  const wait = typeof delay === 'string' ? delays[delay] : delay;
  const op: Op = {
    ...base,
    kind: 'raise',
    id: id as string | undefined,
    ...(typeof event === 'function'
      ? { compute: event as Expression<unknown> }
      : { event: event as MachineEvent }),
    ...(typeof wait === 'function' ? { delayOf: wait as Expression<unknown> } : { delay: wait }),
  };
  return { ...op, timer: fixedTimerOf(op) };
}

function fixedTimerOf({ event, id, delay }: Op): Op['timer'] {
  if (event === undefined || typeof delay !== 'number') return undefined;
  // A timer of another name than its event is a defect of each step that arms it, not of the machine.
  return event.type === id ? Object.freeze(armed(id, event, delay)) : undefined;
}

function cancelOf(base: Op, { sendId }: BuiltIn): Op {
  if (typeof sendId === 'function') {
    return { ...base, kind: 'cancel', compute: sendId as Expression<unknown> };
  }
  const id = sendId as string;
  return { ...base, kind: 'cancel', id, timer: Object.freeze({ op: 'cancel', id }) };
}
