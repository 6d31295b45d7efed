/**
 * One microstep worked out beforehand: from where a machine stands and the transitions taken together,
 * what is done, in order, and which innermost states are active afterwards.
 *
 *   leave (innermost first) ─► the transitions' own actions ─► enter (outermost first)
 *
 * Semantics follow SCXML as XState 5 reads it: a transition that stays within its source leaves the
 * source alone unless it reenters; of two transitions that would leave the same state the inner or
 * earlier one is taken; entering a state enters its initial states, and every region of a parallel one.
 */
import type { Node, Op, Transition } from './chart.js';
import { NO_OP } from './lower-actions.js';
import { isLeaf } from './values.js';

export interface Plan {
  readonly ops: readonly Op[];
  /** Those that stayed, then those that came. */
  readonly leaves: readonly Node[];
}

/** From nowhere: what starting a machine does. */
export function planStart(root: Node): Plan {
  const entry: Entry = { entered: new Set([root]), defaults: new Set([root]) };
  enterBelow(root, entry);
  return finish([], { ops: [], entry, active: new Set() });
}

export function planMove(leaves: readonly Node[], wanted: readonly Transition[]): Plan {
  const active = new Set(leaves.flatMap((leaf) => [leaf, ...ancestorsOf(leaf, undefined)]));
  const taken = withoutConflicts(wanted, active);
  const left = [...new Set(taken.flatMap((transition) => leftBy(transition, active)))];
  left.sort((one, other) => other.index - one.index);
  const ops = [
    ...left.flatMap(({ exit }) => exit),
    ...taken.flatMap((transition) => transition.ops),
  ];
  for (const node of left) active.delete(node);
  const entry: Entry = { entered: new Set(), defaults: new Set() };
  for (const transition of taken) enterBy(transition, entry);
  return finish(leaves, { ops, entry, active });
}

interface Open {
  readonly ops: readonly Op[];
  readonly entry: Entry;
  /** Without what was left. */
  readonly active: Set<Node>;
}

function finish(before: readonly Node[], { ops: earlier, entry, active }: Open): Plan {
  const ops = [...earlier];
  const kept = before.filter((leaf) => active.has(leaf));
  const entered = [...entry.entered].sort((one, other) => one.index - other.index);
  const came = entered.filter((node) => isLeaf(node) && !active.has(node));
  const completed = new Set<Node>();
  for (const node of entered) {
    active.add(node);
    ops.push(...node.entry);
    if (entry.defaults.has(node)) ops.push(...node.initialOps);
    if (node.type === 'final') ops.push(...doneOps(node, active, completed));
  }
  const [root] = [...active].filter(({ parent }) => parent === undefined);
  if (root !== undefined && isFinal(root, active)) ops.push(...farewell(active));
  return { ops, leaves: [...kept, ...came] };
}

// --- leaving ------------------------------------------------------------------------------------

function withoutConflicts(
  wanted: readonly Transition[],
  active: ReadonlySet<Node>,
): readonly Transition[] {
  if (wanted.length === 1) return wanted;
  let taken: readonly Transition[] = [];
  for (const transition of wanted) {
    const left = new Set(leftBy(transition, active));
    const rivals = taken.filter((one) => leftBy(one, active).some((node) => left.has(node)));
    const yielding = rivals.filter(({ source }) => isBelow(transition.source, source));
    if (yielding.length < rivals.length) continue;
    taken = [...taken.filter((one) => !yielding.includes(one)), transition];
  }
  return taken;
}

function leftBy(transition: Transition, active: ReadonlySet<Node>): readonly Node[] {
  if (transition.targets.length === 0) return [];
  const domain = domainOf(transition);
  return [...active].filter((node) => isBelow(node, domain));
}

