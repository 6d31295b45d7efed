/**
 * The other end of remote-store.ts, in the store thread: takes requests from every link in the
 * order they came, and answers each. All decisions that stand next to each other, from whatever link,
 * become transactions of bounded size: that is group commit. Nothing is waited for; work begins when
 * the event loop has taken in what had arrived [WI-7].
 *
 * A long `load` is read in short bites and answered in parts; what waits behind it goes between them
 * [ST-19].
 */
import type { StoreFailure } from '../../../machines/model/failures.js';
import type { Json } from '../../../machines/model/json.js';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import type { FleetStore } from '../../ports/fleet-store.js';
import {
  type CellLine,
  joinLines,
  type PackedDecision,
  type PackedStore,
} from '../../ports/packed.js';
import type { Committed, Store } from '../../ports/store.js';
import { COMMIT_DECISIONS_MAX } from '../../runtime/limits.js';
import { createPlacement, type Placement } from '../../runtime/placement.js';
import { readBatch } from '../../wire/decision-batch.js';
import { ANSWER_ITEMS_MAX } from '../../wire/limits.js';
import type { StoreRequestFrame } from '../../wire/link-frame.js';
import { readOutcomes } from '../../wire/outcomes.js';
import { hasArguments, type StoreArguments, type StoreMethod } from '../../wire/store-call.js';
import type { StoreChannel } from './remote-store.js';

export interface StoreServer {
  attach(channel: StoreChannel): void;
}

/** Requests taken in but not begun; more are answered `unavailable`. */
export const QUEUE_REQUESTS_MAX = 65_536;

/** Of one text of a load, a row longer than that excepted. */
const TEXT_CHARACTERS = 65_536;

interface Job {
  readonly channel: StoreChannel;
  readonly frame: StoreRequestFrame;
  /** Of a commit: what is still to do. */
  decisions?: readonly PackedDecision[];
  /** Of a load: the last address answered, and who lives where. */
  after?: string;
  placement?: Placement;
}

type Answer = Result<unknown, StoreFailure>;
type Outcome = Result<Committed, StoreFailure>;

export function serveStore(
  store: PackedStore,
  soon: (run: () => void) => void = (run) => void setImmediate(run),
): StoreServer {
  const queue: Job[] = [];
  let working = false;

  // A call that rejects is a defect: it is not caught, and takes this thread down.
  const work = async (): Promise<void> => {
    for (let head = queue[0]; head !== undefined; head = queue[0]) {
      if (head.decisions !== undefined) await commitTogether(store, queue);
      else await answerNext(store, queue);
    }
    working = false;
  };

  const take = (job: Job): void => {
    if (queue.length >= QUEUE_REQUESTS_MAX) {
      return reply(job, failed('unavailable', 'too many requests wait in the store thread'));
    }
    queue.push(job);
    if (working) return;
    working = true;
    soon(() => void work());
  };

  return {
    attach: (channel) =>
      channel.onFrame((frame) => {
        if (frame.type === 'store.request') take(jobOf(channel, frame));
      }),
  };
}

function jobOf(channel: StoreChannel, frame: StoreRequestFrame): Job {
  const { method, args } = frame;
  const decisions = method === 'commit' && hasArguments(method, args) ? readBatch(args) : undefined;
  if (decisions === undefined || decisions.length === 0) return { channel, frame };
  // The texts are cut out of the frame's: it need not be kept beside them.
  return { channel, frame: { ...frame, args: [] }, decisions };
}

