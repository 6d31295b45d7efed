/**
 * The generic path: XState's own core, for machines the compiler refuses.
 *
 * Runs `machine.transition` with one shared inert scope, so nothing is executed: named actions come out
 * as effects in order, delayed raises and cancels as timer operations. One snapshot is kept per
 * configuration; a step gives it the context of its actor.
 */
import type { AnyActorScope, AnyMachineSnapshot, AnyStateMachine, AnyStateNode } from 'xstate';
import { Defect } from '../../../machines/model/assert.js';
import type { Json, JsonObject } from '../../../machines/model/json.js';
import {
  armed,
  type CollectedEffect,
  type Configuration,
  type Engine,
  type MachineEvent,
  NO_EFFECTS,
  NO_TIMERS,
  type Step,
  type TimerOp,
} from '../step.js';
import { inertSelf, inertSystem, refuseReserved } from './inert.js';
import { withLeanAssigns } from './lean-assign.js';
import { isLeaf, leavesOf } from './values.js';

interface ExecutableAction {
  readonly type: string;
  readonly params: unknown;
}

/** What the shared scope collects while one step runs; steps never nest. */
let effects: CollectedEffect[] = [];
let timers: TimerOp[] = [];

function collect(action: ExecutableAction): void {
  if (action.type === 'xstate.raise') return collectRaise(action.params);
  if (action.type === 'xstate.cancel') return collectCancel(action.params);
  if (action.type.startsWith('xstate.')) {
    throw new Defect(`machines may not use ${action.type}: name an effect instead`);
  }
  effects.push({ type: action.type, params: action.params });
}

function collectRaise(params: unknown): void {
  const { id, delay, event } = params as { id: string; delay?: unknown; event: MachineEvent };
  if (typeof delay === 'number') timers.push(armed(id, event, delay));
}

function collectCancel(params: unknown): void {
  timers.push({ op: 'cancel', id: (params as { sendId: string }).sendId });
}

const nothing = (): undefined => undefined;

/** XState asks its scope for these while it computes a step; none of them may do anything. */
const inertScope = {
  self: inertSelf,
  id: 'cell',
  sessionId: 'cell',
  logger: nothing,
  defer: nothing,
  emit: nothing,
  stopChild: nothing,
  actionExecutor: collect,
  system: inertSystem,
} as unknown as AnyActorScope;

interface Interned extends Configuration {
  /** Its context is of whichever actor came here first. */
  readonly snapshot: AnyMachineSnapshot;
  readonly nodes: readonly AnyStateNode[];
}

export function createGeneric(definition: AnyStateMachine): Engine {
  const machine = withLeanAssigns(definition);
  const known = new Map<string | number, Interned>();

  function intern(snapshot: AnyMachineSnapshot): Interned {
    const key = keyOf(snapshot);
    const found = known.get(key);
    if (found !== undefined) return found;
    const ordered = inDocumentOrder(snapshot);
    const value = ordered.value as Json;
    const made = { index: known.size, value, snapshot: ordered, nodes: ordered._nodes };
    known.set(key, made);
    return made;
  }

  function stepOf(snapshot: AnyMachineSnapshot, from: Interned | undefined): Step {
    if (snapshot.status === 'error') throw snapshot.error;
    const stayed = from !== undefined && snapshot._nodes === from.nodes;
    return {
      configuration: stayed ? from : intern(snapshot),
      context: snapshot.context as JsonObject,
      effects: effects.length === 0 ? NO_EFFECTS : effects,
      timers: timers.length === 0 ? NO_TIMERS : timers,
    };
  }

  function step(configuration: Configuration, context: JsonObject, event: MachineEvent): Step {
    refuseReserved(event.type);
    begin();
    const from = configuration as Interned;
    const { snapshot } = from;
    // XState makes a new snapshot of whatever it changes: this one need not be copied for each actor.
    snapshot.context = context;
    // A live actor that is done takes no more events.
    if (snapshot.status === 'done') return stepOf(snapshot, from);
    return stepOf(machine.transition(snapshot, event, inertScope), from);
  }

  return {
    initial: (input) => {
      begin();
      return stepOf(machine.getInitialSnapshot(inertScope, input), undefined);
    },
    step,
    restore: (value) => {
      leavesOf(machine.root, value);
      return intern(machine.resolveState({ value: value as string, context: {} }));
    },
  };
}

function begin(): void {
  effects = [];
  timers = [];
}

/** The innermost active states tell configurations apart, and what history states remember. */
function keyOf({ _nodes: nodes, historyValue }: AnyMachineSnapshot): string | number {
  const leaves = nodes.filter(isLeaf).map(({ order }) => order);
  const remembered = Object.entries(historyValue as Record<string, readonly AnyStateNode[]>);
  const [only] = leaves;
  if (leaves.length === 1 && only !== undefined && remembered.length === 0) return only;
  const past = remembered.map(([id, states]) => `${id}:${states.map(({ order }) => order)}`).sort();
  return `${leaves.sort((one, other) => one - other)};${past}`;
}

/** What actors share must not depend on the way the first of them came here. */
function inDocumentOrder(snapshot: AnyMachineSnapshot): AnyMachineSnapshot {
  const nodes = [...(snapshot._nodes as readonly AnyStateNode[])];
  nodes.sort((one, other) => one.order - other.order);
  return { ...snapshot, _nodes: nodes };
}
