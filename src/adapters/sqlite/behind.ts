/**
 * Who writes about a cell of the past: once somebody else was there first, whatever its writer has under
 * way about that cell was made without knowing, and could yet fit the version by chance. It is stale too,
 * until the writer has read the cell again [ST-22].
 */
import type { PackedDecision } from '../../ports/packed.js';
import { RECENT_MAX } from './limits.js';

export interface Behind {
  /** Whether nobody is behind: almost always. */
  readonly none: boolean;
  has(decision: PackedDecision): boolean;
  add(decision: PackedDecision): void;
  /** The cell was read. */
  readAgain(address: string): void;
  /** What was added since is part of the transaction, or undone with it. */
  begin(): void;
  undo(): void;
}

export function createBehind(): Behind {
  const writers = new Map<string, string>();
  const added: string[] = [];
  return {
    get none() {
      return writers.size === 0;
    },
    has: (decision) => writers.get(decision[2]) === writerOf(decision),
    add: (decision) => {
      if (writers.size >= RECENT_MAX) writers.clear();
      if (writers.get(decision[2]) !== writerOf(decision)) added.push(decision[2]);
      writers.set(decision[2], writerOf(decision));
    },
    readAgain: (address) => void writers.delete(address),
    begin: () => {
      added.length = 0;
    },
    undo: () => {
      for (const address of added) writers.delete(address);
      added.length = 0;
    },
  };
}

function writerOf([, , , , thread, incarnation]: PackedDecision): string {
  return `${thread} ${incarnation}`;
}
