/**
 * A store that acknowledges every decision at once, yet never in the same turn, and keeps nothing:
 * what stays in memory and in time is the runtime's own.
 */
import { ok } from '../../machines/model/result.js';
import type { Committed, Store } from '../../src/ports/store.js';

export interface CountingStore extends Store {
  readonly decisions: number;
}

export function forgetfulStore(): CountingStore {
  let decisions = 0;
  const nothing = async () => ok(undefined);
  const none = async () => ok([]);
  return {
    get decisions() {
      return decisions;
    },
    load: none,
    loadFamily: none,
    commit: async (batch) => {
      decisions += batch.length;
      return batch.map(({ id }) => ok<Committed>({ id, outboxSeq: 0, journalSeq: 0 }));
    },
    fence: nothing,
    outboxAmend: async () => ok({ rows: 0 }),
    outboxClaim: async ({ leaseMs }) =>
      ok({ granted: true, forMs: leaseMs, lastControlVersion: 0 }),
    outboxPending: none,
    outboxWriteBack: nothing,
    outboxList: none,
    outboxCounts: async () => ok({ pending: 0, dead: 0 }),
    journal: none,
    journalHead: async () => ok(0),
    journalOf: none,
    journalById: none,
    ledger: none,
    ledgerPut: nothing,
    ledgerRemove: nothing,
    artifactPut: nothing,
    artifactGet: nothing,
    artifactsKeep: nothing,
    metaGet: nothing,
    metaSet: nothing,
    close: async () => undefined,
  };
}
