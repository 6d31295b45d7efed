/**
 * Where the feed on disk stands: read once, when the sink opens.
 *
 * Output: the position behind the last whole line, the next control version and the ids of the latest
 * events. A crash may leave an unfinished last line, never acknowledged: it is left out, with a
 * warning, and will be cut off. Damage anywhere else is not ours to judge: the sink does not open.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SinkFailure } from '../../../machines/model/failures.js';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import { RECENT_IDS } from '../../feed/limits.js';
import { createRecentIds, type RecentIds } from '../../feed/recent-ids.js';
import { decodeLine, listSegments, type Segment } from '../../feed/segments.js';
import type { Log } from '../../ports/log.js';
import type { Position } from './segment-writer.js';

export interface Primed {
  readonly position: Position;
  readonly nextVersion: number;
  readonly recent: RecentIds;
}

interface Numbered {
  readonly eventId: string;
  readonly controlVersion: number;
}

export async function prime(dir: string, log: Log): Promise<Result<Primed, SinkFailure>> {
  const segments = await listSegments(dir);
  const last = segments.at(-1);
  if (last === undefined) {
    return ok({ position: { first: 1, bytes: 0 }, nextVersion: 1, recent: createRecentIds() });
  }
  const bytes = await readFile(join(dir, last.name));
  const whole = wholeLines(bytes);
  if (whole.bytes < bytes.length) {
    const dropped = bytes.length - whole.bytes;
    log.warn({ segment: last.name, bytes: dropped }, 'unfinished last line of the feed dropped');
  }
  const numbered = numberedLines(last, whole.lines);
  if (!numbered.ok) return numbered;
  return ok({
    position: { first: last.first, bytes: whole.bytes },
    nextVersion: last.first + whole.lines.length,
    recent: await recentIds(dir, segments.slice(0, -1), numbered.value),
  });
}

/** Lines up to the last one that ends and is JSON: only the end of a file can be half written. */
function wholeLines(bytes: Buffer): { readonly lines: readonly string[]; readonly bytes: number } {
  const end = bytes.lastIndexOf('\n') + 1;
  const lines = bytes.subarray(0, end).toString('utf8').split('\n').slice(0, -1);
  let length = end;
  while (lines.length > 0 && !decodeLine(lines.at(-1) ?? '').ok) {
    length = length < 2 ? 0 : bytes.lastIndexOf('\n', length - 2) + 1;
    lines.pop();
  }
  return { lines, bytes: length };
}

function numberedLines(
  segment: Segment,
  lines: readonly string[],
): Result<readonly Numbered[], SinkFailure> {
  const events: Numbered[] = [];
  for (const [index, text] of lines.entries()) {
    const line = decodeLine(text);
    const controlVersion = segment.first + index;
    if (!line.ok || line.value.controlVersion !== controlVersion) {
      const message = `line ${index + 1} of ${segment.name} is damaged: run "switchyard feed verify", then move the damaged segment away or restore it`;
      return fail({ code: 'unavailable', message });
    }
    events.push({ eventId: line.value.eventId, controlVersion });
  }
  return ok(events);
}

/** Newest segments first until the window is full; added oldest first. */
async function recentIds(
  dir: string,
  older: readonly Segment[],
  newest: readonly Numbered[],
): Promise<RecentIds> {
  const parts = [newest];
  let found = newest.length;
  for (const segment of [...older].reverse()) {
    if (found >= RECENT_IDS) break;
    const lines = (await readFile(join(dir, segment.name), 'utf8')).split('\n');
    const part = lines.map(decodeLine).flatMap((line) => (line.ok ? [line.value] : []));
    parts.unshift(part);
    found += part.length;
  }
  const recent = createRecentIds();
  for (const { eventId, controlVersion } of parts.flat()) recent.add(eventId, controlVersion);
  return recent;
}
