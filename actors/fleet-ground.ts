/**
 * Whether the fleet's log is still the one that was read: a broker that lost its end, or was made anew, has
 * other events under the numbers we have read, or none. Then reading goes back to where the log is as it was;
 * what is known stays, and an event that comes again changes nothing.
 *
 * Looked at whenever something may have happened unseen: at the start, after a failure, after each wait.
 *
 * Rule: [FL-11] a log that lost its end is read again from there, however far it has grown since; it is a
 * condition until what was lost is there again, or a later holder has gone on without it.
 */
import type { Standing } from '../machines/lease.js';
import type { LostEnd } from '../machines/model/lease.js';
import { fail, ok, type Result } from '../machines/model/result.js';
import type { Clock } from '../src/ports/clock.js';
import { commonGround, withLandmark } from '../src/ports/feed-landmarks.js';
import type { FeedItem, FeedSource } from '../src/ports/feed-source.js';
import type { Landmark } from '../src/ports/feed-target.js';
import type { FleetStore } from '../src/ports/fleet-store.js';
import type { Log } from '../src/ports/log.js';

interface GroundParts {
  readonly source: Pick<FeedSource, 'at' | 'head'>;
  readonly store: Pick<FleetStore, 'fleetApply' | 'fleetCursor' | 'fleetGround' | 'fleetStanding'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Log;
  tellLost(lost: LostEnd | null): void;
}

export interface FleetGround {
  /** The cursor, on ground that is as it was. */
  find(): Promise<Result<number, string>>;
  /** It has to be looked at again. */
  doubt(): void;
  /** These were read: what is to be stored with them, and that they are. */
  passed(items: readonly FeedItem[], standing: string | undefined): { text: string; keep(): void };
  /** Says once more what is missing. */
  tell(): void;
}

interface Ground {
  readonly marks: readonly Landmark[];
  readonly lost: LostEnd | null;
}

const NOWHERE: Ground = { marks: [], lost: null };

export function createFleetGround(parts: GroundParts): FleetGround {
  const { source, store, tellLost } = parts;
  let ground: Ground | undefined;
  let isDoubted = true;

  const tell = (): void => {
    if (ground !== undefined) tellLost(ground.lost);
  };
  const set = (next: Ground): void => {
    const isNews = ground?.lost?.eventId !== next.lost?.eventId;
    ground = next;
    if (isNews) tell();
  };
  const loaded = async (): Promise<Result<Ground, string>> => {
    if (ground !== undefined) return ok(ground);
    const text = await store.fleetGround();
    if (!text.ok) return fail(text.failure.message);
    set(text.value === undefined ? NOWHERE : (JSON.parse(text.value) as Ground));
    return ok(ground ?? NOWHERE);
  };

  /** Back to where the log is as it was. */
  const rewind = async (
    known: Ground,
    from: number,
    to: number,
  ): Promise<Result<number, string>> => {
    const standing = await store.fleetStanding();
    if (!standing.ok) return fail(standing.failure.message);
    const epoch = epochIn(standing.value);
    const next = lostBetween(known, { from, to, atMs: parts.clock.now(), epoch });
    const batch = { events: [], versions: [], cursor: to, ground: JSON.stringify(next) };
    const done = await store.fleetApply({ ...batch, rewind: true });
    if (!done.ok) return fail(done.failure.message);
    parts.log.error({ from, to }, 'the fleet log has lost its end: it is read again from there');
    set(next);
    return ok(to);
  };

  return {
    find: async () => {
      const cursor = await store.fleetCursor();
      if (!cursor.ok) return fail(cursor.failure.message);
      const known = await loaded();
      if (!known.ok) return known;
      if (!isDoubted) return ok(cursor.value);
      const { marks } = known.value;
      const common = await commonGround(source, marks);
      if (!common.ok) return fail(common.failure.message);
      isDoubted = false;
      const isSame = common.value === (marks[0]?.controlVersion ?? 0);
      return isSame ? ok(cursor.value) : rewind(known.value, cursor.value, common.value);
    },
    doubt: () => {
      isDoubted = true;
    },
    passed: (items, standing) => {
      const next = items.reduce(behind, withoutLost(ground ?? NOWHERE, standing));
      return { text: JSON.stringify(next), keep: () => set(next) };
    },
    tell,
  };
}

/** What was lost before and not found again is still lost. */
function lostBetween({ marks, lost }: Ground, how: Omit<LostEnd, 'eventId'>): Ground {
  const [last] = marks;
  const kept = marks.filter(({ controlVersion }) => controlVersion <= how.to);
  const fresh = last === undefined ? null : { eventId: last.eventId, ...how };
  return { marks: kept, lost: lost ?? fresh };
}

function behind({ marks, lost }: Ground, item: FeedItem): Ground {
  if ('damaged' in item) return { marks, lost };
  const { controlVersion } = item;
  const { eventId } = item.event;
  const isFound = lost?.eventId === eventId;
  return { marks: withLandmark(marks, { controlVersion, eventId }), lost: isFound ? null : lost };
}

/** A later holder has gone on from what it knew: nobody can bring it back any more. */
function withoutLost(ground: Ground, standing: string | undefined): Ground {
  if (standing === undefined || ground.lost === null) return ground;
  return epochIn(standing) > ground.lost.epoch ? { ...ground, lost: null } : ground;
}

function epochIn(standing: string | undefined): number {
  return standing === undefined ? 0 : (JSON.parse(standing) as Standing).epoch;
}
