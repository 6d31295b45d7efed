/**
 * The contract of the `Store` port, as tests: run on every implementation, real or proxied, so that
 * none can drift. `open` gives an empty store that stamps node `edge-1` and epoch 5.
 */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { RecordParams } from '../../machines/model/effects.js';
import { addressOf } from '../../machines/model/ids.js';
import { wholeOf } from '../../src/ports/feed-text.js';
import type { Decision, Store } from '../../src/ports/store.js';
import { type FreshStore, type OpenStore, type StoreFixture, unwrap } from './store-fixture.js';
import { storeReadsContract } from './store-reads.js';
import { storeSequencesContract } from './store-sequences.js';
import { cellOf, decisionOf, NOON, publishOf, recordOf, spawnOf, WEB } from './store-values.js';

export function storeContract(name: string, open: OpenStore): void {
  describe(`store contract: ${name}`, () => {
    const fixtures: StoreFixture[] = [];
    const fresh = async (): Promise<Store> => {
      const fixture = await open();
      fixtures.push(fixture);
      return fixture.store;
    };
    after(async () => {
      for (const fixture of fixtures) await fixture.release();
    });
    commitContract(fresh);
    isolationContract(fresh);
    eventContract(fresh);
    storeReadsContract(fresh);
    storeSequencesContract(open);
  });
}

/** `ok`, or the failure's code, of each decision. */
export async function verdicts(
  store: Store,
  decisions: readonly Decision[],
): Promise<readonly string[]> {
  const outcomes = await store.commit(decisions);
  return outcomes.map((outcome) => (outcome.ok ? 'ok' : outcome.failure.code));
}

function commitContract(fresh: FreshStore): void {
  test('[ST-1] commit: state, journal and outbox appear together, as given', async () => {
    const store = await fresh();
    const cell = cellOf(WEB, 1, { parent: addressOf('tenant', 'acme') });
    const decision = decisionOf('d-1', { cell, records: [publishOf(WEB)] });
    const [outcome] = await store.commit([decision]);
    assert.deepEqual(outcome, { ok: true, value: { id: 'd-1', outboxSeq: 1, journalSeq: 1 } });
    assert.deepEqual(unwrap(await store.load(['group'])), [{ ...cell, incarnation: 1 }]);
    assert.equal(unwrap(await store.journal(0, 10)).length, 1);
    assert.equal(unwrap(await store.outboxPending(0, 10)).length, 1);
  });

  test('[ST-1] commit: nothing to do is answered with nothing', async () => {
    assert.deepEqual(await (await fresh()).commit([]), []);
  });

  const versions = [
    { name: 'a first row has version 1', have: 0, sent: 1, verdict: 'ok' },
    { name: 'a first row has no other version', have: 0, sent: 2, verdict: 'stale' },
    { name: 'the next version follows', have: 2, sent: 3, verdict: 'ok' },
    { name: 'the same version of another decision is late', have: 2, sent: 2, verdict: 'stale' },
    { name: 'an older version is late', have: 2, sent: 1, verdict: 'stale' },
    { name: 'a version may not be skipped', have: 2, sent: 4, verdict: 'stale' },
  ];
  for (const { name, have, sent, verdict } of versions) {
    test(`[ST-2] commit: ${name}`, async () => {
      const store = await fresh();
      for (let version = 1; version <= have; version += 1) {
        await store.commit([decisionOf(`before-${version}`, { cell: cellOf(WEB, version) })]);
      }
      const decision = decisionOf('now', { cell: cellOf(WEB, sent) });
      assert.deepEqual(await verdicts(store, [decision]), [verdict]);
      const [row] = unwrap(await store.load(['group']));
      assert.equal(row?.version ?? 0, verdict === 'ok' ? sent : have);
    });
  }

  test('[ST-22] commit: after a stale decision its writer is behind until it has read the cell', async () => {
    const store = await fresh();
    const by = (id: string, version: number, more: Partial<Decision> = {}): Decision =>
      decisionOf(id, { cell: cellOf(WEB, version), ...more });
    const other = addressOf('group', 'acme/db');
    const theirs = { thread: 'shard-2' };
    assert.deepEqual(await verdicts(store, [by('d-1', 1), by('x-2', 2, theirs)]), ['ok', 'ok']);
    const underWay = [by('d-2', 2), by('d-3', 3), by('d-4', 4)];
    assert.deepEqual(await verdicts(store, underWay), ['stale', 'stale', 'stale']);
    assert.deepEqual(
      await verdicts(store, [
        by('d-5', 3),
        decisionOf('d-6', { records: [recordOf('a.b')] }),
        decisionOf('e-1', { actor: other, cell: cellOf(other, 1) }),
        by('d-1', 1),
        by('x-3', 3, theirs),
        by('y-4', 4, { incarnation: 2 }),
      ]),
      ['stale', 'stale', 'ok', 'ok', 'ok', 'ok'],
    );
    assert.equal(unwrap(await store.loadFamily(WEB))[0]?.version, 4);
    assert.deepEqual(await verdicts(store, [by('d-7', 5)]), ['ok']);
  });

  test('[ST-22] commit: what came before the decision it follows may come again', async () => {
    const store = await fresh();
    const by = (id: string, version: number) => decisionOf(id, { cell: cellOf(WEB, version) });
    assert.deepEqual(await verdicts(store, [by('d-2', 2), by('d-3', 3)]), ['stale', 'stale']);
    const all = [by('d-1', 1), by('d-2', 2), by('d-3', 3)];
    assert.deepEqual(await verdicts(store, all), ['ok', 'ok', 'ok']);
  });

  test('[ST-3] commit: sent again is acknowledged as before and changes nothing', async () => {
    const store = await fresh();
    const child = addressOf('instance', 'i-0001-0190abcdef01');
    const decisions = [
      decisionOf('own', { cell: cellOf(WEB, 1), records: [publishOf(WEB), recordOf('b.c')] }),
      decisionOf('spawns', { records: [], spawns: [spawnOf(child, WEB)] }),
      decisionOf('cellless', { actor: addressOf('lbsync', 'vpp'), records: [recordOf('x.y')] }),
      decisionOf('next', { cell: cellOf(WEB, 2) }),
      decisionOf('gone', { cell: cellOf(WEB, 3), forget: true, records: [] }),
    ];
    const first = await store.commit(decisions);
    const state = await everything(store);
    assert.deepEqual(await store.commit(decisions), first);
    assert.deepEqual(await store.commit([...decisions].reverse()), [...first].reverse());
    assert.deepEqual(await everything(store), state);
  });
}

