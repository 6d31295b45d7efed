/**
 * Turns: who runs next, and for how long. Actors with messages wait in one queue; each handles at
 * most 64 messages, then goes to the end; after 256 actors the event loop has its turn [RT-11].
 */
import type { Cell } from './cell.js';
import { crash } from './crash.js';
import type { Kernel } from './kernel.js';
import { SLOW_TURN_MS, TURN_ACTORS_MAX, TURN_MESSAGES_MAX } from './limits.js';
import type { Letter } from './mailbox.js';
import { process } from './stepping.js';

export interface Turns {
  schedule(cell: Cell): void;
  stop(): void;
}

export function createTurns(kernel: Kernel): Turns {
  const { clock, log, turn: witness } = kernel.options;
  let queue: Cell[] = [];
  let scheduled = false;
  let stopped = false;

  const wake = (): void => {
    if (scheduled || stopped || queue.length === 0) return;
    scheduled = true;
    clock.soon(turn);
  };

  const turn = (): void => {
    scheduled = false;
    const batch = queue.slice(0, TURN_ACTORS_MAX);
    queue = queue.slice(TURN_ACTORS_MAX);
    for (const cell of batch) {
      cell.queued = false;
      const startedAt = clock.monotonic();
      runCell(kernel, cell);
      const tookMs = clock.monotonic() - startedAt;
      if (tookMs > SLOW_TURN_MS) log.warn({ actor: cell.address, tookMs }, 'slow turn');
      schedule(cell);
    }
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
    schedule,
    stop: () => {
      stopped = true;
      queue = [];
    },
  };
}

function isRunnable(cell: Cell): boolean {
  return cell.phase === 'active' && !cell.parked && cell.mailbox.depth > 0;
}

/** A firing of a timer that was cancelled, or armed again, while the firing waited. */
function isOver({ timers }: Kernel, cell: Cell, { envelope, timer }: Letter): boolean {
  return timer !== undefined && !timers.isArmed(cell, envelope.body.type, timer);
}

function runCell(kernel: Kernel, cell: Cell): void {
  for (let handled = 0; handled < TURN_MESSAGES_MAX && isRunnable(cell); handled += 1) {
    const letter = cell.mailbox.take();
    if (letter === undefined) return;
    if (isOver(kernel, cell, letter)) continue;
    kernel.options.turn?.begin(cell.address, letter.envelope.body.type);
    try {
      if (process(kernel, cell, letter)) continue;
      cell.mailbox.putBack(letter);
      cell.parked = true;
    } catch (error) {
      crash(kernel, cell, error, letter);
    }
  }
}
