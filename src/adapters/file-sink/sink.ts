/**
 * The `file` sink: the feed in a folder, which one process writes and any may read: as segments of JSON
 * lines, or as one file per event.
 *
 * Rules: [FD-1] acknowledged is on disk, in order, with numbers that leave none out; [FD-2] what failed
 * leaves no trace; [FD-3] the same id gets the same number and one line; [FD-4] one writer at a time;
 * [FD-5] nothing of an ordering key passes what was refused before it; [FD-9] once somebody else has
 * written, nothing more is.
 */
import { join } from 'node:path';
import type { SinkFailure } from '../../../machines/model/failures.js';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import type { Sink } from '../../ports/sink.js';
import type { FeedText } from '../../ports/store.js';
import { writeArtifact } from '../artifact-files/write.js';
import { type Release, takeLock } from '../proc/lock-file.js';
import { makeDirectory } from '../proc/make-directory.js';
import { openEventFolder } from './event-folder.js';
import { type Appended, type Layout, refusedBySystem, unavailable } from './layout.js';
import { openSegments, type SegmentsOptions } from './segments-layout.js';

export interface FileSinkOptions extends SegmentsOptions {
  readonly layout: 'segments' | 'per-event';
}

export async function openFileSink(options: FileSinkOptions): Promise<Result<Sink, SinkFailure>> {
  const { dir } = options;
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
    const layout = await openLayout(options);
    if (layout.ok) return ok(new FileSink(options, layout.value, release));
    await release();
    return layout;
  } catch (error) {
    await release();
    throw error;
  }
}

function openLayout(options: FileSinkOptions): Promise<Result<Layout, SinkFailure>> {
  return options.layout === 'per-event' ? openEventFolder(options.dir) : openSegments(options);
}

class FileSink implements Sink {
  readonly #options: FileSinkOptions;
  readonly #release: Release;
  #layout: Layout;
  #fenced = false;
  /** Calls take turns. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: FileSinkOptions, layout: Layout, release: Release) {
    this.#options = options;
    this.#layout = layout;
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

  append(events: readonly FeedText[]): Promise<readonly Appended[]> {
    return this.#inTurn(() => this.#append(events));
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#layout.close();
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
        await this.#layout.close();
        const layout = await openLayout(this.#options);
        if (!layout.ok) return layout;
        this.#layout = layout.value;
        this.#fenced = false;
      }
      return ok({ head: this.#layout.head });
    } catch (error) {
      return fail(refusedBySystem(error));
    }
  }

  async #append(events: readonly FeedText[]): Promise<readonly Appended[]> {
    if (events.length === 0) return [];
    try {
      this.#fenced ||= !(await this.#layout.isOurs());
    } catch (error) {
      const failure = refusedBySystem(error);
      return events.map(() => fail(failure));
    }
    return this.#fenced ? events.map(() => fail(FENCED)) : this.#layout.append(events);
  }
}

const FENCED: SinkFailure = {
  code: 'fenced',
  message: 'the feed is not as this daemon left it: somebody else writes it, or has taken it away',
};

function notOurs(why: string): string {
  return `${why}: give each daemon a feed folder of its own, or stop the other one`;
}
