/**
 * The `file` source: a feed in a folder, of segments or of one file per event, read while its writer goes
 * on. Nothing is kept for a reader there, so that there is nothing to acknowledge.
 *
 * Rules: [FD-6] as read.ts; [FD-10] as every source.
 */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { FeedFailure } from '../../machines/model/failures.js';
import { fail, ok, type Result } from '../../machines/model/result.js';
import type { Clock } from '../ports/clock.js';
import type { FeedItem, FeedSource } from '../ports/feed-source.js';
import { artifactPath } from './artifacts.js';
import { createEventFiles } from './event-files-source.js';
import { type Place, pause, type RawLine, readLines } from './read.js';
import { decodeLine, listSegments } from './segments.js';

export interface FileSourceOptions {
  readonly dir: string;
  readonly clock: Clock;
}

/** Where the last read stopped: the next one mostly goes on from there. */
interface Bookmark {
  readonly version: number;
  readonly place: Place;
}

export function openFileSource({ dir, clock }: FileSourceOptions): FeedSource {
  let bookmark: Bookmark | undefined;
  const files = createEventFiles(dir);
  /** Whoever finds no segment looks for files. */
  const isOfFiles = async (): Promise<boolean> => (await listSegments(dir)).length === 0;

  const readSegments = async (after: number, max: number): Promise<readonly FeedItem[]> => {
    const items: FeedItem[] = [];
    const start = bookmark?.version === after ? { place: bookmark.place } : { from: after + 1 };
    if (max < 1) return items;
    for await (const raw of readLines({ dir, ...start })) {
      const item = itemOf(raw);
      if (item.controlVersion <= after) continue;
      items.push(item);
      bookmark = { version: item.controlVersion, place: raw.end };
      if (items.length >= max) break;
    }
    return items;
  };

  const read: FeedSource['read'] = (after, max) =>
    attempt(async () => ((await isOfFiles()) ? files.read(after, max) : readSegments(after, max)));

  return {
    read,
    at: async (controlVersion) => {
      const place = bookmark;
      const items = await read(controlVersion - 1, 1);
      // The next read goes on from where the last one stopped, not from here.
      bookmark = place;
      if (!items.ok) return items;
      return ok(items.value.find((item) => item.controlVersion === controlVersion));
    },
    wait: (_after, signal) => pause({ clock, signal }),
    acknowledge: async () => ok(undefined),
    head: () => attempt(async () => ((await isOfFiles()) ? files.head() : headOf(dir, bookmark))),
    artifact: (ref) => readArtifact(dir, ref),
    close: async () => undefined,
  };
}

/** A damaged line lies where its neighbours say it does. */
function itemOf(raw: RawLine): FeedItem {
  const controlVersion = raw.segment.first + raw.line - 1;
  const event = decodeLine(raw.text);
  const place = `${raw.segment.name}:${raw.line}`;
  if (!event.ok) return { controlVersion, damaged: event.failure, place };
  if (event.value.controlVersion === controlVersion) return { controlVersion, event: event.value };
  const damaged = `it says control version ${event.value.controlVersion}, and lies at ${controlVersion}`;
  return { controlVersion, damaged, place };
}

/** Counted on from where the last read stopped, unless the segment ends before that: it lost its end. */
async function headOf(dir: string, bookmark: Bookmark | undefined): Promise<number> {
  const last = (await listSegments(dir)).at(-1);
  if (last === undefined) return 0;
  const known = bookmark?.place.first === last.first ? bookmark.place : undefined;
  const { size } = await stat(join(dir, last.name));
  const place = known !== undefined && known.offset <= size ? known : undefined;
  let head = last.first - 1 + (place?.lines ?? 0);
  const start = place === undefined ? { from: last.first } : { place };
  for await (const { line } of readLines({ dir, ...start })) head = last.first + line - 1;
  return head;
}

async function readArtifact(dir: string, ref: string): Promise<Result<Uint8Array, FeedFailure>> {
  const file = artifactPath(join(dir, 'artifacts'), ref);
  if (file === undefined) return missing(`${ref} is no name of an artifact`);
  try {
    return ok(await readFile(file));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return missing(`${ref} is not there`);
    return unavailable(error);
  }
}

function missing(message: string): Result<never, FeedFailure> {
  return fail({ code: 'missing', message });
}

function unavailable(error: unknown): Result<never, FeedFailure> {
  if ((error as NodeJS.ErrnoException).code === undefined) throw error;
  return fail({
    code: 'unavailable',
    message: `the feed cannot be read: ${(error as Error).message}`,
  });
}

async function attempt<T>(body: () => Promise<T>): Promise<Result<T, FeedFailure>> {
  try {
    return ok(await body());
  } catch (error) {
    return unavailable(error);
  }
}