/** One transaction from the decisions at the head of the queue, whole requests or parts of them. */
async function commitTogether(store: PackedStore, queue: Job[]): Promise<void> {
  const shares: { readonly job: Job; readonly decisions: readonly PackedDecision[] }[] = [];
  let room = COMMIT_DECISIONS_MAX;
  for (const job of queue) {
    if (job.decisions === undefined || room === 0) break;
    const decisions = job.decisions.slice(0, room);
    room -= decisions.length;
    shares.push({ job, decisions });
  }
  const outcomes = await store.commitPacked(shares.flatMap(({ decisions }) => decisions));
  let from = 0;
  for (const { job, decisions } of shares) {
    const to = from + decisions.length;
    job.decisions = job.decisions?.slice(decisions.length) ?? [];
    answerCommit(job, outcomes.slice(from, to));
    from = to;
  }
  while (queue[0]?.decisions?.length === 0) queue.shift();
}

/**
 * Two places of a flat list for each decision. Once one is unavailable so is all behind it in its
 * request: the order holds when it is sent again.
 */
function answerCommit(job: Job, outcomes: readonly Outcome[]): void {
  const places = outcomes.flatMap(placesOf);
  const away = outcomes.find(isUnavailable);
  if (away !== undefined) {
    for (let left = job.decisions?.length ?? 0; left > 0; left -= 1) places.push(...placesOf(away));
    job.decisions = [];
  }
  const more = (job.decisions?.length ?? 0) > 0;
  if (!post(job, ok(places), more)) post(job, DOES_NOT_FIT, more);
}

function placesOf(outcome: Outcome): readonly (number | string)[] {
  return outcome.ok
    ? [outcome.value.outboxSeq, outcome.value.journalSeq]
    : [outcome.failure.code, outcome.failure.message];
}

function isUnavailable(outcome: Outcome): boolean {
  return !outcome.ok && outcome.failure.code === 'unavailable';
}

async function answerNext(store: PackedStore, queue: Job[]): Promise<void> {
  const job = queue.shift();
  if (job === undefined) return;
  const { method, args } = job.frame;
  if (method !== 'load') return reply(job, await perform(store, method, args));
  if (!hasArguments(method, args)) return reply(job, fail(misshapen(method)));
  await answerLoad(store, queue, job);
}

/** One bite of a load; while there is more it stands in line again. */
async function answerLoad(store: PackedStore, queue: Job[], job: Job): Promise<void> {
  const [kinds, placed, form] = job.frame.args as StoreArguments<'load'>;
  const after = job.after ?? '';
  const bite = await (form === 'lines'
    ? store.loadLines(kinds, after)
    : store.loadPage(kinds, after));
  const last = bite.ok ? bite.value.at(-1) : undefined;
  if (!bite.ok || last === undefined) return reply(job, bite);
  if (placed !== null) job.placement ??= createPlacement(placed.shards);
  const { placement } = job;
  const cells = bite.value.filter(
    ([address]) => !placement || placement.threadOf(address as never) === placed?.thread,
  );
  if (cells.length > 0) replyList(job, form === 'lines' ? textsOf(cells as never) : cells, true);
  job.after = last[0];
  queue.push(job);
}

/** Lists of lines, each of about the length of one frame, so that few are read as one. */
function textsOf(lines: readonly CellLine[]): readonly string[] {
  const texts: string[] = [];
  let some: string[] = [];
  let characters = 0;
  for (const [, row] of lines) {
    if (characters + row.length > TEXT_CHARACTERS && some.length > 0) {
      texts.push(joinLines(some));
      some = [];
      characters = 0;
    }
    some.push(row);
    characters += row.length;
  }
  return [...texts, joinLines(some)];
}

/** Compiles only while the methods that travel are those of the port. */
type Calls = {
  readonly [M in Exclude<keyof (Store & FleetStore), 'close' | 'load'>]: (
    store: PackedStore,
    args: StoreArguments<M>,
  ) => Promise<Answer>;
};

