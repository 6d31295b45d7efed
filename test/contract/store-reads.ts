/** The reading half of the store's contract: cells, journal, outbox, ledger, named values. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf } from '../../machines/model/ids.js';
import { vipKey } from '../../machines/model/lb.js';
import { feedTextOf } from '../../src/ports/feed-text.js';
import type { ArtifactPart, Store } from '../../src/ports/store.js';
import { type FreshStore, unwrap } from './store-fixture.js';
import { cellOf, decisionOf, ledgerOf, NOON, publishOf, recordOf, WEB } from './store-values.js';

export function storeReadsContract(fresh: FreshStore): void {
  cellsContract(fresh);
  journalContract(fresh);
  outboxContract(fresh);
  amendContract(fresh);
  registersContract(fresh);
}

function cellsContract(fresh: FreshStore): void {
  test('[ST-10] load: exactly the cells of the kinds asked for, ascending by address', async () => {
    const store = await fresh();
    const addresses = ['tenant/b', 'tenant/a', 'group/a/web', 'tenancy/tenancy', 'pool/x'];
    const cells = addresses.map((address) => cellOf(address as never, 1));
    await store.commit(
      cells.map((cell, index) => decisionOf(`d-${index}`, { actor: cell.address, cell })),
    );
    const loaded = async (kinds: readonly string[]): Promise<readonly string[]> =>
      unwrap(await store.load(kinds)).map(({ address }) => address);
    assert.deepEqual(await loaded(['tenant', 'group', 'tenant']), [
      'group/a/web',
      'tenant/a',
      'tenant/b',
    ]);
    assert.deepEqual(await loaded(['tenancy']), ['tenancy/tenancy']);
    assert.deepEqual(await loaded(['frontend']), []);
    assert.deepEqual(await loaded([]), []);
  });
}

function journalContract(fresh: FreshStore): void {
  test('[ST-11] journal: by position, by actor or subject newest first, by id', async () => {
    const store = await fresh();
    assert.equal(unwrap(await store.journalHead()), 0);
    const instance = addressOf('instance', 'i-0001-0190abcdef01');
    await store.commit([
      decisionOf('d-1', { records: [recordOf('a.one'), publishOf(instance, 'a.two')] }),
      decisionOf('d-2', { actor: instance, records: [publishOf(instance, 'a.three')] }),
    ]);
    const names = (entries: readonly { event: string }[]): string =>
      entries.map(({ event }) => event).join(' ');
    assert.equal(unwrap(await store.journalHead()), 3);
    assert.equal(names(unwrap(await store.journal(0, 2))), 'a.one a.two');
    assert.equal(names(unwrap(await store.journal(2, 10))), 'a.three');
    assert.equal(names(unwrap(await store.journalOf(WEB, 10))), 'a.two a.one');
    assert.equal(names(unwrap(await store.journalOf(instance, 10))), 'a.three a.two');
    assert.equal(names(unwrap(await store.journalOf(instance, 1))), 'a.three');
    assert.equal(names(unwrap(await store.journalOf(instance, -1))), '');
    assert.deepEqual(unwrap(await store.journalById('d-2')), [
      {
        seq: 3,
        id: 'd-2',
        at: NOON,
        actor: instance,
        event: 'a.three',
        rule: 'GR-1',
        numbers: { size: 3 },
        cause: 'event-1',
      },
    ]);
  });
}

async function appendFive(store: Store): Promise<void> {
  const ids = ['d-1', 'd-2', 'd-3', 'd-4', 'd-5'];
  await store.commit(
    ids.map((id, index) => decisionOf(id, { at: NOON + index, records: [publishOf(WEB)] })),
  );
}

function outboxContract(fresh: FreshStore): void {
  test('[ST-9] outbox: what was published or refused is written back in one pass', async () => {
    const store = await fresh();
    await appendFive(store);
    unwrap(
      await store.outboxWriteBack([
        { seq: 1, controlVersion: 11 },
        { seq: 2, error: 'x'.repeat(500) },
        { seq: 3 },
        { seq: 99, controlVersion: 12 },
      ]),
    );
    unwrap(await store.outboxWriteBack([{ seq: 1, error: 'too late' }]));
    const rows = unwrap(await store.outboxList({ limit: 10 }));
    assert.deepEqual(
      rows.map(({ seq, state, attempts, event, lastError }) => [
        seq,
        state,
        attempts,
        event.controlVersion,
        lastError?.length,
      ]),
      [
        [5, 'pending', 0, 0, undefined],
        [4, 'pending', 0, 0, undefined],
        [3, 'pending', 0, 0, undefined],
        [2, 'pending', 1, 0, 200],
        [1, 'published', 0, 11, undefined],
      ],
    );
  });

  test('[ST-9] outbox: pages of what is pending, oldest first, and the counts', async () => {
    const store = await fresh();
    assert.deepEqual(unwrap(await store.outboxCounts()), { pending: 0, dead: 0 });
    await appendFive(store);
    unwrap(await store.outboxWriteBack([{ seq: 1, controlVersion: 1 }]));
    const seqs = async (after: number, max: number): Promise<readonly number[]> =>
      unwrap(await store.outboxPending(after, max)).map(({ seq }) => seq);
    assert.deepEqual(await seqs(0, 2), [2, 3]);
    assert.deepEqual(await seqs(3, 10), [4, 5]);
    assert.deepEqual(unwrap(await store.outboxCounts()), {
      pending: 4,
      dead: 0,
      oldestPendingAt: NOON + 1,
    });
  });

  test('[ST-9] outbox: a refused row is dead when the outbox says so, and dead is not pending', async () => {
    const store = await fresh();
    await appendFive(store);
    for (let attempt = 1; attempt <= 21; attempt += 1) {
      const last = attempt >= 20 ? { dead: true as const } : {};
      unwrap(await store.outboxWriteBack([{ seq: 1, error: `no ${attempt}`, ...last }]));
      const dead = unwrap(await store.outboxList({ dead: true, limit: 10 }));
      assert.equal(dead.length, attempt < 20 ? 0 : 1, `after attempt ${attempt}`);
    }
    const [row] = unwrap(await store.outboxList({ dead: true, limit: 10 }));
    assert.deepEqual([row?.attempts, row?.lastError], [20, 'no 20']);
    const counts = unwrap(await store.outboxCounts());
    assert.deepEqual([counts.pending, counts.dead], [4, 1]);
  });
}

function amendContract(fresh: FreshStore): void {
  const dead = async (): Promise<Store> => {
    const store = await fresh();
    await appendFive(store);
    const sent = { controlVersion: 1, previousHash: '' };
    unwrap(await store.outboxWriteBack([{ seq: 1, ...sent }]));
    unwrap(await store.outboxWriteBack([{ seq: 2, error: 'no', dead: true, previousHash: 'h1' }]));
    return store;
  };
  const stateOf = async (store: Store, seq: number) =>
    unwrap(await store.outboxList({ limit: 10 })).find((row) => row.seq === seq);

  test('[ST-28] outbox: a dead row is sent again, or by nobody; only a dead one', async () => {
    for (const row of ['2', 'd-2.0']) {
      const store = await dead();
      const amended = unwrap(await store.outboxAmend({ verb: 'requeue', row }));
      assert.deepEqual(amended, { rows: 1, eventId: 'd-2.0' });
      const found = await stateOf(store, 2);
      assert.deepEqual([found?.state, found?.attempts, found?.wasSent], ['pending', 0, true]);
      assert.equal(found?.event.previousHash, 'h1');
      assert.deepEqual(unwrap(await store.outboxAmend({ verb: 'requeue', row })), { rows: 0 });
    }
    const store = await dead();
    const discarded = { verb: 'discard', row: '2', reason: 'known bad' } as const;
    assert.equal(unwrap(await store.outboxAmend(discarded)).rows, 1);
    const found = await stateOf(store, 2);
    assert.deepEqual([found?.state, found?.lastError], ['discarded', 'known bad']);
    for (const row of ['1', '3', '99', 'nobody']) {
      assert.deepEqual(unwrap(await store.outboxAmend({ ...discarded, row })), { rows: 0 });
    }
  });

  test('[ST-28] outbox: what was published is pending again, as it was', async () => {
    const store = await dead();
    const before = await stateOf(store, 1);
    assert.equal(unwrap(await store.outboxAmend({ verb: 'republish', sinceMs: 0 })).rows, 2);
    const [row, buried] = unwrap(await store.outboxPending(0, 2));
    const told = before && feedTextOf(before.event).text;
    assert.deepEqual([row?.seq, row?.event.text, row?.attempts], [1, told, 0]);
    // As it was before it died: one more refusal, and its tombstone is sent again.
    assert.deepEqual([buried?.seq, buried?.attempts, buried?.wasSent], [2, 0, true]);
  });

  test('[ST-30] outbox: a row knows the hash of the last of its key in the feed', async () => {
    const store = await dead();
    const key = (await stateOf(store, 3))?.event.orderingKey ?? '';
    const hashOf = async () => unwrap(await store.outboxPending(0, 1))[0]?.headHash;
    assert.equal(await hashOf(), undefined);
    const sent = { seq: 3, controlVersion: 3, previousHash: 'h2', head: { key, hash: 'h3' } };
    unwrap(await store.outboxWriteBack([sent]));
    assert.equal(await hashOf(), 'h3');
    assert.equal((await stateOf(store, 3))?.event.previousHash, 'h2');
  });
}

function registersContract(fresh: FreshStore): void {
  test('[ST-12] ledger: one entry per VIP, put, replaced, removed', async () => {
    const store = await fresh();
    const one = ledgerOf('192.0.2.1');
    const two = ledgerOf('192.0.2.2');
    for (const entry of [two, one, one]) unwrap(await store.ledgerPut(entry));
    assert.deepEqual(unwrap(await store.ledger()), [one, two]);
    const renamed = ledgerOf('192.0.2.1', 'acme/web');
    unwrap(await store.ledgerPut(renamed));
    unwrap(await store.ledgerRemove(vipKey(two.vip)));
    unwrap(await store.ledgerRemove(vipKey(two.vip)));
    assert.deepEqual(unwrap(await store.ledger()), [renamed]);
  });

  const partOf = (hash: string, part: number, parts = 2, kind = 'config'): ArtifactPart => {
    const bytes = Buffer.from(`${hash} ${part}`).toString('base64');
    return { kind, hash, part, parts, bytes };
  };

  test('[ST-26] artifacts: one is there once all its parts are, in whatever order they came', async () => {
    const store = await fresh();
    const read = async (hash: string, part: number, kind = 'config') =>
      unwrap(await store.artifactGet(kind, hash, part));
    unwrap(await store.artifactPut(partOf('a', 1)));
    assert.deepEqual([await read('a', 0), await read('a', 1)], [undefined, undefined]);
    unwrap(await store.artifactPut(partOf('a', 0)));
    unwrap(await store.artifactPut({ ...partOf('a', 0), bytes: '' }));
    assert.equal(await read('a', 0), partOf('a', 0).bytes, 'the same again changes nothing');
    assert.equal(await read('a', 1), partOf('a', 1).bytes);
    assert.deepEqual([await read('a', 2), await read('b', 0)], [undefined, undefined]);
    assert.equal(await read('a', 0, 'event'), undefined, 'kinds are apart');
  });

  test('[ST-26] artifacts: what is not kept goes, half-written ones too, of that kind alone', async () => {
    const store = await fresh();
    const parts = [
      partOf('a', 0, 1),
      partOf('b', 0, 1),
      partOf('c', 0),
      partOf('a', 0, 1, 'event'),
    ];
    for (const part of parts) unwrap(await store.artifactPut(part));
    unwrap(await store.artifactsKeep('config', ['b']));
    unwrap(await store.artifactPut(partOf('c', 1)));
    const found = await Promise.all(
      parts.map(async ({ kind, hash }) => unwrap(await store.artifactGet(kind, hash, 0))),
    );
    assert.deepEqual(
      found.map((bytes) => bytes !== undefined),
      [false, true, false, true],
    );
  });

  test('[ST-12] meta: absent, set, replaced', async () => {
    const store = await fresh();
    assert.equal(unwrap(await store.metaGet('cursor')), undefined);
    unwrap(await store.metaSet('cursor', '7'));
    unwrap(await store.metaSet('cursor', '8'));
    assert.equal(unwrap(await store.metaGet('cursor')), '8');
  });
}
