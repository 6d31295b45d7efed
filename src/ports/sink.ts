/** Where feed events go. At least once; the same event id twice is the same event. */
import type { SinkFailure } from '../../machines/model/failures.js';
import type { Result } from '../../machines/model/result.js';
import type { FeedEvent } from './store.js';

export interface Sink {
  /**
   * Appends in order and makes durable. Results in order: the control version given (> 0, rising),
   * or why not. After an `unavailable` the remaining events of the call are unavailable too. After a
   * `content` the later events of its ordering key are `content` too and are not appended: nothing
   * overtakes within a key.
   */
  append(
    events: readonly FeedEvent[],
  ): Promise<readonly Result<{ controlVersion: number }, SinkFailure>[]>;
  close(): Promise<void>;
}
