/**
 * Every short history of one actor over a store that answers when the history says so: messages, poison,
 * effects that fail before and after the commit, commits and refusals, time, farewells and resumes, in
 * any order. After each event the laws hold; in the end every message is accounted for.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { forgetfulStore } from '../../bench/runtime/memory-store.js';
import type { Address } from '../../machines/model/ids.js';
import { fail, ok } from '../../machines/model/result.js';
import type { Committed, Decision, Store, StoredCell } from '../../src/ports/store.js';
import type { CommitOutcome } from '../../src/runtime/committer.js';
import { OFFERS_MAX } from '../../src/runtime/limits.js';
import { MINE, type MinedNode, minedNode, seen, totalOf } from '../support/mined-node.js';
import { seedOfRun } from '../support/seed.js';

const EVENTS = [
  'add',
  'poison',
  'fails now',
  'fails later',
  'leave',
  'time',
  'commit',
  'refuse',
  'resume',
] as const;
type HistoryEvent = (typeof EVENTS)[number];

interface Pending {
  readonly decisions: readonly Decision[];
  readonly answer: (outcomes: readonly CommitOutcome[]) => void;
}

/** Keeps the rule of the real one: a cell's decision follows the version before it. */
class JudgedStore {
  /** In the order they were offered. */
  readonly pending: Pending[] = [];
  readonly versions = new Map<Address, number>();
  /** Numbers that were committed since the actor began. */
  readonly lives: number[][] = [[]];
  /** Every number that was ever in a decision, once. */
  readonly decided: number[] = [];

  private readonly rows = new Map<Address, StoredCell>();

  readonly store: Store = {
    ...forgetfulStore(),
    loadFamily: async (address) =>
      ok([...this.rows.values()].filter((row) => row.address === address)),
    commit: (decisions) =>
      new Promise((resolve) => {
        assert.ok(this.pending.length < OFFERS_MAX, 'too many offers at a time');
        for (const decision of decisions) this.decided.push(...numbersOf(decision));
        this.pending.push({ decisions, answer: resolve });
      }),
  };

  answer(accepts: boolean): void {
    const pending = this.pending.shift();
    pending?.answer(
      pending.decisions.map((decision, index) =>
        // What is refused is one decision; those behind it no longer follow.
        !accepts && index === 0 ? refusal('rejected') : this.take(decision),
      ),
    );
  }

  private take(decision: Decision): CommitOutcome {
    const have = this.versions.get(decision.actor) ?? 0;
    if (decision.cell?.version !== have + 1) return refusal('stale');
    this.versions.set(decision.actor, have + 1);
    this.rows.set(decision.actor, { incarnation: 1, parent: undefined, ...decision.cell });
    this.lives.at(-1)?.push(...numbersOf(decision));
    if (decision.forget) {
      this.versions.delete(decision.actor);
      this.rows.delete(decision.actor);
      this.lives.push([]);
    }
    return ok<Committed>({ id: decision.id, outboxSeq: 0, journalSeq: 0 });
  }
}

function refusal(code: 'rejected' | 'stale'): CommitOutcome {
  return fail({ code, message: code });
}

function numbersOf({ records }: Decision): readonly number[] {
  return records.map(({ numbers }) => Number(numbers['by'])).filter((by) => by > 0);
}

interface Run {
  readonly node: MinedNode;
  readonly judged: JudgedStore;
  sent: number;
  left: number;
}

async function begin(): Promise<Run> {
  const judged = new JudgedStore();
  return { node: await minedNode({ store: judged.store }), judged, sent: 0, left: 0 };
}

/** Each number is a bit of its own, so that a sum tells which are in it. */
function add({ node }: Run, sent: number): void {
  node.tell({ type: 'add', by: 2 ** sent });
}

async function make(run: Run, event: HistoryEvent): Promise<void> {
  const { node, judged } = run;
  const fuse = { poison: 'step', 'fails now': 'now', 'fails later': 'later' }[event as string];
  if (fuse !== undefined) {
    const key = `${fuse} ${MINE}`;
    node.fuses.set(key, (node.fuses.get(key) ?? 0) + (event === 'poison' ? 3 : 1));
  }
  if (fuse !== undefined || event === 'add') add(run, run.sent++);
  if (event === 'leave') {
    run.left += 1;
    node.tell({ type: 'leave' });
  }
  if (event === 'commit' || event === 'refuse') judged.answer(event === 'commit');
  if (event === 'resume') node.host.resume(MINE);
  if (event === 'time') await node.clock.advance(1_000);
  await node.clock.settle();
  check(run);
}

/** Only what can happen here: no answer without a question, no resume of who is well. */
function isPossible({ node, judged }: Run, event: HistoryEvent): boolean {
  if (event === 'commit' || event === 'refuse') return judged.pending.length > 0;
  return event !== 'resume' || seen(node)?.['quarantined'] === true;
}

function check({ node, judged, sent, left }: Run): void {
  assert.ok(node.open.size <= 1, 'two lives at a time');
  assert.equal(new Set(judged.decided).size, judged.decided.length, 'decided twice');
  const committed = judged.lives.flat();
  const later = node.said.filter((word) => word.startsWith('later')).map(numberSaid);
  assert.equal(new Set(later).size, later.length, 'done twice');
  assert.ok(
    later.every((by) => committed.includes(by)),
    'done without a commit',
  );
  assert.ok(
    Number(seen(node)?.['mailboxDepth'] ?? 0) <= sent + left + 1,
    'more waits than was sent',
  );
}

function numberSaid(word: string): number {
  return Number(word.split(' ')[2]);
}

/** Lets everything come to rest, and accounts for every message. */
async function account(run: Run): Promise<void> {
  const { node, judged } = run;
  for (let rounds = 0; rounds < 100; rounds += 1) {
    judged.answer(true);
    await node.clock.settle();
    check(run);
    if (judged.pending.length > 0) continue;
    if (seen(node)?.['state'] !== 'restarting') break;
    await node.clock.advance(1_000);
  }
  const dead = node.host.deadLetters.list().filter(({ message }) => message === 'add').length;
  assert.equal(judged.decided.length + dead, run.sent, 'every message is decided or a dead letter');
  const kept = judged.lives.at(-1)?.reduce((sum, by) => sum + by, 0) ?? 0;
  const state = seen(node)?.['state'];
  assert.ok([undefined, 'awake', 'quarantined'].includes(state as string | undefined), `${state}`);
  if (state === 'awake') assert.equal(totalOf(node), kept, 'it is what the store has');
}

async function replay(history: readonly HistoryEvent[]): Promise<Run> {
  const run = await begin();
  for (const event of history) if (isPossible(run, event)) await make(run, event);
  return run;
}

test('[SU-28] [SU-24] [RT-27] an actor: the laws hold in every history of four events', async () => {
  let histories = 0;
  const explore = async (history: readonly HistoryEvent[]): Promise<void> => {
    const run = await replay(history);
    const possible = EVENTS.filter((event) => isPossible(run, event));
    if (history.length === 4) {
      histories += 1;
      await account(run).catch((error: unknown) => {
        throw new Error(`after ${history.join(', ')}`, { cause: error });
      });
      return;
    }
    for (const event of possible) await explore([...history, event]);
  };
  await explore([]);
  assert.ok(histories > 1_500, `only ${histories}`);
});

test('[SU-28] [SU-24] [RT-27] an actor: the laws hold in long histories', async () => {
  const arbHistory = fc.array(fc.constantFrom(...EVENTS), { minLength: 5, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(arbHistory, async (history) => account(await replay(history))),
    { seed: seedOfRun(), numRuns: 400 },
  );
});
