/**
 * The `file` sink: the feed as segments of JSON lines in a folder, which one process writes and any may
 * read. Control versions count the lines.
 *
 * Rules: [FD-1] acknowledged is on disk, in order, with numbers that leave none out; [FD-2] what failed
 * leaves no trace; [FD-3] the same id gets the same number and one line; [FD-4] one writer at a time;
 * [FD-5] nothing of an ordering key passes what was refused before it; [FD-9] once somebody else has
 * written, nothing more is.
 */
import { join } from 'node:path';
import type { SinkFailure } from '../../../machines/model/failures.js';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import type { RecentIds } from '../../feed/recent-ids.js';
import type { Log } from '../../ports/log.js';
import type { Sink } from '../../ports/sink.js';
import type { FeedEvent } from '../../ports/store.js';
import { writeArtifact } from '../artifact-files/write.js';
import { type Release, takeLock } from '../proc/lock-file.js';
import { makeDirectory } from '../proc/make-directory.js';
import { planAppend } from './plan.js';
import { prime } from './prime.js';
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
    const start = await startOf(options);
    if (start.ok) return ok(new FileSink(options, start.value, release));
    await release();
    return start;
  } catch (error) {
    await release();
    throw error;
  }
}

/** What is known of the feed, and who writes on. */
interface Start {
  readonly writer: SegmentWriter;
  readonly recent: RecentIds;
  readonly nextVersion: number;
}

async function startOf(options: FileSinkOptions): Promise<Result<Start, SinkFailure>> {
  const primed = await prime(options.dir, options.log);
  if (!primed.ok) return primed;
  const { position, recent, nextVersion } = primed.value;
  const writer = createSegmentWriter(options.dir, position, options.segmentBytes);
  // An event of an earlier run is answered from memory: it must be on disk before it is.
  await writer.prepare();
  return ok({ writer, recent, nextVersion });
}

class FileSink implements Sink {
  readonly #options: FileSinkOptions;
  readonly #release: Release;
  #at: Start;
  #fenced = false;
  /** Calls take turns. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: FileSinkOptions, start: Start, release: Release) {
    this.#options = options;
    this.#at = start;
    this.#release = release;
  }

  resume(): Promise<Result<{ readonly head: number }, SinkFailure>> {
    return this.#inTurn(() => this.#resume());
  }

  async putArtifact(ref: string, bytes: Uint8Array): Promise<Result<void, SinkFailure>> {
    try {
      writeArtifact(join(this.#options.dir, 'artifacts'), ref, bytes);
      return ok(undefined);
    } catch (error) {
      return fail(refusedBySystem(error));
    }
  }

  append(events: readonly FeedEvent[]): Promise<readonly Appended[]> {
    return this.#inTurn(() => this.#append(events));
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#at.writer.close();
    await this.#release();
  }

  #inTurn<T>(body: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(body);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #resume(): Promise<Result<{ readonly head: number }, SinkFailure>> {
    try {
      if (this.#fenced) {
        await this.#at.writer.close();
        const start = await startOf(this.#options);
        if (!start.ok) return start;
        this.#at = start.value;
        this.#fenced = false;
      }
      return ok({ head: this.#at.nextVersion - 1 });
    } catch (error) {
      return fail(refusedBySystem(error));
    }
  }

  async #append(events: readonly FeedEvent[]): Promise<readonly Appended[]> {
    const { writer, recent, nextVersion } = this.#at;
    const plan = planAppend(events, (eventId) => recent.get(eventId), nextVersion);
    if (plan.added.length === 0 && !this.#fenced) return plan.results;
    try {
      this.#fenced ||= !(await writer.isOurs());
      if (this.#fenced) return events.map(() => fail(FENCED));
      await writer.write(Buffer.from(plan.text), nextVersion);
    } catch (error) {
      const failure = refusedBySystem(error);
      return plan.results.map((result, index) =>
        index < plan.firstAdded ? result : fail(failure),
      );
    }
    for (const { eventId, controlVersion } of plan.added) recent.add(eventId, controlVersion);
    this.#at = { ...this.#at, nextVersion: nextVersion + plan.added.length };
    return plan.results;
  }
}

const FENCED: SinkFailure = {
  code: 'fenced',
  message: 'the feed is not as this daemon left it: somebody else writes it, or has taken it away',
};

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
