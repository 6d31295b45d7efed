/** The outbox by its scenarios: a real database, the real passes, and a sink that does as it is told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { emptyBacklog, type OutboxPorts } from '../../actors/outbox-backlog.js';
import { runPass } from '../../actors/outbox-pass.js';
import { addressOf } from '../../machines/model/ids.js';
import { openNopSink } from '../../src/adapters/nop-sink/sink.js';
import { migrate } from '../../src/adapters/sqlite/open.js';
import { MIGRATIONS } from '../../src/adapters/sqlite/schema.js';
import { createSqliteStore } from '../../src/adapters/sqlite/store.js';
import type { Sink } from '../../src/ports/sink.js';
import { createVirtualClock } from '../../src/runtime/virtual-clock.js';
import { unwrap } from '../contract/store-fixture.js';
import { decisionOf, NOON, publishOf, recordOf } from '../contract/store-values.js';
import { openMemorySink } from '../support/memory-sink.js';
import { OUTBOX_SETTINGS } from '../support/outbox-world.js';
import { NO_FAILPOINTS } from '../support/sqlite-scratch.js';

const WINDOW_MS = 1_000;

function site(sink: Sink) {
  const statements: string[] = [];
  const db = new Database(':memory:', { verbose: (sql) => void statements.push(String(sql)) });
  migrate(db, MIGRATIONS);
  const clock = createVirtualClock(NOON);
  const store = createSqliteStore(db, {
    ...{ node: 'edge-1', epoch: 1, failpoints: NO_FAILPOINTS, clock },
    coalesceWindowMs: WINDOW_MS,
  });
  const ports: OutboxPorts = {
    ...{ store, sink, failpoints: NO_FAILPOINTS },
    publisher: { thread: 'outbox', incarnation: 1, epoch: 1 },
  };
  const backlog = emptyBacklog();
  const settings = { ...OUTBOX_SETTINGS, batchSize: 64, coalesceWindowMs: WINDOW_MS };
  const pass = () => runPass(ports, backlog, { settings, clock });
  const decide = async (id: string, key = id) => {
    const records = [publishOf(addressOf('group', key))];
    assert.ok((await store.commit([decisionOf(id, { at: clock.now(), records })]))[0]?.ok);
  };
  const rows = async () => [...unwrap(await store.outboxList({ limit: 100 }))].reverse();
  return { store, clock, pass, decide, rows, statements };
}

test('[OS-3] outbox: three rows, one pass: in order, numbered, and written back by one statement', async () => {
  const sink = openMemorySink();
  const { pass, decide, rows, statements } = site(sink);
  for (const id of ['e1', 'e2', 'e3']) await decide(id);
  statements.length = 0;
  await pass();
  assert.deepEqual(
    sink.taken.map(({ eventId }) => eventId),
    ['e1.0', 'e2.0', 'e3.0'],
  );
  assert.equal(statements.filter((sql) => /^\s*UPDATE outbox\b/.test(sql)).length, 1);
  assert.deepEqual(
    (await rows()).map(({ event, state }) => [event.controlVersion, state]),
    [1, 2, 3].map((version) => [version, 'published']),
  );
});

test('[OS-5] outbox: refused once, a row keeps its attempt and the words, and is published later', async () => {
  const sink = openMemorySink();
  const { pass, decide, rows, clock } = site(sink);
  await decide('e1');
  sink.refuses.add('e1.0');
  await pass();
  const [first] = await rows();
  assert.deepEqual([first?.state, first?.attempts, first?.lastError], ['pending', 1, 'refused']);
  sink.refuses.clear();
  await clock.advance(60_000);
  await pass();
  const [later] = await rows();
  assert.deepEqual([later?.state, later?.attempts], ['published', 1]);
});

test('[OS-15] outbox: with the sink that keeps nothing rows are done, and nothing is anywhere', async () => {
  const { pass, decide, rows } = site(openNopSink());
  await decide('e1');
  assert.equal((await pass()).published, 1);
  assert.equal((await rows())[0]?.state, 'published');
});

test('[OS-12] outbox: a backend flaps 40 times in 10 s while the sink is down: two events tell it all', async () => {
  const sink = openMemorySink();
  const { store, clock, pass } = site(sink);
  sink.downAfter = 0;
  for (let flap = 0; flap <= 40; flap += 1) {
    const level = flap % 2 === 0 ? 'down' : 'up';
    const data = { state: level };
    const publish = { aggregateKind: 'backend', aggregateId: 'b', data, level };
    const record = { ...recordOf('backend.state_changed'), publish };
    await store.commit([decisionOf(`d-${flap}`, { at: clock.now(), records: [record] })]);
    await pass();
    await clock.advance(250);
  }
  await store.commit([
    decisionOf('last', {
      at: clock.now(),
      records: [
        {
          ...recordOf('backend.state_changed'),
          publish: {
            aggregateKind: 'backend',
            aggregateId: 'b',
            data: { state: 'up' },
            level: 'up',
          },
        },
      ],
    }),
  ]);
  sink.downAfter = Number.POSITIVE_INFINITY;
  await clock.advance(WINDOW_MS);
  for (let more = 0; more < 3; more += 1) await pass();
  assert.deepEqual(
    sink.taken.map(({ data }) => data),
    [{ state: 'down' }, { coalesced: { changes: 41, from: 'down' }, state: 'up' }],
  );
});
