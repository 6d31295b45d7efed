/**
 * Duties: actors that live here only while this node holds the fleet's lease, and effects that leave only
 * when the fleet knows why.
 *
 * A decision of such an actor carries its whole row in one more feed event; what follows from it and must
 * happen once per fleet waits until the feed has acknowledged that event. What is only for this node leaves
 * after the local commit, as ever. Off duty the actors are not here: messages to them are dropped, since
 * all of them are levels that are said again.
 *
 * Without `duty` in the host's options nothing of this exists [FL-2].
 *
 * Rules: [FL-3] a once-per-fleet effect leaves after its decision is in the feed, in order, or never;
 * [FL-4] off duty nothing of a duty runs, on duty again it is what the fleet's rows say.
 */
import type { RecordParams } from '../../machines/model/effects.js';
import { type Address, keyOf, kindOf } from '../../machines/model/ids.js';
import type { Json, JsonObject } from '../../machines/model/json.js';
import type { Decision, StoredCell } from '../ports/store.js';

export interface DutyOptions {
  covers(address: Address): boolean;
}

/** The type of the event that carries rows. */
export const ROWS_DECIDED = 'fleet.decided';

export interface FeedGate {
  /** Runs `release` when the feed has the row of this number; in the order of the numbers. */
  hold(seq: number, release: () => void): void;
  /** The feed has everything up to here, but for `lost`, which will never be there. */
  raise(upTo: number, lost?: readonly number[]): void;
  /** What waits will not leave. */
  drop(): void;
  readonly waiting: number;
}

export function createFeedGate(): FeedGate {
  let acknowledged = 0;
  let held: { readonly seq: number; readonly release: () => void }[] = [];
  return {
    hold: (seq, release) => {
      if (seq <= acknowledged) return release();
      held.push({ seq, release });
    },
    raise: (upTo, lost = []) => {
      if (lost.length > 0) held = held.filter(({ seq }) => !lost.includes(seq));
      acknowledged = Math.max(acknowledged, upTo);
      const due = held.filter(({ seq }) => seq <= acknowledged).sort((a, b) => a.seq - b.seq);
      held = held.filter(({ seq }) => seq > acknowledged);
      for (const { release } of due) release();
    },
    drop: () => {
      held = [];
    },
    get waiting() {
      return held.length;
    },
  };
}

/** What the fleet keeps of a decision: the rows it wrote, whole. */
export interface DecidedRows {
  readonly cell: FleetRow | null;
  readonly spawns: readonly FleetRow[];
  /** Its own row is gone. */
  readonly forget: boolean;
}

export type FleetRow = Omit<StoredCell, 'incarnation' | 'parent' | 'damaged'> & {
  readonly parent: Address | null;
};

type Rows = Pick<Decision, 'actor' | 'cell' | 'spawns' | 'forget'>;

export function rowsRecord({ actor, cell, spawns, forget }: Rows): RecordParams {
  const decided: DecidedRows = {
    cell: cell === undefined ? null : fleetRow(cell),
    spawns: spawns.map(fleetRow),
    forget,
  };
  return {
    event: ROWS_DECIDED,
    rule: 'FL-1',
    numbers: {},
    publish: {
      aggregateKind: kindOf(actor),
      aggregateId: keyOf(actor),
      data: decided as unknown as JsonObject,
    },
  };
}

function fleetRow(row: NonNullable<Rows['cell']> | Rows['spawns'][number]): FleetRow {
  const { address, parent, machine, machineVersion, machineHash, version } = row;
  const { value, context, timers } = row;
  const kept = timers.map(({ id, dueAtMs }) => ({ id, dueAtMs }));
  return {
    ...{ address, parent: parent ?? null, machine, machineVersion, machineHash, version },
    ...{ value: value as Json, context, timers: kept },
  };
}
