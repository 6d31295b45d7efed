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
  readonly epoch: number;
  readonly version: number;
  readonly hash: string;
  /** This node said it: its own count is as far, or further. */
  readonly own?: true;
}

/**
 * What one event says of rows. It is late when one of its key that is newer, by epoch and version, was applied:
 * then it brings at most rows that nobody has heard of.
 */
export interface FleetEvent {
  readonly key: string;
  readonly epoch: number;
  readonly version: number;
  readonly changes: readonly FleetChange[];
}

export interface FleetBatch {
  /** In the log's order. */
  readonly events: readonly FleetEvent[];
  /** How far the versions of aggregates are counted: a new holder goes on from there. */
  readonly versions: readonly AggregateHead[];
  /** Control version of the last event of the batch. */
  readonly cursor: number;
  /** `Standing` of the newest holder in the batch, as JSON text; absent: nobody became it. */
  readonly standing?: string;
  /** Where the reader has been, as JSON text of its own; kept with the cursor. */
  readonly ground?: string;
  /** The log has lost its end, or is another one: the cursor goes back. What is known stays. */
  readonly rewind?: true;
}

type Answer<T> = Promise<Result<T, StoreFailure>>;

export interface FleetStore {
  /** Rows and cursor in one transaction; a batch at or before the cursor changes nothing, unless it rewinds. */
  fleetApply(batch: FleetBatch): Answer<void>;
  /** Control version of the last event applied; 0 before the first. */
  fleetCursor(): Answer<number>;
  /** As the last batch that had it said; `undefined`: none did. */
  fleetGround(): Answer<string | undefined>;
  /** The newest holder that the log knows, by its epoch; `undefined`: there was none. */
  fleetStanding(): Answer<string | undefined>;
  /** Rows whose address begins so, behind one, ascending. */
  fleetRows(prefix: string, after: string, max: number): Answer<readonly FleetChange[]>;
  /**
   * The cells at these addresses become what the log says, all of them, in one transaction, and its keys are
   * counted on from where the log has them: what was decided and never published is not counted.
   */
  fleetAdopt(prefixes: readonly string[]): Answer<void>;
  /** Pending rows that will never be published: another holder has gone on without them. */
  outboxAbandon(seqs: readonly number[], reason: string): Answer<void>;
}
