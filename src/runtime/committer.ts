/**
 * Carries decisions to the store: everything submitted while the last commit ran becomes the next
 * call, at most 256 at a time, in order. An unavailable store keeps decisions waiting and is tried
 * again with back-off; until then the thread is reflex-only [RT-7].
 */
import type { StoreFailure } from '../../machines/model/failures.js';
import { fail, type Result } from '../../machines/model/result.js';
import type { Clock } from '../ports/clock.js';
import type { Committed, Decision, Store } from '../ports/store.js';
import { COMMIT_DECISIONS_MAX, STORE_RETRY } from './limits.js';

export type CommitOutcome = Result<Committed, StoreFailure>;

export interface Committer {
  submit(decision: Decision, done: (outcome: CommitOutcome) => void): void;
  /** Decisions not yet answered. */
  readonly waiting: number;
  /** Why the store does not take decisions at the moment. */
  readonly unavailable: string | undefined;
  /** Resolves when nothing waits, or the store is unavailable. */
  drain(): Promise<void>;
  /** Offers nothing to the store any more. */
  close(): void;
}

interface Submitted {
  readonly decision: Decision;
  readonly done: (outcome: CommitOutcome) => void;
}

const NO_ANSWER = fail({ code: 'unavailable', message: 'the store gave no answer' } as const);

export function createCommitter(store: Pick<Store, 'commit'>, clock: Clock): Committer {
  let queue: Submitted[] = [];
  let busy = false;
  let scheduled = false;
  let closed = false;
  let failures = 0;
  let unavailable: string | undefined;
  let drained: (() => void)[] = [];

  const settleDrains = (): void => {
    if (queue.length > 0 && unavailable === undefined) return;
    const resolvers = drained;
    drained = [];
    for (const resolve of resolvers) resolve();
  };

  const schedule = (): void => {
    if (scheduled || busy || closed || queue.length === 0) return;
    scheduled = true;
    const run = (): void => {
      scheduled = false;
      if (!closed) void flush();
    };
    if (unavailable === undefined) return clock.soon(run);
    clock.after(Math.min(STORE_RETRY.baseMs * 2 ** failures, STORE_RETRY.maxMs), run);
  };

  const flush = async (): Promise<void> => {
    busy = true;
    const batch = queue.slice(0, COMMIT_DECISIONS_MAX);
    const outcomes = await store.commit(batch.map(({ decision }) => decision));
    busy = false;
    const answered = batch.map((entry, index) => ({
      entry,
      outcome: outcomes[index] ?? NO_ANSWER,
    }));
    // What failed behind a decision that has to wait may have failed because of it.
    const from = answered.findIndex(({ outcome }) => isUnavailable(outcome));
    const waits = ({ ok }: CommitOutcome, index: number): boolean =>
      !ok && from >= 0 && index >= from;
    const parked = answered.filter(({ outcome }, index) => waits(outcome, index));
    queue = [...parked.map(({ entry }) => entry), ...queue.slice(batch.length)];
    unavailable = parked[0] === undefined ? undefined : messageOf(parked[0].outcome);
    failures = unavailable === undefined ? 0 : failures + 1;
    for (const [index, { entry, outcome }] of answered.entries()) {
      if (!waits(outcome, index)) entry.done(outcome);
    }
    settleDrains();
    schedule();
  };

  return {
    submit: (decision, done) => {
      queue.push({ decision, done });
      schedule();
    },
    get waiting() {
      return queue.length;
    },
    get unavailable() {
      return unavailable;
    },
    drain: () =>
      new Promise((resolve) => {
        drained.push(resolve);
        settleDrains();
      }),
    close: () => {
      closed = true;
    },
  };
}

function isUnavailable(outcome: CommitOutcome): boolean {
  return !outcome.ok && outcome.failure.code === 'unavailable';
}

function messageOf(outcome: CommitOutcome): string | undefined {
  return outcome.ok ? undefined : outcome.failure.message;
}
