/**
 * How the actors of a thread look to their operators: each by its own view, all by what the runtime knows
 * of them, and one frame each for an inspector that comes late.
 *
 * A row that this release cannot read is shown among the actors, as quarantined, and not as an object.
 */
import type { ActorKind, Address } from '../../machines/model/ids.js';
import type { JsonObject } from '../../machines/model/json.js';
import { type Cell, viewOf } from './cell.js';
import type { HostOptions, Kernel, TapFrame } from './kernel.js';
import { depthOf, oldestAt } from './mailbox.js';

export interface Views {
  of(kind: ActorKind): readonly JsonObject[];
  /** Undefined: it is not here, or nothing to show. */
  at(address: Address): JsonObject | undefined;
  actors(): readonly JsonObject[];
}

export function createViews(kernel: Kernel, options: HostOptions): Views {
  const view = (cell: Cell): readonly JsonObject[] => {
    try {
      const seen = viewOf(cell, kernel.timers.armedOf(cell));
      return cell.type.isShown?.(seen) === false ? [] : [cell.type.view(seen, cell.companion)];
    } catch (error) {
      options.log.error({ actor: cell.address, err: error }, 'actor cannot be shown');
      return [];
    }
  };
  return {
    of: (kind) => {
      const cells: Cell[] = [];
      for (const cell of kernel.cells.values()) if (cell.type.kind === kind) cells.push(cell);
      return cells.sort((a, b) => (a.address < b.address ? -1 : 1)).flatMap(view);
    },
    at: (address) => {
      const cell = kernel.cells.get(address);
      return cell === undefined ? undefined : view(cell)[0];
    },
    actors: () => [...kernel.cells.values()].map((cell) => actorView(options, cell)),
  };
}

/** The event is the one XState itself begins with: nothing was sent. */
export function glanceAt(cell: Cell): TapFrame {
  const isDown = cell.phase === 'restarting' || cell.phase === 'quarantined';
  return {
    address: cell.address,
    machineId: cell.stepper.machineId,
    event: { type: 'xstate.init' },
    value: cell.configuration.value,
    context: cell.context,
    status: isDown ? 'error' : 'active',
  };
}

function actorView({ clock, thread }: HostOptions, cell: Cell): JsonObject {
  const waitsSince = oldestAt(cell);
  return {
    address: cell.address,
    thread,
    state: cell.phase === 'active' ? cell.configuration.value : cell.phase,
    mailboxDepth: depthOf(cell),
    oldestMessageAgeMs: waitsSince === undefined ? 0 : Math.round(clock.monotonic() - waitsSince),
    restarts: cell.trouble.restarts,
    quarantined: cell.phase === 'quarantined',
    lastError: cell.trouble.lastError,
    ...(cell.trouble.unreadable === undefined ? {} : { unreadable: true }),
  };
}
