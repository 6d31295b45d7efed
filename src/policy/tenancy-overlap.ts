/**
 * Ids that were passed over: a transaction that took its id early may commit late, so a page may show
 * event 12 before event 11. What was passed over is asked for again, for a while.
 *
 * Input:  the newest id read, the ids passed over, a page, the time. Output: the same afterwards, and the
 * events nobody has taken yet.
 *
 * Rule: [TE-53] an id that was passed over is asked for again until it is read, or for GAP_MS.
 */
export interface Gap {
  readonly id: number;
  readonly sinceMs: number;
}

/** Transactions do not last longer than this. */
export const GAP_MS = 60_000;
/** A longer hole is none of late commits: ids were skipped, or events forgotten. */
export const GAP_IDS_MAX = 64;
/** Remembered at once; of more, the newest. */
export const GAPS_MAX = 1_024;

interface Numbered {
  readonly id: number;
}

export interface OverlapBooks<E extends Numbered> {
  readonly head: number;
  readonly gaps: readonly Gap[];
  readonly events: readonly E[];
  readonly at: number;
}

export interface OverlapRead<E extends Numbered> {
  readonly head: number;
  readonly gaps: readonly Gap[];
  /** Not taken before. */
  readonly fresh: readonly E[];
}

export function readOverlap<E extends Numbered>(books: OverlapBooks<E>): OverlapRead<E> {
  const { events, at } = books;
  const open = new Map(books.gaps.map((gap) => [gap.id, gap]));
  const fresh: E[] = [];
  let head = books.head;
  for (const event of events) {
    if (event.id <= head) {
      if (open.delete(event.id)) fresh.push(event);
      continue;
    }
    for (const id of passedOver(head, event.id)) open.set(id, { id, sinceMs: at });
    head = event.id;
    fresh.push(event);
  }
  const gaps = [...open.values()].filter(({ sinceMs }) => at - sinceMs < GAP_MS);
  return { head, gaps: gaps.slice(-GAPS_MAX), fresh };
}

function passedOver(head: number, next: number): readonly number[] {
  const count = next - head - 1;
  if (count < 1 || count > GAP_IDS_MAX) return [];
  return Array.from({ length: count }, (_, index) => head + 1 + index);
}

/** Where to ask from, to see the first open gap, and `checked`, again; undefined: nothing is to be seen. */
export function overlapAfter(gaps: readonly Gap[], checked: number | null): number | undefined {
  const ids = [...gaps.map(({ id }) => id), ...(checked === null ? [] : [checked])];
  return ids.length === 0 ? undefined : Math.min(...ids) - 1;
}
