/**
 * The `Store` port in threads that do not own the database: each call is a request frame to the
 * store thread, answered under its id.
 *
 * What has no answer yet is kept. When the store thread died and a channel to its successor is
 * attached, all of it is sent again in order: a decision that had been committed is recognised
 * there and acknowledged, one that had not is committed now [WI-6]. While no channel is attached
 * calls wait; past PENDING_MAX they are `unavailable` at once.
 *
 * Decisions are packed here and cells unpacked, each part of an answer as it comes: the store thread
 * reads on meanwhile [ST-19].
 */
import type { StoreFailure } from '../../../machines/model/failures.js';
import type { Json } from '../../../machines/model/json.js';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import type { FleetStore } from '../../ports/fleet-store.js';
import {
  isRow,
  type PackedDecision,
  packEach,
  unpackCell,
  unpackLines,
} from '../../ports/packed.js';
import { unpackPending } from '../../ports/packed-outbox.js';
import type { Committed, PendingRow, Store, StoredCell } from '../../ports/store.js';
import { packBatch } from '../../wire/decision-batch.js';
import type { WireFailure } from '../../wire/failures.js';
import { REQUEST_DECISIONS_MAX } from '../../wire/limits.js';
import type { LinkFrame, StoreAnswerFrame, StoreRequestFrame } from '../../wire/link-frame.js';
import { packOutcomes } from '../../wire/outcomes.js';
import { isPackedDecision } from '../../wire/packed-decision.js';
import { isFlag, isObject } from '../../wire/shape.js';
import type { StoreMethod } from '../../wire/store-call.js';

/** A link as the store's two ends see it. A post that fails was not sent. */
export interface StoreChannel {
  post(frame: StoreRequestFrame | StoreAnswerFrame): Result<void, WireFailure>;
  onFrame(listener: (frame: LinkFrame) => void): void;
  onClose(listener: () => void): void;
}

export interface RemoteStore extends Store, FleetStore {
  /** From now on this channel carries the calls, first of all those without an answer. */
  attach(channel: StoreChannel): void;
  /** Calls without an answer. */
  readonly pending: number;
}

/** Calls that may wait for an answer. */
export const PENDING_MAX = 4_096;

type Answer = Result<unknown, StoreFailure>;
type Outcome = Result<Committed, StoreFailure>;

interface Pending extends Parts {
  readonly frame: StoreRequestFrame;
  /** Parts that have arrived, read. */
  parts: Answer[];
  readonly settle: (answer: Answer) => void;
  /** Called instead of `settle` when the request does not fit a frame. */
  readonly tooLarge: () => void;
}

interface Parts {
  /** What becomes of each part's value; throws when it cannot be read. */
  readonly read?: (value: unknown) => unknown;
  /** Has each part as it comes; nothing of it is kept then. */
  readonly take?: ((cells: readonly StoredCell[]) => void) | undefined;
}

interface Link {
  /** Sends now or when a channel comes; every call is settled exactly once. */
  send(
    method: StoreMethod,
    args: readonly unknown[],
    on: Pick<Pending, 'settle' | 'tooLarge' | 'read' | 'take'>,
  ): void;
  attach(channel: StoreChannel): void;
  close(): void;
  size(): number;
}

export interface RemoteStoreOptions {
  /** `load` answers the cells that live there, not all of their kinds. */
  readonly placed?: { readonly thread: string; readonly shards: number };
}

export function createRemoteStore(options: RemoteStoreOptions = {}): RemoteStore {
  const link = createLink();
  const { placed = null } = options;
  const calling =
    (parts: Parts = {}): Call =>
    (method, ...args) =>
      new Promise((resolve) => {
        const settle = resolve as Pending['settle'];
        const tooLarge = (): void => settle(failed('rejected', `${method} does not fit a frame`));
        link.send(method, args, { settle, tooLarge, ...parts });
      });
  const call = calling();
  const callForCells = calling({ read: unpackCells });
  const callForRows = calling({ read: unpackRows });
  return {
    ...readsOver(call),
    load: async (kinds, take) => {
      const lines = calling({ read: readTexts, take });
      const quick = await lines<readonly StoredCell[]>('load', kinds, placed, 'lines');
      // One damaged row spoils the text it is in: one by one, only that row is damaged.
      return quick.ok ? quick : calling({ read: unpackCells, take })('load', kinds, placed, 'rows');
    },
    loadFamily: (address) => callForCells('loadFamily', address),
    commit: (decisions) => packEach(decisions, (packed) => commitOver(link, packed)),
    outboxPending: (afterSeq, max) => callForRows('outboxPending', afterSeq, max),
    fence: (thread, incarnation) => call('fence', thread, incarnation),
    outboxAmend: (amendment) => call('outboxAmend', amendment),
    outboxClaim: (claim) => call('outboxClaim', claim),
    outboxWriteBack: (outcomes) => call('outboxWriteBack', packOutcomes(outcomes)),
    ledgerPut: (entry) => call('ledgerPut', entry),
    ledgerRemove: (vipKey) => call('ledgerRemove', vipKey),
    artifactPut: (part) => call('artifactPut', part),
    artifactsKeep: (kind, hashes) => call('artifactsKeep', kind, hashes),
    fleetApply: (batch) => call('fleetApply', batch),
    fleetCursor: () => call('fleetCursor'),
    fleetGround: () => call('fleetGround'),
    fleetStanding: () => call('fleetStanding'),
    fleetRows: (prefix, after, max) => call('fleetRows', prefix, after, max),
    fleetAdopt: (prefixes) => call('fleetAdopt', prefixes),
    outboxAbandon: (seqs, reason) => call('outboxAbandon', seqs, reason),
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
    outboxList: (filter) => call('outboxList', filter),
    outboxCounts: () => call('outboxCounts'),
    journal: (afterSeq, max) => call('journal', afterSeq, max),
    journalHead: () => call('journalHead'),
    journalOf: (actor, max) => call('journalOf', actor, max),
    journalById: (id) => call('journalById', id),
    ledger: () => call('ledger'),
    artifactGet: (kind, hash, part) => call('artifactGet', kind, hash, part),
    metaGet: (key) => call('metaGet', key),
  } satisfies Partial<Store>;
}

