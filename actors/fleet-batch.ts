/**
 * What a bite of the fleet's log says to a node's own store: rows, how far aggregates were counted, and who holds
 * the lease. Nothing is stored here.
 *
 * Rules: [FL-5] a beginning that comes late takes nothing back; [FL-12] an event that nobody here knows is
 * treated as the configuration says.
 */
import type { Standing } from '../machines/lease.js';
import type { UnknownType } from '../machines/model/lease.js';
import { fail, ok, type Result } from '../machines/model/result.js';
import { isOfFleet } from '../src/policy/duty.js';
import { feedHash } from '../src/ports/feed-chain.js';
import type { FeedItem, FeedSource } from '../src/ports/feed-source.js';
import type {
  AggregateHead,
  FleetChange,
  FleetEvent,
  FleetStore,
} from '../src/ports/fleet-store.js';
import type { Log } from '../src/ports/log.js';
import type { FeedEvent } from '../src/ports/store.js';
import { type DecidedRows, ROWS_DECIDED } from '../src/runtime/duty.js';

export type Told<T> = Promise<Result<T, string>>;

export interface BatchParts {
  readonly source: FeedSource;
  readonly store: FleetStore;
  readonly log: Log;
  readonly node: string;
  /** What to do about an event of the fleet that this release does not know; read at each. */
  unknownTypes(): 'halt' | 'quarantine' | 'ignore';
  knows(type: string): boolean;
  /** Such an event was met. */
  tellUnknown(event: UnknownType): void;
}

export interface Batch {
  readonly events: readonly FleetEvent[];
  readonly versions: readonly AggregateHead[];
  readonly cursor: number;
  readonly standing?: string;
}

export async function batchOf(
  { source, store, node, log }: BatchParts,
  items: readonly FeedItem[],
): Told<Batch> {
  const events: FleetEvent[] = [];
  const versions = new Map<string, AggregateHead>();
  let standing: Standing | undefined;
  for (const item of items) {
    if ('damaged' in item) {
      log.error(
        { ...item },
        'an event of the fleet log is damaged; the next of its row says all again',
      );
      continue;
    }
    const { event } = item;
    if (!isOfFleet(event)) continue;
    const known = versions.get(event.orderingKey);
    if (known === undefined || isBehind(known, event)) {
      versions.set(event.orderingKey, headOf(event, node));
    }
    if (event.type === 'lease.gained') standing = newerOf(standing, event);
    if (event.type !== ROWS_DECIDED) continue;
    const data = await dataOf(source, event);
    if (!data.ok) return data;
    const { orderingKey: key, epoch, aggregateVersion: version } = event;
    events.push({ key, epoch, version, changes: changesOf(event, data.value) });
  }
  const known = await standingOf(store);
  if (!known.ok) return known;
  const isNews = standing !== undefined && standing.epoch > (known.value?.epoch ?? -1);
  return ok({
    events,
    versions: [...versions.values()],
    cursor: items.at(-1)?.controlVersion ?? 0,
    ...(isNews ? { standing: JSON.stringify(standing) } : {}),
  });
}

/** A beginning that was sent again, or put back by an operator, takes nothing back. */
function newerOf(known: Standing | undefined, { data }: FeedEvent): Standing {
  const next = data as unknown as Standing;
  return known === undefined || next.epoch > known.epoch ? next : known;
}

/**
 * What of it is read: all, or up to an event that nobody here knows. Passed over it costs no row: rows are whole in
 * their own events, and say themselves which release wrote them [RT-9].
 */
export function untilUnknown(
  options: BatchParts,
  items: readonly FeedItem[],
): Result<readonly FeedItem[], string> {
  const policy = options.unknownTypes();
  if (policy === 'ignore') return ok(items);
  const isUnknown = (item: FeedItem): boolean =>
    'event' in item && isOfFleet(item.event) && !options.knows(item.event.type);
  const at = items.findIndex(isUnknown);
  const found = items[at];
  if (found === undefined || !('event' in found)) return ok(items);
  const { type, node } = found.event;
  const halted = policy === 'halt';
  if (at === 0 || !halted) options.tellUnknown({ type, node, halted });
  if (!halted) return ok(items);
  return at > 0
    ? ok(items.slice(0, at))
    : fail(`${node} says ${type}, which this release does not know`);
}

function isBehind(known: AggregateHead, { epoch, aggregateVersion }: FeedEvent): boolean {
  return epoch === known.epoch ? aggregateVersion >= known.version : epoch > known.epoch;
}

function headOf(event: FeedEvent, node: string): AggregateHead {
  const { orderingKey: key, epoch, aggregateVersion: version } = event;
  const own = event.node === node ? { own: true as const } : {};
  return { key, epoch, version, hash: feedHash(event), ...own };
}

/** What is too large for an event lies beside the feed. */
async function dataOf(source: FeedSource, event: FeedEvent): Told<DecidedRows> {
  if (event.artifactRef === undefined) return ok(event.data as unknown as DecidedRows);
  const bytes = await source.artifact(event.artifactRef);
  if (!bytes.ok) return fail(bytes.failure.message);
  return ok(JSON.parse(Buffer.from(bytes.value).toString('utf8')) as DecidedRows);
}

function changesOf({ orderingKey }: FeedEvent, rows: DecidedRows): readonly FleetChange[] {
  const { cell, spawns, forget } = rows;
  const own = cell === null ? [] : [cell];
  return [
    ...[...own, ...spawns].map((row) => ({ address: row.address, row: JSON.stringify(row) })),
    ...(forget ? [{ address: orderingKey, row: null }] : []),
  ];
}

export async function standingOf(store: FleetStore): Told<Standing | undefined> {
  const text = await store.fleetStanding();
  if (!text.ok) return fail(text.failure.message);
  return ok(text.value === undefined ? undefined : (JSON.parse(text.value) as Standing));
}
