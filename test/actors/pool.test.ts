/** A pool and its blocks in a host: allocations over restarts, and the row of a release without blocks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blockActor } from '../../actors/block-actor.js';
import { poolActor } from '../../actors/pool-actor.js';
import { addressOf, keyOf } from '../../machines/model/ids.js';
import type { JsonObject } from '../../machines/model/json.js';
import type { Message } from '../../machines/model/messages.js';
import { BLOCK_ADDRESSES } from '../../src/policy/address-pool.js';
import type { Store } from '../../src/ports/store.js';
import type { ActorType, ServiceType } from '../../src/runtime/actor-type.js';
import { createHost } from '../../src/runtime/host.js';
import { createSinglePlacement } from '../../src/runtime/placement.js';
import { createVirtualClock } from '../../src/runtime/virtual-clock.js';
import { expectOk } from '../contract/provider.js';
import { numberedIds, rememberingLog, rememberingMetrics, seededRandom } from '../support/quiet.js';
import { memoryStore } from '../support/toy-node.js';

const POOL = addressOf('pool', 'public');
const names = (from: number, to: number): readonly string[] =>
  Array.from({ length: to - from }, (_, index) => `f${from + index}`);

/** One life: what frontends heard, each its last word. */
async function life(store: Store, incarnation: number) {
  const heard = new Map<string, string>();
  const frontends: ServiceType = {
    kind: 'frontend',
    start: ({ self }) => ({
      receive: (message) => {
        const { type, address } = message as { readonly type: string; readonly address?: string };
        heard.set(keyOf(self), address ?? type);
      },
      view: () => ({}),
      stop: () => undefined,
    }),
  };
  const clock = createVirtualClock();
  const host = createHost({
    ...{ thread: 'main', incarnation, services: [frontends], clock, store, ports: {} },
    types: [poolActor as ActorType, blockActor],
    placement: createSinglePlacement(),
    ids: numberedIds(`d${incarnation}`),
    random: seededRandom(incarnation),
    log: rememberingLog(),
    metrics: rememberingMetrics(),
    remote: { send: () => false, reply: () => undefined },
    generation: () => 1,
  });
  expectOk(await host.start());
  await clock.settle();
  const tell = async (...messages: readonly (Message & object)[]): Promise<void> => {
    for (const message of messages) host.tell(POOL, message, 'test');
    await clock.settle();
  };
  return {
    heard,
    host,
    range: (cidr: string) =>
      tell({ type: 'pool.desired', spec: { name: 'public', cidr, generation: 1 } } as Message),
    ask: (what: 'allocate' | 'release', frontends: readonly string[]) =>
      tell(...frontends.map((frontend) => ({ type: `pool.${what}`, frontend }) as Message)),
    /** Of a life that ends: each address once. */
    rows: async (): Promise<readonly JsonObject[]> => {
      const cells = expectOk(await store.load(['pool', 'block']));
      return cells.map(({ address, context }) => ({ address, ...context }));
    },
  };
}

const allocationsIn = (rows: readonly JsonObject[]): Record<string, string> =>
  Object.assign({}, ...rows.map(({ allocations }) => allocations));

test('[FE-20] [FE-52] pool: as many rows as blocks, and each address once, over restarts', async () => {
  const store = memoryStore();
  const count = 3 * BLOCK_ADDRESSES;
  const first = await life(store, 1);
  await first.range('198.51.100.0/24');
  await first.ask('allocate', names(0, count));
  await first.host.stop();
  const second = await life(store, 2);
  await second.ask('allocate', names(count - 10, 260));
  const given = [...new Map([...first.heard, ...second.heard]).values()];
  assert.equal(given.filter((one) => one === 'pool.exhausted').length, 260 - 254);
  assert.equal(new Set(given.filter((one) => one !== 'pool.exhausted')).size, 254);
  for (const one of names(count - 10, count)) {
    assert.equal(second.heard.get(one), first.heard.get(one), 'asked again, the same address');
  }
  const rows = await second.rows();
  assert.deepEqual(
    rows.map(({ address }) => address),
    [
      'block/public/198.51.100.0',
      ...[64, 128, 192].map((one) => `block/public/198.51.100.${one}`),
      POOL,
    ].toSorted(),
  );
  for (const { allocations } of rows) {
    assert.ok(Object.keys(allocations as JsonObject).length <= BLOCK_ADDRESSES);
  }
  await second.host.stop();
});

test('[FE-24] [FE-25] pool: what is given back is given again, the lowest first', async () => {
  const store = memoryStore();
  const { range, ask, heard, host } = await life(store, 1);
  await range('198.51.100.0/24');
  await ask('allocate', names(0, 254));
  await ask('release', ['f200', 'f3', 'never']);
  assert.deepEqual(
    ['f200', 'f3', 'never'].map((one) => heard.get(one)),
    Array(3).fill('pool.released'),
  );
  await ask('allocate', ['a', 'b', 'c']);
  assert.deepEqual(
    ['a', 'b', 'c'].map((one) => heard.get(one)),
    ['198.51.100.4', '198.51.100.201', 'pool.exhausted'],
  );
  await host.stop();
});

test('[FE-23] [FE-25] pool: before it has a range it says so, and another range takes nothing away', async () => {
  const store = memoryStore();
  const { range, ask, heard, host, rows } = await life(store, 1);
  await ask('allocate', ['a']);
  assert.equal(heard.get('a'), 'pool.exhausted');
  await range('198.51.100.0/24');
  await ask('allocate', ['a']);
  await range('203.0.113.0/24');
  await ask('allocate', ['a', 'b']);
  assert.deepEqual([heard.get('a'), heard.get('b')], ['198.51.100.1', '203.0.113.1']);
  assert.deepEqual(allocationsIn(await rows()), { a: '198.51.100.1', b: '203.0.113.1' });
  await host.stop();
});

test('[FE-52] pool: the row of a release without blocks moves to blocks, whenever that is cut short', async () => {
  const old = Object.fromEntries(
    names(0, 130).map((name, index) => [name, `198.51.100.${index + 1}`]),
  );
  const store = memoryStore();
  const zero = await life(store, 1);
  await zero.range('198.51.100.0/24');
  await zero.host.stop();
  const [row] = expectOk(await store.load(['pool']));
  assert.ok(row);
  expectOk(
    (
      await store.commit([
        {
          ...{ id: 'old', at: 0, actor: POOL, cause: 'test', thread: 'main', incarnation: 1 },
          cell: { ...row, version: row.version + 1, context: { ...row.context, allocations: old } },
          ...{ spawns: [], forget: false, records: [], configGeneration: 1 },
        },
      ])
    )[0] as never,
  );
  const moving = await life(store, 2);
  await moving.ask('allocate', ['f5', 'new']);
  assert.equal(moving.heard.get('f5'), '198.51.100.6');
  assert.equal(moving.heard.get('new'), '198.51.100.131');
  await moving.host.stop();
  const rows = await moving.rows();
  assert.deepEqual(allocationsIn(rows), { ...old, new: '198.51.100.131' });
  assert.deepEqual(rows.find(({ address }) => address === POOL)?.['allocations'], {});
});