function readTexts(value: unknown): readonly StoredCell[] {
  return (value as readonly string[]).flatMap(unpackLines);
}

function unpackRows(value: unknown): readonly PendingRow[] {
  return (value as readonly unknown[]).flatMap(unpackPending);
}

function unpackCells(value: unknown): readonly StoredCell[] {
  return (value as readonly unknown[]).map((cell) => {
    if (!isRow(cell)) throw new Error('it is no cell');
    return unpackCell(cell as never);
  });
}

/** One outcome per decision, in order; what is not of the right shape is rejected alone. */
async function commitOver(
  link: Link,
  decisions: readonly PackedDecision[],
): Promise<readonly Outcome[]> {
  const travels = decisions.map((decision) => isPackedDecision(decision));
  if (!travels.includes(false)) return commitSome(link, decisions);
  const sent = await commitSome(
    link,
    decisions.filter((_, index) => travels[index]),
  );
  const outcomes = sent[Symbol.iterator]();
  return travels.map((travelled) => {
    const outcome = travelled ? outcomes.next().value : undefined;
    return outcome ?? failed('rejected', 'the decision is not of the right shape');
  });
}

/** In requests of bounded size, in order: one too large for a frame is sent as two halves. */
function commitSome(link: Link, decisions: readonly PackedDecision[]): Promise<readonly Outcome[]> {
  if (decisions.length === 0) return Promise.resolve([]);
  if (decisions.length > REQUEST_DECISIONS_MAX)
    return commitParts(link, decisions, REQUEST_DECISIONS_MAX);
  const halves = () => commitParts(link, decisions, Math.ceil(decisions.length / 2));
  return new Promise((resolve) => {
    const all = (outcome: Outcome): void => resolve(decisions.map(() => outcome));
    link.send('commit', packBatch(decisions), {
      settle: (answer) =>
        answer.ok ? resolve(outcomesOf(decisions, answer.value)) : all(fail(answer.failure)),
      tooLarge: () =>
        decisions.length > 1
          ? void halves().then(resolve)
          : all(failed('rejected', 'the decision does not fit a frame')),
    });
  });
}

async function commitParts(
  link: Link,
  decisions: readonly PackedDecision[],
  size: number,
): Promise<readonly Outcome[]> {
  const parts: Promise<readonly Outcome[]>[] = [];
  for (let from = 0; from < decisions.length; from += size) {
    parts.push(commitSome(link, decisions.slice(from, from + size)));
  }
  return (await Promise.all(parts)).flat();
}

/** Two places of a flat list for each decision: its two numbers, or a failure's code and message. */
function outcomesOf(decisions: readonly PackedDecision[], value: unknown): readonly Outcome[] {
  const places = Array.isArray(value) ? (value as readonly unknown[]) : [];
  return decisions.map(([id], index) => {
    const [first, second] = [places[2 * index], places[2 * index + 1]];
    if (typeof first === 'number' && typeof second === 'number') {
      return ok({ id, outboxSeq: first, journalSeq: second });
    }
    return typeof first === 'string' && typeof second === 'string'
      ? failed(first as StoreFailure['code'], second)
      : UNREADABLE;
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
    entry.parts.push(handed(answerOf(frame.result, entry.read), entry));
    if (!frame.more) settle(entry, join(entry.parts));
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
function join(answers: readonly Answer[]): Answer {
  const [only] = answers;
  if (only !== undefined && answers.length === 1) return only;
  const broken = answers.find((answer) => !answer.ok);
  if (broken !== undefined) return broken;
  return { ok: true, value: answers.flatMap((answer) => (answer.ok ? answer.value : [])) };
}

function answerOf(part: Json, read: Pending['read']): Answer {
  const isAnswer = isObject(part) && isFlag(part['ok']);
  if (isAnswer && part['ok'] === true) return readValue(part['value'], read);
  if (isAnswer && isObject(part['failure'])) return part as Answer;
  return UNREADABLE;
}

function handed(answer: Answer, { take }: Parts): Answer {
  if (take === undefined || !answer.ok) return answer;
  take(answer.value as readonly StoredCell[]);
  return { ok: true, value: [] };
}

function readValue(value: unknown, read: Pending['read']): Answer {
  try {
    return { ok: true, value: read === undefined ? value : read(value) };
  } catch (error) {
    return failed('unavailable', `the store is damaged: ${(error as Error).message}`);
  }
}

const UNREADABLE = failed('unavailable', 'the store thread gave an answer of no known shape');

const CLOSED = failed('unavailable', 'the link to the store thread is closed');

function failed(code: StoreFailure['code'], message: string): Result<never, StoreFailure> {
  return fail({ code, message });
}
