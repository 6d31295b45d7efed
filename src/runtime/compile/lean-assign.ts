/**
 * `assign` for XState's own core, without what it does beside assigning: XState's works out the state
 * value and the tags anew, which no assignment changes, and makes a spawner nobody may use. On the
 * generic path that is a third of all work.
 *
 * Only named actions are replaced; a machine that assigns inline runs as XState has it. A live actor
 * and both paths are held against each other in every test run [RT-51].
 */
import type { AnyMachineSnapshot, AnyStateMachine } from 'xstate';
import type { JsonObject } from '../../../machines/model/json.js';
import { inertSelf, inertSystem, noSpawn } from './inert.js';
import { createRevision } from './revision.js';

interface Assign {
  readonly type: 'xstate.assign';
  readonly assignment: object | ((args: object, params: unknown) => object | undefined);
}

/** How XState asks a built-in action for the next snapshot. */
type Resolve = (
  scope: unknown,
  snapshot: AnyMachineSnapshot,
  given: { readonly event: object },
  params: unknown,
) => readonly [AnyMachineSnapshot, undefined, undefined];

export function withLeanAssigns(machine: AnyStateMachine): AnyStateMachine {
  const actions = Object.entries(machine.implementations.actions as Record<string, unknown>)
    .filter((entry): entry is [string, Assign] => isAssign(entry[1]))
    .map(([name, action]) => [name, leanAssign(action)]);
  const lean = machine.provide({ actions: Object.fromEntries(actions) });
  Object.assign(lean.options, machine.options);
  return lean;
}

const renewed = createRevision({ context: (given: unknown) => given });

function snapshotOf(snapshot: AnyMachineSnapshot, context: JsonObject): AnyMachineSnapshot {
  const next: unknown = renewed.of(snapshot as never, context, undefined);
  return next as AnyMachineSnapshot;
}

function isAssign(action: unknown): boolean {
  return typeof action === 'function' && (action as Partial<Assign>).type === 'xstate.assign';
}

function leanAssign(action: Assign): Assign & { readonly resolve: Resolve } {
  const { assignment } = action;
  const compute = typeof assignment === 'function' ? assignment : undefined;
  const revision = createRevision(compute === undefined ? assignment : {});
  const resolve: Resolve = (_scope, snapshot, { event }, params) => {
    const { context: before } = snapshot;
    const args = { context: before, event, self: inertSelf, system: inertSystem, spawn: noSpawn };
    const context = revision.of(before, args, params);
    if (compute !== undefined) Object.assign(context, compute(args, params));
    return [snapshotOf(snapshot, context), undefined, undefined];
  };
  const replaced = (): void => undefined;
  return Object.assign(replaced, { type: action.type, assignment, resolve });
}
