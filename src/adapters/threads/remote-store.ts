/**
 * The `Store` port in threads that do not own the database: each call is a request frame to the
 * store thread, answered under its id.
 *
 * What has no answer yet is kept. When the store thread died and a channel to its successor is
 * attached, all of it is sent again in order: a decision that had been committed is recognised
 * there and acknowledged, one that had not is committed now [WI-6]. While no channel is attached
 * calls wait; past PENDING_MAX they are `unavailable` at once.
 */
import type { StoreFailure } from '../../../machines/model/failures.js';
import type { Json } from '../../../machines/model/json.js';
import { fail, type Result } from '../../../machines/model/result.js';
import type { Committed, Decision, Store } from '../../ports/store.js';
import type { WireFailure } from '../../wire/failures.js';
import { REQUEST_DECISIONS_MAX } from '../../wire/limits.js';
import type { LinkFrame, StoreAnswerFrame, StoreRequestFrame } from '../../wire/link-frame.js';
import { isFlag, isObject, isPlain } from '../../wire/shape.js';
import { isDecision, type StoreMethod } from '../../wire/store-call.js';

/** A link as the store's two ends see it. A post that fails was not sent. */
export interface StoreChannel {
  post(frame: StoreRequestFrame | StoreAnswerFrame): Result<void, WireFailure>;
  onFrame(listener: (frame: LinkFrame) => void): void;
  onClose(listener: () => void): void;
}

export interface RemoteStore extends Store {
  /** From now on this channel carries the calls, first of all those without an answer. */
  attach(channel: StoreChannel): void;
  /** Calls without an answer. */
  readonly pending: number;
}

/** Calls that may wait for an answer. */
export const PENDING_MAX = 4_096;

type Answer = Result<unknown, StoreFailure>;
type Outcome = Result<Committed, StoreFailure>;

interface Pending {
  readonly frame: StoreRequestFrame;
  /** Parts of a long list that have arrived. */
  parts: readonly Json[];
  readonly settle: (answer: Answer) => void;
  /** Called instead of `settle` when the request does not fit a frame. */
  readonly tooLarge: () => void;
}

interface Link {
  /** Sends now or when a channel comes; every call is settled exactly once. */
  send(
    method: StoreMethod,
    args: readonly unknown[],
    on: Pick<Pending, 'settle' | 'tooLarge'>,
  ): void;
  attach(channel: StoreChannel): void;
  close(): void;
  size(): number;
}

export function createRemoteStore(): RemoteStore {
  const link = createLink();
  const call: Call = (method, ...args) =>
    new Promise((resolve) => {
      const settle = resolve as Pending['settle'];
      const tooLarge = (): void => settle(failed('rejected', `${method} does not fit a frame`));
      link.send(method, args, { settle, tooLarge });
    });
  return {
    ...readsOver(call),
    commit: (decisions) => commitOver(link, decisions),
    fence: (thread, incarnation) => call('fence', thread, incarnation),
    outboxWriteBack: (outcomes) => call('outboxWriteBack', outcomes),
    ledgerPut: (entry) => call('ledgerPut', entry),
    ledgerRemove: (vipKey) => call('ledgerRemove', vipKey),
    metaSet: (key, value) => call('metaSet', key, value),
    attach: link.attach,
    get pending() {
      return link.size();
    },
    close: async () => link.close(),
  };
}

/**
 * The answer's type is the port's: both ends are built from the same sources (the hello says so).
 */
type Call = <T>(
  method: StoreMethod,
  ...args: readonly unknown[]
) => Promise<Result<T, StoreFailure>>;

function readsOver(call: Call) {
  return {
    load: (kinds) => call('load', kinds),
    loadFamily: (address) => call('loadFamily', address),
    outboxPending: (afterSeq, max) => call('outboxPending', afterSeq, max),
    outboxList: (filter) => call('outboxList', filter),
    outboxCounts: () => call('outboxCounts'),
    journal: (afterSeq, max) => call('journal', afterSeq, max),
    journalHead: () => call('journalHead'),
    journalOf: (actor, max) => call('journalOf', actor, max),
    journalById: (id) => call('journalById', id),
    ledger: () => call('ledger'),
    metaGet: (key) => call('metaGet', key),
  } satisfies Partial<Store>;
}

