/**
 * Many targets probed at a steady pace in one process, as backends are: each begins again a fixed time
 * after its last probe has ended, the first ones spread over that time.
 */
import { performance } from 'node:perf_hooks';
import type { Clock } from '../../src/ports/clock.js';

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

/** @param probe whether it passed */
export async function paced(pace: Pace, probe: () => Promise<boolean>): Promise<Paced> {
  const { targets, intervalMs, durationMs, clock } = pace;
  const lagsMs: number[] = [];
  let [passed, over] = [0, false];
  const cpuBefore = process.cpuUsage();
  const lives = Array.from({ length: targets }, async (_, index) => {
    let dueMs = performance.now() + (index * intervalMs) / targets;
    for (;;) {
      await until(clock, dueMs);
      if (over) return;
      lagsMs.push(performance.now() - dueMs);
      if (await probe()) passed += 1;
      dueMs = performance.now() + intervalMs;
    }
  });
  await new Promise((resolve) => setTimeout(resolve, durationMs));
  const { user, system } = process.cpuUsage(cpuBefore);
  const probes = lagsMs.length;
  const result = { probes, passed, cpuSeconds: (user + system) / 1e6, lagsMs: [...lagsMs] };
  over = true;
  await Promise.all(lives);
  return result;
}

function until(clock: Clock, dueMs: number): Promise<void> {
  return new Promise((resolve) => clock.after(Math.max(0, dueMs - performance.now()), resolve));
}
