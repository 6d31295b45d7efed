/**
 * Where feed events come from, for whoever applies them. Events are numbered by their control version;
 * a cursor is the version of the last one that was dealt with, 0 before the first.
 */
import type { FeedFailure } from '../../machines/model/failures.js';
import type { Result } from '../../machines/model/result.js';
import type { FeedEvent } from './store.js';

/** What lies at one control version: an event, or why there is none to be read. */
export type FeedItem =
  | { readonly controlVersion: number; readonly event: FeedEvent }
  | {
      readonly controlVersion: number;
      readonly damaged: string;
      /** Where it lies, for people. */
      readonly place?: string;
    };

export interface FeedSource {
  /** Items with a higher control version, ascending, at most `max`; empty when there is nothing new. */
  read(after: number, max: number): Promise<Result<readonly FeedItem[], FeedFailure>>;
  /** What lies at this number; `undefined`: nothing, or nothing any more. */
  at(controlVersion: number): Promise<Result<FeedItem | undefined, FeedFailure>>;
  /**
   * Until there may be something after `after`, the feed turns out to end before it, or `signal` aborts.
   * Never rejects; may be early.
   */
  wait(after: number, signal: AbortSignal): Promise<void>;
  /** Everything up to here is dealt with and durably noted: it need not be kept for this reader. */
  acknowledge(upTo: number): Promise<Result<void, FeedFailure>>;
  /** Control version of the last event; 0 when there is none. */
  head(): Promise<Result<number, FeedFailure>>;
  /** The bytes that an event's `artifactRef` names, as they are there: the caller compares the digest. */
  artifact(ref: string): Promise<Result<Uint8Array, FeedFailure>>;
  close(): Promise<void>;
}
