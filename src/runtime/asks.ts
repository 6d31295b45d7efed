/**
 * Questions under way: each is answered exactly once, by a reply or by its deadline; a later reply is
 * only counted. A thread that dies fails all it was asked at once, with the cause.
 */
import type { Json } from '../../machines/model/json.js';
import { fail, type Result } from '../../machines/model/result.js';
import type { Cancel, Clock } from '../ports/clock.js';
import type { DeadLetterReason } from './dead-letters.js';

export interface AskFailure {
  readonly code: 'timeout' | 'no-actor' | 'mailbox-full' | 'not-taken' | 'thread-lost' | 'stopping';
  readonly message: string;
}

export interface Asks {
  /**
   * `replyTo` goes into the envelope; `answer` settles within the deadline. `of`: the thread that is
   * asked.
   */
  open(
    timeoutMs: number,
    of?: string,
  ): {
    readonly replyTo: string;
    readonly answer: Promise<Result<Json, AskFailure>>;
  };
  /** False: nobody waits for it any more. */
  settle(replyTo: string, outcome: Result<Json, AskFailure>): boolean;
  /** With `of`, only what was asked of that thread. */
  failAll(failure: AskFailure, of?: string): void;
}

interface Waiting {
  readonly of: string | undefined;
  readonly resolve: (outcome: Result<Json, AskFailure>) => void;
  readonly cancel: Cancel;
}

/** `name`: `thread:incarnation`, so that no answer to an earlier life settles a question of this one. */
export function createAsks(name: string, clock: Clock): Asks {
  const waiting = new Map<string, Waiting>();
  let next = 1;

  const settle = (replyTo: string, outcome: Result<Json, AskFailure>): boolean => {
    const asked = waiting.get(replyTo);
    if (asked === undefined) return false;
    waiting.delete(replyTo);
    asked.cancel();
    asked.resolve(outcome);
    return true;
  };

  const open: Asks['open'] = (timeoutMs, of) => {
    const replyTo = `${name}:${next++}`;
    const answer = new Promise<Result<Json, AskFailure>>((resolve) => {
      const cancel = clock.after(timeoutMs, () => {
        const message = `no answer within ${timeoutMs} ms`;
        settle(replyTo, fail({ code: 'timeout', message }));
      });
      waiting.set(replyTo, { of, resolve, cancel });
    });
    return { replyTo, answer };
  };

  return {
    open,
    settle,
    failAll: (failure, of) => {
      for (const [replyTo, asked] of [...waiting]) {
        if (of === undefined || asked.of === of) settle(replyTo, fail(failure));
      }
    },
  };
}

/** The thread an answer goes back to. */
export function threadOfReply(replyTo: string): string {
  return replyTo.split(':', 1)[0] ?? replyTo;
}

/** What an asker hears of a question that became a dead letter; otherwise `not-taken`. */
export const ASK_CODES: Readonly<Partial<Record<DeadLetterReason, AskFailure['code']>>> = {
  'no-actor': 'no-actor',
  'mailbox-full': 'mailbox-full',
  'link-full': 'mailbox-full',
  'unreachable-thread': 'thread-lost',
  stopping: 'stopping',
};
