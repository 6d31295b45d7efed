/**
 * Where the events of a feed are applied: what they change, which of them were applied, and how far the
 * reader is, all in one transactional place.
 */
import type { JsonObject } from '../../machines/model/json.js';
import type { Result } from '../../machines/model/result.js';
import type { FeedEvent } from './store.js';

/** `content`: this event cannot be applied; `unavailable` says nothing about it. */
export interface TargetFailure {
  readonly code: 'content' | 'unavailable';
  readonly message: string;
}

/** A key of which nothing is applied until somebody says so. */
export interface Quarantined {
  /** Of one node, unless it is the fleet's: `lineOf` of src/policy/duty.ts. */
  readonly orderingKey: string;
  /** Control version of the first event that was not applied. */
  readonly since: number;
  readonly error: string;
}

/** An event that was dealt with, and the number it had in the feed. */
export interface Landmark {
  readonly controlVersion: number;
  readonly eventId: string;
}

export interface Standing {
  /** Control version of the last event that was dealt with; 0 before the first. */
  readonly cursor: number;
  readonly quarantined: readonly Quarantined[];
}

/** What is known of an event before it is applied. */
export interface Known {
  readonly wasApplied: boolean;
  /** Of its key, the newest applied; 0: none. */
  readonly aggregateVersion: number;
}

export interface FeedStep {
  readonly cursor: number;
  /** The whole aggregate after the event. */
  readonly apply?: { readonly event: FeedEvent; readonly data: JsonObject };
  /** Counts as applied without changing anything. */
  readonly skip?: FeedEvent;
  readonly quarantine?: Quarantined;
  /** The feed has lost its end, or is another one from here on: it is read again from here. */
  readonly rewindTo?: number;
  /** A key that is let go. */
  readonly release?: string;
}

export interface FeedTarget {
  standing(): Promise<Result<Standing, TargetFailure>>;
  /** A few of what was dealt with at or before the cursor, newest first, ever further apart. */
  landmarks(): Promise<Result<readonly Landmark[], TargetFailure>>;
  known(event: FeedEvent): Promise<Result<Known, TargetFailure>>;
  /** All of it in one transaction, or none. The cursor goes back only by `rewindTo`. */
  commit(step: FeedStep): Promise<Result<void, TargetFailure>>;
}
