/**
 * The chains of one pass: what each row is published behind. A row that was sent before says what it said
 * then; others follow the last event of their key, in the feed or in this pass.
 *
 * Rule: [OB-11] a row is published with the same `previousHash` however often, and the next of its key
 * names it.
 */
import { hashOfText } from '../src/ports/feed-chain.js';
import { behind } from '../src/ports/feed-text.js';
import type { FeedText, OutboxOutcome, PendingRow } from '../src/ports/store.js';

export interface Chains {
  /** The event of this row, or its tombstone, as it goes to the feed. */
  next(row: PendingRow, event: FeedText): FeedText;
  /** Adds to the outcomes of what was published where it stands in its chain; the last of each key. */
  close(outcomes: readonly OutboxOutcome[]): {
    readonly outcomes: readonly OutboxOutcome[];
    readonly heads: ReadonlyMap<string, string>;
  };
}

interface Link {
  readonly key: string;
  readonly previous: string | undefined;
  readonly hash: string;
}

/** @param before Heads of keys that are newer than what the rows say. */
export function createChains(before: ReadonlyMap<string, string> = new Map()): Chains {
  /** Of each key, the rows of this pass in order. */
  const links = new Map<number, Link>();
  const heads = new Map<string, string>();
  return {
    next: (row, event) => {
      if (row.wasSent) return event;
      const key = event.orderingKey;
      // A tombstone takes the place of its event: behind what that was behind.
      const standing = links.get(row.seq);
      const previous =
        standing === undefined
          ? (heads.get(key) ?? before.get(key) ?? row.headHash)
          : standing.previous;
      const told = behind(event, previous);
      const hash = hashOfText(told);
      heads.set(key, hash);
      links.set(row.seq, { key, previous, hash });
      return told;
    },
    close: (outcomes) => {
      // From the end: the first of a key that is met there is its last.
      const last = new Map<string, string>();
      const placed = [...outcomes];
      for (let at = outcomes.length - 1; at >= 0; at -= 1) {
        const outcome = outcomes[at];
        const link = outcome !== undefined && isThere(outcome) ? links.get(outcome.seq) : undefined;
        if (outcome === undefined || link === undefined) continue;
        placed[at] = placedAt(outcome, link, !last.has(link.key));
        if (!last.has(link.key)) last.set(link.key, link.hash);
      }
      return { outcomes: placed, heads: last };
    },
  };
}

/** Most outcomes are a number alone: they are made anew rather than copied. */
function placedAt(outcome: OutboxOutcome, link: Link, isLast: boolean): OutboxOutcome {
  const { key, previous: previousHash = '', hash } = link;
  const { seq, controlVersion, error } = outcome;
  if (controlVersion === undefined || error !== undefined) {
    return { ...outcome, previousHash, ...(isLast ? { head: { key, hash } } : {}) };
  }
  return isLast
    ? { seq, controlVersion, previousHash, head: { key, hash } }
    : { seq, controlVersion, previousHash };
}

function isThere({ controlVersion, dead }: OutboxOutcome): boolean {
  return controlVersion !== undefined || dead === true;
}
