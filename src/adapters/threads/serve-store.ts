/**
 * The other end of remote-store.ts, in the store thread: takes requests from every link in the
 * order they came, and answers each. All commit requests that stand next to each other, from
 * whatever link, become one `store.commit` of at most REQUEST_DECISIONS_MAX decisions: that is
 * group commit. Nothing is waited for; work begins when the event loop has taken in what had
 * arrived [WI-7].
 */
import type { StoreFailure } from '../../../machines/model/failures.js';
import type { Json } from '../../../machines/model/json.js';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import type { Store } from '../../ports/store.js';
import { ANSWER_ITEMS_MAX, REQUEST_DECISIONS_MAX } from '../../wire/limits.js';
import type { StoreRequestFrame } from '../../wire/link-frame.js';
import { hasArguments, type StoreArguments, type StoreMethod } from '../../wire/store-call.js';
import type { StoreChannel } from './remote-store.js';

export interface StoreServer {
  attach(channel: StoreChannel): void;
}

/** Requests taken in but not begun; more are answered `unavailable`. */
export const QUEUE_REQUESTS_MAX = 65_536;

interface Job {
  readonly channel: StoreChannel;
  readonly frame: StoreRequestFrame;
}

interface CommitJob extends Job {
  readonly decisions: StoreArguments<'commit'>[0];
}

type Answer = Result<unknown, StoreFailure>;

export function serveStore(
  store: Store,
  soon: (run: () => void) => void = (run) => void setImmediate(run),
): StoreServer {
  const queue: Job[] = [];
  let working = false;

  // A call that rejects is a defect: it is not caught, and takes this thread down.
  const work = async (): Promise<void> => {
    while (queue.length > 0) {
      const commits = takeCommits(queue);
      if (commits.length > 0) await commitTogether(store, commits);
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
        if (frame.type === 'store.request') take({ channel, frame });
      }),
  };
}

/** The run of well-formed commits at the head of the queue, within one transaction's bound. */
function takeCommits(queue: Job[]): readonly CommitJob[] {
  const jobs: CommitJob[] = [];
  let total = 0;
  for (const { channel, frame } of queue) {
    const { method, args } = frame;
    if (method !== 'commit' || !hasArguments(method, args)) break;
    total += args[0].length;
    if (total > REQUEST_DECISIONS_MAX) break;
    jobs.push({ channel, frame, decisions: args[0] });
  }
  queue.splice(0, jobs.length);
  return jobs;
}

async function commitTogether(store: Store, jobs: readonly CommitJob[]): Promise<void> {
  const outcomes = await store.commit(jobs.flatMap(({ decisions }) => decisions));
  let from = 0;
  for (const job of jobs) {
    const to = from + job.decisions.length;
    reply(job, ok(outcomes.slice(from, to)));
    from = to;
  }
}

async function answerNext(store: Store, queue: Job[]): Promise<void> {
  const job = queue.shift();
  if (job === undefined) return;
  const { method, args } = job.frame;
  reply(job, await perform(store, method, args));
}

/** Compiles only while the methods that travel are those of the port. */
type Calls = {
  readonly [M in Exclude<keyof Store, 'close'>]: (
    store: Store,
    args: StoreArguments<M>,
  ) => Promise<Answer>;
};

const CALLS: Calls = {
  load: (store, [kinds]) => store.load(kinds),
  loadFamily: (store, [address]) => store.loadFamily(address),
  commit: async (store, [decisions]) => ok(await store.commit(decisions)),
  fence: (store, [thread, incarnation]) => store.fence(thread, incarnation),
  outboxPending: (store, [afterSeq, max]) => store.outboxPending(afterSeq, max),
  outboxWriteBack: (store, [outcomes]) => store.outboxWriteBack(outcomes),
  outboxList: (store, [filter]) => store.outboxList(filter),
  outboxCounts: (store) => store.outboxCounts(),
  journal: (store, [afterSeq, max]) => store.journal(afterSeq, max),
  journalHead: (store) => store.journalHead(),
  journalOf: (store, [actor, max]) => store.journalOf(actor, max),
  journalById: (store, [id]) => store.journalById(id),
  ledger: (store) => store.ledger(),
  ledgerPut: (store, [entry]) => store.ledgerPut(entry),
  ledgerRemove: (store, [vipKey]) => store.ledgerRemove(vipKey),
  metaGet: (store, [key]) => store.metaGet(key),
  metaSet: (store, [key, value]) => store.metaSet(key, value),
};

async function perform<M extends StoreMethod>(
  store: Store,
  method: M,
  args: readonly unknown[],
): Promise<Answer> {
  return hasArguments(method, args)
    ? CALLS[method](store, args)
    : failed('rejected', `${method} was called with arguments of the wrong shape`);
}

function reply({ channel, frame }: Job, answer: Answer): void {
  const job = { channel, frame };
  if (answer.ok && Array.isArray(answer.value)) return replyList(job, answer.value);
  if (!post(job, answer, false)) post(job, DOES_NOT_FIT, false);
}

const DOES_NOT_FIT = failed('rejected', 'the answer does not fit a frame');

/** A long list leaves in parts; a part that does not fit a frame leaves as two. */
function replyList(job: Job, list: readonly unknown[]): void {
  const parts: (readonly unknown[])[] = [];
  for (let from = 0; from < list.length; from += ANSWER_ITEMS_MAX) {
    parts.push(list.slice(from, from + ANSWER_ITEMS_MAX));
  }
  if (parts.length === 0) parts.push([]);
  parts.reverse();
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    if (post(job, ok(part), parts.length > 0)) continue;
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
