/**
 * Why an object is as it is: its own latest decisions, and for each the decisions it follows from,
 * oldest first. The chain ends at an outside event (a signal, a timer, a tenancy event). What one decision
 * meant for others (a group asks for thirty instances at once) is theirs.
 */
import type { Address } from '../../machines/model/ids.js';
import type { JournalEntry, Store } from '../ports/store.js';

const OWN_ENTRIES_MAX = 16;
const CAUSE_STEPS_MAX = 32;

export async function whyChain(store: Store, object: Address): Promise<readonly JournalEntry[]> {
  const own = await store.journalOf(object, OWN_ENTRIES_MAX);
  if (!own.ok) return [];
  const found = new Map(own.value.map((entry) => [entry.seq, entry]));
  const seen = new Set<string>();
  for (const entry of own.value) await follow(store, entry.cause, { object, found, seen });
  return [...found.values()].sort((a, b) => a.seq - b.seq);
}

interface Walk {
  readonly object: Address;
  readonly found: Map<number, JournalEntry>;
  readonly seen: Set<string>;
}

async function follow(store: Store, cause: string, walk: Walk): Promise<void> {
  const { object, found, seen } = walk;
  let next: string | undefined = cause;
  for (let step = 0; next !== undefined && step < CAUSE_STEPS_MAX; step += 1) {
    if (seen.has(next)) return;
    seen.add(next);
    const entries = await store.journalById(next);
    if (!entries.ok) return;
    for (const entry of relevantTo(object, entries.value)) found.set(entry.seq, entry);
    next = entries.value[0]?.cause;
  }
}

/** Of one decision: what is about the object, or about nobody else; when all of it is, its first part. */
function relevantTo(object: Address, entries: readonly JournalEntry[]): readonly JournalEntry[] {
  const relevant = entries.filter(({ subject = object }) => subject === object);
  return relevant.length > 0 ? relevant : entries.slice(0, 1);
}
