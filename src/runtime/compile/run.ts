/**
 * Runs a compiled machine: one macrostep, from an event to rest.
 *
 *   take the event ─► while something is enabled: eventless transitions, else the next raised event
 *
 * Input:  where a machine stands, its context, an event. Output: the same, effects and timers.
 *
 * A class, because this is the hottest loop of a thread: its fields are the registers of the step under
 * way, read and written without a closure. Steps never nest. What implementations are called with is
 * made anew whenever context or event change, and never changed after: they may keep it.
 *
 * Rules: [RT-1] a machine that throws, or never comes to rest, has not moved and has done nothing.
 */
import { matchesState, type StateValue } from 'xstate';
import { Defect, unreachable } from '../../../machines/model/assert.js';
import type { JsonObject } from '../../../machines/model/json.js';
import { MICROSTEPS_MAX } from '../limits.js';
import {
  armed,
  type CollectedEffect,
  type MachineEvent,
  NO_EFFECTS,
  NO_TIMERS,
  type Step,
  type TimerOp,
} from '../step.js';
import type { Arguments, Guard, Op, Transition } from './chart.js';
import { inertSelf, inertSystem, noSpawn, refuseReserved } from './inert.js';
import type { Kinds } from './kinds.js';
import {
  IGNORED,
  type Move,
  type Place,
  type Places,
  type Selector,
  type Standing,
} from './places.js';

class Call implements Arguments {
  readonly context: JsonObject;
  readonly event: MachineEvent;

  constructor(context: JsonObject, event: MachineEvent) {
    this.context = context;
    this.event = event;
  }
}
// XState hands its actor along; machines have no use for it, and what they are given does nothing.
Object.assign(Call.prototype, { self: inertSelf, system: inertSystem, spawn: noSpawn });

const NO_CONTEXT: JsonObject = Object.freeze({});

export class Run {
  private readonly places: Places;
  private readonly kinds: Kinds;
  private readonly nowhere: Place;
  private place: Place;
  private context: JsonObject = NO_CONTEXT;
  private event: MachineEvent = { type: '' };
  private call: Call | undefined = undefined;
  private effects: CollectedEffect[] | undefined = undefined;
  private timers: TimerOp[] | undefined = undefined;
  /** Raised by this step so far. */
  private raised: MachineEvent[] = [];
  /** What the microstep under way takes. */
  private readonly chosen: Transition[] = [];
  /** By transition: the last round of eventless transitions it was refused in. */
  private readonly refusedIn: Float64Array;
  private round = 0;

  constructor(places: Places, kinds: Kinds, transitions: number) {
    this.places = places;
    this.kinds = kinds;
    this.refusedIn = new Float64Array(transitions);
    this.nowhere = places.at([]);
    this.place = this.nowhere;
  }

  start(context: JsonObject, event: MachineEvent): Step {
    this.begin(this.nowhere, context, event);
    this.make(this.places.start());
    return this.rest();
  }

  step(standing: Standing, context: JsonObject, event: MachineEvent): Step {
    const { place } = standing;
    const kind = this.kinds.kindOf(event.type);
    if (kind >= this.kinds.named) refuseReserved(event.type);
    const selector = place.selectors[kind] ?? this.places.selectorFor(place, kind);
    if (place.done || (selector === IGNORED && place.always.length === 0)) {
      return { configuration: standing, context, effects: NO_EFFECTS, timers: NO_TIMERS };
    }
    this.begin(place, context, event);
    this.take(selector);
    return this.rest();
  }

  private begin(place: Place, context: JsonObject, event: MachineEvent): void {
    this.place = place;
    this.context = context;
    this.event = event;
    this.call = undefined;
    this.effects = undefined;
    this.timers = undefined;
    if (this.raised.length > 0) this.raised = [];
  }

  /** Until nothing is enabled and nothing raised. */
  private rest(): Step {
    let microsteps = 0;
    let taken = 0;
    let askAlways = true;
    while (!this.place.done) {
      microsteps += 1;
      if (microsteps > MICROSTEPS_MAX) throw new Defect(`infinite loop after ${this.event.type}`);
      const { place, context } = this;
      if (askAlways && this.takeAlways()) {
        // What changed nothing would be taken for ever: raised events come first then.
        askAlways = this.place !== place || this.context !== context;
        continue;
      }
      const raised = this.raised[taken];
      if (raised === undefined) break;
      taken += 1;
      this.event = raised;
      this.call = undefined;
      this.take(this.selectorFor(this.place, raised.type));
      askAlways = true;
    }
    return {
      configuration: this.place.standing ?? this.places.standingAt(this.place),
      context: this.context,
      effects: this.effects ?? NO_EFFECTS,
      timers: this.timers ?? NO_TIMERS,
    };
  }

  // --- which transitions ------------------------------------------------------------------------

  private selectorFor(place: Place, type: string): Selector {
    const kind = this.kinds.kindOf(type);
    return place.selectors[kind] ?? this.places.selectorFor(place, kind);
  }

  private take(selector: Selector): void {
    if (selector.regions.length > 0) {
      this.chosen.length = 0;
      if (this.choose(selector)) this.makeChosen();
      return;
    }
    const transition = this.firstEnabled(selector.candidates);
    if (transition !== undefined) this.makeOne(transition);
  }

