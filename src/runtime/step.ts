/**
 * What a step of a machine is, whichever way it runs: where the machine stands, its context, and what
 * it wants done as data.
 */
import { assert } from '../../machines/model/assert.js';
import type { Json, JsonObject } from '../../machines/model/json.js';

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
  /** In the order the machine named them. */
  readonly timers: readonly TimerOp[];
}

export interface MachineEvent {
  readonly type: string;
}

/** A machine made ready to step, on either path. */
export interface Engine {
  initial(input: JsonObject): Step;
  step(configuration: Configuration, context: JsonObject, event: MachineEvent): Step;
  restore(value: Json): Configuration;
}

export const NO_EFFECTS: readonly CollectedEffect[] = Object.freeze([]);
export const NO_TIMERS: readonly TimerOp[] = Object.freeze([]);

/** A delayed event as a timer, which is known by the event it fires. */
export function armed(id: unknown, event: MachineEvent, delayMs: number): TimerOp {
  assert(event.type === id, `timer ${id} must fire the event of the same name`);
  return { op: 'arm', id: event.type, delayMs };
}
