/**
 * All armed timers of one thread, by actor and XState timer id, in one heap with one host timer.
 *
 * Deadlines run on the monotonic clock, so a stepped wall clock or a suspended process ends no wait
 * early; the wall-clock deadline is kept beside it for the store. Arming again replaces. A timer that
 * fired stays armed until its firing is taken and cancelled, so that no decision in between forgets
 * it, and a firing taken after that counts for nothing [RT-6]. Due timers fire in deadline order.
 */
import type { Cancel, Clock } from '../ports/clock.js';

export interface ArmedTimer {
  readonly id: string;
  /** Wall-clock deadline, ms since the epoch. */
  readonly dueAtMs: number;
  /** The same on the monotonic clock. */
  readonly dueMonotonicMs: number;
}

interface Entry extends ArmedTimer {
  /** Unique: names this arming. */
  readonly order: number;
  readonly owner: object;
  armed: boolean;
}

export interface Timers {
  arm(owner: object, id: string, delayMs: number): void;
  cancel(owner: object, id: string): void;
  cancelAll(owner: object): void;
  /** Whether the firing of this arming still counts. */
  isArmed(owner: object, id: string, arming: number): boolean;
  /** Ascending by deadline. */
  armedOf(owner: object): readonly ArmedTimer[];
  readonly size: number;
  /** Places taken, those of cancelled timers included. */
  readonly places: number;
  close(): void;
}

/** Node's own timers overflow beyond this; longer waits are taken in steps. */
const HOST_TIMER_MAX_MS = 2 ** 31 - 1;

/** Cancelled timers keep their places until they are the greater part, and more than this. */
const CANCELLED_MIN = 1_024;

/** Clocks that differ by less drift; by more, the wall clock was stepped. */
const WALL_STEP_MS = 1_000;

type Fire = (owner: object, id: string, arming: number) => void;

export function createTimers(clock: Clock, fire: Fire): Timers {
  let heap: Entry[] = [];
  const byOwner = new Map<object, Map<string, Entry>>();
  let order = 0;
  let size = 0;
  let closed = false;
  let host: { readonly dueMs: number; readonly cancel: Cancel } | undefined;

  const disarm = (entry: Entry): void => {
    entry.armed = false;
    size -= 1;
    const own = byOwner.get(entry.owner);
    own?.delete(entry.id);
    if (own?.size === 0) byOwner.delete(entry.owner);
    if (heap.length > 2 * size + CANCELLED_MIN)
      heap = heap.filter((other) => other.armed).sort(byDue);
  };

  const cancel = (owner: object, id: string): void => {
    const entry = byOwner.get(owner)?.get(id);
    if (entry !== undefined) disarm(entry);
  };

  const wake = (): void => {
    while (heap[0] !== undefined && !heap[0].armed) pop(heap);
    const first = heap[0];
    if (first === undefined || closed) return;
    if (host !== undefined && host.dueMs <= first.dueMonotonicMs) return;
    host?.cancel();
    const delayMs = Math.min(
      Math.max(0, first.dueMonotonicMs - clock.monotonic()),
      HOST_TIMER_MAX_MS,
    );
    host = { dueMs: first.dueMonotonicMs, cancel: clock.after(delayMs, onDue) };
  };

  const onDue = (): void => {
    host = undefined;
    const now = clock.monotonic();
    for (let first = heap[0]; first !== undefined && first.dueMonotonicMs <= now; first = heap[0]) {
      pop(heap);
      if (first.armed) fire(first.owner, first.id, first.order);
    }
    wake();
  };

  return {
    arm: (owner, id, delayMs) => {
      cancel(owner, id);
      const wait = Math.max(0, delayMs);
      const entry: Entry = {
        id,
        owner,
        armed: true,
        order: order++,
        dueAtMs: Math.ceil(clock.now() + wait),
        dueMonotonicMs: clock.monotonic() + wait,
      };
      const own = byOwner.get(owner) ?? new Map<string, Entry>();
      byOwner.set(owner, own.set(id, entry));
      size += 1;
      push(heap, entry);
      wake();
    },
    cancel,
    isArmed: (owner, id, arming) => byOwner.get(owner)?.get(id)?.order === arming,
    cancelAll: (owner) => {
      for (const entry of [...(byOwner.get(owner)?.values() ?? [])]) disarm(entry);
    },
    armedOf: (owner) =>
      [...(byOwner.get(owner)?.values() ?? [])]
        .sort(byDue)
        .map((entry) => armedTimer(clock, entry)),
    get size() {
      return size;
    },
    get places() {
      return heap.length;
    },
    close: () => {
      closed = true;
      host?.cancel();
    },
  };
}

/** A stepped wall clock moves the stored deadline with it: what is left of the wait stays the same. */
function armedTimer(clock: Clock, { id, dueAtMs, dueMonotonicMs }: Entry): ArmedTimer {
  const seen = Math.ceil(clock.now() + dueMonotonicMs - clock.monotonic());
  const stepped = Math.abs(seen - dueAtMs) >= WALL_STEP_MS;
  return { id, dueAtMs: stepped ? seen : dueAtMs, dueMonotonicMs };
}

function byDue(a: Entry, b: Entry): number {
  return before(a, b) ? -1 : 1;
}

function before(a: Entry, b: Entry): boolean {
  return (
    a.dueMonotonicMs < b.dueMonotonicMs ||
    (a.dueMonotonicMs === b.dueMonotonicMs && a.order < b.order)
  );
}

function push(heap: Entry[], entry: Entry): void {
  let index = heap.push(entry) - 1;
  while (index > 0) {
    const parent = (index - 1) >> 1;
    const above = heap[parent];
    if (above === undefined || !before(entry, above)) break;
    heap[index] = above;
    index = parent;
  }
  heap[index] = entry;
}

function pop(heap: Entry[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let index = 0;
  for (;;) {
    const left = 2 * index + 1;
    const a = heap[left];
    if (a === undefined) break;
    const b = heap[left + 1];
    const child = b !== undefined && before(b, a) ? left + 1 : left;
    const next = heap[child];
    if (next === undefined || !before(next, last)) break;
    heap[index] = next;
    index = child;
  }
  heap[index] = last;
}
