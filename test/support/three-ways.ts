/**
 * One machine stepped three ways at once: compiled (or whatever `createStepper` chose), on XState's own
 * core, and by a live XState actor. After every step all three must agree on state value, context,
 * effects in order and pending timers; when one throws all do, and nobody has moved.
 *
 * The live actor's clock stands still: a timer fires when the walk says so. Its nodes are put into
 * document order before each event, because a configuration does not remember the order in which
 * regions were entered (src/runtime/compile/places.ts).
 */
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { type AnyStateMachine, createActor, SimulatedClock } from 'xstate';
import type { Json, JsonObject } from '../../machines/model/json.js';
import {
  type CollectedEffect,
  createStepper,
  type Step,
  type Stepper,
} from '../../src/runtime/stepper.js';

export interface Seen {
  readonly value: Json;
  readonly context: JsonObject;
  readonly effects: readonly CollectedEffect[];
  /** Armed timers, by id: their delays. */
  readonly timers: Readonly<Record<string, number>>;
}

interface Side {
  readonly name: string;
  /** Undefined: it threw. */
  step(event: { readonly type: string }, fired: boolean): Seen | undefined;
}

export interface ThreeWays {
  readonly compiled: boolean;
  readonly now: Seen;
  readonly done: boolean;
  /** `fired`: the event is a timer that is armed. False: the machine threw, and has not moved. */
  step(event: { readonly type: string }, fired?: boolean): boolean;
}

/** Undefined: the machine throws at its start, in all three ways. */
export function threeWays(machine: AnyStateMachine, input: JsonObject): ThreeWays | undefined {
  const chosen = createStepper(machine);
  const core = createStepper(machine, { path: 'generic' });
  const live = createLive(machine, input);
  const first = createSide('compiled', chosen, input);
  const second = createSide('core', core, input);
  const agree = (all: readonly (Seen | undefined)[], when: string) =>
    agreed(live?.done() === true ? all.map(withoutTimers) : all, when);
  const start = agree([first?.seen, second?.seen, live?.seen], 'start');
  if (first === undefined || second === undefined || live === undefined || !start) return undefined;
  let now = start;
  return {
    compiled: chosen.compiled,
    get now() {
      return now;
    },
    get done() {
      return live.done();
    },
    step: (event, fired = false) => {
      const sides: readonly Side[] = [first, second, live];
      const next = agree(
        sides.map((side) => side.step(event, fired)),
        JSON.stringify(event),
      );
      if (next !== undefined) now = next;
      return next !== undefined;
    },
  };
}

function agreed(all: readonly (Seen | undefined)[], when: string): Seen | undefined {
  const [compiled, core, live] = all;
  if (isDeepStrictEqual(compiled, core) && isDeepStrictEqual(compiled, live)) return compiled;
  assert.deepEqual(core, live, `XState's core and a live actor differ at ${when}`);
  assert.deepEqual(compiled, live, `compiled and a live actor differ at ${when}`);
  return assert.fail(`only strictly different at ${when}`);
}

/** A live actor that is done drops its timers; a stepper's fire into a machine that takes nothing. */
function withoutTimers(seen: Seen | undefined): Seen | undefined {
  return seen === undefined ? undefined : { ...seen, timers: {} };
}

// --- steppers -----------------------------------------------------------------------------------

function createSide(name: string, stepper: Stepper, input: JsonObject) {
  const start = attempt(() => stepper.initial(input));
  if (start === undefined) return undefined;
  let { configuration, context } = start;
  let timers = timersAfter({}, start);
  const seenOf = (step: Step): Seen => ({ ...step, value: configuration.value, timers });
  const step = (event: { readonly type: string }, fired: boolean): Seen | undefined => {
    const next = attempt(() => stepper.step(configuration, context, event));
    if (next === undefined) return undefined;
    const same = isDeepStrictEqual(next.configuration.value, configuration.value);
    if (stepper.compiled) {
      assert.equal(next.configuration === configuration, same, 'one configuration per value');
      assert.equal(stepper.restore(next.configuration.value), next.configuration);
    }
    configuration = next.configuration;
    context = next.context;
    const { [event.type]: _taken, ...waiting } = timers;
    timers = timersAfter(fired ? waiting : timers, next);
    return plain(seenOf(next));
  };
  return { name, seen: plain(seenOf(start)), step };
}

function plain({ value, context, effects, timers }: Seen): Seen {
  return { value, context, effects, timers };
}

function timersAfter(before: Readonly<Record<string, number>>, step: Step) {
  const after = { ...before };
  for (const timer of step.timers) {
    if (timer.op === 'arm') after[timer.id] = timer.delayMs;
    else delete after[timer.id];
  }
  return after;
}

function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}

// --- the live actor -----------------------------------------------------------------------------

/** What XState keeps to itself: its scheduler, and the order of active nodes. */
interface Insides {
  readonly system: {
    readonly _snapshot: {
      readonly _scheduledEvents: Readonly<Record<string, { id: string; delay: number }>>;
    };
    readonly scheduler: {
      schedule(from: unknown, to: unknown, event: object, delay: number, id: string): void;
      cancel(from: unknown, id: string): void;
    };
  };
  getSnapshot(): LiveSnapshot;
}

type Live = Insides & { send(event: object): void };

interface LiveSnapshot {
  readonly status: string;
  readonly value: Json;
  readonly context: JsonObject;
  readonly _nodes: { readonly order: number }[];
}

function createLive(machine: AnyStateMachine, input: JsonObject) {
  let effects: CollectedEffect[] = [];
  const begin = (snapshot?: object): Live => {
    const actor = createActor(machine, {
      input,
      clock: new SimulatedClock(),
      inspect: (inspected) => {
        if (inspected.type !== '@xstate.action') return;
        const { type, params } = inspected.action;
        if (!type.startsWith('xstate.')) effects.push({ type, params });
      },
      ...(snapshot === undefined ? {} : { snapshot: snapshot as never }),
    });
    actor.subscribe({ error: () => undefined });
    return actor.start() as unknown as Live;
  };
  let actor = begin();
  let last = actor.getSnapshot();
  if (last.status === 'error') return undefined;

  const timersNow = (): Record<string, number> => {
    const waiting = Object.values(actor.system._snapshot._scheduledEvents);
    return Object.fromEntries(waiting.map(({ id, delay }) => [id, delay]));
  };
  let timers = timersNow();

  /** An actor that threw is over; another one takes its place where it last stood. */
  function revive(): void {
    const { _nodes: stood } = last;
    actor = begin(last);
    for (const [id, delay] of Object.entries(timers)) {
      actor.system.scheduler.schedule(actor, actor, { type: id }, delay, id);
    }
    last = actor.getSnapshot();
    // XState lets a transition with targets in one region leave two of its states active, and a revived
    // actor would forget the one that its value does not name.
    last._nodes.splice(0, last._nodes.length, ...stood);
  }

  const seen = (): Seen => {
    const { value, context } = actor.getSnapshot();
    return { value, context, effects, timers };
  };
  const step = (event: { readonly type: string }, fired: boolean): Seen | undefined => {
    effects = [];
    if (last.status === 'done') return seen();
    last._nodes.sort((one, other) => one.order - other.order);
    if (fired) actor.system.scheduler.cancel(actor, event.type);
    actor.send(event);
    const next = actor.getSnapshot();
    if (next.status === 'error') return void revive();
    last = next;
    timers = timersNow();
    return seen();
  };
  return { name: 'live', seen: seen(), step, done: () => last.status === 'done' };
}
