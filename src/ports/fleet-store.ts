/**
 * What a node keeps of the fleet's log: the rows of the holder's actors as the log has them, beside its own
 * cells. The log is the truth; the cells of a holder are ahead of it by what is not acknowledged yet.
 */
import type { StoreFailure } from '../../machines/model/failures.js';
import type { Result } from '../../machines/model/result.js';

/** One row after one event. */
export interface FleetChange {
  readonly address: string;
  /** `FleetRow` of src/runtime/duty.ts as JSON text; null: it is gone. */
  readonly row: string | null;
}

/** The last event of an ordering key: the next has the next version, and names this one's hash. */
export interface AggregateHead {
  readonly key: string;
  readonly version: number;
  readonly hash: string;
}

export interface FleetBatch {
  /** In the log's order. */
  readonly changes: readonly FleetChange[];
  /** How far others have counted the versions of aggregates: a new holder goes on from there. */
  readonly versions: readonly AggregateHead[];
  /** Control version of the last event of the batch. */
  readonly cursor: number;
  /** `Standing` of the newest holder in the batch, as JSON text; absent: nobody became it. */
  readonly standing?: string;
}

type Answer<T> = Promise<Result<T, StoreFailure>>;

export interface FleetStore {
  /** Rows and cursor in one transaction; a batch at or before the cursor changes nothing. */
  fleetApply(batch: FleetBatch): Answer<void>;
  /** Control version of the last event applied; 0 before the first. */
  fleetCursor(): Answer<number>;
  /** The newest holder that the log knows; `undefined`: there was none. */
  fleetStanding(): Answer<string | undefined>;
  /** Rows whose address begins so, behind one, ascending. */
  fleetRows(prefix: string, after: string, max: number): Answer<readonly FleetChange[]>;
  /** The cells at these addresses become what the log says, all of them, in one transaction. */
  fleetAdopt(prefixes: readonly string[]): Answer<void>;
  /** Pending rows that will never be published: another holder has gone on without them. */
  outboxAbandon(seqs: readonly number[], reason: string): Answer<void>;
}