function isolationContract(fresh: FreshStore): void {
  test('[ST-4] commit: a bad decision fails alone and leaves no trace', async () => {
    const store = await fresh();
    const child = addressOf('instance', 'i-0001-0190abcdef01');
    const other = addressOf('group', 'acme/db');
    await store.commit([decisionOf('spawn', { spawns: [spawnOf(child, WEB)] })]);
    const before = unwrap(await store.journal(0, 100)).length;
    const bad = [
      decisionOf('bad-1', { spawns: [spawnOf(child, WEB, { machineHash: 'other' })] }),
      decisionOf('bad-2', { cell: cellOf(other, 1), records: [publishOf(other)] }),
      decisionOf('bad-3', {
        cell: cellOf(WEB, 1, { machineVersion: 1.5 }),
        records: [publishOf(WEB)],
      }),
      decisionOf('bad-4', { at: Number.MAX_SAFE_INTEGER, records: [publishOf(WEB)] }),
    ];
    const good = decisionOf('good', { cell: cellOf(WEB, 1), records: [publishOf(WEB)] });
    assert.deepEqual(await verdicts(store, [...bad, good]), [
      'rejected',
      'rejected',
      'rejected',
      'rejected',
      'ok',
    ]);
    assert.equal(unwrap(await store.journal(0, 100)).length, before + 1);
    const [row] = unwrap(await store.outboxPending(0, 100));
    assert.equal(row && wholeOf(row.event).aggregateVersion, 1);
  });

  test('[ST-4] [ST-18] commit: a bad decision fails also when one behind it would take the place of its row', async () => {
    const store = await fresh();
    const bad = decisionOf('bad', { cell: cellOf(WEB, 1, { machineVersion: 1.5 }) });
    const behind = decisionOf('behind', { cell: cellOf(WEB, 2) });
    assert.deepEqual(await verdicts(store, [bad, behind]), ['rejected', 'stale']);
    assert.deepEqual(unwrap(await store.load(['group'])), []);
  });

  test('[ST-5] fence: an older incarnation is refused, also when it sends again', async () => {
    const store = await fresh();
    const applied = decisionOf('d-1', { cell: cellOf(WEB, 1) });
    await store.commit([applied]);
    unwrap(await store.fence('shard-1', 3));
    unwrap(await store.fence('shard-1', 2));
    const next = { cell: cellOf(WEB, 2) };
    assert.deepEqual(
      await verdicts(store, [
        applied,
        decisionOf('d-2', { ...next, incarnation: 2 }),
        decisionOf('d-3', { ...next, incarnation: 1, thread: 'shard-2' }),
        decisionOf('d-4', { cell: cellOf(WEB, 3), incarnation: 3 }),
      ]),
      ['fenced', 'fenced', 'ok', 'ok'],
    );
  });

  test('[ST-6] spawn: an identical child is no change, a forgotten one starts anew', async () => {
    const store = await fresh();
    const child = addressOf('instance', 'i-0001-0190abcdef01');
    const spawn = { records: [], spawns: [spawnOf(child, WEB)] };
    const forget = { actor: child, forget: true, cell: cellOf(child, 2), records: [] };
    assert.deepEqual(
      await verdicts(store, [
        decisionOf('s-1', spawn),
        decisionOf('s-2', spawn),
        decisionOf('f-1', forget),
        decisionOf('s-3', spawn),
      ]),
      ['ok', 'ok', 'ok', 'ok'],
    );
    const [row] = unwrap(await store.loadFamily(WEB));
    assert.deepEqual(row, { ...spawnOf(child, WEB), incarnation: 1 });
  });

  test('[ST-6] parent: a cell keeps the parent its first row named', async () => {
    const store = await fresh();
    const child = addressOf('instance', 'i-0001-0190abcdef01');
    await store.commit([
      decisionOf('s-1', { spawns: [spawnOf(child, WEB)] }),
      decisionOf('c-1', { actor: child, cell: cellOf(child, 2) }),
      decisionOf('w-1', { cell: cellOf(WEB, 1) }),
    ]);
    const family = unwrap(await store.loadFamily(WEB));
    assert.deepEqual(
      family.map(({ address, version }) => [address, version]),
      [
        [WEB, 1],
        [child, 2],
      ],
    );
  });
}

