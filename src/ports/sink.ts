/**
 * Where feed events go. At least once; the same event id twice is the same event.
 *
 * A feed has one writer at a time. A sink knows the control version that it expects to be the last one;
 * when somebody else has appended since, it appends nothing more [FD-9].
 */
import type { SinkFailure } from '../../machines/model/failures.js';
import type { Result } from '../../machines/model/result.js';
import type { FeedText } from './store.js';

export interface Sink {
  /**
   * Reads where the feed stands, and counts on from there: the control version of the last event, 0 when
   * there is none. Before the first `append` and after a `fenced`; whoever calls it is the one writer.
   */
  resume(): Promise<Result<{ readonly head: number }, SinkFailure>>;
  /**
   * Appends in order and makes durable. Results in order: the control version given (> 0, rising),
   * or why not. After an `unavailable` or a `fenced` the remaining events of the call have that failure
   * too; after a `fenced` also every later call has, until `resume`. After a `content` the later events
   * of its ordering key are `content` too and are not appended: nothing overtakes within a key.
   */
  append(
    events: readonly FeedText[],
  ): Promise<readonly Result<{ controlVersion: number }, SinkFailure>[]>;
  /**
   * Makes bytes readable under their reference wherever the feed is read, before an event that names
   * them is appended. The same reference again is no work.
   */
  putArtifact(ref: string, bytes: Uint8Array): Promise<Result<void, SinkFailure>>;
  close(): Promise<void>;
}
