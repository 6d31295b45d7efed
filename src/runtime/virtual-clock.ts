/**
 * A clock that stands still until told: the whole node runs on it in one thread, at any speed, with the
 * same result every time. Timers fire in deadline order, ties in the order they were armed.
 */
import { assert } from '../../machines/model/assert.js';
import type { Cancel, Clock } from '../ports/clock.js';
import { createHeap } from './heap.js';

interface Pending {
  readonly dueAt: number;
  readonly order: number;
  readonly run: () => void;
  /** Or fired: either way it is over. */
  over: boolean;
}

/** Cancelled timers are swept out when they are more than the others and more than this. */
const CANCELLED_MIN = 1_024;

/** Promise hops granted to work in progress before the clock looks again. */
const SETTLE_HOPS = 64;

/** Rounds of `soon` work without time passing before it is called a livelock. */
const SETTLE_ROUNDS_MAX = 100_000;

export interface VirtualClock extends Clock {
  /** Runs everything due within `durationMs`, and all that follows from it, then stands still again. */
  advance(durationMs: number): Promise<void>;
  /** Runs what is ready without letting time pass. */
  settle(): Promise<void>;
  /** Moves the wall clock alone, as an operator or NTP may. */
  stepWall(deltaMs: number): void;
}

export function createVirtualClock(startAtMs = 1_700_000_000_000): VirtualClock {
  let elapsed = 0;
  let wallOffset = startAtMs;
  let order = 0;
  let waiting = 0;
  const pending = createHeap<Pending>(
    (a, b) => a.dueAt < b.dueAt || (a.dueAt === b.dueAt && a.order < b.order),
  );
  let ready: (() => void)[] = [];

  const after = (delayMs: number, run: () => void): Cancel => {
    const dueAt = elapsed + Math.max(0, delayMs);
    const entry = { dueAt, order: order++, run, over: false };
    pending.push(entry);
    waiting += 1;
    return () => {
      if (entry.over) return;
      entry.over = true;
      waiting -= 1;
      if (pending.size > 2 * waiting + CANCELLED_MIN) pending.sweep((other) => !other.over);
    };
  };

  const settle = async (): Promise<void> => {
    for (let round = 0; ; round += 1) {
      assert(round < SETTLE_ROUNDS_MAX, 'the node never comes to rest');
      for (let hop = 0; hop < SETTLE_HOPS; hop += 1) await Promise.resolve();
      if (ready.length === 0) return;
      const runs = ready;
      ready = [];
      for (const run of runs) run();
    }
  };

  /** Takes out the next that is due by `until`; it can be cancelled no more. */
  const takeDue = (until: number): Pending | undefined => {
    while (pending.first?.over === true) pending.pop();
    const { first } = pending;
    if (first === undefined || first.dueAt > until) return undefined;
    first.over = true;
    waiting -= 1;
    return pending.pop();
  };

  const advance = async (durationMs: number): Promise<void> => {
    const until = elapsed + durationMs;
    await settle();
    for (let due = takeDue(until); due !== undefined; due = takeDue(until)) {
      elapsed = Math.max(elapsed, due.dueAt);
      due.run();
      await settle();
    }
    elapsed = until;
  };

  return {
    now: () => Math.floor(wallOffset + elapsed),
    monotonic: () => elapsed,
    after,
    soon: (run) => void ready.push(run),
    advance,
    settle,
    stepWall: (deltaMs) => {
      wallOffset += deltaMs;
    },
  };
}
