/**
 * The `file` sink: the feed as segments of JSON lines in a folder, which one process writes and any may
 * read. Control versions count the lines.
 *
 * Rules: [FD-1] acknowledged is on disk, in order, with numbers that leave none out; [FD-2] what failed
 * leaves no trace; [FD-3] the same id gets the same number and one line; [FD-4] one writer at a time;
 * [FD-5] nothing of an ordering key passes what was refused before it.
 */
import { join } from 'node:path';
import type { SinkFailure } from '../../../machines/model/failures.js';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import type { RecentIds } from '../../feed/recent-ids.js';
import type { Log } from '../../ports/log.js';
import type { Sink } from '../../ports/sink.js';
import type { FeedEvent } from '../../ports/store.js';
import { type Release, takeLock } from '../proc/lock-file.js';
import { makeDirectory } from '../proc/make-directory.js';
import { planAppend } from './plan.js';
import { type Primed, prime } from './prime.js';
import { createSegmentWriter, type SegmentWriter } from './segment-writer.js';

export interface FileSinkOptions {
  readonly dir: string;
  readonly layout: 'segments' | 'per-event';
  readonly log: Log;
  /** A segment that has reached this is closed. */
  readonly segmentBytes?: number;
}

type Appended = Result<{ controlVersion: number }, SinkFailure>;

export async function openFileSink(options: FileSinkOptions): Promise<Result<Sink, SinkFailure>> {
  const { dir, layout } = options;
  if (layout === 'per-event') return fail(unavailable(NO_PER_EVENT));
  try {
    makeDirectory(dir, 0o750);
    const lock = await takeLock(join(dir, 'writer.lock'));
    if (!lock.ok) return fail(unavailable(notOurs(lock.failure.message)));
    return await openLocked(options, lock.value);
  } catch (error) {
    return fail(refusedBySystem(error));
  }
}

async function openLocked(
  options: FileSinkOptions,
  release: Release,
): Promise<Result<Sink, SinkFailure>> {
  try {
    const primed = await prime(options.dir, options.log);
    if (!primed.ok) {
      await release();
      return primed;
    }
    const { dir, segmentBytes } = options;
    const writer = createSegmentWriter(dir, primed.value.position, segmentBytes);
    // An event of an earlier run is answered from memory: it must be on disk before it is.
    await writer.prepare();
    return ok(new FileSink(writer, primed.value, release));
  } catch (error) {
    await release();
    throw error;
  }
}

class FileSink implements Sink {
  readonly #writer: SegmentWriter;
  readonly #recent: RecentIds;
  readonly #release: Release;
  #nextVersion: number;
  /** Calls take turns. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(writer: SegmentWriter, primed: Primed, release: Release) {
    this.#writer = writer;
    this.#recent = primed.recent;
    this.#nextVersion = primed.nextVersion;
    this.#release = release;
  }

  append(events: readonly FeedEvent[]): Promise<readonly Appended[]> {
    const turn = this.#last.then(() => this.#append(events));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#writer.close();
    await this.#release();
  }

  async #append(events: readonly FeedEvent[]): Promise<readonly Appended[]> {
    const plan = planAppend(events, (eventId) => this.#recent.get(eventId), this.#nextVersion);
    if (plan.added.length === 0) return plan.results;
    try {
      await this.#writer.write(Buffer.from(plan.text), this.#nextVersion);
    } catch (error) {
      const failure = refusedBySystem(error);
      return plan.results.map((result, index) =>
        index < plan.firstAdded ? result : fail(failure),
      );
    }
    for (const { eventId, controlVersion } of plan.added) this.#recent.add(eventId, controlVersion);
    this.#nextVersion += plan.added.length;
    return plan.results;
  }
}

const NO_PER_EVENT =
  'the layout "per-event" is not available in this release: set outbox.sink.layout to "segments"';

function notOurs(why: string): string {
  return `${why}: give each daemon a feed folder of its own, or stop the other one`;
}

/** Errors of the system carry a code; others are bugs. */
function refusedBySystem(error: unknown): SinkFailure {
  if ((error as NodeJS.ErrnoException).code === undefined) throw error;
  return unavailable(`the feed cannot be written: ${(error as Error).message}`);
}

function unavailable(message: string): SinkFailure {
  return { code: 'unavailable', message };
}
