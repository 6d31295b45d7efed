/**
 * How a cell comes to life and leaves: from its stored row, from its parent's spawn, or from the first
 * message to an address of an implicit type. Whatever the way, its first event is `activated`, with
 * its children as last stored.
 *
 * Rules: [RT-9] a row of an unknown machine, version or state is quarantined, never guessed; [RT-10]
 * deadlines of a restored cell are those it had: overdue ones fire at once, in order.
 */
import type { AnyMachineSnapshot } from 'xstate';
import { assert } from '../../machines/model/assert.js';
import { type Address, kindOf } from '../../machines/model/ids.js';
import type { Json, JsonObject } from '../../machines/model/json.js';
import type { StoredCell } from '../ports/store.js';
import { type Cell, type CommittedState, createCell } from './cell.js';
import { type Envelope, OUTSIDE } from './envelope.js';
import type { Kernel, RegisteredType } from './kernel.js';
import { DELIVERY_ATTEMPTS_MAX } from './limits.js';
import type { DownReason } from './watches.js';

/** Puts a stored cell into the host without starting it; siblings are placed first, then all start. */
export function place(kernel: Kernel, row: StoredCell): Cell | undefined {
  const registered = kernel.types.get(kindOf(row.address));
  if (registered === undefined) return undefined;
  const { type, stepper } = registered;
  const refusal = refusalOf(row, registered);
  // Placeholder until `restore`: an unreadable row is shown as it was stored.
  const snapshot = { value: row.value, context: row.context } as unknown as AnyMachineSnapshot;
  const committed = committedOf(kernel, row);
  const { address } = row;
  const cell = createCell({ address, type, stepper, row, committed, snapshot, phase: 'loading' });
  adopt(kernel, cell);
  if (refusal !== undefined) return quarantineRow(kernel, cell, refusal);
  restore(kernel, cell);
  return quarantineKiller(kernel, cell);
}

/** A fresh cell of an implicit type: it has no past, and its first event is still to come. */
export function createFresh(kernel: Kernel, address: Address, registered: RegisteredType): Cell {
  const { type, stepper } = registered;
  const { snapshot } = stepper.initial(inputFor(kernel, address));
  const cell = createCell({ address, type, stepper, snapshot, phase: 'loading' });
  adopt(kernel, cell);
  restore(kernel, cell);
  return quarantineKiller(kernel, cell);
}

/** Starts a placed or fresh cell: companion, then `activated`, then what it remembers. */
export function start(kernel: Kernel, cell: Cell, cause: string): void {
  if (cell.phase === 'quarantined' || cell.phase === 'gone') return;
  cell.phase = 'active';
  const scope = kernel.scopeOf(cell, cause);
  kernel.options.turn?.begin(cell.address, 'activated');
  try {
    cell.companion = cell.type.companion?.(scope, kernel.options.ports);
  } catch (error) {
    return kernel.crash(cell, error);
  } finally {
    kernel.options.turn?.end();
  }
  putSystem(kernel, cell, { type: 'activated', children: childrenOf(kernel, cell) }, cause);
  if (cell.seed !== undefined) cell.mailbox.putSystem(letterOf(kernel, cell.seed));
  kernel.schedule(cell);
}

/** Closes what the companion holds; that this fails is nobody else's trouble. */
export async function dispose({ options }: Kernel, cell: Cell): Promise<void> {
  const { companion } = cell;
  cell.companion = undefined;
  if (companion === undefined) return;
  try {
    await cell.type.dispose?.(companion);
  } catch (error) {
    options.log.error({ actor: cell.address, err: error }, 'companion not closed');
  }
}

/** Whatever it does first follows from the decision that made it. */
export function activateSpawned(
  kernel: Kernel,
  row: Omit<StoredCell, 'incarnation'>,
  cause: string,
): void {
  if (kernel.cells.has(row.address)) return;
  const cell = place(kernel, { ...row, incarnation: kernel.options.incarnation });
  if (cell !== undefined) start(kernel, cell, cause);
}

