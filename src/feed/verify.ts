/**
 * Proves that a feed is whole, or says where it is not.
 *
 * Input:  every item of a feed, in order, and its artifacts. Output: problems, the first hundred named.
 *
 * Rules: [FD-7] control versions rise by one; within an ordering key (of one node, unless it is
 * the fleet's) aggregate versions rise by one and
 * every event names the hash of the one before it, a repeated event and a late one whose tombstone is
 * there aside; a repeated id is the same event; what an event names as its artifact is there.
 */

import type { FeedFailure } from '../../machines/model/failures.js';
import { ok, type Result } from '../../machines/model/result.js';
import { lineOf } from '../policy/duty.js';
import { feedHash } from '../ports/feed-chain.js';
import type { FeedItem, FeedSource } from '../ports/feed-source.js';
import type { FeedEvent } from '../ports/store.js';
import { artifactNameOf } from './artifacts.js';
import { PROBLEMS_MAX, READ_ITEMS, VERIFY_MEMORY_MAX } from './limits.js';

export interface FeedProblem {
  readonly code:
    | 'damaged'
    | 'gap'
    | 'aggregate-gap'
    | 'broken-chain'
    | 'duplicate-differs'
    | 'artifact-missing'
    | 'artifact-differs';
  readonly controlVersion: number;
  readonly message: string;
}

export interface FeedReport {
  readonly events: number;
  /** Of the last item; 0 when there is none. */
  readonly lastControlVersion: number;
  /** The first `PROBLEMS_MAX`. */
  readonly problems: readonly FeedProblem[];
  readonly problemsTotal: number;
}

type Complain = (code: FeedProblem['code'], message: string) => void;

interface Verifier {
  check(item: FeedItem): void;
  complain(controlVersion: number, code: FeedProblem['code'], message: string): void;
  report(): FeedReport;
}

export async function verifyFeed(source: FeedSource): Promise<Result<FeedReport, FeedFailure>> {
  const verifier = createVerifier();
  for (let after = 0; ; ) {
    const items = await source.read(after, READ_ITEMS);
    if (!items.ok) return items;
    if (items.value.length === 0) return ok(verifier.report());
    for (const item of items.value) {
      verifier.check(item);
      after = item.controlVersion;
      const problem = 'event' in item ? await artifactProblem(source, item.event) : undefined;
      if (problem !== undefined) verifier.complain(after, problem.code, problem.message);
    }
  }
}

async function artifactProblem(
  source: Pick<FeedSource, 'artifact'>,
  { artifactRef, checksum }: FeedEvent,
): Promise<Pick<FeedProblem, 'code' | 'message'> | undefined> {
  if (artifactRef === undefined) return undefined;
  const found = await source.artifact(artifactRef);
  if (!found.ok) return { code: 'artifact-missing', message: found.failure.message };
  const name = artifactNameOf(found.value);
  if (name.ref === artifactRef && name.checksum === checksum) return undefined;
  return { code: 'artifact-differs', message: `the bytes of ${artifactRef} are ${name.ref}` };
}

export function createVerifier(memoryMax = VERIFY_MEMORY_MAX): Verifier {
  const problems: FeedProblem[] = [];
  const memories: Memories = {
    seen: createMemory(memoryMax),
    heads: createMemory(memoryMax),
    buried: createMemory(memoryMax),
  };
  let total = 0;
  let events = 0;
  let last: number | undefined;

  const complain: Verifier['complain'] = (controlVersion, code, message) => {
    total += 1;
    if (problems.length < PROBLEMS_MAX) problems.push({ code, controlVersion, message });
  };
  const check = (item: FeedItem): void => {
    const { controlVersion } = item;
    const say: Complain = (code, message) => complain(controlVersion, code, message);
    const expected = last === undefined ? controlVersion : last + 1;
    events += 1;
    last = controlVersion;
    if (controlVersion !== expected) say('gap', `${expected} should be here`);
    if ('damaged' in item) {
      const where = item.place === undefined ? '' : `${item.place}: `;
      say('damaged', `${where}${item.damaged}`);
    } else checkEvent(item.event, memories, say);
  };

  return {
    check,
    complain,
    report: () => ({ events, lastControlVersion: last ?? 0, problems, problemsTotal: total }),
  };
}

/** The last of an ordering key: more than one hash while a tombstone and its event stand there. */
interface Head {
  readonly version: number;
  readonly hashes: readonly string[];
  readonly previous: string | undefined;
}

interface Memories {
  /** Event id → hash of the event. */
  readonly seen: Memory<string>;
  readonly heads: Memory<Head>;
  /** Event ids whose tombstones are there. */
  readonly buried: Memory<true>;
}

function checkEvent(event: FeedEvent, { seen, heads, buried }: Memories, complain: Complain): void {
  const { eventId, aggregateVersion: version, previousHash: previous } = event;
  const line = lineOf(event);
  const hash = feedHash(event);
  const earlier = seen.get(eventId);
  if (earlier !== undefined) {
    if (earlier !== hash) complain('duplicate-differs', `${eventId} was another event before`);
    return;
  }
  seen.set(eventId, hash);
  const head = heads.get(line);
  if (buried.get(eventId) === true) {
    // Its place was taken; what follows may stand behind either.
    if (head?.version === version) heads.set(line, { ...head, hashes: [...head.hashes, hash] });
    return;
  }
  if (event.type === TOMBSTONE) buried.set(String(event.data['eventId']), true);
  heads.set(line, { version, hashes: [hash], previous });
  if (head === undefined) return;
  if (version !== head.version + 1) {
    complain('aggregate-gap', `${line} goes from ${head.version} to ${version}`);
  } else if (
    previous === undefined ? head.previous !== undefined : !head.hashes.includes(previous)
  ) {
    complain('broken-chain', `${line} ${version} does not name the event before it`);
  }
}

/** What stands for an event that the sink refused; see actors/outbox-lanes.ts. */
const TOMBSTONE = 'event.buried';

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
