/**
 * A clock moved by hand whose host timers run only when told, however late: a process that was stopped
 * for a while sees just that. Counts what it was asked for.
 */
import type { Clock } from '../../src/ports/clock.js';

interface Waiting {
  readonly dueMs: number;
  readonly run: () => void;
}

export interface HandClock extends Clock {
  /** Time passes and nothing runs. */
  sleep(durationMs: number): void;
  /** Runs what is due by now, and nothing that comes of it. */
  wake(): void;
  /** Host timers that wait. */
  readonly waiting: readonly Waiting[];
  /** Host timers asked for so far. */
  readonly asked: number;
}

export function createHandClock(startMs = 0): HandClock {
  let nowMs = startMs;
  let asked = 0;
  const waiting = new Set<Waiting>();
  return {
    now: () => Math.floor(1_700_000_000_000 + nowMs),
    monotonic: () => nowMs,
    after: (delayMs, run) => {
      asked += 1;
      const entry = { dueMs: nowMs + delayMs, run };
      waiting.add(entry);
      return () => void waiting.delete(entry);
    },
    soon: () => undefined,
    sleep: (durationMs) => {
      nowMs += durationMs;
    },
    wake: () => {
      for (const entry of [...waiting].filter(({ dueMs }) => dueMs <= nowMs)) {
        waiting.delete(entry);
        entry.run();
      }
    },
    get waiting() {
      return [...waiting];
    },
    get asked() {
      return asked;
    },
  };
}