/** Brings a crashed cell back to what the store has, or to a fresh start when it has nothing. */
export function restore(kernel: Kernel, cell: Cell): void {
  kernel.timers.cancelAll(cell);
  const { committed } = cell;
  if (committed === undefined) {
    const step = cell.stepper.initial(inputFor(kernel, cell.address));
    assert(step.effects.length === 0, `${cell.address}: effects belong behind 'activated'`);
    cell.snapshot = step.snapshot;
    cell.version = 0;
    for (const timer of step.timers) {
      if (timer.op === 'arm') kernel.timers.arm(cell, timer.id, timer.delayMs);
    }
    return;
  }
  cell.version = committed.version;
  cell.snapshot = cell.stepper.restore(committed.value, committed.context);
  rearm(kernel, cell, committed);
}

/** Takes a cell out for good; what still waits for it is a dead letter. */
export function retire(kernel: Kernel, cell: Cell, reason: DownReason = 'forgotten'): void {
  cell.phase = 'gone';
  cell.life += 1;
  kernel.timers.cancelAll(cell);
  kernel.cells.delete(cell.address);
  if (cell.parent !== undefined) kernel.childrenOf.get(cell.parent)?.delete(cell.address);
  void dispose(kernel, cell);
  kernel.watches.ended(cell.address, reason);
  kernel.watches.leave(cell.address);
  for (const letter of cell.mailbox.clear()) kernel.bury(letter.envelope, 'no-actor');
}

function adopt(kernel: Kernel, cell: Cell): void {
  kernel.cells.set(cell.address, cell);
  if (cell.parent === undefined) return;
  const siblings = kernel.childrenOf.get(cell.parent) ?? new Set<Address>();
  kernel.childrenOf.set(cell.parent, siblings.add(cell.address));
}

function refusalOf(row: StoredCell, { type, stepper }: RegisteredType): string | undefined {
  const known = row.machine === stepper.machineId && row.machineVersion === type.version;
  if (!known) {
    return `stored by machine ${row.machine} version ${row.machineVersion}, this release has ${stepper.machineId} version ${type.version}`;
  }
  try {
    stepper.restore(row.value, row.context);
    return undefined;
  } catch (error) {
    return `stored state ${JSON.stringify(row.value)} does not exist: ${String(error)}`;
  }
}

function quarantineRow(kernel: Kernel, cell: Cell, reason: string): Cell {
  cell.phase = 'quarantined';
  cell.lastError = reason;
  cell.unreadable = reason;
  kernel.options.log.error({ actor: cell.address, reason }, 'stored cell quarantined');
  return cell;
}

/** It killed its thread too often: it does nothing until an operator resumes it. */
function quarantineKiller(kernel: Kernel, cell: Cell): Cell {
  const { log, quarantine } = kernel.options;
  if (quarantine?.has(cell.address) !== true) return cell;
  kernel.timers.cancelAll(cell);
  cell.phase = 'quarantined';
  cell.lastError = `killed its thread ${DELIVERY_ATTEMPTS_MAX} times`;
  log.error({ actor: cell.address, reason: cell.lastError }, 'actor quarantined');
  return cell;
}

/** The one place where stored wall-clock deadlines become waits; from here on they run on their own. */
function committedOf({ options }: Kernel, row: StoredCell): CommittedState {
  const { version, value, context } = row;
  const offset = options.clock.monotonic() - options.clock.now();
  const timers = row.timers.map((timer) => ({ ...timer, dueMonotonicMs: timer.dueAtMs + offset }));
  return { version, value, context, timers };
}

function rearm(kernel: Kernel, cell: Cell, { timers }: CommittedState): void {
  const now = kernel.options.clock.monotonic();
  const inOrder = [...timers].sort((a, b) => a.dueMonotonicMs - b.dueMonotonicMs);
  for (const { id, dueMonotonicMs } of inOrder) {
    kernel.timers.arm(cell, id, Math.max(0, dueMonotonicMs - now));
  }
}

function childrenOf(kernel: Kernel, cell: Cell): readonly JsonObject[] {
  const addresses = [...(kernel.childrenOf.get(cell.address) ?? [])].sort();
  return addresses.flatMap((address) => {
    const child = kernel.cells.get(address);
    if (child === undefined) return [];
    return [
      { address, value: child.snapshot.value as Json, context: { ...child.snapshot.context } },
    ];
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
  cell.mailbox.putSystem(letterOf(kernel, envelope));
}

function letterOf(kernel: Kernel, envelope: Envelope) {
  const enqueuedAt = kernel.options.clock.monotonic();
  return { envelope, enqueuedAt, attempts: 0, system: true } as const;
}
