/**
 * A machine as a list of states with their transitions: what both printed forms are made from.
 *
 * Input: a machine. Output: plain data, states in document order, each with what it does on every
 * event. Delays keep their names; the events XState makes of them are told as `after NAME`.
 */
import type { AnyStateMachine, AnyStateNode } from 'xstate';
import { actionName, guardName } from '../adapters/inspector/definition.js';

export interface ChartTransition {
  /** An event's type, `after DELAY`, or `always`. */
  readonly on: string;
  readonly guard?: string;
  /** Dotted paths; empty: nothing is left or entered. */
  readonly targets: readonly string[];
  readonly actions: readonly string[];
  readonly description?: string;
}

export interface ChartState {
  /** Dotted; the machine itself is the empty path. */
  readonly path: string;
  readonly type: 'atomic' | 'compound' | 'parallel' | 'final' | 'history';
  readonly description?: string;
  readonly initial?: string;
  readonly entry: readonly string[];
  readonly exit: readonly string[];
  readonly transitions: readonly ChartTransition[];
}

export interface Chart {
  readonly id: string;
  readonly states: readonly ChartState[];
  readonly events: readonly string[];
  readonly guards: readonly string[];
  readonly actions: readonly string[];
  readonly delays: readonly string[];
}

export function chartOf(machine: AnyStateMachine): Chart {
  const states = nodesOf(machine.root).map(stateOf);
  const transitions = states.flatMap((state) => state.transitions);
  const triggers = distinct(transitions.map(({ on }) => on));
  return {
    id: machine.id,
    states,
    events: triggers.filter((on) => on !== ALWAYS && !on.startsWith(AFTER)),
    guards: distinct(transitions.flatMap(({ guard }) => (guard === undefined ? [] : [guard]))),
    actions: distinct([
      ...states.flatMap(({ entry, exit }) => [...entry, ...exit]),
      ...transitions.flatMap(({ actions }) => actions),
    ]),
    delays: triggers.filter((on) => on.startsWith(AFTER)).map((on) => on.slice(AFTER.length)),
  };
}

const AFTER = 'after ';
const ALWAYS = 'always';

function nodesOf(node: AnyStateNode): readonly AnyStateNode[] {
  return [node, ...Object.values(node.states).flatMap(nodesOf)];
}

function stateOf(node: AnyStateNode): ChartState {
  const initial = node.initial?.target[0]?.key;
  return {
    path: pathOf(node),
    type: node.type,
    ...(node.description === undefined ? {} : { description: node.description }),
    ...(initial === undefined ? {} : { initial }),
    entry: actionNames(node.entry),
    exit: actionNames(node.exit),
    transitions: transitionsOf(node),
  };
}

function pathOf(node: AnyStateNode): string {
  return node.path.join('.');
}

/** Timers of `after` are kept as hidden actions of their state. */
function actionNames(actions: readonly unknown[]): readonly string[] {
  return actions.map(actionName).filter((name) => !/^xstate\.(raise|cancel)$/.test(name));
}

type Definition = AnyStateNode['transitions'] extends Map<string, (infer T)[]> ? T : never;

function transitionsOf(node: AnyStateNode): readonly ChartTransition[] {
  const onEvents = [...node.transitions.entries()].flatMap(([event, definitions]) =>
    definitions.map((definition) => transitionOf(triggerOf(event), definition)),
  );
  const always = (node.always ?? []).map((definition) => transitionOf(ALWAYS, definition));
  return [...onEvents, ...always];
}

/** `xstate.after.NAME.state.path` is the timer of the delay NAME. */
function triggerOf(event: string): string {
  const match = /^xstate\.after\.([^.]+)\./.exec(event);
  return match?.[1] === undefined ? event : `${AFTER}${match[1]}`;
}

function transitionOf(on: string, definition: Definition): ChartTransition {
  const { actions, description, guard, target = [] } = definition;
  return {
    on,
    ...(guard === undefined ? {} : { guard: guardName(guard) }),
    targets: target.map(pathOf),
    actions: actionNames(actions),
    ...(description === undefined ? {} : { description }),
  };
}

function distinct(words: readonly string[]): readonly string[] {
  return [...new Set(words)].sort();
}
