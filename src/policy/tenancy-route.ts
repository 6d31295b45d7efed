/**
 * The belt that carries events to the lanes of their resources: a bounded number at once, and a mark
 * below which every event is accepted. A page lies on it whole, a replay part by part.
 *
 * Input:  what a page or a part of a replay brings, what a lane accepted. Output: the belt afterwards, what
 * is to be told now, the mark.
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
  /** Told, and not accepted yet: one for each tenant, the longest waiting first. */
  readonly waiting: readonly Waiting[];
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
  readonly rest: Rest;
}

/** What a replay has that does not lie on the belt yet. */
export interface Rest {
  /** Where it begins, and how much it is. */
  readonly from: number;
  readonly left: number;
  readonly asked: boolean;
}

interface Telling {
  readonly from: number;
  readonly to: number;
  readonly missing: readonly string[];
}

export interface Waiting {
  readonly tenant: string;
  /** Of the first event that is not accepted. */
  readonly low: number;
  /** The newest that was told. */
  readonly event: ResourceEvent;
}

/** Events told at once; a mailbox holds twice as many. */
export const BELT_WIDTH = 512;
/** Untold events below which more are asked for: they come while these are told. */
export const BELT_LOW = 2 * BELT_WIDTH;
/** One part of a replay. */
export const PART_MAX = 1_000;

const NOTHING: Telling = { from: 0, to: 0, missing: [] };

export const NO_BELT: Belt = {
  replay: false,
  events: [],
  told: 0,
  waiting: [],
  until: undefined,
  telling: NOTHING,
  missing: [],
  changed: 0,
  recorded: true,
  rest: { from: 0, left: 0, asked: false },
};

interface Load {
  readonly events: readonly ResourceEvent[];
  readonly until: number;
}

/** Of a replay: of each resource one event, and tenants that it does not mention. */
export interface Part {
  readonly events: readonly ResourceEvent[];
  readonly missing: readonly string[];
  /** How much of the replay comes behind it. */
  readonly left: number;
}

/** A replay begins; what lies on the belt before is of the past. */
export function beltOf(until: number, part: Part): Belt {
  return { ...extended(NO_BELT, part), replay: true, until };
}

/** One part more of the replay it carries. */
export function extended(belt: Belt, { events, missing, left }: Part): Belt {
  const all = [...belt.events.slice(belt.told), ...latestEvents(events)];
  const from = belt.rest.from + events.length + missing.length;
  const recorded = belt.recorded && events.length === 0 && missing.length === 0;
  return {
    ...{ ...belt, events: all, told: 0, telling: NOTHING, recorded },
    missing: [...belt.missing, ...missing],
    changed: belt.changed + missing.length,
    rest: { from, left, asked: false },
  };
}

/** What is left of the replay is asked for before the belt is empty. */
export function wantsRest({ rest, events, told }: Belt): boolean {
  return rest.left > 0 && !rest.asked && events.length - told <= BELT_LOW;
}

export function isLow({ rest, events, told }: Belt): boolean {
  return rest.left === 0 && events.length - told <= BELT_LOW;
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
  const { events, told, missing, waiting } = belt;
  return (told < events.length || missing.length > 0) && waiting.length <= width / 2;
}

/** Tells as many as there is room for. */
export function advanced(belt: Belt, width: number): Belt {
  const places = Math.max(1, width - belt.waiting.length);
  const told = Math.min(belt.events.length, belt.told + places);
  const waiting = new Map(belt.waiting.map((one) => [one.tenant, one]));
  for (const event of belt.events.slice(belt.told, told)) {
    const tenant = tenantOf(event.resourceId) ?? '';
    const low = Math.min(waiting.get(tenant)?.low ?? event.id, event.id);
    waiting.set(tenant, { tenant, low, event });
  }
  const telling = { from: belt.told, to: told, missing: belt.missing };
  return { ...belt, told, waiting: [...waiting.values()], telling, missing: [] };
}

export function toldIn({ events, telling }: Belt): readonly ResourceEvent[] {
  return events.slice(telling.from, telling.to);
}

export function acceptedIn(belt: Belt, { tenant, id, changed }: ResourceAccepted): Belt {
  const index = belt.waiting.findIndex((one) => one.tenant === tenant);
  const place = belt.waiting[index];
  if (place === undefined || place.event.id > id) return belt;
  const waiting = belt.waiting.toSpliced(index, 1);
  return { ...belt, waiting, changed: belt.changed + (changed ? 1 : 0) };
}

export function isAllTold({ events, told, missing, rest }: Belt): boolean {
  return told >= events.length && missing.length === 0 && rest.left === 0;
}

export function isDrained(belt: Belt): boolean {
  return belt.waiting.length === 0 && isAllTold(belt);
}

/** Not accepted yet. */
export function unacceptedIn({ events, told, waiting, missing, rest }: Belt): number {
  return events.length - told + waiting.length + missing.length + rest.left;
}

/** Every event up to it is accepted; undefined: not even the mark from before the belt can move. */
export function lowMark(belt: Belt): number | undefined {
  if (belt.until === undefined) return undefined;
  if (isDrained(belt)) return belt.until;
  // A replay has no order by id: its boundary counts when all of it is accepted.
  if (belt.replay) return undefined;
  let mark = belt.events[belt.told]?.id ?? Number.POSITIVE_INFINITY;
  for (const { low } of belt.waiting) mark = Math.min(mark, low);
  return mark - 1;
}
