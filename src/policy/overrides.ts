/**
 * The book of one object's overrides, and which of them are in force.
 *
 * Input: the book, an order or a configured value, the wall clock. Output: the next book, or yes and no.
 *
 * Rules: [OV-3] an override yields only when the configured value itself changed; [OV-4] it ends at its
 * time, never earlier; [OV-5] a new order of the same kind takes the place of the one before.
 */
import type { ChildRow } from '../../machines/model/effects.js';
import { kindOf } from '../../machines/model/ids.js';
import type { Json } from '../../machines/model/json.js';
import {
  NO_OVERRIDES,
  type OverrideEntry,
  type OverrideOrder,
  type Overrides,
} from '../../machines/model/overrides.js';

export function withOrder(book: Overrides, order: OverrideOrder, nowMs: number): Overrides {
  const { forMs, note: _told, ...rest } = order;
  const untilMs = forMs === null ? null : nowMs + forMs;
  return { ...book, [order.kind]: { ...rest, sinceMs: nowMs, untilMs } };
}

export function without(book: Overrides, kinds: readonly string[]): Overrides {
  return Object.fromEntries(Object.entries(book).filter(([kind]) => !kinds.includes(kind)));
}

export function expiredAt(book: Overrides, nowMs: number): readonly string[] {
  return Object.values(book)
    .filter(({ untilMs }) => untilMs !== null && untilMs <= nowMs)
    .map(({ kind }) => kind);
}

/** `null`: all of them are for ever. */
export function nextExpiryMs(book: Overrides): number | null {
  const ends = Object.values(book).flatMap(({ untilMs }) => untilMs ?? []);
  return ends.length === 0 ? null : Math.min(...ends);
}

/** The override of this kind, as long as what it overrides is configured as it was. */
export function inForce(
  book: Overrides,
  kind: string,
  configured: Json,
): OverrideEntry | undefined {
  const entry = book[kind];
  return entry !== undefined && isSame(entry.configured, configured) ? entry : undefined;
}

/** Kinds whose configured value changed, or that override nothing any more (`undefined`). */
export function yielding(
  book: Overrides,
  configuredOf: (kind: string) => Json | undefined,
): readonly string[] {
  return Object.values(book)
    .filter(({ kind, configured }) => {
      const now = configuredOf(kind);
      return now === undefined || !isSame(configured, now);
    })
    .map(({ kind }) => kind);
}

function isSame(a: Json, b: Json): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** What an object starts with: the book stored beside it; `undefined`: it cannot be read. */
export function bookIn(children: readonly ChildRow[]): Overrides | undefined {
  const row = children.find(({ address }) => kindOf(address) === 'override');
  if (row === undefined) return NO_OVERRIDES;
  if (row.unreadable === true) return undefined;
  const { book } = row.context;
  return isBook(book) ? book : undefined;
}

function isBook(book: unknown): book is Overrides {
  if (typeof book !== 'object' || book === null) return false;
  return Object.entries(book).every(([kind, entry]) => entry?.kind === kind);
}
