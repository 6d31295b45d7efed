/**
 * Feed events lie in the outbox as what their journal entry does not say: put together again they are
 * what was decided, however odd, and when the entry goes they stand for themselves.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import type { PublishParams } from '../../../machines/model/effects.js';
import { addressOf } from '../../../machines/model/ids.js';
import { ABOUT } from '../../../src/adapters/sqlite/journal.js';
import { migrate } from '../../../src/adapters/sqlite/open.js';
import { MIGRATIONS } from '../../../src/adapters/sqlite/schema.js';
import { createSqliteStore } from '../../../src/adapters/sqlite/store.js';
import { wholeOf } from '../../../src/ports/feed-text.js';
import type { Decision } from '../../../src/ports/store.js';
import { everything } from '../../contract/store.js';
import { unwrap } from '../../contract/store-fixture.js';
import { decisionOf, NOON, publishOf, recordOf, WEB } from '../../contract/store-values.js';
import { seedOfRun } from '../../support/seed.js';
import { PLAIN } from '../../support/sqlite-scratch.js';
import { twinStore } from '../../support/twin-store.js';

function fresh(node: string) {
  const db = new Database(':memory:');
  migrate(db, MIGRATIONS);
  return { db, store: createSqliteStore(db, { node, epoch: 5, ...PLAIN }) };
}

const name = fc.string({
  unit: fc.constantFrom('a', '/', '"', '\\', '\n', '\u0001', '\u007f', 'é', '✓', '😀', "'", '%'),
});
const publish: fc.Arbitrary<PublishParams> = fc.record(
  {
    aggregateKind: fc.oneof(fc.constant('group'), name),
    aggregateId: fc.oneof(fc.constant('acme/web'), name),
    tenantId: name as fc.Arbitrary<never>,
    data: fc.dictionary(name, fc.oneof(name, fc.double({ noNaN: true }), fc.boolean())),
  },
  { requiredKeys: ['aggregateKind', 'aggregateId', 'data'] },
);
const decided: fc.Arbitrary<Partial<Decision>> = fc.record({
  at: fc.oneof(
    fc.integer({ min: 0, max: NOON }),
    fc.integer({ min: -8.64e15, max: 8.64e15 }),
    fc.constantFrom(-1, 0, 253_402_300_799_999, 253_402_300_800_000),
  ),
  cause: name,
  configGeneration: fc.oneof(fc.nat(9), fc.constantFrom(0.5, -3)),
  records: fc.array(
    fc.oneof(
      fc
        .record({ event: name, rule: name, publish })
        .map((given) => ({ ...recordOf('x'), ...given })),
      fc.constant(recordOf('x.y')),
    ),
    { minLength: 1, maxLength: 3 },
  ),
});

test('[ST-8] [ST-24] events: put together from entry and rest they are what was decided', async () => {
  const property = fc.asyncProperty(
    name,
    fc.array(decided, { minLength: 1, maxLength: 6 }),
    async (node, some) => {
      const { store } = fresh(node);
      const twin = twinStore({ node, epoch: 5 });
      const decisions = some.map((given, index) => decisionOf(`d-"${index}`, given));
      assert.deepEqual(await store.commit(decisions), await twin.commit(decisions));
      const events = unwrap(await store.outboxPending(0, 100));
      assert.deepEqual(events, unwrap(await twin.outboxPending(0, 100)));
      const retention = { journalBeforeMs: 8.64e15 + 2, outboxBeforeMs: 0, bytesMax: 2 ** 40 };
      unwrap(await store.prune(retention));
      assert.equal(unwrap(await store.journal(0, 100)).length, 1, 'the last one keeps the number');
      assert.deepEqual(unwrap(await store.outboxPending(0, 100)), events);
      await store.close();
    },
  );
  await fc.assert(property, { seed: seedOfRun(), numRuns: 200 });
});

test('[ST-7] [ST-21] migrations: events that an older layout wrote are there as they were', async () => {
  const db = new Database(':memory:');
  const oldest = MIGRATIONS.filter(({ version }) => version === 1);
  migrate(db, oldest);
  const { store: now } = fresh('edge-1');
  await now.commit([decisionOf('d-1', { records: [publishOf(WEB)] })]);
  const [row] = unwrap(await now.outboxPending(0, 1));
  const insert = db.prepare(
    'INSERT INTO outbox (seq, event, state, attempts, created_at) VALUES (?, ?, ?, ?, ?)',
  );
  insert.run(1, row?.event.text, 'pending', 0, NOON);
  insert.run(7, row?.event.text, 'dead', 8, NOON);
  migrate(db, MIGRATIONS);
  const store = createSqliteStore(db, { node: 'edge-2', ...PLAIN });
  assert.deepEqual(unwrap(await store.outboxPending(0, 9)), [row]);
  assert.deepEqual(unwrap(await store.outboxCounts()), {
    ...{ pending: 1, dead: 1, oldestPendingAt: NOON },
  });
  await store.commit([decisionOf('d-8', { records: [publishOf(WEB)] })]);
  const [newest] = unwrap(await store.outboxList({ limit: 1 }));
  assert.deepEqual([newest?.seq, newest?.event.node], [8, 'edge-2']);
  await store.close();
});

test('[ST-3] [ST-24] events: what an undone transaction had added of origins is added again', async () => {
  const { db, store } = fresh('edge-1');
  const first = decisionOf('d-1', { records: [publishOf(WEB)] });
  const spoiled = decisionOf('d-2', { at: Number.NaN, records: [publishOf(WEB)] });
  await store.commit([spoiled, first]);
  const pages = Number(db.pragma('page_count', { simple: true }));
  db.pragma(`max_page_count = ${pages}`);
  const big = { numbers: { text: 'x'.repeat(100_000) } };
  const next = [
    decisionOf('d-3', { configGeneration: 8, records: [{ ...publishOf(WEB), ...big }] }),
  ];
  const [full] = await store.commit(next);
  assert.equal(full?.ok, false);
  db.pragma('max_page_count = 100000');
  assert.equal((await store.commit(next))[0]?.ok, true);
  const generations = unwrap(await store.outboxPending(0, 9)).map(
    ({ event }) => wholeOf(event).configGeneration,
  );
  assert.deepEqual(generations, [7, 8]);
  assert.equal(JSON.stringify(await everything(store)).includes('null'), false);
  await store.close();
});

test('[ST-11] [ST-14] [ST-25] spans: an address is found in what is kept of the journal, and in no more', async () => {
  const address = fc.constantFrom('a', 'b', 'c').map((key) => addressOf('group', key));
  const entry = fc.record({ actor: address, about: fc.option(address), at: fc.nat(3) });
  const property = fc.asyncProperty(
    fc.array(fc.array(entry, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 6 }),
    fc.nat(4),
    async (batches, beforeMs) => {
      const { db, store } = fresh('edge-1');
      let id = 0;
      for (const batch of batches) {
        const decisions = batch.map(({ actor, about, at }) =>
          decisionOf(`d-${id++}`, {
            actor,
            at,
            records: [about ? publishOf(about) : recordOf('x')],
          }),
        );
        await store.commit(decisions);
      }
      const retention = { journalBeforeMs: beforeMs, outboxBeforeMs: 0, bytesMax: 2 ** 40 };
      unwrap(await store.prune(retention));
      const kept = new Set(unwrap(await store.journal(0, 100)).map(({ seq }) => seq));
      const all = batches.flat().map((one, index) => ({ ...one, seq: index + 1 }));
      const left = all.filter(({ seq }) => kept.has(seq)).reverse();
      const names = ['a', 'b', 'c'].map((key) => addressOf('group', key));
      for (const name of names) {
        const theirs = left.filter(({ actor, about }) => actor === name || about === name);
        const found = unwrap(await store.journalOf(name, 100)).map(({ seq }) => seq);
        assert.deepEqual(
          found,
          theirs.map(({ seq }) => seq),
        );
        assert.deepEqual(
          unwrap(await store.journalOf(name, 2)).map(({ seq }) => seq),
          found.slice(0, 2),
        );
      }
      const spoken = left.flatMap(({ actor, about }) => [actor, about ?? actor]);
      const spans = db.prepare('SELECT DISTINCT address FROM spans').pluck().all();
      assert.deepEqual(new Set(spans), new Set(spoken));
      await store.close();
    },
  );
  await fc.assert(property, { seed: seedOfRun(), numRuns: 200 });
});

test('[ST-11] [ST-25] spans: a history is walked from its newest end, without sorting it', () => {
  const { db } = fresh('edge-1');
  const steps = db.prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN ${ABOUT}`);
  const details = steps.all({ address: WEB, max: 9 }).map(({ detail }) => detail);
  assert.match(details[0] ?? '', /SEARCH spans USING PRIMARY KEY \(address=\?\)/);
  assert.match(details[1] ?? '', /SEARCH journal USING INTEGER PRIMARY KEY/);
  assert.equal(details.length, 2, details.join('\n'));
  db.close();
});

const QUERIES = [
  "SELECT event FROM events WHERE state = 'pending' AND seq > 1 ORDER BY seq LIMIT 9",
  'SELECT event FROM events ORDER BY seq DESC LIMIT 9',
  "SELECT event FROM events WHERE state = 'dead' ORDER BY seq DESC LIMIT 9",
];

for (const query of QUERIES) {
  test(`[ST-9] [ST-24] events: ${query} walks an index, and looks up each entry`, () => {
    const { db } = fresh('edge-1');
    const steps = db.prepare<[], { detail: string }>(`EXPLAIN QUERY PLAN ${query}`).all();
    const details = steps.map(({ detail }) => detail).join('\n');
    assert.match(details, /SEARCH journal USING INTEGER PRIMARY KEY/);
    assert.doesNotMatch(details, /TEMP B-TREE|SCAN (journal|origins)|MATERIALIZE/);
    if (query.includes('state')) assert.match(details, /outbox USING INDEX outbox_(pending|dead)/);
    db.close();
  });
}