/** One outcome per decision, in order; what cannot travel is rejected alone. */
async function commitOver(link: Link, decisions: readonly Decision[]): Promise<readonly Outcome[]> {
  const travels = decisions.map((decision) => isPlain(decision) && isDecision(decision));
  const sent = await commitSome(
    link,
    decisions.filter((_, index) => travels[index]),
  );
  const outcomes = sent[Symbol.iterator]();
  return travels.map((travelled) => {
    const outcome = travelled ? outcomes.next().value : undefined;
    return outcome ?? failed('rejected', 'the decision is not plain data of the right shape');
  });
}

/** In requests of bounded size: one too large for a frame is sent as two halves, in order. */
function commitSome(link: Link, decisions: readonly Decision[]): Promise<readonly Outcome[]> {
  if (decisions.length === 0) return Promise.resolve([]);
  const halves = (): Promise<readonly Outcome[]> => {
    const middle = Math.ceil(decisions.length / 2);
    const parts = [decisions.slice(0, middle), decisions.slice(middle)];
    return Promise.all(parts.map((part) => commitSome(link, part))).then((both) => both.flat());
  };
  if (decisions.length > REQUEST_DECISIONS_MAX) return halves();
  return new Promise((resolve) => {
    const all = (outcome: Outcome): void => resolve(decisions.map(() => outcome));
    link.send('commit', [decisions], {
      settle: (answer) =>
        answer.ok ? resolve(answer.value as readonly Outcome[]) : all(fail(answer.failure)),
      tooLarge: () =>
        decisions.length > 1
          ? void halves().then(resolve)
          : all(failed('rejected', 'the decision does not fit a frame')),
    });
  });
}

function createLink(): Link {
  const pending = new Map<number, Pending>();
  let channel: StoreChannel | undefined;
  let closed = false;
  let lastId = 0;

  const settle = (entry: Pending, answer: Answer): void => {
    pending.delete(entry.frame.id);
    entry.settle(answer);
  };

  const post = (entry: Pending): void => {
    const posted = channel?.post(entry.frame);
    if (posted === undefined || posted.ok) return;
    pending.delete(entry.frame.id);
    if (posted.failure.code === 'too-large') entry.tooLarge();
    else entry.settle(failed('rejected', posted.failure.message));
  };

  const take = (frame: LinkFrame): void => {
    const entry = frame.type === 'store.answer' ? pending.get(frame.id) : undefined;
    if (entry === undefined || frame.type !== 'store.answer') return;
    const { result, more } = frame;
    if (more) entry.parts = [...entry.parts, result];
    else settle(entry, join([...entry.parts, result]));
  };

  return {
    send: (method, args, on) => {
      if (closed) return on.settle(CLOSED);
      if (pending.size >= PENDING_MAX) {
        return on.settle(failed('unavailable', 'too many calls wait for the store thread'));
      }
      lastId += 1;
      const frame = { type: 'store.request', id: lastId, method, args: args as Json[] } as const;
      const entry: Pending = { frame, parts: [], ...on };
      pending.set(lastId, entry);
      post(entry);
    },
    attach: (next) => {
      channel = next;
      next.onFrame((frame) => {
        if (channel === next) take(frame);
      });
      next.onClose(() => {
        if (channel === next) channel = undefined;
      });
      for (const entry of [...pending.values()]) {
        entry.parts = [];
        post(entry);
      }
    },
    close: () => {
      closed = true;
      channel = undefined;
      for (const entry of [...pending.values()]) settle(entry, CLOSED);
    },
    size: () => pending.size,
  };
}

/** One answer from its parts: the lists of all of them, or the only one as it is. */
function join(parts: readonly Json[]): Answer {
  const answers = parts.map(answerOf);
  const [only] = answers;
  if (only !== undefined && answers.length === 1) return only;
  const broken = answers.find((answer) => !answer.ok);
  if (broken !== undefined) return broken;
  return { ok: true, value: answers.flatMap((answer) => (answer.ok ? answer.value : [])) };
}

function answerOf(part: Json): Answer {
  const isAnswer = isObject(part) && isFlag(part['ok']);
  if (isAnswer && part['ok'] === true) return { ok: true, value: part['value'] };
  if (isAnswer && isObject(part['failure'])) return part as Answer;
  return failed('unavailable', 'the store thread gave an answer of no known shape');
}

const CLOSED = failed('unavailable', 'the link to the store thread is closed');

function failed(code: StoreFailure['code'], message: string): Result<never, StoreFailure> {
  return fail({ code, message });
}
