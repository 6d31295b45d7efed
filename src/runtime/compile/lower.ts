/**
 * Lowers an XState definition once: states, transitions, actions and guards become a chart whose names
 * are resolved and whose targets are nodes.
 *
 * Input:  a machine. Output: its chart, or everything in it that cannot be lowered; the machine then
 *         runs on XState's own core.
 */
import type { AnyStateMachine, AnyStateNode } from 'xstate';
import type { JsonObject } from '../../../machines/model/json.js';
import { PLACES_MAX, WILDCARDS_MAX } from '../limits.js';
import type { Chart, Node, Transition } from './chart.js';
import { isReserved } from './inert.js';
import { lowerActions, type Refuse } from './lower-actions.js';
import { lowerGuard } from './lower-guards.js';
import { ancestorsOf } from './moves.js';
import { configurationsOf, leavesMaxOf, permutationsOf } from './values.js';

export type Lowered =
  | { readonly chart: Chart; readonly refusals: readonly [] }
  | { readonly chart: undefined; readonly refusals: readonly string[] };

interface Lowering {
  readonly machine: AnyStateMachine;
  readonly byId: Map<string, Node>;
  readonly nodes: Node[];
  readonly transitions: Transition[];
  readonly refuse: Refuse;
}

type Open<T> = { -readonly [K in keyof T]: T[K] };

export function lower(machine: AnyStateMachine): Lowered {
  const refusals: string[] = [];
  const refuse: Refuse = (what) => void refusals.push(what);
  const sources = everyNode(machine.root);
  const lowering = { machine, byId: new Map(), nodes: [], transitions: [], refuse };
  refuseByShape(machine, refuse);
  if (refusals.length === 0) {
    lowerNodes(lowering, machine.root, undefined);
    for (const source of sources) fillNode(lowering, source);
  }
  if (refusals.length > 0) return { chart: undefined, refusals: [...new Set(refusals)] };
  const { nodes, transitions } = lowering;
  const context = (machine.config.context ?? {}) as JsonObject;
  return { chart: { machineId: machine.id, nodes, transitions, context }, refusals: [] };
}

/** What shows before any name is looked up. */
function refuseByShape(machine: AnyStateMachine, refuse: Refuse): void {
  const nodes = everyNode(machine.root);
  if (new Set(nodes.map(({ id }) => id)).size < nodes.length) refuse('two states of one id');
  const places = configurationsOf(machine.root) * permutationsOf(leavesMaxOf(machine.root));
  if (places > PLACES_MAX) refuse(`${places} places to stand`);
  const descriptors = new Set(nodes.flatMap(({ transitions }) => [...transitions.keys()]));
  if ([...descriptors].some(isReserved)) refuse('an event that XState keeps to itself');
  if ([...descriptors].filter(isWildcard).length > WILDCARDS_MAX) refuse('too many wildcards');
  for (const node of nodes) refuseNode(node, refuse);
}

function refuseNode(node: AnyStateNode, refuse: Refuse): void {
  if (node.type === 'history') refuse('a history state');
  if (node.invoke.length > 0) refuse('invoke');
  if (node.config.output !== undefined) refuse('output');
  if (node.config.route !== undefined) refuse('route');
  if (node.type === 'parallel' && Object.keys(node.states).length === 0) refuse('no regions');
}

function everyNode(node: AnyStateNode): readonly AnyStateNode[] {
  return [node, ...Object.values(node.states).flatMap((child) => everyNode(child))];
}

const isWildcard = (descriptor: string): boolean => descriptor.endsWith('*');

function lowerNodes(lowering: Lowering, source: AnyStateNode, parent: Node | undefined): Node {
  const node: Open<Node> = {
    index: source.order,
    id: source.id,
    key: source.key,
    type: source.type as Node['type'],
    parent,
    children: [],
    initial: undefined,
    initialOps: [],
    entry: [],
    exit: [],
    transitions: new Map(),
    always: [],
  };
  lowering.nodes[node.index] = node;
  lowering.byId.set(node.id, node);
  const states = Object.values(source.states) as readonly AnyStateNode[];
  node.children = states.map((state) => lowerNodes(lowering, state, node));
  return node;
}

/** Once every node is there: transitions point at nodes anywhere. */
function fillNode(lowering: Lowering, source: AnyStateNode): void {
  const { machine, byId, refuse } = lowering;
  const node = byId.get(source.id) as Open<Node>;
  node.entry = lowerActions(machine, source.entry, refuse);
  node.exit = lowerActions(machine, source.exit, refuse);
  if (node.type === 'compound') {
    const { target, actions } = source.initial;
    node.initial = byId.get(target[0]?.id ?? '');
    node.initialOps = lowerActions(machine, actions, refuse);
  }
  const lowered = (list: readonly unknown[]) =>
    list.map((transition) => lowerTransition(lowering, node, transition as Source));
  node.transitions = new Map([...source.transitions].map(([type, list]) => [type, lowered(list)]));
  node.always = lowered(source.always ?? []);
}

interface Source {
  readonly target?: readonly AnyStateNode[];
  readonly actions: readonly unknown[];
  readonly guard?: unknown;
  readonly reenter: boolean;
}

function lowerTransition(lowering: Lowering, source: Node, transition: Source): Transition {
  const { machine, byId, transitions, refuse } = lowering;
  const { target = [], guard, actions, reenter } = transition;
  const lowered = {
    index: transitions.length,
    source,
    targets: target.flatMap(({ id }) => byId.get(id) ?? []),
    reenter,
    guard: guard === undefined ? undefined : lowerGuard({ machine, nodes: byId, refuse }, guard),
    ops: lowerActions(machine, actions, refuse),
  };
  transitions.push(lowered);
  if (!areTogether(lowered.targets)) refuse('targets that cannot be active together');
  return lowered;
}

/** XState would enter two states of which only one may be active. */
function areTogether(targets: readonly Node[]): boolean {
  return targets.every((one) =>
    targets.every((other) => one === other || meetingOf(one, other)?.type === 'parallel'),
  );
}

/** The innermost state around both; undefined when one is around the other. */
function meetingOf(one: Node, other: Node): Node | undefined {
  const around = ancestorsOf(one, undefined);
  const alsoAround = ancestorsOf(other, undefined);
  if (around.includes(other) || alsoAround.includes(one)) return undefined;
  return around.find((node) => alsoAround.includes(node));
}
