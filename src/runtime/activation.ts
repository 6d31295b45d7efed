/**
 * How a cell comes to life and leaves: from its stored row, from its parent's spawn, or from the first
 * message to an address of an implicit type. Whatever the way, its first event is `activated`, with
 * its children as last stored.
 *
 * Rules: [RT-9] a row of an unknown machine, version or state is quarantined, never guessed; [RT-10]
 * deadlines of a restored cell are those it had: overdue ones fire at once, in order.
 */
import { assert } from '../../machines/model/assert.js';
import { type Address, kindOf } from '../../machines/model/ids.js';
import type { JsonObject } from '../../machines/model/json.js';
import type { StoredCell } from '../ports/store.js';
import { Cell, type CommittedState, type InFlight, keepCommitted } from './cell.js';
import { type Envelope, OUTSIDE } from './envelope.js';
import type { Kernel } from './kernel.js';
import { type Letter, systemLetter } from './letters.js';
import { DELIVERY_ATTEMPTS_MAX } from './limits.js';
import type { RegisteredType } from './registered.js';
import { CellScope } from './scopes.js';
import type { Step } from './stepper.js';
import { type ReadRow, readRow } from './stored-row.js';
import type { DownReason } from './watches.js';

/**
 * Puts a stored cell into the host without starting it; siblings are placed first, then all start.
 * `aheadMs`: the monotonic clock's lead over the wall clock its stored deadlines were set by.
 */
export function place(kernel: Kernel, row: StoredCell, aheadMs: number): Cell | undefined {
  const registered = kernel.types.get(kindOf(row.address));
  if (registered === undefined) return undefined;
  const read = readRow(row, registered);
  const { address, parent, version } = row;
  // A row that cannot be read is shown as it was stored.
  const state = read.ok ? read.value : { configuration: { index: -1, value: row.value }, ...row };
  const { configuration, context } = state;
  const committed = committedOf(state, version, aheadMs);
  const cell = new Cell({ address, registered, configuration, context, parent, committed });
  adopt(kernel, cell);
  if (!read.ok) return quarantineRow(kernel, cell, read.failure);
  for (const timer of committed.timers) kernel.timers.armAt(cell, timer);
  settleAs(cell, committed);
  return quarantineKiller(kernel, cell);
}

/** Those placed here, from their rows: all are placed, then all start. */
export function bringUp(kernel: Kernel, rows: readonly StoredCell[], cause: string): void {
  const { clock, placement, thread } = kernel.options;
  const own = rows.filter(({ address }) => placement.threadOf(address) === thread);
  // Once for all of them: a step of the wall clock in between would mix them up.
  const aheadMs = clock.monotonic() - clock.now();
  const cells = own.map((row) => place(kernel, row, aheadMs));
  for (const cell of cells) if (cell !== undefined) start(kernel, cell, cause);
}

/** A fresh cell of an implicit type: it has no past, and its first event is still to come. */
export function createFresh(kernel: Kernel, address: Address, registered: RegisteredType): Cell {
  const step = firstStep(kernel, address, registered);
  const { configuration, context } = step;
  const parent = registered.type.attachedTo?.(address);
  const cell = new Cell({ address, registered, configuration, context, parent });
  adopt(kernel, cell);
  armAll(kernel, cell, step);
  return quarantineKiller(kernel, cell);
}

/** Starts a placed or fresh cell: companion, then `activated`, then what it remembers. */
export function start(kernel: Kernel, cell: Cell, cause: string): void {
  if (cell.phase === 'quarantined' || cell.phase === 'gone') return;
  cell.phase = 'active';
  const scope = new CellScope(kernel, cell, cause);
  kernel.options.turn?.begin(cell.address, 'activated');
  try {
    cell.companion = cell.type.companion?.(scope, kernel.options.ports);
  } catch (error) {
    return kernel.crash(cell, error);
  } finally {
    kernel.options.turn?.end();
  }
  putSystem(kernel, cell, { type: 'activated', children: childrenOf(kernel, cell) }, cause);
  const { seed } = cell.trouble;
  if (seed !== undefined) kernel.mailboxes.putSystem(cell, letterOf(kernel, seed));
  kernel.schedule(cell);
}

/** Closes what the companion holds; that this fails is nobody else's trouble. */
export function dispose({ options }: Kernel, cell: Cell): void {
  const { companion, address, type } = cell;
  cell.companion = undefined;
  if (companion === undefined || type.dispose === undefined) return;
  const failed = (err: unknown) =>
    options.log.error({ actor: address, err }, 'companion not closed');
  try {
    void Promise.resolve(type.dispose(companion)).catch(failed);
  } catch (error) {
    failed(error);
  }
}

/** Whatever it does first follows from the decision that made it, and may be part of it. */
export function activateSpawned(
  kernel: Kernel,
  row: Omit<StoredCell, 'incarnation'>,
  { aheadMs, cause }: InFlight,
  hasActed: boolean,
): Cell | undefined {
  if (kernel.cells.has(row.address)) return undefined;
  const cell = place(kernel, { incarnation: kernel.options.incarnation, ...row }, aheadMs);
  if (cell === undefined) return undefined;
  if (!hasActed) start(kernel, cell, cause);
  else if (cell.phase === 'loading') cell.phase = 'active';
  return cell;
}

/** Brings a crashed cell back to what the store has, or to a fresh start when it has nothing. */
export function restore(kernel: Kernel, cell: Cell): void {
  // It threw before it moved, and no firing was lost: it is what the store has.
  if (cell.clean && !kernel.timers.hasFired(cell)) return;
  keepCommitted(cell, kernel.timers);
  kernel.timers.cancelAll(cell);
  const { committed } = cell;
  if (committed === undefined) {
    const step = firstStep(kernel, cell.address, cell.registered);
    cell.configuration = step.configuration;
    cell.context = step.context;
    cell.version = 0;
    return armAll(kernel, cell, step);
  }
  cell.configuration = cell.stepper.restore(committed.value);
  cell.context = committed.context;
  for (const timer of committed.timers) kernel.timers.armAt(cell, timer);
  settleAs(cell, committed);
}