  private choose({ regions, candidates }: Selector): boolean {
    let inside = false;
    for (const region of regions) if (this.choose(region)) inside = true;
    if (inside) return true;
    const transition = this.firstEnabled(candidates);
    if (transition === undefined) return false;
    this.chosen.push(transition);
    return true;
  }

  private takeAlways(): boolean {
    const { always } = this.place;
    const [first] = always;
    if (first === undefined) return false;
    if (always.length > 1) return this.takeAlwaysOfMany(always);
    const transition = this.firstEnabled(first);
    if (transition !== undefined) this.makeOne(transition);
    return transition !== undefined;
  }

  /** The lists end alike, in what the innermost states have above them in common. */
  private takeAlwaysOfMany(always: readonly (readonly Transition[])[]): boolean {
    this.chosen.length = 0;
    this.round += 1;
    for (const transitions of always) {
      for (const transition of transitions) {
        if (this.refusedIn[transition.index] === this.round) continue;
        if (this.chosen.includes(transition)) break;
        if (this.isEnabled(transition)) {
          this.chosen.push(transition);
          break;
        }
        this.refusedIn[transition.index] = this.round;
      }
    }
    if (this.chosen.length === 0) return false;
    this.makeChosen();
    return true;
  }

  private firstEnabled(transitions: readonly Transition[]): Transition | undefined {
    for (let index = 0; index < transitions.length; index += 1) {
      const transition = transitions[index];
      if (transition !== undefined && this.isEnabled(transition)) return transition;
    }
    return undefined;
  }

  private isEnabled({ guard }: Transition): boolean {
    return guard === undefined || this.passes(guard);
  }

  private passes(guard: Guard): boolean {
    switch (guard.kind) {
      case 'test':
        return Boolean(guard.test(this.args(), this.paramsOf(guard)));
      case 'not':
        return !guard.inner.some((one) => this.passes(one));
      case 'and':
        return guard.inner.every((one) => this.passes(one));
      case 'or':
        return guard.inner.some((one) => this.passes(one));
      case 'in':
        return this.isIn(guard);
      default:
        return unreachable(guard.kind);
    }
  }

  private isIn({ node, value }: Guard): boolean {
    if (node !== undefined) return this.place.active[node.index] === true;
    const { value: here } = this.place.standing ?? this.places.standingAt(this.place);
    return matchesState(value as StateValue, here as StateValue);
  }

  // --- what they do -----------------------------------------------------------------------------

  private makeOne(transition: Transition): void {
    const { place } = this;
    this.make(place.moves[transition.index] ?? this.places.moveBy(place, transition));
  }

  private makeChosen(): void {
    const [first] = this.chosen;
    if (this.chosen.length === 1 && first !== undefined) return this.makeOne(first);
    this.make(this.places.moveByAll(this.place, this.chosen));
  }

  private make({ ops, target }: Move): void {
    for (let index = 0; index < ops.length; index += 1) {
      const op = ops[index];
      if (op !== undefined) this.perform(op);
    }
    this.place = target;
  }

  private perform(op: Op): void {
    switch (op.kind) {
      case 'effect':
        return this.collect(op.effect ?? { type: op.type, params: this.paramsOf(op) });
      case 'assign':
        return this.assign(op);
      case 'raise':
        return this.raise(op);
      case 'cancel':
        return this.time(op.timer ?? { op: 'cancel', id: this.compute(op) as string });
      default:
        return unreachable(op.kind);
    }
  }

  private assign(op: Op): void {
    const params = this.paramsOf(op);
    const args = this.args();
    const next = op.revision.of(this.context, args, params);
    this.become(op.compute === undefined ? next : Object.assign(next, op.compute(args, params)));
  }

  private become(context: JsonObject): void {
    this.context = context;
    this.call = undefined;
  }

  private raise(op: Op): void {
    if (op.timer !== undefined) return this.time(op.timer);
    const params = this.paramsOf(op);
    const event = op.compute === undefined ? op.event : op.compute(this.args(), params);
    const delay = op.delayOf === undefined ? op.delay : op.delayOf(this.args(), params);
    if (typeof delay === 'number') this.time(armed(op.id, event as MachineEvent, delay));
    else this.raised.push(event as MachineEvent);
  }

  private compute(op: Op): unknown {
    return op.compute?.(this.args(), this.paramsOf(op));
  }

  private paramsOf({ params, paramsOf }: Op | Guard): unknown {
    return paramsOf === undefined ? params : paramsOf(this.args(), undefined);
  }

  private args(): Call {
    this.call ??= new Call(this.context, this.event);
    return this.call;
  }

  private collect(effect: CollectedEffect): void {
    this.effects = this.effects === undefined ? [effect] : longer(this.effects, effect);
  }

  private time(timer: TimerOp): void {
    this.timers = this.timers === undefined ? [timer] : longer(this.timers, timer);
  }
}

/** A list that is pushed to makes room for 17; most of these have two. */
function longer<T>(list: T[], item: T): T[] {
  if (list.length === 1) return [list[0] as T, item];
  list.push(item);
  return list;
}
