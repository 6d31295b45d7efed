/**
 * Where a compiled machine stands, and what each event does there, worked out when first needed and
 * kept: one place per set of active states, shared by all actors of the machine.
 *
 * XState takes eventless transitions of two regions in the order their states were entered. A
 * configuration does not remember that order, no more than a stored state does: every event starts from
 * document order, and within one event the order is XState's. So a set of states can be more than one
 * place while an event runs, but is one configuration.
 *
 * Bounded: places are counted before a machine is compiled (PLACES_MAX), events are of known kinds.
 */
import { assert } from '../../../machines/model/assert.js';
import type { Json } from '../../../machines/model/json.js';
import { JOINT_MOVES_MAX } from '../limits.js';
import type { Configuration } from '../step.js';
import type { Chart, Node, Op, Transition } from './chart.js';
import { type Kinds, matches } from './kinds.js';
import { ancestorsOf, isFinal, type Plan, planMove, planStart } from './moves.js';
import { isLeaf } from './values.js';

export interface Standing extends Configuration {
  readonly place: Place;
}

export interface Place {
  /** Innermost active states, in the order they were entered. */
  readonly leaves: readonly Node[];
  /** By index of the node. */
  readonly active: readonly boolean[];
  readonly done: boolean;
  /** Eventless transitions each innermost state is asked for; empty lists are left out. */
  readonly always: readonly (readonly Transition[])[];
  /** By kind of event. */
  readonly selectors: (Selector | undefined)[];
  /** By index of the one transition taken. */
  readonly moves: (Move | undefined)[];
  /** By the indices of transitions taken together. */
  readonly joint: Map<string, Move>;
  standing: Standing | undefined;
}

/** Asks the regions first; its own candidates, innermost first, only when no region takes anything. */
export interface Selector {
  readonly candidates: readonly Transition[];
  readonly regions: readonly Selector[];
}

export interface Move {
  readonly ops: readonly Op[];
  readonly target: Place;
}

export const IGNORED: Selector = Object.freeze({ candidates: [], regions: [] });

export interface Places {
  start(): Move;
  at(leaves: readonly Node[]): Place;
  standingAt(place: Place): Standing;
  selectorFor(place: Place, kind: number): Selector;
  moveBy(place: Place, transition: Transition): Move;
  moveByAll(place: Place, transitions: readonly Transition[]): Move;
}

export function createPlaces(chart: Chart, kinds: Kinds): Places {
  const known = new Map<string, Place>();
  let standings = 0;
  let started: Move | undefined;

  function at(leaves: readonly Node[]): Place {
    const key = leaves.map(({ index }) => index).join();
    const found = known.get(key);
    if (found !== undefined) return found;
    const place = placeOf(chart, leaves);
    known.set(key, place);
    return place;
  }

  function standingAt(place: Place): Standing {
    if (place.standing !== undefined) return place.standing;
    const ordered = at([...place.leaves].sort((one, other) => one.index - other.index));
    if (ordered.standing === undefined) {
      const value = stateValueOf(rootOf(chart), ordered);
      ordered.standing = Object.freeze({ index: standings, value, place: ordered });
      standings += 1;
    }
    place.standing = ordered.standing;
    return ordered.standing;
  }

  function moveOf(place: Place | undefined, { ops, leaves }: Plan): Move {
    if (place !== undefined && sameLeaves(place.leaves, leaves)) return { ops, target: place };
    return { ops, target: at(leaves) };
  }

  return {
    start: () => {
      started ??= moveOf(undefined, planStart(rootOf(chart)));
      return started;
    },
    at,
    standingAt,
    selectorFor: (place, kind) => {
      const selector = selectorOf(rootOf(chart), place, kinds.exampleOf(kind));
      place.selectors[kind] = selector;
      return selector;
    },
    moveBy: (place, transition) => {
      const move = moveOf(place, planMove(place.leaves, [transition]));
      place.moves[transition.index] = move;
      return move;
    },
    moveByAll: (place, transitions) => {
      const key = transitions.map(({ index }) => index).join();
      const found = place.joint.get(key);
      if (found !== undefined) return found;
      const move = moveOf(place, planMove(place.leaves, transitions));
      if (place.joint.size < JOINT_MOVES_MAX) place.joint.set(key, move);
      return move;
    },
  };
}

function placeOf(chart: Chart, leaves: readonly Node[]): Place {
  const nodes = new Set(leaves.flatMap((leaf) => [leaf, ...ancestorsOf(leaf, undefined)]));
  const always = leaves.map((leaf) =>
    [leaf, ...ancestorsOf(leaf, undefined)].flatMap((node) => node.always),
  );
  return {
    leaves,
    active: chart.nodes.map((node) => nodes.has(node)),
    done: isFinal(rootOf(chart), nodes),
    always: always.filter(({ length }) => length > 0),
    selectors: [],
    moves: new Array<Move | undefined>(chart.transitions.length).fill(undefined),
    joint: new Map(),
    standing: undefined,
  };
}

function sameLeaves(before: readonly Node[], after: readonly Node[]): boolean {
  return before.length === after.length && before.every((leaf) => after.includes(leaf));
}

function selectorOf(node: Node, place: Place, type: string): Selector {
  const own = candidatesOf(node, type);
  const inner = node.children.filter((child) => place.active[child.index]);
  const regions = inner
    .map((child) => selectorOf(child, place, type))
    .filter(({ candidates, regions }) => candidates.length + regions.length > 0);
  const [only, other] = regions;
  if (other !== undefined) return { candidates: own, regions };
  if (only === undefined) return own.length === 0 ? IGNORED : { candidates: own, regions: [] };
  return { candidates: [...only.candidates, ...own], regions: only.regions };
}

/** Exact matches first, then wildcards, the longest first. */
function candidatesOf({ transitions }: Node, type: string): readonly Transition[] {
  const wild = [...transitions.keys()]
    .filter((descriptor) => descriptor !== type && matches(descriptor, type))
    .sort((one, other) => other.length - one.length);
  return [type, ...wild].flatMap((descriptor) => transitions.get(descriptor) ?? []);
}

function stateValueOf(node: Node, place: Place): Json {
  const active = node.children.filter(({ index }) => place.active[index]);
  const [only] = active;
  if (node.type === 'compound' && only !== undefined && isLeaf(only)) return only.key;
  return Object.freeze(
    Object.fromEntries(active.map((child) => [child.key, stateValueOf(child, place)])),
  );
}

function rootOf({ nodes }: Chart): Node {
  const [root] = nodes;
  assert(root !== undefined, 'a machine has a root');
  return root;
}
