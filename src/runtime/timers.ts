/**
 * All armed timers of one thread, by actor and XState timer id, in one heap with one host timer.
 *
 * Deadlines run on the monotonic clock, so a stepped wall clock or a suspended process ends no wait
 * early; the wall-clock deadline is kept beside it for the store. Arming again replaces; a firing of
 * a timer that is no longer armed cannot happen [RT-6]. Due timers fire in deadline order.
 */
import type { Cancel, Clock } from '../ports/clock.js';

export interface ArmedTimer {
  readonly id: string;
  /** Wall-clock deadline, ms since the epoch. */
  readonly dueAtMs: number;
}

interface Entry extends ArmedTimer {
  readonly dueMonotonicMs: number;
  readonly order: number;
  readonly owner: object;
  armed: boolean;
}

export interface Timers {
  arm(owner: object, id: string, delayMs: number): void;
  cancel(owner: object, id: string): void;
  cancelAll(owner: object): void;
  /** Ascending by deadline. */
  armedOf(owner: object): readonly ArmedTimer[];
  readonly size: number;
  close(): void;
}

/** Node's own timers overflow beyond this; longer waits are taken in steps. */
const HOST_TIMER_MAX_MS = 2 ** 31 - 1;

export function createTimers(clock: Clock, fire: (owner: object, id: string) => void): Timers {
  const heap: Entry[] = [];
  const byOwner = new Map<object, Map<string, Entry>>();
  let order = 0;
  let size = 0;
  let host: { readonly dueMs: number; readonly cancel: Cancel } | undefined;

  const disarm = (entry: Entry): void => {
    entry.armed = false;
    size -= 1;
    const own = byOwner.get(entry.owner);
    own?.delete(entry.id);
    if (own?.size === 0) byOwner.delete(entry.owner);
  };

  const cancel = (owner: object, id: string): void => {
    const entry = byOwner.get(owner)?.get(id);
    if (entry !== undefined) disarm(entry);
  };

  const wake = (): void => {
    while (heap[0] !== undefined && !heap[0].armed) pop(heap);
    const first = heap[0];
    if (first === undefined || (host !== undefined && host.dueMs <= first.dueMonotonicMs)) return;
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
      if (!first.armed) continue;
      disarm(first);
      fire(first.owner, first.id);
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
    cancelAll: (owner) => {
      for (const entry of [...(byOwner.get(owner)?.values() ?? [])]) disarm(entry);
    },
    armedOf: (owner) =>
      [...(byOwner.get(owner)?.values() ?? [])]
        .map(({ id, dueAtMs }) => ({ id, dueAtMs }))
        .sort((a, b) => a.dueAtMs - b.dueAtMs),
    get size() {
      return size;
    },
    close: () => host?.cancel(),
  };
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
