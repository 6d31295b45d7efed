/** The outbox part of a store, in memory: rows, what a pass made of them, and an off switch. */

import type { OutboxPorts } from '../../actors/outbox-backlog.js';
import type { OutboxAmendment } from '../../machines/model/messages.js';
import { fail, ok } from '../../machines/model/result.js';
import { feedTextOf } from '../../src/ports/feed-text.js';
import type { FeedEvent, OutboxOutcome, OutboxRow, PendingRow } from '../../src/ports/store.js';

export interface MemoryOutbox {
  readonly store: OutboxPorts['store'];
  readonly rows: Map<number, OutboxRow>;
  /** Write-backs so far. */
  readonly writeBacks: (readonly OutboxOutcome[])[];
  /** Calls of any kind that will still fail. */
  failures: number;
  /** By digest, as base64. */
  readonly artifacts: Map<string, string>;
  /** Who else has the outbox, and for how long. */
  claimedForMs: number;
  append(event: FeedEvent): void;
}

export function createMemoryOutbox(): MemoryOutbox {
  const rows = new Map<number, OutboxRow>();
  const writeBacks: (readonly OutboxOutcome[])[] = [];
  const heads = new Map<string, string>();
  const artifacts = new Map<string, string>();
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
    artifacts,
    claimedForMs: 0,
    append: (event) => {
      const seq = rows.size + 1;
      rows.set(seq, { seq, event, state: 'pending', attempts: 0, createdAt: 0 });
    },
    store: {
      outboxPending: async (afterSeq, max) => {
        if (fails()) return away;
        const some = pending().filter(({ seq }) => seq > afterSeq);
        return ok(some.slice(0, max).map((row) => pendingRow(row, heads)));
      },
      artifactGet: async (_kind, hash, part) => ok(part === 0 ? artifacts.get(hash) : undefined),
      outboxClaim: async ({ leaseMs }) => {
        if (fails()) return away;
        const versions = [...rows.values()].map(({ event, state }) =>
          state === 'published' ? event.controlVersion : 0,
        );
        const granted = outbox.claimedForMs === 0;
        const forMs = granted ? leaseMs : outbox.claimedForMs;
        return ok({ granted, forMs, lastControlVersion: Math.max(0, ...versions) });
      },
      outboxAmend: async (amendment) => {
        if (fails()) return away;
        const some = [...rows.values()].filter((row) => isMeant(row, amendment));
        for (const row of some) rows.set(row.seq, amended(row, amendment));
        return ok({ rows: some.length });
      },
      outboxWriteBack: async (outcomes) => {
        if (fails()) return away;
        writeBacks.push(outcomes);
        for (const { head } of outcomes) if (head !== undefined) heads.set(head.key, head.hash);
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

/** A row as whoever publishes it gets it. */
export function pendingRow(row: OutboxRow, heads: ReadonlyMap<string, string>): PendingRow {
  const { seq, attempts, event, wasSent = false, damaged } = row;
  const headHash = heads.get(event.orderingKey);
  return { seq, attempts, event: feedTextOf(event), wasSent, headHash, damaged };
}

function isMeant({ state, seq }: OutboxRow, amendment: OutboxAmendment): boolean {
  if (amendment.verb === 'republish') return state === 'published' || state === 'dead';
  return state === 'dead' && String(seq) === amendment.row;
}

function amended(row: OutboxRow, amendment: OutboxAmendment): OutboxRow {
  if (amendment.verb === 'discard') {
    return { ...row, state: 'discarded', lastError: amendment.reason };
  }
  // One more refusal and it is dead again.
  const wasDead = amendment.verb === 'republish' && row.state === 'dead';
  return { ...row, state: 'pending', attempts: wasDead ? row.attempts - 1 : 0 };
}

function settled(row: OutboxRow, outcome: OutboxOutcome): OutboxRow {
  const { controlVersion, error, dead, previousHash } = outcome;
  const isSent = previousHash !== undefined && row.wasSent !== true;
  const sent: OutboxRow = isSent
    ? {
        ...row,
        wasSent: true,
        event: previousHash === '' ? row.event : { ...row.event, previousHash },
      }
    : row;
  if (controlVersion !== undefined) {
    return { ...sent, state: 'published', event: { ...sent.event, controlVersion } };
  }
  if (error === undefined) return row;
  const state = dead === true ? 'dead' : 'pending';
  return { ...sent, state, attempts: row.attempts + 1, lastError: error };
}
