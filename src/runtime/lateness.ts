/** How late a timer fires that its actor's type wants told: what a thread that is busy costs whoever waits. */
import type { Cell } from './cell.js';
import type { Kernel } from './kernel.js';

/** The cell it was given. */
export function tellLateness({ options }: Kernel, cell: Cell, id: string, dueMs: number): Cell {
  const { timed } = cell.type;
  if (timed === undefined || !id.includes(timed.timer)) return cell;
  const lateMs = Math.max(0, options.clock.monotonic() - dueMs);
  options.metrics.observe(timed.metric, lateMs / 1_000);
  return cell;
}
