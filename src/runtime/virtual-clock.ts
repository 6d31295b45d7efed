/**
 * A clock that stands still until told: the whole node runs on it in one thread, at any speed, with the
 * same result every time. Timers fire in deadline order, ties in the order they were armed.
 */
import { assert } from '../../machines/model/assert.js';
import type { Cancel, Clock } from '../ports/clock.js';

interface Pending {
  readonly dueAt: number;
  readonly order: number;
  readonly run: () => void;
}

/** Promise hops granted to work in progress before the clock looks again. */
const SETTLE_HOPS = 32;

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
  let pending: Pending[] = [];
  let ready: (() => void)[] = [];

  const after = (delayMs: number, run: () => void): Cancel => {
    const entry = { dueAt: elapsed + Math.max(0, delayMs), order: order++, run };
    pending.push(entry);
    return () => {
      pending = pending.filter((other) => other !== entry);
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

  const nextDue = (until: number): Pending | undefined =>
    pending
      .filter((entry) => entry.dueAt <= until)
      .sort((a, b) => a.dueAt - b.dueAt || a.order - b.order)[0];

  const advance = async (durationMs: number): Promise<void> => {
    const until = elapsed + durationMs;
    await settle();
    for (let due = nextDue(until); due !== undefined; due = nextDue(until)) {
      const fired = due;
      pending = pending.filter((entry) => entry !== fired);
      elapsed = Math.max(elapsed, fired.dueAt);
      fired.run();
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
