/**
 * Carries decisions to the store: everything submitted while the last call ran becomes the next one,
 * a bounded number at a time, in order; the store makes transactions of them. An unavailable store keeps decisions waiting and is tried
 * again with back-off; until then the thread is reflex-only [RT-7].
 */
import type { StoreFailure } from '../../machines/model/failures.js';
import { fail, type Result } from '../../machines/model/result.js';
import type { Clock } from '../ports/clock.js';
import type { Committed, Decision, Store } from '../ports/store.js';
import { OFFER_DECISIONS_MAX, STORE_RETRY } from './limits.js';

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

interface Answered {
  readonly entry: Submitted;
  readonly outcome: CommitOutcome;
}

const NO_ANSWER: CommitOutcome = fail({
  code: 'unavailable',
  message: 'the store gave no answer',
} as const);

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
    const batch = queue.slice(0, OFFER_DECISIONS_MAX);
    const outcomes = await store.commit(batch.map(({ decision }) => decision));
    busy = false;
    // What failed behind a decision that has to wait may have failed because of it.
    const from = batch.findIndex((_, index) => isUnavailable(outcomes[index] ?? NO_ANSWER));
    const parked: Submitted[] = [];
    const answered: Answered[] = [];
    for (const [index, entry] of batch.entries()) {
      const outcome = outcomes[index] ?? NO_ANSWER;
      if (from >= 0 && index >= from && !outcome.ok) parked.push(entry);
      else answered.push({ entry, outcome });
    }
    queue = [...parked, ...queue.slice(batch.length)];
    unavailable = from < 0 ? undefined : messageOf(outcomes[from] ?? NO_ANSWER);
    failures = unavailable === undefined ? 0 : failures + 1;
    for (const { entry, outcome } of answered) entry.done(outcome);
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