/** The innermost state that stays active; none when the root itself is entered again. */
function domainOf({ source, targets, reenter }: Transition): Node | undefined {
  const within = targets.every((target) => target === source || isBelow(target, source));
  if (within && !reenter) return source;
  const [first = source] = targets;
  const all = [...targets.slice(1), source];
  const common = ancestorsOf(first, undefined).find((node) =>
    all.every((one) => isBelow(one, node)),
  );
  return common ?? (reenter ? undefined : rootOf(source));
}

// --- entering -----------------------------------------------------------------------------------

interface Entry {
  readonly entered: Set<Node>;
  /** Those entered for their own sake: the actions of their initial transition run. */
  readonly defaults: Set<Node>;
}

function enterBy(transition: Transition, entry: Entry): void {
  const { source, targets, reenter } = transition;
  const domain = domainOf(transition);
  for (const target of targets) {
    if (source !== target || source !== domain || reenter) enter(target, entry);
    enterBelow(target, entry);
  }
  const limit = source.parent === undefined && reenter ? undefined : domain;
  for (const target of targets) {
    const path = ancestorsOf(target, domain);
    const above = domain?.type === 'parallel' ? [...path, domain] : path;
    for (const node of above) {
      if (isBelow(node, limit)) entry.entered.add(node);
      enterMissingRegions(node, entry, false);
    }
  }
}

function enter(node: Node, { entered, defaults }: Entry): void {
  entered.add(node);
  defaults.add(node);
}

function enterBelow(node: Node, entry: Entry): void {
  if (node.initial !== undefined) {
    enter(node.initial, entry);
    enterBelow(node.initial, entry);
  }
  enterMissingRegions(node, entry, true);
}

/** A region somebody else entered into is not entered at its initial state. */
function enterMissingRegions(node: Node, entry: Entry, asDefault: boolean): void {
  if (node.type !== 'parallel') return;
  for (const region of node.children) {
    if ([...entry.entered].some((entered) => isBelow(entered, region))) continue;
    if (asDefault) enter(region, entry);
    else entry.entered.add(region);
    enterBelow(region, entry);
  }
}

// --- final states -------------------------------------------------------------------------------

/** Raises that the parent is done, and every parallel state all of whose regions now are. */
function doneOps({ parent }: Node, active: ReadonlySet<Node>, completed: Set<Node>): readonly Op[] {
  const ops = parent?.type === 'compound' ? [doneOp(parent)] : [];
  let above = parent?.type === 'parallel' ? parent : parent?.parent;
  while (above?.type === 'parallel' && !completed.has(above) && isFinal(above, active)) {
    completed.add(above);
    ops.push(doneOp(above));
    above = above.parent;
  }
  return ops;
}

function doneOp({ id }: Node): Op {
  const event = Object.freeze({ type: `xstate.done.state.${id}`, output: undefined });
  return { ...NO_OP, kind: 'raise', event };
}

export function isFinal(node: Node, active: ReadonlySet<Node>): boolean {
  const { type, children } = node;
  if (type === 'compound')
    return children.some((child) => child.type === 'final' && active.has(child));
  if (type === 'parallel') return children.every((child) => isFinal(child, active));
  return type === 'final';
}

/** A machine that is done leaves every state it is in. */
function farewell(active: ReadonlySet<Node>): readonly Op[] {
  return [...active].sort((one, other) => other.index - one.index).flatMap(({ exit }) => exit);
}

// --- the tree -----------------------------------------------------------------------------------

/** From the parent of `node` up to, and without, `top`. */
export function ancestorsOf(node: Node, top: Node | undefined): readonly Node[] {
  const ancestors: Node[] = [];
  if (node === top) return ancestors;
  for (let one = node.parent; one !== undefined && one !== top; one = one.parent)
    ancestors.push(one);
  return ancestors;
}

/** Every node is below nothing. */
function isBelow(node: Node, ancestor: Node | undefined): boolean {
  if (ancestor === undefined) return true;
  for (let one = node.parent; one !== undefined; one = one.parent)
    if (one === ancestor) return true;
  return false;
}

function rootOf(node: Node): Node {
  return node.parent === undefined ? node : rootOf(node.parent);
}
