/**
 * The way of decisions to the store, alone: over a store that keeps its rule (a decision follows the
 * version before it), is away for as long as the history says, and loses answers to what it has done.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fail, ok } from '../../machines/model/result.js';
import type { Committed, Decision } from '../../src/ports/store.js';
import { type CommitOutcome, createCommitter } from '../../src/runtime/committer.js';
import { OFFER_DECISIONS_MAX, OFFERS_MAX } from '../../src/runtime/limits.js';
import { createVirtualClock } from '../../src/runtime/virtual-clock.js';
import { seedOfRun } from '../support/seed.js';

const away = fail({ code: 'unavailable', message: 'away' } as const);

type Answer = 'written' | 'away' | 'lost' | 'half';

/** Which decisions of which actor are in it, by version; answers when told to. */
class ToldStore {
  readonly offers: { readonly decisions: readonly Decision[]; answer: (how: Answer) => void }[] =
    [];
  readonly versions = new Map<string, number>();
  readonly written: string[] = [];

  readonly commit = (decisions: readonly Decision[]): Promise<readonly CommitOutcome[]> => {
    assert.ok(this.offers.length < OFFERS_MAX, 'too many offers at a time');
    assert.ok(decisions.length > 0 && decisions.length <= OFFER_DECISIONS_MAX);
    return new Promise((resolve) => {
      const answer = (how: Answer): void => resolve(this.answersTo(decisions, how));
      this.offers.push({ decisions, answer });
    });
  };

  private answersTo(decisions: readonly Decision[], how: Answer): readonly CommitOutcome[] {
    if (how === 'away') return decisions.map(() => away);
    const half = how === 'half' ? Math.floor(decisions.length / 2) : decisions.length;
    const outcomes = decisions.map((one, index) => (index < half ? this.take(one) : away));
    return how === 'lost' ? decisions.map(() => away) : outcomes;
  }

  private take({ id, actor, at: version }: Decision): CommitOutcome {
    if (this.written.includes(id)) return ok<Committed>({ id, outboxSeq: 0, journalSeq: 0 });
    const have = this.versions.get(actor) ?? 0;
    if (version !== have + 1) return fail({ code: 'stale', message: `${id} after ${have}` });
    this.versions.set(actor, version);
    this.written.push(id);
    return ok<Committed>({ id, outboxSeq: 0, journalSeq: 0 });
  }
}

/** `at` stands for the version: nothing else of a decision matters here. */
function decisionOf(actor: string, version: number): Decision {
  return { id: `${actor}:${version}`, actor, at: version } as unknown as Decision;
}

const arbEvent = fc.oneof(
  fc.record({ decide: fc.constantFrom('a', 'b', 'c'), times: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ answer: fc.constantFrom<Answer>('written', 'away', 'lost', 'half') }),
  fc.record({ passMs: fc.constantFrom(0, 10, 10_000) }),
);

test('[RT-28] committer: whatever the store does, all is written once, in order, and told so', async () => {
  const property = fc.asyncProperty(
    fc.array(arbEvent, { minLength: 5, maxLength: 40 }),
    async (history) => {
      const clock = createVirtualClock();
      const store = new ToldStore();
      const committer = createCommitter(store, clock);
      const decided = new Map<string, number>();
      const told: string[] = [];
      const decide = (actor: string): void => {
        const version = (decided.get(actor) ?? 0) + 1;
        decided.set(actor, version);
        committer.submit(decisionOf(actor, version), (outcome) => {
          assert.ok(outcome.ok, 'nothing is refused for what went before it');
          told.push(outcome.value.id);
        });
      };
      for (const event of history) {
        if ('decide' in event) for (let n = 0; n < event.times; n += 1) decide(event.decide);
        if ('answer' in event) store.offers.shift()?.answer(event.answer);
        await clock.advance('passMs' in event ? event.passMs : 0);
        await clock.settle();
        const open = [...decided.values()].reduce((sum, count) => sum + count, 0) - told.length;
        assert.equal(committer.waiting, open);
      }
      for (let round = 0; committer.waiting > 0; round += 1) {
        assert.ok(round < 100, 'it comes to rest');
        store.offers.shift()?.answer('written');
        await clock.advance(60_000);
        await clock.settle();
      }
      for (const [actor, count] of decided) {
        const own = told.filter((id) => id.startsWith(`${actor}:`));
        const all = Array.from({ length: count }, (_, index) => `${actor}:${index + 1}`);
        assert.deepEqual(own, all, 'told in order');
        assert.equal(store.versions.get(actor), count);
      }
      assert.equal(new Set(store.written).size, store.written.length);
      assert.equal(committer.unavailable, undefined);
    },
  );
  await fc.assert(property, { seed: seedOfRun(), numRuns: 500 });
});

test('[RT-28] committer: a second offer is under way while the first is written', async () => {
  const clock = createVirtualClock();
  const store = new ToldStore();
  const committer = createCommitter(store, clock);
  for (let offer = 1; offer <= OFFERS_MAX + 1; offer += 1) {
    committer.submit(decisionOf('a', offer), () => undefined);
    await clock.settle();
    assert.equal(store.offers.length, Math.min(offer, OFFERS_MAX));
  }
});
