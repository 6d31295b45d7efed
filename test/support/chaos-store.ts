/**
 * A store whose way there and back is bad: answers get lost after the work was done, calls arrive twice,
 * only half of one arrives, one decision of it is spoiled, the disk is away, calls take their time. What
 * really happens to each decision is written down, for whoever judges it.
 */
import assert from 'node:assert/strict';
import { addressOf } from '../../machines/model/ids.js';
import { fail } from '../../machines/model/result.js';
import type { Committed, Decision, Store } from '../../src/ports/store.js';
import type { CommitOutcome } from '../../src/runtime/committer.js';

/** What is to happen to the next commits, one each. */
export type Fault =
  | { readonly kind: 'lost-answer' }
  | { readonly kind: 'twice' }
  | { readonly kind: 'half'; readonly at: number }
  /** The first ones do not arrive, the others do: an offer is several requests. */
  | { readonly kind: 'gap'; readonly at: number }
  | { readonly kind: 'spoiled'; readonly at: number }
  | { readonly kind: 'slow'; readonly ms: number }
  | { readonly kind: 'away'; readonly ms: number };

export interface ChaosStore extends Store {
  /** A commit that nothing befalls. */
  undisturbed(decisions: readonly Decision[]): Promise<readonly CommitOutcome[]>;
  readonly faults: Fault[];
  /** Decisions as they were committed, in order. */
  readonly accepted: readonly Decision[];
  /** Why decisions were refused, by their ids: those that were never accepted. */
  readonly refused: ReadonlyMap<string, string>;
}

interface Timing {
  now(): number;
  after(ms: number, run: () => void): unknown;
}

const FOREIGN = addressOf('group', 'z/foreign');

const AWAY: CommitOutcome = fail({ code: 'unavailable', message: 'the store is away' } as const);

/** `base` may be another one at each call: a store that was opened again. */
export function chaosStore(base: () => Store, clock: Timing): ChaosStore {
  const faults: Fault[] = [];
  const accepted: Decision[] = [];
  const refused = new Map<string, string>();
  const answers = new Map<string, Committed>();
  const fences = new Map<string, number>();
  let awayUntil = 0;
  let line: Promise<unknown> = Promise.resolve();

  const wait = (ms: number): Promise<void> =>
    new Promise((resolve) => void clock.after(ms, resolve));

  const note = (decision: Decision, outcome: CommitOutcome): void => {
    if (!outcome.ok) {
      // Once accepted, a fence may still refuse that it is said again.
      const final = outcome.failure.code !== 'unavailable' && !answers.has(decision.id);
      if (final) refused.set(decision.id, outcome.failure.code);
      return;
    }
    const { incarnation, thread } = decision;
    assert.ok(incarnation >= (fences.get(thread) ?? 0), 'nobody fenced off is answered with yes');
    const before = answers.get(decision.id);
    if (before === undefined) accepted.push(decision);
    else assert.deepEqual(outcome.value, before, 'the same answer every time');
    answers.set(decision.id, outcome.value);
    refused.delete(decision.id);
  };

  const perform = async (decisions: readonly Decision[]): Promise<readonly CommitOutcome[]> => {
    if (clock.now() < awayUntil) return decisions.map(() => AWAY);
    const outcomes = await base().commit(decisions);
    for (const [index, decision] of decisions.entries()) note(decision, outcomes[index] ?? AWAY);
    return outcomes;
  };

  const suffer = async (
    fault: Fault | undefined,
    decisions: readonly Decision[],
  ): Promise<readonly CommitOutcome[]> => {
    const at = fault !== undefined && 'at' in fault ? fault.at % decisions.length : 0;
    switch (fault?.kind) {
      case 'lost-answer':
        await perform(decisions);
        return decisions.map(() => AWAY);
      case 'twice':
        await perform(decisions);
        return perform(decisions);
      case 'half':
        return [...(await perform(decisions.slice(0, at))), ...decisions.slice(at).map(() => AWAY)];
      case 'gap':
        return [...decisions.slice(0, at).map(() => AWAY), ...(await perform(decisions.slice(at)))];
      case 'spoiled':
        return perform(decisions.map((one, index) => (index === at ? spoiled(one) : one)));
      case 'slow':
        await wait(fault.ms);
        return perform(decisions).then((outcomes) => wait(fault.ms).then(() => outcomes));
      case 'away':
        awayUntil = Math.max(awayUntil, clock.now() + fault.ms);
        return perform(decisions);
      case undefined:
        return perform(decisions);
    }
  };

  const store = (): Store => base();
  return {
    ...store(),
    load: (kinds) => store().load(kinds),
    loadFamily: (address) => store().loadFamily(address),
    journal: (after, max) => store().journal(after, max),
    fence: (thread, incarnation) => {
      fences.set(thread, Math.max(incarnation, fences.get(thread) ?? 0));
      return store().fence(thread, incarnation);
    },
    commit: (decisions) => {
      const fault = faults.shift();
      const answer = line.then(() => suffer(fault, decisions));
      // Calls stand in line; one that fails has told its caller.
      line = answer.catch(() => undefined);
      return answer;
    },
    undisturbed: perform,
    faults,
    accepted,
    refused,
  };
}

/** Writes to a row that is not its own: its savepoint is undone, and no other's. */
function spoiled(decision: Decision): Decision {
  const { cell } = decision;
  return cell === undefined ? decision : { ...decision, cell: { ...cell, address: FOREIGN } };
}
