/**
 * Crashed actors on their way back. The first restart in a row waits for nothing but its turn in the run
 * queue, behind whoever is there already; later ones wait out their back-off in a timing wheel of their
 * own, with one host timer for all of them. So ten thousand that crash at once come back a bounded
 * number at a time, and keep nobody from its turn [SU-23].
 */
import type { Clock } from '../ports/clock.js';
import type { Cell } from './cell.js';
import { createTimers, NO_TIMERS, type TimerOwner } from './timers.js';

export interface Restarts {
  /** The cell may come back `waitMs` from now; 0: as soon as its turn comes. */
  put(cell: Cell, waitMs: number): void;
  close(): void;
}

interface Waiting extends TimerOwner {
  readonly cell: Cell;
}

/** `schedule` gives a cell that may come back its turn. */
export function createRestarts(clock: Clock, schedule: (cell: Cell) => void): Restarts {
  const timers = createTimers(clock, (owner) => {
    timers.cancelAll(owner);
    release((owner as Waiting).cell);
  });

  const release = (cell: Cell): void => {
    cell.troubled.restartDue = true;
    schedule(cell);
  };

  return {
    put: (cell, waitMs) => {
      if (waitMs === 0) return release(cell);
      const waiting: Waiting = { cell, timerHead: NO_TIMERS };
      timers.arm(waiting, 'restart', waitMs);
    },
    close: timers.close,
  };
}
