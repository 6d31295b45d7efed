/** What the two layouts of the file sink have in common: each keeps a feed in a folder. */
import type { SinkFailure } from '../../../machines/model/failures.js';
import { fail, type Result } from '../../../machines/model/result.js';
import type { FeedText } from '../../ports/store.js';

export type Appended = Result<{ controlVersion: number }, SinkFailure>;

export interface Layout {
  /** Control version of the last event. */
  readonly head: number;
  /** Whether the feed ends where it was left. */
  isOurs(): Promise<boolean>;
  /** As the sink's; calls do not overlap. */
  append(events: readonly FeedText[]): Promise<readonly Appended[]>;
  close(): Promise<void>;
}

/** Once the disk has refused: everything from the first event that had to be written on is undone. */
export function undone(
  results: readonly Appended[],
  firstAdded: number,
  error: unknown,
): readonly Appended[] {
  const failure = refusedBySystem(error);
  return results.map((result, index) => (index < firstAdded ? result : fail(failure)));
}

/** Errors of the system carry a code; others are bugs. */
export function refusedBySystem(error: unknown): SinkFailure {
  if ((error as NodeJS.ErrnoException).code === undefined) throw error;
  return unavailable(`the feed cannot be written: ${(error as Error).message}`);
}

export function unavailable(message: string): SinkFailure {
  return { code: 'unavailable', message };
}
