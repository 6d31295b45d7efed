/**
 * Drives one machine by hand, purely: stamped events in, effects as data out. Time is what the test
 * says it is; armed timers are listed, and fired by their delay's name.
 *
 * `Driven` is immutable: a test that explores every history keeps as many as it likes.
 */
import assert from 'node:assert/strict';
import {
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type EventFromLogic,
  initialTransition,
  transition,
} from 'xstate';
import type { Meta } from '../../machines/model/effects.js';
import type { Address } from '../../machines/model/ids.js';

export interface Effect {
  readonly type: string;
  readonly params: unknown;
}

export interface Driven<C> {
  readonly value: unknown;
  readonly context: C;
  /** Effects of the latest step, in order. */
  readonly effects: readonly Effect[];
  /** Armed timers: delay name → milliseconds from when it was armed. */
  readonly timers: Readonly<Record<string, number>>;
  send(event: { readonly type: string }, meta?: Partial<Meta>): Driven<C>;
  fire(delayName: string, meta?: Partial<Meta>): Driven<C>;
  /** Parameters of every effect of this name in the latest step. */
  said<P>(effect: string): readonly P[];
}

interface Raised {
  readonly id: string;
  readonly delay?: number;
}

export function drive<C>(machine: AnyStateMachine, input: unknown): Driven<C> {
  const [snapshot, actions] = initialTransition(machine, input);
  return driven(machine, { snapshot, steps: 0, timers: new Map() }, actions as readonly Effect[]);
}

interface At {
  readonly snapshot: AnyMachineSnapshot;
  readonly steps: number;
  readonly timers: ReadonlyMap<string, number>;
}

function driven<C>(machine: AnyStateMachine, at: At, actions: readonly Effect[]): Driven<C> {
  const { snapshot, steps } = at;
  const timers = timersAfter(at.timers, actions);
  const effects = actions.filter(({ type }) => !type.startsWith('xstate.'));
  const step = (event: { readonly type: string }, meta: Partial<Meta>, armed = timers) => {
    const born = event.type === 'activated' ? { children: [] } : {};
    const stamped = { ...born, ...event, meta: metaOf(steps + 1, meta) };
    const [next, more] = transition(machine, snapshot, stamped as EventFromLogic<typeof machine>);
    const after = { snapshot: next, steps: steps + 1, timers: armed };
    return driven<C>(machine, after, more as readonly Effect[]);
  };
  return {
    value: snapshot.value,
    context: snapshot.context as C,
    effects,
    timers: Object.fromEntries([...timers].map(([id, ms]) => [delayNameOf(id), ms])),
    send: (event, meta = {}) => step(event, meta),
    fire: (delayName, meta = {}) => {
      const id = [...timers.keys()].find((armed) => delayNameOf(armed) === delayName);
      assert.ok(id !== undefined, `no timer ${delayName} is armed`);
      const left = new Map([...timers].filter(([armed]) => armed !== id));
      return step({ type: id }, meta, left);
    },
    said: <P>(name: string) =>
      effects.filter(({ type }) => type === name).map(({ params }) => params as P),
  };
}

function timersAfter(
  before: ReadonlyMap<string, number>,
  actions: readonly Effect[],
): ReadonlyMap<string, number> {
  const timers = new Map(before);
  for (const { type, params } of actions) {
    if (type === 'xstate.cancel') timers.delete((params as { sendId: string }).sendId);
    if (type !== 'xstate.raise') continue;
    const { id, delay } = params as Raised;
    if (delay !== undefined) timers.set(id, delay);
  }
  return timers;
}

/** `xstate.after.probeDue.backend.live` → `probeDue`. */
function delayNameOf(id: string): string {
  return id.split('.')[2] ?? id;
}

function metaOf(step: number, meta: Partial<Meta>): Meta {
  const id = `step-${step}`;
  const from = 'reload/main' as Address;
  return { at: step * 1000, random: 0.5, id, cause: 'test', from, ...meta };
}
