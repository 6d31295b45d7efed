/**
 * One pure step of an XState machine: (configuration, context, event) → (the same, effects, timers).
 *
 * Runs the machine on XState's own `transition` with one shared inert scope, so nothing is executed:
 * named actions come out as effects in order, delayed raises and cancels as timer operations. The
 * machine sees no clock, no mailbox and no other actor. Of XState's snapshot only two references
 * remain with an actor: where it stands, which all actors of a machine share, and its context.
 *
 * Rules: [RT-1] a machine that throws has not moved and has done nothing.
 */
import type { AnyActorScope, AnyMachineSnapshot, AnyStateMachine } from 'xstate';
import { assert, Defect } from '../../machines/model/assert.js';
import type { Json, JsonObject } from '../../machines/model/json.js';
import { MICROSTEPS_MAX } from './limits.js';

export interface CollectedEffect {
  readonly type: string;
  readonly params: unknown;
}

export type TimerOp =
  | { readonly op: 'arm'; readonly id: string; readonly delayMs: number }
  | { readonly op: 'cancel'; readonly id: string };

/** Where a machine may stand: one object per state value, shared by all its actors; compare by `===`. */
export interface Configuration {
  readonly index: number;
  readonly value: Json;
}

export interface Step {
  readonly configuration: Configuration;
  /** The same object as before when nothing was assigned. */
  readonly context: JsonObject;
  readonly effects: readonly CollectedEffect[];
  readonly timers: readonly TimerOp[];
}

export interface Stepper {
  readonly machineId: string;
  /** Changes when stored state values of the previous machine may no longer exist. */
  readonly hash: string;
  initial(input: JsonObject): Step;
  step(configuration: Configuration, context: JsonObject, event: { readonly type: string }): Step;
  /** Throws when `value` names a state the machine does not have. */
  restore(value: Json): Configuration;
}

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
  const { id, delay, event } = params as { id: string; delay?: number; event: { type: string } };
  if (delay === undefined) return;
  assert(event.type === id, `timer ${id} must fire the event of the same name`);
  timers.push({ op: 'arm', id, delayMs: delay });
}

function collectCancel(params: unknown): void {
  timers.push({ op: 'cancel', id: (params as { sendId: string }).sendId });
}

const nothing = (): undefined => undefined;

/** XState asks its scope for these while it computes a step; none of them may do anything. */
const inertScope = {
  self: { id: 'cell', sessionId: 'cell', getSnapshot: nothing, send: nothing },
  id: 'cell',
  sessionId: 'cell',
  logger: nothing,
  defer: nothing,
  emit: nothing,
  stopChild: nothing,
  actionExecutor: collect,
  system: { _sendInspectionEvent: nothing, get: nothing, getAll: () => ({}) },
} as unknown as AnyActorScope;

interface Interned extends Configuration {
  /** Of whichever actor came here first; every step gives it the context of its own. */
  readonly snapshot: AnyMachineSnapshot;
}

const NO_EFFECTS: readonly CollectedEffect[] = Object.freeze([]);
const NO_TIMERS: readonly TimerOp[] = Object.freeze([]);

export function createStepper(machine: AnyStateMachine): Stepper {
  // XState's default is no bound at all: an `always` loop would hang the thread.
  Object.assign(machine.options, { maxIterations: MICROSTEPS_MAX });
  const known = new Map<string, Interned>();

  const intern = (snapshot: AnyMachineSnapshot): Interned => {
    const value = snapshot.value as Json;
    const key = typeof value === 'string' ? value : JSON.stringify(value);
    const found = known.get(key);
    if (found !== undefined) return found;
    const made = { index: known.size, value, snapshot };
    known.set(key, made);
    return made;
  };

  const run = (compute: () => AnyMachineSnapshot): Step => {
    effects = [];
    timers = [];
    const snapshot = compute();
    if (snapshot.status === 'error') throw snapshot.error;
    return {
      configuration: intern(snapshot),
      context: snapshot.context as JsonObject,
      effects: effects.length === 0 ? NO_EFFECTS : effects,
      timers: timers.length === 0 ? NO_TIMERS : timers,
    };
  };

  return {
    machineId: machine.id,
    hash: hashOf(stateNames(machine.states).sort().join('\n')),
    initial: (input) => run(() => machine.getInitialSnapshot(inertScope, input)),
    step: (configuration, context, event) => {
      const { snapshot } = configuration as Interned;
      return run(() => machine.transition({ ...snapshot, context }, event, inertScope));
    },
    restore: (value) => intern(machine.resolveState({ value: value as string, context: {} })),
  };
}

interface StateNodes {
  readonly [name: string]: { readonly id: string; readonly states: StateNodes };
}

function stateNames(states: StateNodes): string[] {
  return Object.values(states).flatMap((state) => [state.id, ...stateNames(state.states)]);
}

/** FNV-1a over the names of all states: enough to tell two releases of a machine apart. */
function hashOf(text: string): string {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return hash.toString(16).padStart(8, '0');
}
