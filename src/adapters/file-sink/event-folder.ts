/**
 * The layout `per-event` of the file sink: one file per event named by its id, whole under its name or not
 * there. Numbers go on from the highest in the folder.
 *
 * Rules: [FD-1] files appear in the order of their numbers; [FD-2] a number whose file could not be made is
 * given to the next; [FD-3] a file that is there is the event, whatever is sent under its id.
 */
import { type FileHandle, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { SinkFailure } from '../../../machines/model/failures.js';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import {
  decodeEventFile,
  encodeEventFile,
  eventFileName,
  listEventFiles,
} from '../../feed/event-files.js';
import { wholeOf } from '../../ports/feed-text.js';
import type { FeedText } from '../../ports/store.js';
import { type Appended, type Layout, undone } from './layout.js';

interface Known {
  readonly eventId: string;
  readonly controlVersion: number;
}

/** Rejects with the system's error; a file that is no event keeps the sink closed. */
export async function openEventFolder(dir: string): Promise<Result<Layout, SinkFailure>> {
  const known = new Map<string, Known>();
  for (const name of await listEventFiles(dir)) {
    const event = decodeEventFile(await readFile(join(dir, name), 'utf8'));
    if (!event.ok) return fail({ code: 'unavailable', message: damaged(name, event.failure) });
    const { controlVersion, eventId } = event.value;
    known.set(name, { controlVersion, eventId });
  }
  await syncFolder(dir);
  return ok(createEventFolder(dir, known));
}

function damaged(name: string, why: string): string {
  return `${name} is ${why}: move it away, or restore it`;
}

interface Job {
  readonly event: FeedText;
  readonly name: string;
  readonly controlVersion: number;
}

function createEventFolder(dir: string, known: Map<string, Known>): Layout {
  let head = 0;
  for (const { controlVersion } of known.values()) head = Math.max(head, controlVersion);

  /** What the events come to if the disk takes them. */
  const plan = (events: readonly FeedText[]) => {
    const jobs: Job[] = [];
    const stopped = new Set<string>();
    let firstAdded = events.length;
    const results = events.map((event, index): Appended => {
      const name = eventFileName(event.eventId);
      const there = name === undefined ? undefined : known.get(name);
      const planned = jobs.find((job) => job.name === name);
      const number = there?.controlVersion ?? planned?.controlVersion;
      const isSame = (there ?? planned?.event)?.eventId === event.eventId;
      if (number !== undefined && isSame) return ok({ controlVersion: number });
      const refusal = stopped.has(event.orderingKey) ? BEHIND : refusalOf(event, name, number);
      if (refusal !== undefined || name === undefined) {
        stopped.add(event.orderingKey);
        return fail({ code: 'content', message: refusal ?? NO_NAME });
      }
      const controlVersion = head + jobs.length + 1;
      jobs.push({ event, name, controlVersion });
      firstAdded = Math.min(firstAdded, index);
      return ok({ controlVersion });
    });
    return { jobs, results, firstAdded };
  };

  return {
    get head() {
      return head;
    },
    // The lock keeps others of our kind away; whoever ignores it adds files of other names.
    isOurs: async () => true,
    close: async () => undefined,
    append: async (events) => {
      const { jobs, results, firstAdded } = plan(events);
      if (jobs.length === 0) return results;
      try {
        await Promise.all(jobs.map((job) => writeUnfinished(dir, job)));
        for (const job of jobs) await rename(unfinished(dir, job.name), join(dir, job.name));
        await syncFolder(dir);
      } catch (error) {
        await Promise.all(jobs.map((job) => takeBack(dir, job.name)));
        return undone(results, firstAdded, error);
      }
      for (const { name, event, controlVersion } of jobs) {
        known.set(name, { eventId: event.eventId, controlVersion });
      }
      head += jobs.length;
      return results;
    },
  };
}

const BEHIND = 'behind a refused event of its ordering key';
const NO_NAME = 'no file can have its id as a name';

function refusalOf(
  { type }: FeedText,
  name: string | undefined,
  number: number | undefined,
): string | undefined {
  if (name === undefined) return NO_NAME;
  if (type === '') return 'the event has no type';
  return number === undefined ? undefined : `another event has the file ${name}`;
}

/** Hidden, and not an event by its name: no reader takes it for one. */
function unfinished(dir: string, name: string): string {
  return join(dir, `.${name}.new`);
}

async function writeUnfinished(dir: string, { event, name, controlVersion }: Job): Promise<void> {
  const file = await open(unfinished(dir, name), 'w', 0o640);
  await written(file, encodeEventFile(wholeOf(event), controlVersion));
}

async function written(file: FileHandle, text: string): Promise<void> {
  try {
    await file.writeFile(text);
    await file.datasync();
  } finally {
    await file.close();
  }
}

async function takeBack(dir: string, name: string): Promise<void> {
  for (const path of [join(dir, name), unfinished(dir, name)]) {
    await rm(path, { force: true }).catch(() => undefined);
  }
}

async function syncFolder(dir: string): Promise<void> {
  const folder = await open(dir, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
