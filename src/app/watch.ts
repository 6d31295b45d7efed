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
    const entries = await next();
    for (const entry of entries) {
      if (stopped) return;
      cursor = entry.seq;
      listener(itemOf(entry));
    }
    const full = entries.length === PAGE_ENTRIES;
    clock.after(full ? 0 : FOLLOW_EVERY_MS, () => void read());
  };

  /** What follows the cursor; nothing while the store does not answer. */
  const next = async (): Promise<readonly JournalEntry[]> => {
    if (cursor < 0) {
      const head = await store.journalHead();
      if (!head.ok) return [];
      cursor = head.value;
    }
    const page = await store.journal(cursor, PAGE_ENTRIES);
    return page.ok ? page.value : [];
  };

  void read();
  return () => {
    stopped = true;
  };
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
