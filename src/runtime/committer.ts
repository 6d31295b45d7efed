/**
 * Carries decisions to the store: everything submitted since the last offer becomes the next one, a
 * bounded number at a time, in order; the store makes transactions of them. Two offers are under way at
 * most: one is written while the other is made. An unavailable store keeps decisions waiting and is
 * tried again with back-off; until then the thread is reflex-only [RT-7].
 */
import type { StoreFailure } from '../../machines/model/failures.js';
import { fail, type Result } from '../../machines/model/result.js';
import type { Clock } from '../ports/clock.js';
import type { Committed, Decision, Store } from '../ports/store.js';
import { OFFER_DECISIONS_MAX, OFFERS_MAX, STORE_RETRY } from './limits.js';
import { Queue } from './queue.js';

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

const NO_ANSWER: CommitOutcome = fail({
  code: 'unavailable',
  message: 'the store gave no answer',
} as const);

/** @param onAnswered Called when all of one answer has been told. */
export function createCommitter(
  store: Pick<Store, 'commit'>,
  clock: Clock,
  onAnswered: () => void = () => undefined,
): Committer {
  /** Not offered yet. */
  const fresh = new Queue<Submitted>();
  /** To be offered again, before those. */
  let again: Submitted[] = [];
  /** Offered and not answered. */
  let offered = 0;
  let offers = 0;
  /** Answers are taken in the order of the offers, whenever they come. */
  let taken: Promise<void> = Promise.resolve();
  let scheduled = false;
  let closed = false;
  let failures = 0;
  /** At the head of it: what has to wait while a later offer has not come back. */
  let waitsAhead = 0;
  let unavailable: string | undefined;
  let drained: (() => void)[] = [];

  const left = (): number => again.length + fresh.size + offered;

  const settleDrains = (): void => {
    if (left() > 0 && unavailable === undefined) return;
    const resolvers = drained;
    drained = [];
    for (const resolve of resolvers) resolve();
  };

  /** While anything has to wait, nothing is offered before all that was offered has come back. */
  const mayOffer = (): boolean => {
    const waits = unavailable !== undefined || waitsAhead > 0;
    return again.length + fresh.size > 0 && offers < (waits ? 1 : OFFERS_MAX);
  };

  const schedule = (): void => {
    if (scheduled || closed || !mayOffer()) return;
    scheduled = true;
    const run = (): void => {
      scheduled = false;
      if (!closed) offer();
    };
    if (unavailable === undefined) return clock.soon(run);
    clock.after(Math.min(STORE_RETRY.baseMs * 2 ** failures, STORE_RETRY.maxMs), run);
  };

  const offer = (): void => {
    const batch = again.slice(0, OFFER_DECISIONS_MAX);
    if (batch.length > 0) again = again.slice(batch.length);
    while (batch.length < OFFER_DECISIONS_MAX) {
      const next = fresh.shift();
      if (next === undefined) break;
      batch.push(next);
    }
    offered += batch.length;
    offers += 1;
    const answer = store.commit(batch.map(({ decision }) => decision));
    // The next one waits for this one's answer here: it need not be caught before.
    answer.catch(() => undefined);
    taken = taken.then(async () => take(batch, await answer));
    schedule();
  };

  const take = (batch: readonly Submitted[], outcomes: readonly CommitOutcome[]): void => {
    offers -= 1;
    offered -= batch.length;
    // Behind a decision that has to wait everything waits: what failed may have failed because of it,
    // and what was written is acknowledged again, so that effects keep their order.
    const away = batch.findIndex((_, index) => isUnavailable(outcomes[index] ?? NO_ANSWER));
    const answered = away < 0 ? batch.length : away;
    const to = waitsAhead > 0 ? 0 : answered;
    const parked = batch.slice(to);
    if (parked.length > 0) again.splice(waitsAhead, 0, ...parked);
    waitsAhead = offers > 0 ? waitsAhead + parked.length : 0;
    unavailable = away < 0 ? undefined : messageOf(outcomes[away] ?? NO_ANSWER);
    failures = unavailable === undefined ? 0 : failures + 1;
    for (let index = 0; index < to; index += 1) batch[index]?.done(outcomes[index] ?? NO_ANSWER);
    onAnswered();
    settleDrains();
    schedule();
  };

  return {
    submit: (decision, done) => {
      fresh.push({ decision, done });
      schedule();
    },
    get waiting() {
      return left();
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
