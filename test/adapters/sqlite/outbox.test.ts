/**
 * What only the database does for the outbox: coalescing before the append, artifacts before the
 * transaction, one publisher at a time, batches in few statements.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import type { JsonObject } from '../../../machines/model/json.js';
import { migrate } from '../../../src/adapters/sqlite/open.js';
import { MIGRATIONS } from '../../../src/adapters/sqlite/schema.js';
import { createSqliteStore } from '../../../src/adapters/sqlite/store.js';
import { artifactNameOf } from '../../../src/feed/artifacts.js';
import type { Failpoint, Failpoints } from '../../../src/ports/failpoints.js';
import { feedHash, hashOfText } from '../../../src/ports/feed-chain.js';
import { behind, feedTextOf, numbered, wholeOf } from '../../../src/ports/feed-text.js';
import { unpackPending } from '../../../src/ports/packed-outbox.js';
import { EVENT_ARTIFACTS, type FeedEvent } from '../../../src/ports/store.js';
import { unwrap } from '../../contract/store-fixture.js';
import { decisionOf, NOON, publishOf, recordOf, WEB } from '../../contract/store-values.js';
import { seedOfRun } from '../../support/seed.js';
import { NO_FAILPOINTS } from '../../support/sqlite-scratch.js';

const WINDOW_MS = 1_000;

function fresh(failpoints: Failpoints = NO_FAILPOINTS) {
  const statements: string[] = [];
  const db = new Database(':memory:', { verbose: (sql) => void statements.push(String(sql)) });
  migrate(db, MIGRATIONS);
  let nowMs = NOON;
  const clock = { now: () => nowMs };
  const base = { node: 'edge-1', epoch: 1, failpoints, clock };
  const store = createSqliteStore(db, { ...base, coalesceWindowMs: WINDOW_MS });
  let decisions = 0;
  const observe = async (key: string, state: string, level: string | null = state) => {
    decisions += 1;
    const publish = { aggregateKind: 'backend', aggregateId: key, data: { state } };
    const told = level === null ? publish : { ...publish, level };
    const record = { ...recordOf('backend.state_changed'), publish: told };
    const [outcome] = await store.commit([
      decisionOf(`d-${decisions}`, { at: nowMs, records: [record] }),
    ]);
    assert.ok(outcome?.ok);
  };
  const events = async (): Promise<readonly FeedEvent[]> =>
    unwrap(await store.outboxPending(0, 1_000)).map(({ event }) => wholeOf(event));
  const pass = (ms: number): void => {
    nowMs += ms;
  };
  return { db, store, observe, events, pass, statements };
}

const statesOf = (events: readonly FeedEvent[]) => events.map(({ data }) => data['state']);

test('[ST-27] outbox: of a backend that flaps 40 times in 10 s two events tell it, and how often', async () => {
  const { observe, events, pass } = fresh();
  await observe('b', 'up');
  for (let flap = 0; flap < 40; flap += 1) {
    pass(250);
    await observe('b', flap % 2 === 0 ? 'down' : 'up');
    await events();
  }
  pass(200);
  await observe('b', 'disabled');
  pass(WINDOW_MS);
  const told = await events();
  assert.deepEqual(statesOf(told), ['up', 'disabled']);
  assert.deepEqual(told[1]?.data['coalesced'], { changes: 41, from: 'up' });
  assert.deepEqual(
    told.map(({ aggregateVersion }) => aggregateVersion),
    [1, 2],
  );
});

test('[ST-27] outbox: back where it was told, there is nothing to tell', async () => {
  const { observe, events, pass } = fresh();
  await observe('b', 'up');
  await observe('b', 'down');
  await observe('b', 'up');
  pass(WINDOW_MS);
  assert.deepEqual(statesOf(await events()), ['up']);
});

test('[ST-27] outbox: what is decided is told at once, and what waited is older', async () => {
  const { observe, events, pass } = fresh();
  await observe('b', 'up');
  await observe('b', 'down');
  await observe('b', 'removed', null);
  pass(WINDOW_MS);
  assert.deepEqual(statesOf(await events()), ['up', 'removed']);
});

test('[ST-27] outbox: however states change, no window has two events, and the last is told', async () => {
  const arbStep = fc.record({
    key: fc.constantFrom('a', 'b'),
    state: fc.constantFrom('up', 'down', 'unknown'),
    afterMs: fc.constantFrom(0, 100, 600, 1_000, 5_000),
    look: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(arbStep, { maxLength: 30 }), async (steps) => {
      const { observe, events, pass, store } = fresh();
      const last = new Map<string, string>();
      for (const { key, state, afterMs, look } of steps) {
        pass(afterMs);
        await observe(key, state);
        last.set(key, state);
        if (look) await events();
      }
      for (let windows = 0; windows < 40; windows += 1) {
        const { lookAgainInMs } = unwrap(await store.outboxCounts());
        if (lookAgainInMs === undefined) break;
        pass(lookAgainInMs);
        await events();
      }
      for (const [key, state] of last) {
        const told = (await events()).filter(({ aggregateId }) => aggregateId === key);
        assert.equal(told.at(-1)?.data['state'], state);
        assert.deepEqual(
          told.map(({ aggregateVersion }) => aggregateVersion),
          told.map((_, index) => index + 1),
        );
      }
    }),
    { seed: seedOfRun(), numRuns: 200 },
  );
});

test('[ST-27] outbox: what waits in a transaction that is undone was never there', async () => {
  let fails = false;
  const failpoints = {
    hit: (point: Failpoint) => {
      if (fails && point === 'commit.before')
        throw new Database.SqliteError('no room', 'SQLITE_FULL');
    },
  };
  const { store, observe, events, pass } = fresh(failpoints);
  await observe('b', 'up');
  fails = true;
  const publish = { aggregateKind: 'backend', aggregateId: 'b', data: {}, level: 'down' };
  const record = { ...recordOf('backend.state_changed'), publish };
  const [outcome] = await store.commit([decisionOf('lost', { records: [record] })]);
  assert.equal(outcome?.ok, false);
  fails = false;
  pass(WINDOW_MS);
  assert.deepEqual(statesOf(await events()), ['up']);
});

test('[AR-2] outbox: data beyond 8 KiB is in an artifact that was there before; without an event it goes', async () => {
  let fails = true;
  const failpoints = {
    hit: (point: Failpoint) => {
      if (fails && point === 'commit.before')
        throw new Database.SqliteError('no room', 'SQLITE_FULL');
    },
  };
  const { store, events } = fresh(failpoints);
  const data = { members: Array.from({ length: 900 }, (_, index) => `member-${index}-é`) };
  const { ref, checksum } = artifactNameOf(JSON.stringify(data));
  const digest = ref.slice('sha256/'.length);
  const large = { ...publishOf(WEB), publish: { ...publishOf(WEB).publish, data } };
  const decided = decisionOf('d-1', { records: [large as ReturnType<typeof publishOf>] });
  assert.equal((await store.commit([decided]))[0]?.ok, false);
  assert.ok(unwrap(await store.artifactGet(EVENT_ARTIFACTS, digest, 0)), 'written before');
  const all = { journalBeforeMs: 0, outboxBeforeMs: 0, bytesMax: Number.MAX_SAFE_INTEGER };
  unwrap(await store.prune(all));
  assert.equal(unwrap(await store.artifactGet(EVENT_ARTIFACTS, digest, 0)), undefined, 'an orphan');
  fails = false;
  assert.ok((await store.commit([decided]))[0]?.ok);
  unwrap(await store.prune(all));
  const [event] = await events();
  assert.deepEqual([event?.artifactRef, event?.checksum, event?.data], [ref, checksum, {}]);
  const base64 = unwrap(await store.artifactGet(EVENT_ARTIFACTS, digest, 0));
  assert.deepEqual(JSON.parse(Buffer.from(base64 ?? '', 'base64').toString()), data);
});

test('[ST-29] outbox: one publisher at a time; its end, its fence or a higher epoch lets another in', async () => {
  const { store, pass } = fresh();
  const claim = async (incarnation: number, epoch = 1, thread = 'outbox') =>
    unwrap(
      await store.outboxClaim({
        ...{ thread, incarnation, epoch, leaseMs: 60_000, coalesceWindowMs: 0 },
      }),
    );
  assert.deepEqual(await claim(1), { granted: true, forMs: 60_000, lastControlVersion: 0 });
  pass(20_000);
  assert.deepEqual(await claim(2), { granted: false, forMs: 40_000, lastControlVersion: 0 });
  assert.equal((await claim(1)).granted, true, 'renewed');
  assert.equal((await claim(1, 1, 'other')).granted, false);
  unwrap(await store.fence('outbox', 2));
  assert.equal((await claim(2)).granted, true, 'the other is dead');
  assert.equal((await claim(1, 2, 'other')).granted, true, 'the other was overtaken');
  assert.equal((await claim(2)).granted, false, 'an older epoch stays out');
  pass(60_000);
  assert.equal((await claim(2, 1)).granted, false, 'even when the claim is over');
});

test('[ST-18] O16: 130 rows of a batch are few statements, numbered in their order', async () => {
  const { store, statements, events } = fresh();
  const records = Array.from({ length: 130 }, () => publishOf(WEB));
  statements.length = 0;
  assert.ok((await store.commit([decisionOf('d-1', { records })]))[0]?.ok);
  const inserts = statements.filter((sql) => sql.includes('INSERT INTO outbox'));
  assert.ok(inserts.length <= 3, `${inserts.length} statements`);
  assert.deepEqual(
    (await events()).map(({ eventId }) => eventId),
    records.map((_, index) => `d-1.${index}`),
  );
});

test('[ST-4] O17: one bad row, and none of its decision is there', async () => {
  const { store, events } = fresh();
  const records = Array.from({ length: 80 }, (_, index) =>
    index === 75 ? { ...publishOf(WEB), event: null as never } : publishOf(WEB),
  );
  const [outcome] = await store.commit([decisionOf('d-1', { records })]);
  assert.equal(outcome?.ok, false);
  assert.deepEqual(await events(), []);
});

test('[OB-15] O7: a row whose text is damaged says so between two that are whole', async () => {
  const { db, store } = fresh();
  await store.commit(['a', 'b', 'c'].map((id) => decisionOf(id, { records: [publishOf(WEB)] })));
  db.prepare("UPDATE outbox SET data = '{' WHERE seq = 2").run();
  for (const rows of [
    unwrap(await store.outboxPending(0, 10)),
    unwrap(await store.outboxTexts(0, 10)).flatMap(unpackPending),
  ]) {
    assert.deepEqual(
      rows.map(({ event, damaged }) => [event.eventId, damaged !== undefined]),
      [
        ['a.0', false],
        ['', true],
        ['c.0', false],
      ],
    );
  }
});

test('[OB-12] [OB-15] outbox: what cannot be read is listed, sent again and let go, and is in no other row’s way', async () => {
  for (const damage of ["data = '{'", "event = '{'", "event = '{', entry = NULL", "event = '{}'"]) {
    const { db, store } = fresh();
    await store.commit(['a', 'b', 'c'].map((id) => decisionOf(id, { records: [publishOf(WEB)] })));
    db.prepare(`UPDATE outbox SET ${damage} WHERE seq = 2`).run();
    const bury = async () =>
      unwrap(
        await store.outboxWriteBack(
          [2, 3].map((seq) => ({ seq, error: 'no', dead: true as const })),
        ),
      );
    await bury();
    const listed = unwrap(await store.outboxList({ dead: true, limit: 9 }));
    assert.deepEqual(
      listed.map(({ seq, damaged }) => [seq, damaged !== undefined]),
      [
        [3, false],
        [2, true],
      ],
    );
    const amend = async (verb: 'requeue' | 'discard', row: string) =>
      unwrap(await store.outboxAmend({ verb, row, reason: 'known' })).rows;
    assert.equal(await amend('requeue', 'c.0'), 1, damage);
    assert.equal(await amend('requeue', '2'), 1, damage);
    assert.deepEqual(
      unwrap(await store.outboxPending(0, 9)).map(({ seq }) => seq),
      [1, 2, 3],
    );
    await bury();
    assert.equal(await amend('discard', '2'), 1, damage);
    assert.equal(await amend('discard', 'c.0'), 1, damage);
    assert.deepEqual(unwrap(await store.outboxList({ dead: true, limit: 9 })), []);
  }
});

test('[FD-11] [FD-13] outbox: an event has one text: what is stored is what JSON makes of it again', async () => {
  const odd = fc.string({
    unit: fc.constantFrom('a', '"', '\\', '\n', '\u0001', '\u007f', 'é', '\u2028', '😀', "'", '%'),
  });
  await fc.assert(
    fc.asyncProperty(odd, odd, fc.dictionary(odd, fc.jsonValue()), async (id, event, data) => {
      const { store } = fresh();
      const publish = { aggregateKind: 'group', aggregateId: id, data: data as JsonObject };
      const record = { ...recordOf('x'), event, publish };
      assert.ok((await store.commit([decisionOf('d-1', { records: [record] })]))[0]?.ok);
      const [row] = unwrap(await store.outboxPending(0, 1));
      assert.ok(row);
      assert.deepEqual(row.event, feedTextOf(wholeOf(row.event)));
      const told = behind(row.event, 'hash');
      const whole = { ...wholeOf(row.event), previousHash: 'hash' };
      assert.deepEqual(told, feedTextOf(whole));
      assert.equal(numbered(told, 7), JSON.stringify({ ...whole, controlVersion: 7 }));
      assert.equal(feedHash(JSON.parse(numbered(told, 7)) as FeedEvent), hashOfText(told));
    }),
    { seed: seedOfRun(), numRuns: 100 },
  );
});
