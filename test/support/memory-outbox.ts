/** The outbox part of a store, in memory: rows, what a pass made of them, and an off switch. */

import type { OutboxPorts } from '../../actors/outbox-pass.js';
import { fail, ok } from '../../machines/model/result.js';
import type { FeedEvent, OutboxOutcome, OutboxRow } from '../../src/ports/store.js';

export interface MemoryOutbox {
  readonly store: OutboxPorts['store'];
  readonly rows: Map<number, OutboxRow>;
  /** Write-backs so far. */
  readonly writeBacks: (readonly OutboxOutcome[])[];
  /** Calls of any kind that will still fail. */
  failures: number;
  append(event: FeedEvent): void;
}

export function createMemoryOutbox(): MemoryOutbox {
  const rows = new Map<number, OutboxRow>();
  const writeBacks: (readonly OutboxOutcome[])[] = [];
  const away = fail({ code: 'unavailable' as const, message: 'the disk is away' });

  const fails = (): boolean => {
    if (outbox.failures === 0) return false;
    outbox.failures -= 1;
    return true;
  };
  const pending = (): readonly OutboxRow[] =>
    [...rows.values()].filter(({ state }) => state === 'pending');

  const outbox: MemoryOutbox = {
    rows,
    writeBacks,
    failures: 0,
    append: (event) => {
      const seq = rows.size + 1;
      rows.set(seq, { seq, event, state: 'pending', attempts: 0, createdAt: 0 });
    },
    store: {
      outboxPending: async (afterSeq, max) => {
        if (fails()) return away;
        return ok(
          pending()
            .filter(({ seq }) => seq > afterSeq)
            .slice(0, max),
        );
      },
      outboxWriteBack: async (outcomes) => {
        if (fails()) return away;
        writeBacks.push(outcomes);
        for (const outcome of outcomes) {
          const row = rows.get(outcome.seq);
          if (row?.state === 'pending') rows.set(row.seq, settled(row, outcome));
        }
        return ok(undefined);
      },
      outboxCounts: async () => {
        if (fails()) return away;
        const dead = [...rows.values()].filter(({ state }) => state === 'dead').length;
        return ok({ pending: pending().length, dead });
      },
    },
  };
  return outbox;
}

function settled(row: OutboxRow, { controlVersion, error, dead }: OutboxOutcome): OutboxRow {
  if (controlVersion !== undefined) return { ...row, state: 'published' };
  if (error === undefined) return row;
  const state = dead === true ? 'dead' : 'pending';
  return { ...row, state, attempts: row.attempts + 1, lastError: error };
}
