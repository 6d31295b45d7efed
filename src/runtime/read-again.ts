/**
 * A cell that is behind its row asks the store where it stands: somebody else has moved the row, or it is
 * gone. What was in memory is given up; children that it did not know of come with it.
 *
 * Rule: [RT-66] it comes back as the store has it, never as it was in memory or at its beginning.
 */
import type { StoredCell } from '../ports/store.js';
import { committedOf, fenceOff, place, quarantineRow, start } from './activation.js';
import { type Cell, keepCommitted } from './cell.js';
import type { Kernel } from './kernel.js';
import { readRow } from './stored-row.js';

/**
 * current     what is committed is known again: bring it back from that
 * unknown     the store does not answer
 * unreadable  its row is not of this release; the cell says so
 * gone        it is no more; the cell has left
 */
export type Standing = 'current' | 'unknown' | 'unreadable' | 'gone';

/** `then` is not called for a cell that has left meanwhile. */
export function readAgain(kernel: Kernel, cell: Cell, then: (is: Standing) => void): void {
  const { life } = cell;
  keepCommitted(cell, kernel.timers);
  kernel.timers.cancelAll(cell);
  void kernel.options.store.loadFamily(cell.address).then((loaded) => {
    if (cell.phase !== 'loading' || cell.life !== life) return;
    then(loaded.ok ? standingBy(kernel, cell, loaded.value) : 'unknown');
  });
}

function standingBy(kernel: Kernel, cell: Cell, family: readonly StoredCell[]): Standing {
  const { clock, placement, thread } = kernel.options;
  const aheadMs = clock.monotonic() - clock.now();
  const row = family.find(({ address }) => address === cell.address);
  cell.troubled.outdated = false;
  for (const child of family) {
    const isNew = !kernel.cells.has(child.address);
    if (!isNew || placement.threadOf(child.address) !== thread) continue;
    const placed = place(kernel, child, aheadMs);
    if (placed !== undefined) start(kernel, placed, cell.address);
  }
  if (row !== undefined) return standingByRow(kernel, cell, row, aheadMs);
  cell.committed = undefined;
  if (cell.type.implicit) return 'current';
  fenceOff(kernel, cell);
  return 'gone';
}

function standingByRow(kernel: Kernel, cell: Cell, row: StoredCell, aheadMs: number): Standing {
  const read = readRow(row, cell.registered);
  if (!read.ok) {
    quarantineRow(kernel, cell, read.failure);
    return 'unreadable';
  }
  cell.committed = committedOf(read.value, row.version, aheadMs);
  return 'current';
}
