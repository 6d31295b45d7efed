/**
 * How the feed lies on disk: one event a line, lines in segments named after the control version of
 * their first line, `feed-0000000000000001.jsonl`. Control versions count the lines, over all segments.
 *
 * Output: names, and lines to and from events. A line that is no event is a failure value.
 */
import { readdir } from 'node:fs/promises';
import { fail, ok, type Result } from '../../machines/model/result.js';
import { numbered } from '../ports/feed-text.js';
import type { FeedEvent, FeedText } from '../ports/store.js';

export interface Segment {
  readonly name: string;
  /** Control version of its first line, by its name. */
  readonly first: number;
}

const NAME_PATTERN = /^feed-(\d{16})\.jsonl$/;

export function segmentName(first: number): string {
  return `feed-${String(first).padStart(16, '0')}.jsonl`;
}

/** Oldest first. A folder that does not exist holds none. */
export async function listSegments(dir: string): Promise<readonly Segment[]> {
  const names = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names.sort().flatMap((name) => {
    const match = NAME_PATTERN.exec(name);
    return match === null ? [] : [{ name, first: Number(match[1]) }];
  });
}

/** Without its line feed. Republished, the same event gives the same bytes. */
export function encodeLine(event: FeedText, controlVersion: number): string {
  return numbered(event, controlVersion);
}

/** The one place where a line becomes an event. */
export function decodeLine(text: string): Result<FeedEvent, string> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return fail('not JSON');
  }
  return eventOf(value);
}

/** Of what was JSON. */
export function eventOf(value: unknown): Result<FeedEvent, string> {
  if (typeof value !== 'object' || value === null) return fail('not an object');
  const event = value as Partial<Record<keyof FeedEvent, unknown>>;
  for (const key of ['eventId', 'type', 'orderingKey'] as const) {
    if (typeof event[key] !== 'string' || event[key] === '') return fail(`without ${key}`);
  }
  for (const key of ['controlVersion', 'aggregateVersion'] as const) {
    const version = event[key];
    if (!Number.isSafeInteger(version) || Number(version) < 1) return fail(`without ${key}`);
  }
  return ok(value as FeedEvent);
}
