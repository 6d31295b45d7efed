/**
 * Reads the feed from disk, oldest first, from a control version on; `follow` goes on as it grows.
 *
 * Output: an endless or ended sequence of events; a damaged line is a failure value in its place.
 * Only whole lines are read: what is still being written is not there yet.
 *
 * Rules: [FD-6] every whole line from `from` on is given once, in order, over all segments.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, type Result } from '../../machines/model/result.js';
import type { Clock } from '../ports/clock.js';
import type { FeedEvent } from '../ports/store.js';
import { CHUNK_BYTES, FOLLOW_POLL_MS } from './limits.js';
import { decodeLine, listSegments, type Segment } from './segments.js';

export interface ReadOptions {
  readonly dir: string;
  /** First control version wanted; default: the oldest there is. */
  readonly from?: number;
  /** Where an earlier reader stopped; it counts instead of `from`. */
  readonly place?: Place;
  /** Waits for more at the end, until `signal` aborts. */
  readonly follow?: { readonly clock: Clock; readonly signal: AbortSignal };
}

export interface DamagedLine {
  readonly code: 'damaged';
  readonly segment: string;
  readonly line: number;
  readonly message: string;
}

/** One whole line, as it lies there. */
export interface RawLine {
  readonly segment: Segment;
  /** From 1. */
  readonly line: number;
  readonly text: string;
  /** Behind it. */
  readonly end: Place;
}

export interface Place {
  /** The segment, by its first control version. */
  readonly first: number;
  /** Bytes of whole lines read. */
  readonly offset: number;
  readonly lines: number;
}

export async function* readFeed(
  options: ReadOptions,
): AsyncGenerator<Result<FeedEvent, DamagedLine>> {
  const from = options.from ?? 1;
  for await (const raw of readLines(options)) {
    const event = decodeLine(raw.text);
    if (!event.ok) yield fail(damaged(raw, event.failure));
    else if (event.value.controlVersion >= from) yield event;
  }
}

/** From the segment that holds `from`. */
export async function* readLines(options: ReadOptions): AsyncGenerator<RawLine> {
  const { dir, follow } = options;
  let place = options.place ?? (await startOf(dir, options.from ?? 1));
  for (;;) {
    // Listed before it is read: a segment that had a successor by then has got all its lines.
    const segments = await listSegments(dir);
    const segment = segments.find(({ first }) => first >= place.first);
    if (segment !== undefined) {
      if (segment.first > place.first) place = { first: segment.first, offset: 0, lines: 0 };
      place = yield* readWhole(dir, segment, place);
      const next = segments.find(({ first }) => first > segment.first);
      if (next !== undefined) {
        place = { first: next.first, offset: 0, lines: 0 };
        continue;
      }
    }
    if (follow === undefined || follow.signal.aborted) return;
    await pause(follow);
  }
}

async function startOf(dir: string, from: number): Promise<Place> {
  const segments = await listSegments(dir);
  const holding = segments.findLast(({ first }) => first <= from);
  return { first: holding?.first ?? segments[0]?.first ?? 1, offset: 0, lines: 0 };
}

async function* readWhole(
  dir: string,
  segment: Segment,
  start: Place,
): AsyncGenerator<RawLine, Place> {
  const file = await open(join(dir, segment.name), 'r');
  try {
    return yield* splitLines(file, segment, start);
  } finally {
    await file.close();
  }
}

async function* splitLines(
  file: FileHandle,
  segment: Segment,
  start: Place,
): AsyncGenerator<RawLine, Place> {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let rest = Buffer.alloc(0);
  let { offset, lines } = start;
  for (;;) {
    const { bytesRead } = await file.read(chunk, 0, chunk.length, offset + rest.length);
    if (bytesRead === 0) return { first: segment.first, offset, lines };
    rest = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
      lines += 1;
      offset += end + 1;
      const behind = { first: segment.first, offset, lines };
      yield { segment, line: lines, text: rest.subarray(0, end).toString('utf8'), end: behind };
      rest = rest.subarray(end + 1);
    }
  }
}

/** Until the next look or the end of following, whatever is first. */
export function pause({ clock, signal }: NonNullable<ReadOptions['follow']>): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(FOLLOW_POLL_MS, done);
    signal.addEventListener('abort', done, { once: true });
  });
}

function damaged({ segment, line }: RawLine, message: string): DamagedLine {
  return { code: 'damaged', segment: segment.name, line, message };
}
