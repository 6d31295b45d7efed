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

/** One event of each row; its version is the cursor. */
function batch(cursor: number, rows: Readonly<Record<string, number | null>>, epoch = 1) {
  const events = Object.entries(rows).map(([address, version]) => ({
    ...{ key: address, epoch, version: cursor },
    changes: [{ address, row: version === null ? null : rowOf(address, version) }],
  }));
  return { events, versions: [], cursor };
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
  const versions = (version: number) => [
    { key: 'group/a/x', epoch: 1, version, hash: `h${version}` },
  ];
  const { events } = batch(1, { 'group/a/x': 9 });
  expectOk(await store.fleetApply({ ...batch(2, { 'group/a/x': 10 }), versions: versions(10) }));
  expectOk(await store.fleetApply({ events, cursor: 3, versions: versions(9) }));
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

test('[FL-5] fleet rows: nothing that comes late brings back what is gone, or takes a place that is taken', async () => {
  const store = opened();
  const rows = async () =>
    expectOk(await store.fleetRows('i/', '', 10)).map(
      ({ address, row }) => `${address} ${row?.match(/size.:(\d+)/)?.[1]}`,
    );
  const spawned = (cursor: number, version: number, epoch = 1) => {
    const changes = ['i/1', 'i/2'].map((address) => ({ address, row: rowOf(address, 1) }));
    return { events: [{ key: 'group/g', epoch, version, changes }], versions: [], cursor };
  };
  expectOk(await store.fleetApply(spawned(1, 1)));
  expectOk(await store.fleetApply(batch(2, { 'i/1': 5 })));
  expectOk(await store.fleetApply(batch(3, { 'i/1': null })));
  // Its parent's decisions once more: one that nobody knew brings what nobody has heard of.
  expectOk(await store.fleetApply(batch(4, { 'i/2': null })));
  expectOk(await store.fleetApply({ ...spawned(5, 1), cursor: 5 }));
  assert.deepEqual(await rows(), []);
  const late = { ...batch(2, { 'i/1': 5 }), cursor: 6 };
  expectOk(await store.fleetApply(late));
  assert.deepEqual(await rows(), [], 'what is gone stays gone');
  // A later holder that did not know of the end counts on from what it knew.
  expectOk(await store.fleetApply({ ...batch(2, { 'i/1': 3 }, 2), cursor: 7 }));
  assert.deepEqual(await rows(), ['i/1 3']);
  expectOk(await store.fleetApply({ ...batch(9, { 'i/1': 9 }, 1), cursor: 8 }));
  assert.deepEqual(await rows(), ['i/1 3'], 'of an older epoch');
});

test('[LE-8] [FL-5] standing: a beginning that comes late takes nothing back, whoever sends it again', async () => {
  const store = opened();
  const begun = async (cursor: number, writer: string, epoch: number) => {
    const standing = JSON.stringify({ fleet: 'f', writer, node: writer, epoch });
    expectOk(await store.fleetApply({ events: [], versions: [], cursor, standing }));
    const now = JSON.parse(expectOk(await store.fleetStanding()) ?? '{}') as { writer: string };
    return now.writer;
  };
  assert.equal(await begun(1, 'a', 3), 'a');
  assert.equal(await begun(2, 'b', 4), 'b');
  assert.equal(await begun(3, 'a', 3), 'b', 'older');
  assert.equal(await begun(4, 'a', 4), 'b', 'of the same epoch');
  assert.equal(await begun(5, 'a', 5), 'a');
});

test('[FL-11] ground: goes with the cursor, and back with it only when told', async () => {
  const store = opened();
  const step = { events: [], versions: [] };
  expectOk(await store.fleetApply({ ...step, cursor: 9, ground: 'far' }));
  expectOk(await store.fleetApply({ ...step, cursor: 4, ground: 'near' }));
  assert.deepEqual(
    [expectOk(await store.fleetCursor()), expectOk(await store.fleetGround())],
    [9, 'far'],
  );
  expectOk(await store.fleetApply({ ...step, cursor: 4, ground: 'near', rewind: true }));
  assert.deepEqual(
    [expectOk(await store.fleetCursor()), expectOk(await store.fleetGround())],
    [4, 'near'],
  );
});

test('[FL-7] a new holder counts on from where the log is, not from what it decided and never published', async () => {
  const store = opened();
  const decided = async (id: string) => {
    const publish = { aggregateKind: 'group', aggregateId: 'a/x', data: {} };
    const record = { event: 'group.removed', rule: 'r', numbers: {}, publish };
    const decision = {
      ...{ id, at: 1, actor: 'group/a/x', cause: 'c', thread: 'main', incarnation: 1 },
      ...{ cell: undefined, spawns: [], forget: false, records: [record], configGeneration: 0 },
    };
    expectOk((await store.commit([decision as never]))[0] as never);
    const row = expectOk(await store.outboxTexts(0, 10))
      .flatMap(unpackPending)
      .at(-1);
    assert.ok(row !== undefined);
    return [wholeOf(row.event).aggregateVersion, row.headHash];
  };
  const head = { key: 'group/a/x', epoch: 2, version: 1, hash: 'h1' };
  await decided('d1');
  expectOk(await store.fleetApply({ events: [], versions: [{ ...head, own: true }], cursor: 1 }));
  assert.deepEqual((await decided('d2'))[0], 2);
  assert.deepEqual((await decided('d3'))[0], 3);
  expectOk(await store.outboxAbandon([2, 3], 'edge-2 has gone on'));
  const late = { ...head, epoch: 1, version: 9, hash: 'of an older holder' };
  const next = { ...head, epoch: 3, version: 2, hash: 'h2' };
  expectOk(await store.fleetApply({ events: [], versions: [next, late], cursor: 2 }));
  expectOk(await store.fleetAdopt(['group/']));
  assert.deepEqual(await decided('d4'), [3, 'h2']);
});