/** The cell is what the store has, and that is kept once. */
function settleAs(cell: Cell, { version }: CommittedState): void {
  cell.version = version;
  cell.committed = undefined;
  cell.clean = true;
}

function firstStep(kernel: Kernel, address: Address, { stepper }: RegisteredType): Step {
  const step = stepper.initial(inputFor(kernel, address));
  assert(step.effects.length === 0, `${address}: effects belong behind 'activated'`);
  return step;
}

function armAll({ timers }: Kernel, cell: Cell, step: Step): void {
  for (const timer of step.timers) {
    if (timer.op === 'arm') timers.arm(cell, timer.id, timer.delayMs);
  }
}

/**
 * Takes out a cell that has forgotten itself. What was sent to an address that anybody may write to is
 * meant for whoever lives there next, and begins a new actor; a question was asked of the one that is
 * gone, and is refused. Of an actor that only its parent starts all of it is dead letters.
 */
export function forget(kernel: Kernel, cell: Cell): void {
  for (const letter of retire(kernel, cell, 'forgotten')) {
    const { envelope } = letter;
    const goesOn = cell.type.implicit && envelope.replyTo === undefined;
    if (goesOn) kernel.deliver(envelope);
    else kernel.bury(envelope, 'no-actor');
  }
}

/** Takes out a cell that another thread has fenced off: what waits for it has come to the wrong place. */
export function fenceOff(kernel: Kernel, cell: Cell): void {
  for (const letter of retire(kernel, cell, 'thread-lost'))
    kernel.bury(letter.envelope, 'no-actor');
}

/** Takes out a cell whose duty has gone to another node; what waits for it is said again there. */
export function layDown(kernel: Kernel, cell: Cell): void {
  retire(kernel, cell, 'off-duty');
}

/** Takes a cell out for good, and gives back what still waits for it. */
function retire(kernel: Kernel, cell: Cell, reason: DownReason): readonly Letter[] {
  cell.phase = 'gone';
  cell.life += 1;
  kernel.timers.cancelAll(cell);
  kernel.cells.delete(cell.address);
  if (cell.parent !== undefined) kernel.childrenOf.get(cell.parent)?.delete(cell.address);
  dispose(kernel, cell);
  kernel.watches.ended(cell.address, reason);
  kernel.watches.leave(cell.address);
  return kernel.mailboxes.clear(cell);
}

function adopt(kernel: Kernel, cell: Cell): void {
  kernel.cells.set(cell.address, cell);
  if (cell.parent === undefined) return;
  const siblings = kernel.childrenOf.get(cell.parent) ?? new Set<Address>();
  kernel.childrenOf.set(cell.parent, siblings.add(cell.address));
}

/** Shown as quarantined, for good: its row waits for a release that can read it. */
export function quarantineRow(kernel: Kernel, cell: Cell, reason: string): Cell {
  cell.phase = 'quarantined';
  cell.troubled.lastError = reason;
  cell.troubled.unreadable = reason;
  kernel.options.log.error({ actor: cell.address, reason }, 'stored cell quarantined');
  return cell;
}

/** It killed its thread too often: it does nothing until an operator resumes it. */
function quarantineKiller(kernel: Kernel, cell: Cell): Cell {
  const { log, quarantine } = kernel.options;
  if (quarantine?.has(cell.address) !== true) return cell;
  const reason = `killed its thread ${DELIVERY_ATTEMPTS_MAX} times`;
  keepCommitted(cell, kernel.timers);
  kernel.timers.cancelAll(cell);
  cell.phase = 'quarantined';
  cell.troubled.lastError = reason;
  log.error({ actor: cell.address, reason }, 'actor quarantined');
  return cell;
}

/** The one place where stored wall-clock deadlines become waits; from here on they run on their own. */
export function committedOf(
  state: Omit<ReadRow, 'configuration'>,
  version: number,
  aheadMs: number,
): CommittedState {
  const { value, context } = state;
  const timers = state.timers.map(({ id, dueAtMs }) => ({
    id,
    dueAtMs,
    dueMonotonicMs: dueAtMs + aheadMs,
  }));
  return { version, value, context, timers };
}

function childrenOf(kernel: Kernel, cell: Cell): readonly JsonObject[] {
  const known = kernel.childrenOf.get(cell.address);
  if (known === undefined) return [];
  const addresses = [...known].sort();
  return addresses.flatMap((address) => {
    const child = kernel.cells.get(address);
    if (child === undefined) return [];
    const row = { address, value: child.configuration.value, context: { ...child.context } };
    return [child.trouble.unreadable === undefined ? row : { ...row, unreadable: true }];
  });
}

function inputFor(kernel: Kernel, address: Address): JsonObject {
  const { clock, ids, random } = kernel.options;
  const id = ids.next();
  const meta = { at: clock.now(), random: random.next(), id, cause: id, from: OUTSIDE };
  return { address, meta };
}

function putSystem(
  kernel: Kernel,
  cell: Cell,
  body: Envelope['body'] & { readonly children: readonly JsonObject[] },
  cause: string,
): void {
  const envelope = { to: cell.address, from: cell.address, cause, body };
  kernel.mailboxes.putSystem(cell, letterOf(kernel, envelope));
}

function letterOf(kernel: Kernel, envelope: Envelope) {
  return systemLetter(envelope, kernel.options.clock.monotonic());
}
