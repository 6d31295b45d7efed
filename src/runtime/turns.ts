/**
 * Turns: who runs next, and for how long. Actors with messages wait in one queue; each handles at
 * most 64 messages, then goes to the end; after 256 actors, or the time for them, the event loop has its turn
 * [RT-11].
 */
import type { Cell } from './cell.js';
import { comeBack, crash, mayComeBack } from './crash.js';
import type { Kernel } from './kernel.js';
import type { Letter } from './letters.js';
import { SLOW_TURN_MS, TURN_ACTORS_MAX, TURN_MESSAGES_MAX, TURN_MS } from './limits.js';
import { Queue } from './queue.js';
import { process } from './stepping.js';

export interface Turns {
  /** Monotonic time, read once for each cell's turn and once for all that comes before the next. */
  now(): number;
  schedule(cell: Cell): void;
  /** The store is away: who waits for room among its decisions looks whether it still has to. */
  retryHeld(): void;
  stop(): void;
}

export function createTurns(kernel: Kernel): Turns {
  const { clock, log, turn: witness } = kernel.options;
  const queue = new Queue<Cell>();
  /** Cells that have a message which waits for room. */
  let held: Cell[] = [];
  let scheduled = false;
  let stopped = false;
  let readAt: number | undefined;

  const now = (): number => {
    if (readAt !== undefined) return readAt;
    const at = clock.monotonic();
    // Only a turn to come makes it outdated; without one it would be kept for ever.
    if (scheduled) readAt = at;
    return at;
  };

  const wake = (): void => {
    if (scheduled || stopped || queue.size === 0) return;
    scheduled = true;
    clock.soon(turn);
  };

  /** Who comes back with more goes to the end: the actors of this turn are those that wait now. */
  const turn = (): void => {
    scheduled = false;
    let startedAt = clock.monotonic();
    const untilMs = startedAt + TURN_MS;
    readAt = startedAt;
    for (let left = Math.min(queue.size, TURN_ACTORS_MAX); left > 0; left -= 1) {
      const cell = queue.shift();
      if (cell === undefined) break;
      cell.queued = false;
      if (runCell(kernel, cell) === 'held') held.push(cell);
      const endedAt = clock.monotonic();
      if (endedAt - startedAt > SLOW_TURN_MS) {
        log.warn({ actor: cell.address, tookMs: endedAt - startedAt }, 'slow turn');
      }
      startedAt = endedAt;
      readAt = endedAt;
      schedule(cell);
      if (endedAt >= untilMs) break;
    }
    readAt = undefined;
    witness?.end();
    wake();
  };

  const schedule = (cell: Cell): void => {
    if (cell.queued || !isRunnable(cell)) return;
    cell.queued = true;
    queue.push(cell);
    wake();
  };

  return {
    now,
    schedule,
    retryHeld: () => {
      const waiting = held.filter(({ parked }) => parked);
      const away = kernel.committer.unavailable !== undefined;
      held = away ? [] : waiting;
      if (!away) return;
      for (const cell of waiting) {
        cell.unpark();
        schedule(cell);
      }
    },
    stop: () => {
      stopped = true;
      queue.clear();
    },
  };
}

function isRunnable(cell: Cell): boolean {
  return takesMail(cell) || mayComeBack(cell);
}

function takesMail(cell: Cell): boolean {
  return cell.phase === 'active' && !cell.parked && cell.mailbox !== undefined;
}

/** A firing of a timer that was cancelled, or armed again, while the firing waited. */
function isOver({ timers }: Kernel, cell: Cell, { envelope, timer }: Letter): boolean {
  return timer >= 0 && !timers.isArmed(cell, envelope.body.type, timer);
}

function runCell(kernel: Kernel, cell: Cell): 'held' | undefined {
  // To come back is part of a turn like any other: many that crash at once keep nobody from theirs.
  if (cell.phase === 'restarting') comeBack(kernel, cell);
  for (let handled = 0; handled < TURN_MESSAGES_MAX && takesMail(cell); handled += 1) {
    const letter = kernel.mailboxes.take(cell);
    if (letter === undefined) return undefined;
    if (isOver(kernel, cell, letter)) continue;
    kernel.options.turn?.begin(cell.address, letter.envelope.body.type);
    try {
      if (process(kernel, cell, letter)) continue;
      kernel.mailboxes.putBack(cell, letter);
      cell.parked = true;
      return 'held';
    } catch (error) {
      crash(kernel, cell, error, letter);
    }
  }
  return undefined;
}
