/**
 * The store against a deliberately dumb model: random decisions in random batches, some sent again,
 * some late, some wrong. Whatever the order, state, journal and outbox tell the same story.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Address, addressOf } from '../../machines/model/ids.js';
import { wholeOf } from '../../src/ports/feed-text.js';
import type { Decision, Store } from '../../src/ports/store.js';
import { seedOfRun } from '../support/seed.js';
import { type OpenStore, unwrap } from './store-fixture.js';
import { cellOf, decisionOf, publishOf, recordOf } from './store-values.js';

interface Step {
  readonly actor: number;
  readonly kind: 'next' | 'late' | 'skip' | 'bad' | 'fenced' | 'again' | 'forget' | 'cellless';
  readonly publishes: boolean;
  /** Ends the batch after this decision. */
  readonly ends: boolean;
  /** Which earlier decision is sent again. */
  readonly pick: number;
}

const ACTORS: readonly Address[] = ['a/x', 'a/y', 'b/z'].map((key) => addressOf('group', key));

const arbStep: fc.Arbitrary<Step> = fc.record({
  actor: fc.nat(ACTORS.length - 1),
  kind: fc.oneof(
    { weight: 6, arbitrary: fc.constant('next' as const) },
    {
      weight: 6,
      arbitrary: fc.constantFrom(
        'late' as const,
        'skip' as const,
        'bad' as const,
        'fenced' as const,
        'again' as const,
        'forget' as const,
        'cellless' as const,
      ),
    },
  ),
  publishes: fc.boolean(),
  ends: fc.boolean(),
  pick: fc.nat(),
});

/** What the store should know: versions of living cells, and applied decisions in order. */
interface Model {
  readonly versions: Map<Address, number>;
  readonly applied: Decision[];
  readonly sent: Decision[];
  /** Cells whose writer was told that it is behind, and has not read them since. */
  readonly behind: Set<Address>;
}

function expectedOf(model: Model, decision: Decision): string {
  if (decision.thread === 'fenced') return 'fenced';
  if (model.applied.includes(decision)) return 'ok';
  const have = model.versions.get(decision.actor) ?? 0;
  if (model.behind.has(decision.actor)) return 'stale';
  if (decision.cell !== undefined && decision.cell.address !== decision.actor) return 'rejected';
  if (decision.cell !== undefined && decision.cell.version !== have + 1) {
    if (decision.cell.version <= have) model.behind.add(decision.actor);
    return 'stale';
  }
  if (decision.cell?.machineVersion === 1.5) return 'rejected';
  model.applied.push(decision);
  if (decision.forget) model.versions.delete(decision.actor);
  else if (decision.cell !== undefined) model.versions.set(decision.actor, decision.cell.version);
  return 'ok';
}

function build(model: Model, step: Step, projected: ReadonlyMap<Address, number>): Decision {
  const actor = ACTORS[step.actor] as Address;
  const have = projected.get(actor) ?? 0;
  const id = `d-${model.sent.length}`;
  const records = step.publishes ? [publishOf(actor), recordOf('a.b')] : [recordOf('a.b')];
  const with_ = (cell: Decision['cell'], more: Partial<Decision> = {}): Decision =>
    decisionOf(id, { actor, records, ...(cell === undefined ? {} : { cell }), ...more });
  switch (step.kind) {
    case 'next':
      return with_(cellOf(actor, have + 1));
    case 'late':
      return with_(cellOf(actor, have));
    case 'skip':
      return with_(cellOf(actor, have + 2));
    case 'bad':
      return with_(cellOf(actor, have + 1, { machineVersion: 1.5 }));
    case 'fenced':
      return with_(cellOf(actor, have + 1), { thread: 'fenced', incarnation: 1 });
    case 'forget':
      return with_(cellOf(actor, have + 1), { forget: true });
    case 'cellless':
      return with_(undefined);
    case 'again':
      return model.sent[step.pick % Math.max(1, model.sent.length)] ?? with_(undefined);
  }
}

/** Some steps end with a look at every cell that is behind. */
function reads({ behind }: Model, { pick }: Step): readonly Address[] {
  const some = pick % 2 === 0 ? [...behind] : [];
  for (const actor of some) behind.delete(actor);
  return some;
}

async function run(store: Store, steps: readonly Step[]): Promise<Model> {
  const model: Model = { versions: new Map(), applied: [], sent: [], behind: new Set() };
  const acks = new Map<string, unknown>();
  let batch: Decision[] = [];
  let wanted: string[] = [];
  for (const [index, step] of steps.entries()) {
    const decision = build(model, step, model.versions);
    model.sent.push(decision);
    batch.push(decision);
    wanted.push(expectedOf(model, decision));
    if (!step.ends && index < steps.length - 1) continue;
    const outcomes = await store.commit(batch);
    assert.deepEqual(
      outcomes.map((outcome) => (outcome.ok ? 'ok' : outcome.failure.code)),
      wanted,
    );
    for (const outcome of outcomes) {
      if (!outcome.ok) continue;
      const { id } = outcome.value;
      assert.deepEqual(acks.get(id) ?? outcome.value, outcome.value, 'acknowledged as before');
      acks.set(id, outcome.value);
    }
    batch = [];
    wanted = [];
    for (const actor of reads(model, step)) unwrap(await store.loadFamily(actor));
  }
  return model;
}

async function check(store: Store, model: Model): Promise<void> {
  const cells = unwrap(await store.load(['group']));
  assert.deepEqual(
    new Map(cells.map(({ address, version }) => [address, version])),
    new Map([...model.versions].sort()),
  );
  const journal = unwrap(await store.journal(0, 10_000));
  assert.deepEqual(
    journal.map(({ id }) => id),
    model.applied.flatMap(({ id, records }) => records.map(() => id)),
  );
  const rows = unwrap(await store.outboxPending(0, 10_000));
  assert.deepEqual(
    rows.map(({ event }) => event.eventId),
    model.applied.filter(({ records }) => records.length === 2).map(({ id }) => `${id}.0`),
  );
  const versions = new Map<string, number>();
  for (const { event } of rows) {
    const version = (versions.get(event.orderingKey) ?? 0) + 1;
    assert.equal(wholeOf(event).aggregateVersion, version, event.orderingKey);
    versions.set(event.orderingKey, version);
  }
}

export function storeSequencesContract(open: OpenStore): void {
  test('[ST-1] [ST-2] [ST-3] [ST-4] [ST-18] store: agrees with the model after any sequence', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(arbStep, { maxLength: 40 }), async (steps) => {
        const { store, release } = await open();
        try {
          unwrap(await store.fence('fenced', 2));
          await check(store, await run(store, steps));
        } finally {
          await release();
        }
      }),
      { seed: seedOfRun(), numRuns: 60 },
    );
  });
}
