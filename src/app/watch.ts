/**
 * The event stream: the journal read forward, then followed. A watcher that was away names the last
 * sequence it saw and misses nothing the journal still has.
 */
import { keyOf, kindOf } from '../../machines/model/ids.js';
import type { Clock } from '../ports/clock.js';
import type { WatchItem } from '../ports/node-api.js';
import type { JournalEntry, Store } from '../ports/store.js';

const PAGE_ENTRIES = 256;
const FOLLOW_EVERY_MS = 200;

export interface WatchOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** Last sequence seen; -1 for new entries only. */
  readonly since: number;
  readonly listener: (item: WatchItem) => void;
}

export function watchJournal({ store, clock, since, listener }: WatchOptions): () => void {
  let stopped = false;
  let cursor = since;

  const read = async (): Promise<void> => {
    if (stopped) return;
    if (cursor < 0) cursor = await newest(store);
    const page = await store.journal(cursor, PAGE_ENTRIES);
    const entries = page.ok ? page.value : [];
    for (const entry of entries) {
      if (stopped) return;
      cursor = entry.seq;
      listener(itemOf(entry));
    }
    const full = entries.length === PAGE_ENTRIES;
    clock.after(full ? 0 : FOLLOW_EVERY_MS, () => void read());
  };

  void read();
  return () => {
    stopped = true;
  };
}

/** Pages forward to the end: the journal has no other way to ask for its newest sequence. */
async function newest(store: Store): Promise<number> {
  let cursor = 0;
  for (;;) {
    const page = await store.journal(cursor, PAGE_ENTRIES);
    const last = page.ok ? page.value.at(-1) : undefined;
    if (last === undefined) return cursor;
    cursor = last.seq;
  }
}

function itemOf(entry: JournalEntry): WatchItem {
  return {
    seq: entry.seq,
    at: new Date(entry.at).toISOString(),
    kind: kindOf(entry.actor),
    object: keyOf(entry.actor),
    event: entry.event,
    rule: entry.rule,
    numbers: entry.numbers,
    cause: entry.cause,
  };
}
