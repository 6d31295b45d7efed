/**
 * All armed timers of one thread, by actor and XState timer id, in one wheel with one host timer.
 *
 * Deadlines run on the monotonic clock, so a stepped wall clock or a suspended process ends no wait
 * early; the wall-clock deadline is kept beside it for the store. Arming again replaces. A timer that
 * fired stays armed until its firing is taken and cancelled, so that no decision in between forgets
 * it, and a firing taken after that counts for nothing [RT-6].
 *
 * All that is due fires in one go, in deadline order: `fire` puts a message into a mailbox and no
 * more, 100,000 of them take less than one slow turn of an actor, and the turns that follow are what
 * is shared out. What is armed meanwhile, for however early, waits for the next look [RT-56].
 */
import type { Cancel, Clock } from '../ports/clock.js';
import { NONE, Slots, type TimerOwner } from './slots.js';
import { Wheel } from './wheel.js';

export type { TimerOwner } from './slots.js';

export interface ArmedTimer {
  readonly id: string;
  /** Wall-clock deadline, ms since the epoch. */
  readonly dueAtMs: number;
  /** The same on the monotonic clock. */
  readonly dueMonotonicMs: number;
}

export interface Timers {
  arm(owner: TimerOwner, id: string, delayMs: number): void;
  /** Arms with the deadlines it had, passed or not: it fires among the others as if it never left. */
  armAt(owner: TimerOwner, timer: ArmedTimer): void;
  cancel(owner: TimerOwner, id: string): void;
  cancelAll(owner: TimerOwner): void;
  /** Whether the firing of this arming still counts. */
  isArmed(owner: TimerOwner, id: string, arming: number): boolean;
  /** One of its timers has fired, and that firing was not taken. */
  hasFired(owner: TimerOwner): boolean;
  /** Ascending by deadline. */
  armedOf(owner: TimerOwner): readonly ArmedTimer[];
  readonly size: number;
  /** Places taken, free ones included. */
  readonly places: number;
  close(): void;
}

/** `timerHead` of an owner without timers. */
export const NO_TIMERS = NONE;

/** Node's own timers overflow beyond this; longer waits are taken in steps. */
const HOST_TIMER_MAX_MS = 2 ** 31 - 1;

/** Longer waits than this, 3,000 years, are this long. */
const DELAY_MAX_MS = 1e14;

/** A machine has a handful of timer ids; those beyond so many are kept as they come. */
const SHARED_IDS_MAX = 4_096;

/** Clocks that differ by less drift; by more, the wall clock was stepped. */
const WALL_STEP_MS = 1_000;

type Fire = (owner: TimerOwner, id: string, arming: number, dueMs: number) => void;

export function hasTimers(owner: TimerOwner): boolean {
  return owner.timerHead !== NONE;
}

