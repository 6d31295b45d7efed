/** Upkeep of the database: retention in bites, checkpoints in idle moments, and what is measured. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SqliteStore } from '../../src/adapters/sqlite/store.js';
import { keepUp, metered } from '../../src/app/upkeep.js';
import { createVirtualClock } from '../../src/runtime/virtual-clock.js';
import { unwrap } from '../contract/store-fixture.js';
import { decisionOf } from '../contract/store-values.js';
import { rememberingLog } from '../support/quiet.js';
import { openOrThrow } from '../support/sqlite-scratch.js';

const DAY_MS = 86_400_000;
const retention = { journalMs: 30 * DAY_MS, journalBytesMax: 2 ** 30, outboxMs: 7 * DAY_MS };

function kept(over: Partial<SqliteStore> = {}) {
  const clock = createVirtualClock();
  const log = rememberingLog();
  const seen: { readonly name: string; readonly value: number }[] = [];
  const metrics = {
    count: () => undefined,
    gauge: () => undefined,
    observe: (name: string, value: number) => void seen.push({ name, value }),
  };
  const calls: string[] = [];
  const base = openOrThrow(':memory:');
  const noted: SqliteStore = {
    ...base,
    prune: (wanted) => {
      calls.push('prune');
      return base.prune(wanted);
    },
    checkpoint: () => {
      calls.push('checkpoint');
      return base.checkpoint();
    },
    ...over,
  };
  const store = metered(noted, { clock, metrics });
  const upkeep = keepUp({ store, boot: { retention }, parts: { clock, log } });
  return { clock, log, seen, calls, store, upkeep };
}

test('[ST-16] upkeep: what is older than its retention goes, in bites, and nothing else', async () => {
  const { clock, store, upkeep } = kept();
  const old = Array.from({ length: 200 }, (_, n) =>
    decisionOf(`old-${n}`, { at: clock.now() - 31 * DAY_MS }),
  );
  await store.commit(old);
  await store.commit([decisionOf('new', { at: clock.now() })]);
  await clock.advance(61_000);
  assert.deepEqual(
    unwrap(await store.journal(0, 300)).map(({ id }) => id),
    ['new'],
  );
  upkeep.stop();
});

test('[ST-16] upkeep: the log is moved away when nothing is written, not while something is', async () => {
  const { clock, calls, store, upkeep } = kept();
  await clock.advance(500);
  await store.commit([decisionOf('d-1')]);
  await clock.advance(500);
  assert.deepEqual(calls, ['prune']);
  await clock.advance(60_000);
  assert.deepEqual(calls, ['prune', 'prune', 'checkpoint']);
  upkeep.stop();
});

test('[ST-16] upkeep: a failure is told and tried again; a stop ends it', async () => {
  const failure = { code: 'unavailable', message: 'disk full' } as const;
  let tries = 0;
  const prune = async () => {
    tries += 1;
    return { ok: false, failure } as const;
  };
  const { clock, log, upkeep } = kept({ prune });
  await clock.advance(61_500);
  assert.equal(tries, 2);
  assert.equal(log.lines.filter(({ level }) => level === 'warn').length, 2);
  upkeep.stop();
  await clock.advance(600_000);
  assert.equal(tries, 2);
});

test('[ST-17] every transaction is measured: how long it took and how much it held', async () => {
  const { seen, store, upkeep } = kept();
  await store.commit([decisionOf('d-1'), decisionOf('d-2', { cause: 'other' })]);
  assert.deepEqual(
    seen.map(({ name }) => name),
    ['store_commit_seconds', 'store_batch_rows'],
  );
  assert.equal(seen[1]?.value, 2);
  upkeep.stop();
});
