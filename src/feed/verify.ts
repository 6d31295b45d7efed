/**
 * Proves that a feed is whole, or says where it is not.
 *
 * Input:  every whole line of a feed, in order. Output: problems, the first hundred of them named.
 *
 * Rules: [FD-7] control versions rise by one, over segments named after their first; within an ordering
 * key aggregate versions rise by one, a repeated event aside; a repeated id is the same event.
 */
import { createHash } from 'node:crypto';
import type { FeedEvent } from '../ports/store.js';
import { PROBLEMS_MAX, VERIFY_MEMORY_MAX } from './limits.js';
import { type RawLine, readLines } from './read.js';
import { decodeLine } from './segments.js';

export interface FeedProblem {
  readonly code: 'damaged' | 'gap' | 'misnamed' | 'aggregate-gap' | 'duplicate-differs';
  readonly segment: string;
  readonly line: number;
  readonly message: string;
}

export interface FeedReport {
  readonly events: number;
  /** Of the last line; 0 when there is none. */
  readonly lastControlVersion: number;
  /** The first `PROBLEMS_MAX`. */
  readonly problems: readonly FeedProblem[];
  readonly problemsTotal: number;
}

interface Verifier {
  check(line: Omit<RawLine, 'end'>): void;
  report(): FeedReport;
}

export async function verifyFeed(dir: string): Promise<FeedReport> {
  const verifier = createVerifier();
  for await (const line of readLines({ dir })) verifier.check(line);
  return verifier.report();
}

export function createVerifier(memoryMax = VERIFY_MEMORY_MAX): Verifier {
  const problems: FeedProblem[] = [];
  const seen = createMemory<string>(memoryMax);
  const versions = createMemory<number>(memoryMax);
  let total = 0;
  let events = 0;
  let last: number | undefined;

  const check = (raw: Omit<RawLine, 'end'>): void => {
    const complain = (code: FeedProblem['code'], message: string): void => {
      total += 1;
      if (problems.length < PROBLEMS_MAX) {
        problems.push({ code, segment: raw.segment.name, line: raw.line, message });
      }
    };
    const expected = last === undefined ? raw.segment.first : last + 1;
    if (raw.line === 1 && raw.segment.first !== expected) {
      complain('misnamed', `the segment should begin at ${expected}`);
    }
    const line = decodeLine(raw.text);
    events += 1;
    if (!line.ok) {
      complain('damaged', line.failure);
      // Counted, so that one bad line is one problem.
      last = expected;
      return;
    }
    const event = line.value;
    if (event.controlVersion !== expected) {
      complain('gap', `control version ${event.controlVersion} where ${expected} should be`);
    }
    last = event.controlVersion;
    checkEvent(event, { seen, versions }, complain);
  };

  return {
    check,
    report: () => ({ events, lastControlVersion: last ?? 0, problems, problemsTotal: total }),
  };
}

interface Memories {
  /** Event id → digest of the event, without its number. */
  readonly seen: Memory<string>;
  /** Ordering key → its last aggregate version. */
  readonly versions: Memory<number>;
}

function checkEvent(
  event: FeedEvent,
  { seen, versions }: Memories,
  complain: (code: FeedProblem['code'], message: string) => void,
): void {
  const { eventId, orderingKey, aggregateVersion } = event;
  const content = digestOf(event);
  const earlier = seen.get(eventId);
  if (earlier !== undefined) {
    if (earlier !== content) complain('duplicate-differs', `${eventId} was another event before`);
    return;
  }
  seen.set(eventId, content);
  const before = versions.get(orderingKey);
  versions.set(orderingKey, aggregateVersion);
  if (before !== undefined && aggregateVersion !== before + 1) {
    complain('aggregate-gap', `${orderingKey} goes from ${before} to ${aggregateVersion}`);
  }
}

function digestOf(event: FeedEvent): string {
  const content = JSON.stringify({ ...event, controlVersion: 0 });
  return createHash('sha1').update(content).digest('base64');
}

interface Memory<T> {
  get(key: string): T | undefined;
  set(key: string, value: T): void;
}

/** Forgets the oldest beyond `max`. */
function createMemory<T>(max: number): Memory<T> {
  const entries = new Map<string, T>();
  return {
    get: (key) => entries.get(key),
    set: (key, value) => {
      entries.delete(key);
      entries.set(key, value);
      const [oldest] = entries.keys();
      if (entries.size > max && oldest !== undefined) entries.delete(oldest);
    },
  };
}
