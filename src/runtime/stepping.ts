/**
 * One message through one cell: step the machine, commit the decision if there is one, perform the
 * effects in the order their class allows (effect-order.ts, decisions.ts).
 *
 * A step is a decision when it records, spawns or forgets, or when it moves a stored machine to
 * another state. Most steps are none, and then nothing is built but the event and its answer.
 */
import type { Meta } from '../../machines/model/effects.js';
import { type Cell, keepCommitted } from './cell.js';
import { decide } from './decisions.js';
import { performNow, type Sorted, sortEffects } from './effect-order.js';
import type { Kernel, TapFrame } from './kernel.js';
import type { Letter } from './letters.js';
import { ACTOR_DECISIONS_MAX, REFLEX_DECISIONS_MAX } from './limits.js';
import { plainMeta, StepMeta } from './step-meta.js';
import type { Configuration, Step, TimerOp } from './stepper.js';

/** False: the cell cannot take this message yet (the store is behind); it was not stepped. */
export function process(kernel: Kernel, cell: Cell, letter: Letter): boolean {
  const meta = new StepMeta(kernel.options, letter.envelope);
  const event = kernel.stamp(letter.envelope.body, meta);
  const step = cell.stepper.step(cell.configuration, cell.context, event);
  const sorted = sortEffects(cell, step.effects);
  const decides = isDecision(cell, step.configuration, sorted);
  const must = mustCommit(sorted);
  const full =
    decides && cell.inFlight.length >= (must ? ACTOR_DECISIONS_MAX : REFLEX_DECISIONS_MAX);
  // While the store is away a reflex acts whether its record can wait or not; else the mailbox waits.
  if (full && (must || kernel.committer.unavailable === undefined)) return false;

  move(kernel, cell, step, letter);
  if (kernel.tap !== undefined) kernel.tap(frameOf(cell, event));
  // So much waits only when the store has been away for long: the record is given up, and the next
  // decision that fits carries the whole state.
  if (decides && !full) decide(kernel, cell, sorted, meta);
  performNow(kernel, cell, sorted, decides ? meta.id : meta.cause);
  return true;
}

function mustCommit({ afterCommit, forget, spawns }: Sorted): boolean {
  return afterCommit.length + spawns.length > 0 || forget;
}

function isDecision(cell: Cell, next: Configuration, sorted: Sorted): boolean {
  const { records, spawns, forget } = sorted;
  const moved = cell.type.stored && cell.configuration !== next;
  return records.length > 0 || spawns.length > 0 || forget || moved;
}

/** A firing that is taken disarms its timer before the step arms anything. */
function move({ timers }: Kernel, cell: Cell, step: Step, { envelope, timer }: Letter): void {
  const fired = timer >= 0;
  const same = cell.configuration === step.configuration && cell.context === step.context;
  if (same && !fired && step.timers.length === 0) return;
  keepCommitted(cell, timers);
  cell.changes += 1;
  cell.configuration = step.configuration;
  cell.context = step.context;
  if (fired) timers.cancel(cell, envelope.body.type);
  // An iterator would be made for every step.
  for (let index = 0; index < step.timers.length; index += 1) {
    const change = step.timers[index] as TimerOp;
    if (change.op === 'arm') timers.arm(cell, change.id, change.delayMs);
    else timers.cancel(cell, change.id);
  }
}

function frameOf(cell: Cell, event: { readonly type: string; readonly meta: Meta }): TapFrame {
  const seen = { ...event, meta: plainMeta(event.meta) };
  return {
    address: cell.address,
    machineId: cell.stepper.machineId,
    event: seen,
    value: cell.configuration.value,
    context: cell.context,
    status: 'active',
  };
}