const CALLS: Calls = {
  // Only a commit of nothing comes here, or of what cannot be read.
  commit: async (_, args) => (readBatch(args) === undefined ? fail(misshapen('commit')) : ok([])),
  loadFamily: (store, [address]) => store.loadFamilyPacked(address),
  fence: (store, [thread, incarnation]) => store.fence(thread, incarnation),
  outboxAmend: (store, [amendment]) => store.outboxAmend(amendment),
  outboxClaim: (store, [claim]) => store.outboxClaim(claim),
  outboxPending: (store, [afterSeq, max]) => store.outboxTexts(afterSeq, max),
  outboxWriteBack: async (store, [text]) => {
    const outcomes = readOutcomes(text);
    return outcomes === undefined
      ? fail(misshapen('outboxWriteBack'))
      : store.outboxWriteBack(outcomes);
  },
  outboxList: (store, [filter]) => store.outboxList(filter),
  outboxCounts: (store) => store.outboxCounts(),
  journal: (store, [afterSeq, max]) => store.journal(afterSeq, max),
  journalHead: (store) => store.journalHead(),
  journalOf: (store, [actor, max]) => store.journalOf(actor, max),
  journalById: (store, [id]) => store.journalById(id),
  ledger: (store) => store.ledger(),
  ledgerPut: (store, [entry]) => store.ledgerPut(entry),
  ledgerRemove: (store, [vipKey]) => store.ledgerRemove(vipKey),
  artifactPut: (store, [part]) => store.artifactPut(part),
  artifactGet: (store, [kind, hash, part]) => store.artifactGet(kind, hash, part),
  artifactsKeep: (store, [kind, hashes]) => store.artifactsKeep(kind, hashes),
  fleetApply: (store, [batch]) => store.fleetApply(batch),
  fleetCursor: (store) => store.fleetCursor(),
  fleetGround: (store) => store.fleetGround(),
  fleetStanding: (store) => store.fleetStanding(),
  fleetRows: (store, [prefix, after, max]) => store.fleetRows(prefix, after, max),
  fleetAdopt: (store, [prefixes]) => store.fleetAdopt(prefixes),
  outboxAbandon: (store, [seqs, reason]) => store.outboxAbandon(seqs, reason),
  metaGet: (store, [key]) => store.metaGet(key),
  metaSet: (store, [key, value]) => store.metaSet(key, value),
};

async function perform<M extends keyof Calls>(
  store: PackedStore,
  method: M,
  args: readonly unknown[],
): Promise<Answer> {
  return hasArguments(method, args) ? CALLS[method](store, args) : fail(misshapen(method));
}

function misshapen(method: StoreMethod): StoreFailure {
  return { code: 'rejected', message: `${method} was called with arguments of the wrong shape` };
}

function reply(job: Job, answer: Answer): void {
  if (answer.ok && Array.isArray(answer.value)) return replyList(job, answer.value, false);
  if (!post(job, answer, false)) post(job, DOES_NOT_FIT, false);
}

const DOES_NOT_FIT = failed('rejected', 'the answer does not fit a frame');

/** A long list leaves in parts; a part that does not fit a frame leaves as two. */
function replyList(job: Job, list: readonly unknown[], goesOn: boolean): void {
  const parts: (readonly unknown[])[] = [];
  for (let from = 0; from < list.length; from += ANSWER_ITEMS_MAX) {
    parts.push(list.slice(from, from + ANSWER_ITEMS_MAX));
  }
  if (parts.length === 0) parts.push([]);
  parts.reverse();
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    if (post(job, ok(part), goesOn || parts.length > 0)) continue;
    if (part.length <= 1) {
      post(job, DOES_NOT_FIT, false);
      return;
    }
    const middle = Math.ceil(part.length / 2);
    parts.push(part.slice(middle), part.slice(0, middle));
  }
}

/** @returns false when the answer does not fit a frame. */
function post({ channel, frame }: Job, answer: Answer, more: boolean): boolean {
  const result = answer as unknown as Json;
  const posted = channel.post({ type: 'store.answer', id: frame.id, result, more });
  return posted.ok || posted.failure.code !== 'too-large';
}

function failed(code: StoreFailure['code'], message: string): Answer {
  return fail({ code, message });
}
