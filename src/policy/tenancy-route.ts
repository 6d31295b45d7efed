/**
 * The belt that carries events to the lanes of their resources: a bounded number at once, and a mark
 * below which every event is accepted.
 *
 * Input:  what a page or a replay brings, what a lane accepted. Output: the belt afterwards, what is to be
 * told now, the mark.
 *
 * Rules: [TE-1] the mark never passes an event that is not accepted; [TE-50] a lane that does not answer
 * takes one place and holds up no other; [TE-51] with a width of one, all events have one lane.
 */
import type { ResourceAccepted } from '../../machines/model/tenancy-messages.js';
import { latestEvents, type ResourceEvent } from './tenancy.js';
import { tenantOf } from './tenancy-resource.js';

export interface Belt {
  readonly replay: boolean;
  readonly events: readonly ResourceEvent[];
  /** How many of them were told. */
  readonly told: number;
  /** By tenant: told, and not accepted yet. */
  readonly waiting: Readonly<Record<string, Waiting>>;
  /** The mark when all is accepted; undefined: nothing was ever carried. */
  readonly until: number | undefined;
  /** What the newest step tells: indices of `events`, and tenants that a replay did not mention. */
  readonly telling: Telling;
  /** Tenants a replay did not mention, still to be told. */
  readonly missing: readonly string[];
  /** How many lanes decided something. */
  readonly changed: number;
  /** What was carried has been recorded. */
  readonly recorded: boolean;
}

interface Telling {
  readonly from: number;
  readonly to: number;
  readonly missing: readonly string[];
}

export interface Waiting {
  /** Of the first event that is not accepted. */
  readonly low: number;
  /** The newest that was told. */
  readonly event: ResourceEvent;
}

/** Events told at once; a mailbox holds several times as many. */
export const BELT_WIDTH = 256;

const NOTHING: Telling = { from: 0, to: 0, missing: [] };

export const NO_BELT: Belt = {
  replay: false,
  events: [],
  told: 0,
  waiting: {},
  until: undefined,
  telling: NOTHING,
  missing: [],
  changed: 0,
  recorded: true,
};

interface Load {
  readonly events: readonly ResourceEvent[];
  readonly until: number;
}

export function beltOf(
  load: Load & { readonly replay: boolean; readonly missing: readonly string[] },
): Belt {
  const events = latestEvents(load.events);
  const recorded = events.length === 0 && load.missing.length === 0;
  const { replay, until, missing } = load;
  return { ...NO_BELT, replay, events, until, missing, recorded, changed: missing.length };
}

/** One page more, behind what is still on its way. */
export function loaded(belt: Belt, { events, until }: Load): Belt {
  const fresh = latestEvents(events);
  if (fresh.length === 0) return { ...belt, until };
  const left = belt.events.slice(belt.told);
  // What a replay left unanswered goes on waiting, at its place before all ids.
  const all = { ...belt, replay: belt.replay && !isDrained(belt), events: [...left, ...fresh] };
  return { ...all, told: 0, telling: NOTHING, until, recorded: false };
}

/** Half of the places are filled at once, lest every single answer brings a single event. */
export function hasRoom(belt: Belt, width: number): boolean {
  return !isAllTold(belt) && Object.keys(belt.waiting).length <= width / 2;
}

/** Tells as many as there is room for. */
export function advanced(belt: Belt, width: number): Belt {
  const waiting: Record<string, Waiting> = { ...belt.waiting };
  let { told } = belt;
  let places = Math.max(1, width - Object.keys(waiting).length);
  for (; told < belt.events.length && places > 0; told += 1, places -= 1) {
    const event = belt.events[told] as ResourceEvent;
    const tenant = tenantOf(event.resourceId) ?? '';
    const low = Math.min(waiting[tenant]?.low ?? event.id, event.id);
    waiting[tenant] = { low, event };
  }
  const telling = { from: belt.told, to: told, missing: belt.missing };
  return { ...belt, told, waiting, telling, missing: [] };
}

export function toldIn({ events, telling }: Belt): readonly ResourceEvent[] {
  return events.slice(telling.from, telling.to);
}

export function acceptedIn(belt: Belt, { tenant, id, changed }: ResourceAccepted): Belt {
  const place = belt.waiting[tenant];
  if (place === undefined || place.event.id > id) return belt;
  const { [tenant]: _done, ...waiting } = belt.waiting;
  return { ...belt, waiting, changed: belt.changed + (changed ? 1 : 0) };
}

export function isAllTold({ events, told, missing }: Belt): boolean {
  return told >= events.length && missing.length === 0;
}

export function isDrained(belt: Belt): boolean {
  return isAllTold(belt) && Object.keys(belt.waiting).length === 0;
}

/** Every event up to it is accepted; undefined: not even the mark from before the belt can move. */
export function lowMark(belt: Belt): number | undefined {
  if (belt.until === undefined) return undefined;
  if (isDrained(belt)) return belt.until;
  // A replay has no order by id: its boundary counts when all of it is accepted.
  if (belt.replay) return undefined;
  const ids = [
    ...Object.values(belt.waiting).map(({ low }) => low),
    ...belt.events.slice(belt.told, belt.told + 1).map(({ id }) => id),
  ];
  return Math.min(...ids) - 1;
}
