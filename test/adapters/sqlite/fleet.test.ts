/** The fleet's rows in the store: what a batch changes, and cells made of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openSqliteStore } from '../../../src/adapters/sqlite/open.js';
import { wholeOf } from '../../../src/ports/feed-text.js';
import type { PackedStore } from '../../../src/ports/packed.js';
import { unpackPending } from '../../../src/ports/packed-outbox.js';
import { expectOk } from '../../contract/provider.js';
import { PLAIN } from '../../support/sqlite-scratch.js';

function opened(): PackedStore {
  const given = { file: ':memory:', durability: 'normal', node: 'edge-1' } as const;
  return expectOk(openSqliteStore({ ...given, ...PLAIN }));
}

function rowOf(address: string, version: number): string {
  return JSON.stringify({
    ...{ address, parent: null, machine: 'group', machineVersion: 1, machineHash: 'h', version },
    ...{ value: { open: 'idle' }, context: { size: version }, timers: [] },
  });
}

function batch(cursor: number, rows: Readonly<Record<string, number | null>>) {
  const changes = Object.entries(rows).map(([address, version]) => ({
    address,
    row: version === null ? null : rowOf(address, version),
  }));
  return { changes, versions: [], cursor };
}

test('[FL-5] fleet rows: the last one counts, and a batch that was applied changes nothing', async () => {
  const store = opened();
  expectOk(await store.fleetApply(batch(3, { 'group/a/x': 1, 'group/a/y': 1 })));
  expectOk(await store.fleetApply(batch(5, { 'group/a/x': 2, 'group/a/y': null })));
  expectOk(await store.fleetApply(batch(5, { 'group/a/x': 9 })));
  expectOk(await store.fleetApply(batch(4, { 'group/a/z': 9 })));
  assert.equal(expectOk(await store.fleetCursor()), 5);
  const rows = expectOk(await store.fleetRows('group/', '', 10));
  assert.deepEqual(rows, [{ address: 'group/a/x', row: rowOf('group/a/x', 2) }]);
});

test('[FL-5] fleet rows: cells become what the log says, those it does not know are gone', async () => {
  const store = opened();
  const own = { address: 'group/a/old', parent: undefined, machine: 'group', machineVersion: 1 };
  const cell = { ...own, machineHash: 'h', version: 1, value: 'x', context: {}, timers: [] };
  const decision = {
    id: 'd1',
    at: 1,
    actor: own.address,
    cause: 'c',
    thread: 'main',
    incarnation: 1,
  };
  const rest = { spawns: [], forget: false, records: [], configGeneration: 0 };
  const committed = await store.commit([{ ...decision, cell, ...rest } as never]);
  expectOk(committed[0] as never);
  expectOk(await store.fleetApply(batch(1, { 'group/a/x': 7 })));
  expectOk(await store.fleetAdopt(['group/']));
  const cells = expectOk(await store.load(['group']));
  assert.deepEqual(
    cells.map(({ address, version, value, context }) => ({ address, version, value, context })),
    [{ address: 'group/a/x', version: 7, value: { open: 'idle' }, context: { size: 7 } }],
  );
});

test('[FL-7] pending rows that are abandoned are pending no more, and nothing else changes', async () => {
  const store = opened();
  expectOk(await store.outboxAbandon([1, 2], 'edge-2 has gone on'));
  assert.deepEqual(expectOk(await store.outboxPending(0, 10)), []);
});

test('[FL-5] fleet rows: an event that comes late takes back neither a row nor where its chain stands', async () => {
  const store = opened();
  const versions = (version: number) => [{ key: 'group/a/x', version, hash: `h${version}` }];
  expectOk(await store.fleetApply({ ...batch(1, { 'group/a/x': 10 }), versions: versions(10) }));
  expectOk(await store.fleetApply({ ...batch(2, { 'group/a/x': 9 }), versions: versions(9) }));
  const rows = expectOk(await store.fleetRows('group/', '', 10));
  assert.deepEqual(rows, [{ address: 'group/a/x', row: rowOf('group/a/x', 10) }]);
  const publish = { aggregateKind: 'group', aggregateId: 'a/x', data: {} };
  const record = { event: 'group.removed', rule: 'r', numbers: {}, publish };
  const decision = {
    ...{ id: 'd1', at: 1, actor: 'group/a/x', cause: 'c', thread: 'main', incarnation: 1 },
    ...{ cell: undefined, spawns: [], forget: false, records: [record], configGeneration: 0 },
  };
  expectOk((await store.commit([decision as never]))[0] as never);
  const [row] = expectOk(await store.outboxTexts(0, 1)).flatMap(unpackPending);
  assert.deepEqual([row && wholeOf(row.event).aggregateVersion, row?.headHash], [11, 'h10']);
});