function eventContract(fresh: FreshStore): void {
  test('[ST-8] feed event: the whole envelope, derived from the decision', async () => {
    const store = await fresh();
    const record = recordOf('group.resized', {
      publish: {
        aggregateKind: 'group',
        aggregateId: 'acme/web',
        tenantId: 'acme' as never,
        data: { size: 3 },
      },
    });
    await store.commit([decisionOf('d-1', { records: [recordOf('a.b'), record] })]);
    const [row] = unwrap(await store.outboxList({ limit: 1 }));
    assert.deepEqual(row, {
      seq: 1,
      state: 'pending',
      attempts: 0,
      createdAt: NOON,
      event: {
        eventId: 'd-1.1',
        type: 'group.resized',
        schema: 1,
        node: 'edge-1',
        epoch: 5,
        tenantId: 'acme',
        aggregateKind: 'group',
        aggregateId: 'acme/web',
        aggregateVersion: 1,
        orderingKey: 'group/acme/web',
        causationId: 'd-1',
        correlationId: 'event-1',
        configGeneration: 7,
        occurredAt: '2026-11-21T12:00:00.000Z',
        controlVersion: 0,
        data: { size: 3 },
      },
    });
  });

  test('[ST-8] feed event: the correlation is where the chain of causes began', async () => {
    const store = await fresh();
    const chain = [
      decisionOf('d-1', { cause: 'tenancy-42', records: [publishOf(WEB)] }),
      decisionOf('d-2', { cause: 'd-1', records: [publishOf(WEB)] }),
      decisionOf('d-3', { cause: 'd-2', records: [publishOf(WEB)] }),
      decisionOf('d-4', { cause: '', records: [publishOf(WEB)] }),
    ];
    await store.commit(chain);
    const rows = unwrap(await store.outboxPending(0, 10));
    assert.deepEqual(
      rows
        .map(({ event }) => wholeOf(event))
        .map((event) => [event.causationId, event.correlationId, event.aggregateVersion]),
      [
        ['d-1', 'tenancy-42', 1],
        ['d-2', 'tenancy-42', 2],
        ['d-3', 'tenancy-42', 3],
        ['d-4', 'd-4', 4],
      ],
    );
  });

  test('[ST-15] observed level: the same again is journaled but no news, a change is', async () => {
    const store = await fresh();
    const at = (id: string, level: string): Decision => {
      const { publish, ...record } = publishOf(WEB);
      assert.ok(publish);
      return decisionOf(id, { records: [{ ...record, publish: { ...publish, level } }] });
    };
    await store.commit([at('d-1', 'up'), at('d-2', 'up'), at('d-3', 'down'), at('d-4', 'up')]);
    await store.commit([decisionOf('d-5', { records: [publishOf(WEB)] }), at('d-6', 'up')]);
    const rows = unwrap(await store.outboxPending(0, 10));
    assert.deepEqual(
      rows
        .map(({ event }) => wholeOf(event))
        .map((event) => [event.causationId, event.aggregateVersion]),
      [
        ['d-1', 1],
        ['d-3', 2],
        ['d-4', 3],
        ['d-5', 4],
        ['d-6', 5],
      ],
    );
    assert.equal(unwrap(await store.journal(0, 10)).length, 6);
  });

  test('[ST-31] presence: who is known does not arrive, who is not does not leave', async () => {
    const store = await fresh();
    const { publish, ...record } = publishOf(WEB);
    assert.ok(publish);
    const arrives: RecordParams = {
      ...{ ...record, event: 'group.added' },
      publish: { ...publish, presence: 'arrives', level: 'unknown' },
    };
    const leaves: RecordParams = {
      ...{ ...record, event: 'group.gone' },
      publish: { ...publish, presence: 'leaves' },
    };
    const turns: RecordParams = { ...record, publish: { ...publish, level: 'up' } };
    const decisions = [
      decisionOf('d-1', { records: [leaves] }),
      decisionOf('d-2', { records: [arrives, turns] }),
      decisionOf('d-3', { records: [arrives] }),
      decisionOf('d-4', { records: [arrives, turns] }),
      decisionOf('d-5', { records: [leaves] }),
      decisionOf('d-6', { records: [leaves] }),
      decisionOf('d-7', { records: [arrives] }),
    ];
    const first = await store.commit(decisions);
    assert.deepEqual(await store.commit(decisions), first, 'sent again it is the same');
    const rows = unwrap(await store.outboxPending(0, 10));
    assert.deepEqual(
      rows
        .map(({ event }) => wholeOf(event))
        .map(({ eventId, type, aggregateVersion }) => `${eventId} ${type} ${aggregateVersion}`),
      [
        'd-2.0 group.added 1',
        `d-2.1 ${record.event} 2`,
        'd-5.0 group.gone 3',
        'd-7.0 group.added 4',
      ],
    );
    const entries = unwrap(await store.journal(0, 10));
    // Of d-4 the level alone: the journal has it all the same.
    assert.deepEqual(
      entries.map(({ id }) => id),
      ['d-2', 'd-2', 'd-4', 'd-5', 'd-7'],
    );
  });

  test('[ST-8] aggregate version: goes on counting after the aggregate was forgotten', async () => {
    const store = await fresh();
    await store.commit([
      decisionOf('d-1', { cell: cellOf(WEB, 1), records: [publishOf(WEB)] }),
      decisionOf('d-2', { cell: cellOf(WEB, 2), forget: true, records: [publishOf(WEB)] }),
      decisionOf('d-3', { cell: cellOf(WEB, 1), records: [publishOf(WEB)] }),
    ]);
    const rows = unwrap(await store.outboxPending(0, 10));
    assert.deepEqual(
      rows.map(({ event }) => wholeOf(event).aggregateVersion),
      [1, 2, 3],
    );
  });
}

/** Everything a reader can see; two equal answers mean that nothing changed. */
export async function everything(store: Store): Promise<unknown> {
  return {
    cells: unwrap(await store.load(['group', 'instance', 'tenant', 'lbsync'])),
    journal: unwrap(await store.journal(0, 10_000)),
    outbox: unwrap(await store.outboxList({ limit: 10_000 })),
  };
}
