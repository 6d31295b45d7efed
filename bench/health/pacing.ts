/**
 * Many targets probed at a steady pace in one process, as backends are: each begins again a fixed time
 * after its last probe has ended, the first ones spread over that time.
 */
import type { Clock } from '../../src/ports/clock.js';
import { createTimers, NO_TIMERS, type TimerOwner } from '../../src/runtime/timers.js';

export interface Pace {
  readonly targets: number;
  readonly intervalMs: number;
  readonly durationMs: number;
  readonly clock: Clock;
}

export interface Paced {
  readonly probes: number;
  readonly passed: number;
  readonly cpuSeconds: number;
  /** How late each probe left, in ms. */
  readonly lagsMs: readonly number[];
}

/** What a process does once, and the compiler first: not the price of a check. */
const SETTLE_MS = 1_000;

interface Life extends TimerOwner {
  dueMs: number;
}

/** @param probe whether it passed */
export async function paced(pace: Pace, probe: () => Promise<boolean>): Promise<Paced> {
  const { targets, intervalMs, durationMs, clock } = pace;
  const lagsMs: number[] = [];
  let [passed, begun, ended] = [0, 0, 0];
  const next = (life: Life, waitMs: number): void => {
    life.dueMs = clock.monotonic() + waitMs;
    timers.arm(life, DUE, waitMs);
  };
  // In one wheel, as a shard has its backends.
  const timers = createTimers(clock, (owner) => {
    const life = owner as Life;
    timers.cancel(life, DUE);
    lagsMs.push(clock.monotonic() - life.dueMs);
    begun += 1;
    void probe().then((good) => {
      ended += 1;
      if (good) passed += 1;
      next(life, intervalMs);
    });
  });
  for (let index = 0; index < targets; index += 1) {
    next({ timerHead: NO_TIMERS, dueMs: 0 }, (index * intervalMs) / targets);
  }
  await pause(Math.min(SETTLE_MS, durationMs));
  const before = { begun, passed, cpu: process.cpuUsage() };
  lagsMs.length = 0;
  await pause(durationMs);
  const { user, system } = process.cpuUsage(before.cpu);
  const result = { probes: begun - before.begun, passed: passed - before.passed };
  const measured = { ...result, cpuSeconds: (user + system) / 1e6, lagsMs: [...lagsMs] };
  timers.close();
  while (ended < begun) await pause(1);
  return measured;
}

const DUE = 'due';

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
