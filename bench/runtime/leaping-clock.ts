/**
 * The machine's clock, except that it waits for nothing: when nobody has anything to do it leaps to the
 * next deadline. What is measured under it is work alone.
 */
import { performance } from 'node:perf_hooks';
import type { Clock } from '../../src/ports/clock.js';

export interface LeapingClock {
  readonly clock: Clock;
  /** Runs turns until the promise is settled; leaps over no wait. */
  pump<T>(work: Promise<T>): Promise<T>;
  /** Runs turns and leaps until the condition holds. */
  pumpUntil(isOver: () => boolean): Promise<void>;
}

interface Wait {
  readonly due: number;
  readonly run: () => void;
}

const idle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export function leapingClock(): LeapingClock {
  let leapt = 0;
  let turns: (() => void)[] = [];
  const waits = new Set<Wait>();
  const monotonic = (): number => performance.now() + leapt;

  const runTurns = (isOver: () => boolean): void => {
    while (turns.length > 0 && !isOver()) {
      const due = turns;
      turns = [];
      for (const run of due) run();
    }
  };

  /** False: there is nothing to leap to. */
  const leap = (): boolean => {
    let next: Wait | undefined;
    for (const wait of waits) if (next === undefined || wait.due < next.due) next = wait;
    if (next === undefined) return false;
    waits.delete(next);
    leapt += Math.max(0, next.due - monotonic());
    next.run();
    return true;
  };

  return {
    clock: {
      now: () => Date.now() + leapt,
      monotonic,
      after: (delayMs, run) => {
        const wait = { due: monotonic() + Math.max(0, delayMs), run };
        waits.add(wait);
        return () => void waits.delete(wait);
      },
      soon: (run) => void turns.push(run),
    },
    pump: async (work) => {
      let settled = false;
      const done = (): void => {
        settled = true;
      };
      work.then(done, done);
      while (!settled) {
        runTurns(() => settled);
        await idle();
      }
      return work;
    },
    pumpUntil: async (isOver) => {
      while (!isOver()) {
        runTurns(isOver);
        if (isOver() || leap()) continue;
        await idle();
      }
    },
  };
}
