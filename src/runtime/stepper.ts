/**
 * One pure step of an XState machine: (configuration, context, event) → (the same, effects, timers).
 *
 * Nothing is executed: named actions come out as effects in order, delayed raises and cancels as timer
 * operations. The machine sees no clock, no mailbox and no other actor. Of XState's snapshot only two
 * references remain with an actor: where it stands, which all actors of a machine share, and its
 * context.
 *
 * A machine is compiled when everything in it can be (src/runtime/compile/lower.ts) and otherwise runs
 * on XState's own core. Which of the two makes no difference but speed.
 *
 * Rules: [RT-1] a machine that throws has not moved and has done nothing; [RT-51] both paths and a live
 * XState actor agree; [RT-52] what the compiler refuses runs on XState's core; [RT-53] a machine that
 * is done takes no more events; [RT-54] only whole state values are restored.
 */
import type { AnyStateMachine } from 'xstate';
import type { Json, JsonObject } from '../../machines/model/json.js';
import { createCompiled } from './compile/compiled.js';
import { createGeneric } from './compile/generic.js';
import { lower } from './compile/lower.js';
import { MICROSTEPS_MAX } from './limits.js';
import type { Configuration, MachineEvent, Step } from './step.js';

export type { CollectedEffect, Configuration, Step, TimerOp } from './step.js';

export interface Stepper {
  readonly machineId: string;
  /** Changes when stored state values of the previous machine may no longer exist. */
  readonly hash: string;
  /** Empty when compiled; otherwise what in the machine keeps it on XState's own core. */
  readonly refusals: readonly string[];
  /** False: runs on XState's own core. */
  readonly compiled: boolean;
  initial(input: JsonObject): Step;
  step(configuration: Configuration, context: JsonObject, event: MachineEvent): Step;
  /** Throws when `value` names a state the machine does not have. */
  restore(value: Json): Configuration;
}

export interface StepperOptions {
  /** Runs also what could be compiled on XState's own core: to compare the two. */
  readonly path?: 'generic';
}

export function createStepper(machine: AnyStateMachine, options: StepperOptions = {}): Stepper {
  // XState's default is no bound at all: an `always` loop would hang the thread.
  Object.assign(machine.options, { maxIterations: MICROSTEPS_MAX });
  const { chart, refusals } = lower(machine);
  const compiled = chart !== undefined && options.path !== 'generic';
  const engine = compiled ? createCompiled(machine, chart) : createGeneric(machine);
  const hash = hashOf(stateNames(machine.states).sort().join('\n'));
  return { machineId: machine.id, hash, refusals, compiled, ...engine };
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
