/**
 * What happens when an actor throws: it comes back from its committed state, the first time at once and
 * then after a back-off; the message in hand is tried again and after three crashes is poison. Crashing
 * more often than its limit quarantines it: its state is kept and shown, `resume` brings it back. OTP's
 * supervisor words.
 *
 * Rules: [SU-1] siblings never notice; [SU-2] a poison message ends as a dead letter; [SU-3] a poison
 * state ends in quarantine.
 */
import { judgeRestart, restartWaitMs } from '../supervision/restart.js';
import { dispose, restore, start } from './activation.js';
import type { Cell } from './cell.js';
import type { Kernel } from './kernel.js';
import type { Letter } from './letters.js';
import { DELIVERY_ATTEMPTS_MAX, RESTART_BACKOFF, RESTART_DEFAULT, STORE_RETRY } from './limits.js';
import { readAgain } from './read-again.js';

/** `letter`: the message in hand, absent when an effect threw. */
export function crash(kernel: Kernel, cell: Cell, error: unknown, letter?: Letter): void {
  const { clock, log, metrics, random } = kernel.options;
  if (cell.phase !== 'active' && cell.phase !== 'loading') {
    log.error({ actor: cell.address, err: error }, 'actor failed again while it was down');
    return;
  }
  cell.life += 1;
  const { troubled } = cell;
  troubled.lastError = error instanceof Error ? error.message : String(error);
  const message = letter?.envelope.body.type;
  log.error({ actor: cell.address, message, err: error }, 'actor crashed');
  metrics.count('actor_restarts_total', { kind: cell.type.kind });
  kernel.tap?.(crashFrame(cell, message));
  retryOrBury(kernel, cell, letter);

  const limit = cell.type.restart ?? RESTART_DEFAULT;
  const { verdict, history } = judgeRestart(limit, troubled.crashes, clock.monotonic());
  troubled.crashes = history;
  troubled.restartDue = false;
  if (verdict === 'give-up') return quarantine(kernel, cell);
  cell.phase = 'restarting';
  // Chance costs more than the rest of this, and the first restart waits for nothing.
  const chance = history.length > 1 ? random.next() : 0;
  kernel.restarts.put(cell, restartWaitMs(history.length, RESTART_BACKOFF, chance));
}

export function mayComeBack({ phase, trouble, inFlight }: Cell): boolean {
  return phase === 'restarting' && trouble.restartDue && inFlight.length === 0;
}

/** Restarts the cell once its back-off is over and the store has answered all it decided. */
export function comeBack(kernel: Kernel, cell: Cell): void {
  if (!mayComeBack(cell)) return;
  cell.parked = false;
  cell.phase = 'loading';
  kernel.mailboxes.clearSystem(cell);
  dispose(kernel, cell);
  if (!cell.trouble.outdated) return bringBack(kernel, cell);
  readAgain(kernel, cell, (is) => {
    if (is === 'current') return bringBack(kernel, cell);
    if (is === 'unknown') return waitForStore(kernel, cell);
    if (is === 'unreadable') return takeOut(kernel, cell);
  });
}

/** The store does not answer: like any that is down, it has its turn again later. */
function waitForStore({ restarts }: Kernel, cell: Cell): void {
  cell.phase = 'restarting';
  cell.troubled.restartDue = false;
  restarts.put(cell, STORE_RETRY.maxMs);
}

function bringBack(kernel: Kernel, cell: Cell): void {
  cell.troubled.restarts += 1;
  try {
    restore(kernel, cell);
  } catch (error) {
    return crash(kernel, cell, error);
  }
  start(kernel, cell, cell.address);
}

/**
 * Brings a quarantined actor back, its crashes forgiven. False: it is not quarantined, or its row is
 * of another release.
 */
export function resume(kernel: Kernel, cell: Cell): boolean {
  if (cell.phase !== 'quarantined' || cell.trouble.unreadable !== undefined) return false;
  cell.troubled.crashes = [];
  cell.troubled.restartDue = true;
  cell.phase = 'restarting';
  comeBack(kernel, cell);
  return true;
}

function retryOrBury(kernel: Kernel, cell: Cell, letter: Letter | undefined): void {
  // The restart delivers its own messages and the seed by itself.
  if (letter === undefined || letter.system || letter.envelope === cell.trouble.seed) return;
  letter.attempts += 1;
  if (letter.attempts >= DELIVERY_ATTEMPTS_MAX) kernel.bury(letter.envelope, 'poison');
  else kernel.mailboxes.putBack(cell, letter);
}

function quarantine(kernel: Kernel, cell: Cell): void {
  takeOut(kernel, cell);
  const { log } = kernel.options;
  log.error({ actor: cell.address }, 'actor quarantined: it crashed too often; resume it by hand');
}

/** From now on it takes nothing, and what waits for it is lost. */
function takeOut(kernel: Kernel, cell: Cell): void {
  cell.phase = 'quarantined';
  kernel.timers.cancelAll(cell);
  kernel.watches.ended(cell.address, 'quarantined');
  for (const letter of kernel.mailboxes.clear(cell)) kernel.bury(letter.envelope, 'quarantined');
}

/** `message`: type of what was in hand. */
function crashFrame(cell: Cell, message: string | undefined) {
  return {
    address: cell.address,
    machineId: cell.stepper.machineId,
    event: { type: 'crashed', error: cell.trouble.lastError, message },
    value: cell.configuration.value,
    context: cell.context,
    status: 'error' as const,
  };
}
