/** What only SQLite can show: full disks, crashes at a failpoint, retention, fences, epochs. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import Database from 'better-sqlite3';
import { EPOCH_KEY, epochOf, nextEpoch } from '../../../src/adapters/sqlite/epoch.js';
import { COMMIT_DECISIONS_MAX } from '../../../src/adapters/sqlite/limits.js';
import { migrate } from '../../../src/adapters/sqlite/open.js';
import { MIGRATIONS } from '../../../src/adapters/sqlite/schema.js';
import { createSqliteStore } from '../../../src/adapters/sqlite/store.js';
import type { Failpoint } from '../../../src/ports/failpoints.js';
import { FIELD_CHARACTERS_MAX, packDecision } from '../../../src/ports/packed.js';
import { everything, verdicts } from '../../contract/store.js';
import { unwrap } from '../../contract/store-fixture.js';
import { cellOf, decisionOf, NOON, publishOf, recordOf, WEB } from '../../contract/store-values.js';
import { openOrThrow, PLAIN, type Scratch, scratch } from '../../support/sqlite-scratch.js';

const scratches: Scratch[] = [];
after(() => {
  for (const one of scratches) one.remove();
});

function freshFile(): string {
  const one = scratch();
  scratches.push(one);
  return one.file;
}

const FIRST = decisionOf('d-1', { cell: cellOf(WEB, 1), records: [publishOf(WEB)] });
const SECOND = decisionOf('d-2', { cell: cellOf(WEB, 2), records: [publishOf(WEB)] });

test('[ST-3] full disk: the whole batch is unavailable, and heals when sent again', async () => {
  const db = new Database(':memory:');
  migrate(db, MIGRATIONS);
  const store = createSqliteStore(db, { node: 'edge-1', ...PLAIN });
  await store.commit([FIRST]);
  const before = await everything(store);
  const pages = Number(db.pragma('page_count', { simple: true }));
  db.pragma(`max_page_count = ${pages}`);
  const big = cellOf(WEB, 3, { context: { text: 'x'.repeat(100_000) } });
  const batch = [SECOND, decisionOf('d-3', { cell: big })];
  assert.deepEqual(await verdicts(store, batch), ['unavailable', 'unavailable']);
  assert.deepEqual(await everything(store), before);
  db.pragma('max_page_count = 100000');
  assert.deepEqual(await verdicts(store, batch), ['ok', 'ok']);
  await store.close();
});

test('[ST-3] damage met while running: unavailable, with what SQLite says', async () => {
  const db = new Database(':memory:');
  migrate(db, MIGRATIONS);
  const store = createSqliteStore(db, { node: 'edge-1', ...PLAIN });
  db.pragma('query_only = ON');
  const [outcome] = await store.commit([FIRST]);
  assert.equal(outcome?.ok, false);
  if (outcome?.ok === false) assert.match(outcome.failure.message, /SQLITE_READONLY/);
  db.pragma('query_only = OFF');
  assert.deepEqual(await verdicts(store, [FIRST]), ['ok']);
  await store.close();
});

const crashes: readonly { readonly point: Failpoint; readonly applied: boolean }[] = [
  { point: 'commit.before', applied: false },
  { point: 'commit.after', applied: true },
];
for (const { point, applied } of crashes) {
  test(`[ST-1] crash at ${point}: the decision is ${applied ? 'whole' : 'absent'}`, async () => {
    const file = freshFile();
    let armed = true;
    const failpoints = {
      hit: (at: Failpoint) => {
        if (armed && at === point) throw new Error('crashed here');
      },
    };
    const store = openOrThrow(file, { failpoints });
    await assert.rejects(store.commit([FIRST]), /crashed here/);
    await store.close();
    armed = false;
    const again = openOrThrow(file, { failpoints });
    assert.equal(unwrap(await again.load(['group'])).length, applied ? 1 : 0);
    assert.deepEqual(await verdicts(again, [FIRST, SECOND]), ['ok', 'ok']);
    assert.equal(unwrap(await again.journal(0, 10)).length, 2);
    await again.close();
  });
}

test('[ST-4] content that is no JSON is rejected alone', async () => {
  const store = openOrThrow(':memory:');
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  const contexts = [{ big: 1n }, cycle, { text: 'x'.repeat(FIELD_CHARACTERS_MAX) }, undefined];
  const bad = contexts.map((context, index) =>
    decisionOf(`bad-${index}`, { cell: cellOf(WEB, 1, { context: context as never }) }),
  );
  const numbers = { toobig: 1n } as never;
  bad.push(decisionOf('bad-n', { records: [recordOf('a.b', { numbers })] }));
  assert.deepEqual(await verdicts(store, [...bad, FIRST]), [...bad.map(() => 'rejected'), 'ok']);
  await store.close();
});

test('[ST-1] a batch has a bound, and breaking it is a defect', async () => {
  const store = openOrThrow(':memory:');
  const many = Array.from({ length: COMMIT_DECISIONS_MAX + 1 }, (_, n) => decisionOf(`d-${n}`));
  const packed = many.map((decision) => unwrap(packDecision(decision)));
  await assert.rejects(store.commitPacked(packed), /COMMIT_DECISIONS_MAX/);
  assert.equal((await store.commitPacked(packed.slice(1))).length, COMMIT_DECISIONS_MAX);
  await store.close();
});

test('[ST-5] fences: kept when re-opened in the same run, dropped by the next', async () => {
  const file = freshFile();
  const reopenIn = async (run: string): Promise<readonly string[]> => {
    const store = openOrThrow(file, { run });
    const result = await verdicts(store, [decisionOf(`old-${run}-${Math.random()}`)]);
    unwrap(await store.fence('shard-1', 2));
    await store.close();
    return result;
  };
  assert.deepEqual(await reopenIn('monday'), ['ok']);
  assert.deepEqual(await reopenIn('monday'), ['fenced']);
  assert.deepEqual(await reopenIn('tuesday'), ['ok']);
});

test('[ST-13] epoch: raised above stored and seen, stamped at once, never lowered', async () => {
  const file = freshFile();
  const store = openOrThrow(file, { epoch: 0 });
  assert.equal(unwrap(await nextEpoch(store)), 1);
  assert.equal(unwrap(await nextEpoch(store, 7)), 8);
  await store.commit([FIRST]);
  unwrap(await store.metaSet(EPOCH_KEY, '3'));
  await store.commit([SECOND]);
  const rows = unwrap(await store.outboxPending(0, 10));
  assert.deepEqual(
    rows.map(({ event }) => event.epoch),
    [8, 8],
  );
  unwrap(await store.metaSet(EPOCH_KEY, '8'));
  await store.close();
  const again = openOrThrow(file, { epoch: 2 });
  assert.equal(unwrap(await nextEpoch(again)), 9);
  await again.close();
});

test('[ST-13] epoch: text that is no count is 0', () => {
  for (const text of [undefined, '', 'x', '-1', '1.5', 'Infinity']) assert.equal(epochOf(text), 0);
  assert.equal(epochOf('12'), 12);
});

test('[ST-14] prune: old entries go a bite at a time, what waits or counts stays', async () => {
  let nowMs = NOON + 4;
  const store = openOrThrow(':memory:', { clock: { now: () => nowMs } });
  for (let batch = 0; batch < 5; batch += 1) {
    const decisions = Array.from({ length: 250 }, (_, n) =>
      decisionOf(`d-${batch}-${n}`, { at: NOON + batch, records: [publishOf(WEB)] }),
    );
    await store.commit(decisions);
  }
  await store.commit([decisionOf('silent', { records: [] })]);
  // It counts from when it was published: what waited for long may have to be sent again, too.
  unwrap(await store.outboxWriteBack([{ seq: 2, controlVersion: 1 }]));
  nowMs = NOON;
  unwrap(await store.outboxWriteBack([{ seq: 1, controlVersion: 1 }]));
  const retention = { journalBeforeMs: NOON + 4, outboxBeforeMs: NOON + 4, bytesMax: 2 ** 40 };
  assert.deepEqual(unwrap(await store.prune(retention)), { journal: 1_000, outbox: 1, more: true });
  assert.deepEqual(unwrap(await store.prune(retention)), { journal: 0, outbox: 0, more: false });
  assert.equal(unwrap(await store.journal(0, 10_000)).length, 250);
  assert.equal(unwrap(await store.outboxCounts()).pending, 1_248);
  const crowded = { ...retention, bytesMax: 1 };
  assert.equal(unwrap(await store.prune(crowded)).journal, 249);
  await store.commit([decisionOf('next', { records: [publishOf(WEB)] })]);
  const [row] = unwrap(await store.outboxList({ limit: 1 }));
  assert.equal(row?.event.aggregateVersion, 1_251);
  const entries = unwrap(await store.journal(0, 10));
  assert.deepEqual(
    entries.map(({ seq }) => seq),
    [1_250, 1_251],
  );
  await store.close();
});

test('[ST-12] after close: every call is answered, none is done', async () => {
  const store = openOrThrow(':memory:');
  unwrap(await store.checkpoint());
  await store.close();
  await store.close();
  assert.deepEqual(await verdicts(store, [FIRST]), ['unavailable']);
  const answers = [await store.load(['group']), await store.metaGet('x'), await store.ledger()];
  for (const answer of answers) assert.equal(answer.ok, false);
});
