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
import { type Cell, type CommittedState, createCell, type InFlight } from './cell.js';
import { type Envelope, OUTSIDE } from './envelope.js';
import type { Kernel, RegisteredType } from './kernel.js';

/**
 * Puts a stored cell into the host without starting it; siblings are placed first, then all start.
 * `aheadMs`: the monotonic clock's lead over the wall clock its stored deadlines were set by.
 */
export function place(kernel: Kernel, row: StoredCell, aheadMs: number): Cell | undefined {
  const registered = kernel.types.get(kindOf(row.address));
  if (registered === undefined) return undefined;
  const { type, stepper } = registered;
  const refusal = refusalOf(row, registered);
  // Placeholder until `restore`: an unreadable row is shown as it was stored.
  const configuration = { index: -1, value: row.value };
  const committed = committedOf(row, aheadMs);
  const { address } = row;
  const { context } = row;
  const stored = { address, type, stepper, row, committed, configuration, context };
  const cell = createCell({ ...stored, phase: 'loading' });
  adopt(kernel, cell);
  if (refusal !== undefined) return quarantineRow(kernel, cell, refusal);
  restore(kernel, cell);
  return cell;
}

/** A fresh cell of an implicit type: it has no past, and its first event is still to come. */
export function createFresh(kernel: Kernel, address: Address, registered: RegisteredType): Cell {
  const { type, stepper } = registered;
  const { configuration, context } = stepper.initial(inputFor(kernel, address));
  const cell = createCell({ address, type, stepper, configuration, context, phase: 'loading' });
  adopt(kernel, cell);
  restore(kernel, cell);
  return cell;
}

/** Starts a placed or fresh cell: companion, then `activated`, then what it remembers. */
export function start(kernel: Kernel, cell: Cell, cause: string): void {
  if (cell.phase === 'quarantined' || cell.phase === 'gone') return;
  cell.phase = 'active';
  const scope = kernel.scopeOf(cell, cause);
  try {
    cell.companion = cell.type.companion?.(scope, kernel.options.ports);
  } catch (error) {
    return kernel.crash(cell, error);
  }
  putSystem(kernel, cell, { type: 'activated', children: childrenOf(kernel, cell) }, cause);
  if (cell.seed !== undefined) cell.mailbox.putSystem(letterOf(kernel, cell.seed));
  kernel.schedule(cell);
}

/** Whatever it does first follows from the decision that made it. */
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

export function activateSpawned(
  kernel: Kernel,
  row: Omit<StoredCell, 'incarnation'>,
  { aheadMs, cause }: InFlight,
): void {
  if (kernel.cells.has(row.address)) return;
  const cell = place(kernel, { ...row, incarnation: kernel.options.incarnation }, aheadMs);
  if (cell !== undefined) start(kernel, cell, cause);
}

/** Brings a crashed cell back to what the store has, or to a fresh start when it has nothing. */
export function restore(kernel: Kernel, cell: Cell): void {
  kernel.timers.cancelAll(cell);
  const { committed } = cell;
  if (committed === undefined) {
    const step = cell.stepper.initial(inputFor(kernel, cell.address));
    assert(step.effects.length === 0, `${cell.address}: effects belong behind 'activated'`);
    cell.configuration = step.configuration;
    cell.context = step.context;
    cell.version = 0;
    for (const timer of step.timers) {
      if (timer.op === 'arm') kernel.timers.arm(cell, timer.id, timer.delayMs);
    }
    return;
  }
  cell.version = committed.version;
  cell.configuration = cell.stepper.restore(committed.value);
  cell.context = committed.context;
  for (const timer of committed.timers) kernel.timers.armAt(cell, timer);
}

/** Takes a cell out for good; what still waits for it is a dead letter. */
export function retire(kernel: Kernel, cell: Cell): void {
  cell.phase = 'gone';
  cell.life += 1;
  kernel.timers.cancelAll(cell);
  kernel.cells.delete(cell.address);
  if (cell.parent !== undefined) kernel.childrenOf.get(cell.parent)?.delete(cell.address);
  void dispose(kernel, cell);
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
    stepper.restore(row.value);
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

/** The one place where stored wall-clock deadlines become waits; from here on they run on their own. */
function committedOf(row: StoredCell, aheadMs: number): CommittedState {
  const { version, value, context } = row;
  const timers = row.timers.map((timer) => ({ ...timer, dueMonotonicMs: timer.dueAtMs + aheadMs }));
  return { version, value, context, timers };
}

function childrenOf(kernel: Kernel, cell: Cell): readonly JsonObject[] {
  const addresses = [...(kernel.childrenOf.get(cell.address) ?? [])].sort();
  return addresses.flatMap((address) => {
    const child = kernel.cells.get(address);
    if (child === undefined) return [];
    return [{ address, value: child.configuration.value, context: { ...child.context } }];
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