export function createTimers(clock: Clock, fire: Fire): Timers {
  const slots = new Slots();
  const wheel = new Wheel(slots, Math.floor(clock.monotonic()));
  const ids = new Map<string, string>();
  let armings = 0;
  let firing = false;
  let closed = false;
  /** When the host wakes us; Infinity: it does not. */
  let wakeTick = Number.POSITIVE_INFINITY;
  let cancelHost: Cancel | undefined;

  const wake = (): void => {
    const next = wheel.next();
    if (closed || firing || (next >= wakeTick && next !== Number.POSITIVE_INFINITY)) return;
    cancelHost?.();
    cancelHost = undefined;
    wakeTick = next;
    if (next === Number.POSITIVE_INFINITY) return;
    const delayMs = Math.min(Math.max(0, next - clock.monotonic()), HOST_TIMER_MAX_MS);
    cancelHost = clock.after(delayMs, onDue);
  };

  const onDue = (): void => {
    cancelHost = undefined;
    wakeTick = Number.POSITIVE_INFINITY;
    firing = true;
    try {
      wheel.advance(Math.floor(clock.monotonic()));
      fireDue();
    } finally {
      firing = false;
      wake();
    }
  };

  const fireDue = (): void => {
    for (let slot = wheel.take(); slot !== NONE; slot = wheel.take()) {
      const owner = slots.owners[slot];
      if (owner === undefined) continue;
      fire(owner, slots.ids[slot] ?? '', slots.arming[slot] ?? 0, slots.dueMs[slot] ?? 0);
    }
  };

  const put = (owner: TimerOwner, id: string, dueMs: number, dueAtMs: number): void => {
    const found = slots.find(owner, id);
    if (found !== NONE) wheel.remove(found);
    const slot = found === NONE ? slots.take(owner, id) : found;
    slots.dueMs[slot] = dueMs;
    slots.dueAtMs[slot] = dueAtMs;
    slots.arming[slot] = armings++;
    if (wheel.insert(slot) < wakeTick) wake();
  };

  const release = (slot: number): void => {
    wheel.remove(slot);
    slots.give(slot);
    if (!slots.isSparse()) return;
    slots.compact();
    wheel.readHeads();
  };

  /** The host need not wake for nothing. */
  const rest = (): void => {
    if (wakeTick !== Number.POSITIVE_INFINITY && wheel.isEmpty) wake();
  };

  return {
    arm: (owner, id, delayMs) => {
      const waitMs = delayMs > 0 ? Math.min(delayMs, DELAY_MAX_MS) : 0;
      const now = clock.monotonic();
      wheel.pass(Math.floor(now));
      put(owner, id, now + waitMs, Math.ceil(clock.now() + waitMs));
    },
    armAt: (owner, { id, dueMonotonicMs, dueAtMs }) => {
      put(owner, sharedId(ids, id), dueMonotonicMs, dueAtMs);
    },
    cancel: (owner, id) => {
      const slot = slots.find(owner, id);
      if (slot === NONE) return;
      release(slot);
      rest();
    },
    isArmed: (owner, id, arming) => {
      const slot = slots.find(owner, id);
      return slot !== NONE && slots.arming[slot] === arming;
    },
    cancelAll: (owner) => {
      if (!hasTimers(owner)) return;
      while (hasTimers(owner)) release(owner.timerHead);
      rest();
    },
    hasFired: (owner) => wheel.hasFired(owner),
    armedOf: (owner) => armedOf(clock, slots, owner),
    get size() {
      return slots.size;
    },
    get places() {
      return slots.places;
    },
    close: () => {
      closed = true;
      cancelHost?.();
    },
  };
}

/** Each stored row comes with a copy of its timer ids, longer than the timers themselves: one is kept. */
function sharedId(ids: Map<string, string>, id: string): string {
  const known = ids.get(id);
  if (known === undefined && ids.size < SHARED_IDS_MAX) ids.set(id, id);
  return known ?? id;
}

const NO_ARMED: readonly ArmedTimer[] = [];

function armedOf(clock: Clock, slots: Slots, owner: TimerOwner): readonly ArmedTimer[] {
  const first = owner.timerHead;
  if (first === NONE) return NO_ARMED;
  if ((slots.sibling[first] ?? NONE) === NONE) return [armedTimer(clock, slots, first)];
  const own: number[] = [];
  for (let slot = owner.timerHead; slot !== NONE; slot = slots.sibling[slot] ?? NONE)
    own.push(slot);
  return own.sort((a, b) => slots.compare(a, b)).map((slot) => armedTimer(clock, slots, slot));
}

/** A stepped wall clock moves the stored deadline with it: what is left of the wait stays the same. */
function armedTimer(clock: Clock, slots: Slots, slot: number): ArmedTimer {
  const dueMonotonicMs = slots.dueMs[slot] ?? 0;
  const dueAtMs = slots.dueAtMs[slot] ?? 0;
  const seen = Math.ceil(clock.now() + dueMonotonicMs - clock.monotonic());
  const stepped = Math.abs(seen - dueAtMs) >= WALL_STEP_MS;
  return { id: slots.ids[slot] ?? '', dueAtMs: stepped ? seen : dueAtMs, dueMonotonicMs };
}
