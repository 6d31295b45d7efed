/**
 * The chains of one pass: what each row is published behind. A row that was sent before says what it said
 * then; others follow the last event of their key, in the feed or in this pass.
 *
 * Rule: [OB-11] a row is published with the same `previousHash` however often, and the next of its key
 * names it.
 */
import { feedHash, linked } from '../src/ports/feed-chain.js';
import type { FeedEvent, OutboxOutcome, OutboxRow } from '../src/ports/store.js';

export interface Chains {
  /** The event of this row, or its tombstone, as it goes to the feed. */
  next(row: OutboxRow, event: FeedEvent): FeedEvent;
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

export function createChains(): Chains {
  /** Of each key, the rows of this pass in order. */
  const links = new Map<number, Link>();
  const heads = new Map<string, string>();
  return {
    next: (row, event) => {
      if (row.wasSent === true) return event;
      const key = event.orderingKey;
      // A tombstone takes the place of its event: behind what that was behind.
      const standing = links.get(row.seq);
      const previous =
        standing === undefined ? (heads.get(key) ?? row.headHash) : standing.previous;
      const told = linked(event, previous);
      const hash = feedHash(told);
      heads.set(key, hash);
      links.set(row.seq, { key, previous, hash });
      return told;
    },
    close: (outcomes) => {
      const lastOf = new Map<string, number>();
      for (const outcome of outcomes) {
        const link = isThere(outcome) ? links.get(outcome.seq) : undefined;
        if (link !== undefined) lastOf.set(link.key, outcome.seq);
      }
      const last = new Map<string, string>();
      const placed = outcomes.map((outcome) => {
        const link = isThere(outcome) ? links.get(outcome.seq) : undefined;
        if (link === undefined) return outcome;
        const { key, previous = '', hash } = link;
        const told = { ...outcome, previousHash: previous };
        if (lastOf.get(key) !== outcome.seq) return told;
        last.set(key, hash);
        return { ...told, head: { key, hash } };
      });
      return { outcomes: placed, heads: last };
    },
  };
}

function isThere({ controlVersion, dead }: OutboxOutcome): boolean {
  return controlVersion !== undefined || dead === true;
}
