/**
 * What the reload actor keeps, gives back and takes back: configurations by their hash, everybody told
 * again from the store, rows of an older release, all or nothing.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reloadActor } from '../../actors/reload-actor.js';
import { addressOf } from '../../machines/model/ids.js';
import type { JsonObject } from '../../machines/model/json.js';
import { fail } from '../../machines/model/result.js';
import type { Store } from '../../src/ports/store.js';
import { createVirtualClock } from '../../src/runtime/virtual-clock.js';
import { unwrap } from '../contract/store-fixture.js';
import { loadText, SITE } from '../support/config.js';
import { boot, EVERYBODY, live, RELOAD } from '../support/reload-life.js';
import { memoryStore } from '../support/toy-node.js';

test('[RE-16] reload actor: a part that takes no messages fails its hook, the others are applied', async () => {
  const life = await live(SITE);
  life.outside.deaf.push(addressOf('pool', 'public'));
  const { status, outcomes } = await boot(life);
  assert.equal(status, 'partial_applied');
  const failed = (outcomes as readonly JsonObject[]).filter((one) => one['status'] === 'failed');
  assert.deepEqual(
    failed.map(({ name }) => name),
    ['pools'],
  );
  assert.match(String(failed[0]?.['error']), /pool\/public/);
  assert.deepEqual(life.told(), EVERYBODY(1));
  assert.deepEqual(life.reports, ['partial_applied']);
});

test('[RE-15] reload actor: all or nothing: everybody is told twice, and is what it was', async () => {
  const strict = `${SITE}reload: { mode: all-or-nothing }\n`;
  const life = await live(strict);
  await boot(life);
  life.told();
  const bulk = /\n {2}bulk:.*/.exec(strict)?.[0] ?? '';
  life.write(strict.replace(bulk, bulk.replace('bulk', 'extra')).concat('log: { level: warn }\n'));
  const { status, generation } = await life.reload();
  assert.deepEqual([status, generation], ['rolled_back', 3]);
  const told = life.told();
  assert.deepEqual(told.slice(-EVERYBODY(3).length - 1), [
    ...EVERYBODY(3),
    'frontend/extra frontend.removed',
  ]);
  assert.equal(told.filter((line) => line === 'frontend/extra frontend.desired 2').length, 1);
  assert.equal(told.filter((line) => line === 'frontend/bulk frontend.removed').length, 1);
  assert.equal((await life.reload())['status'], 'rolled_back', 'the file is still the other one');
  life.write(strict);
  assert.equal((await life.reload())['status'], 'unchanged');
});

test('[RE-17] reload actor: a configuration lies in the store by its hash, and goes when none needs it', async () => {
  const life = await live(SITE);
  const kept: string[] = [];
  for (const size of [2, 3, 4, 5]) {
    life.write(SITE.replace('size: 2', `size: ${size}`));
    await life.reload();
    const [row] = unwrap(await life.store.load(['reload']));
    const committed = row?.context['committed'] as JsonObject;
    assert.equal(committed['inline'], undefined);
    kept.push(String(committed['hash']));
  }
  await life.clock.settle();
  const found = await Promise.all(
    kept.map(async (hash) => unwrap(await life.store.artifactGet('config', hash, 0))),
  );
  assert.deepEqual(
    found.map((part) => part !== undefined),
    [false, false, true, true],
  );
});

test('[RE-17] reload actor: a configuration that the store cannot take is not committed', async () => {
  const store = memoryStore();
  const full: Store = {
    ...store,
    artifactPut: async () => fail({ code: 'unavailable', message: 'the disk is full' }),
  };
  const life = await live(SITE, { store: full, clock: createVirtualClock() });
  const { status, loadError } = await boot(life);
  assert.equal(status, 'load_failed');
  assert.match(String(loadError), /cannot be stored: the disk is full/);
  assert.deepEqual(life.told(), []);
});

test('[RE-6] reload actor: who came back empty is told everything again, file or no file', async () => {
  const life = await live(SITE);
  await boot(life);
  life.told();
  life.write('nonsense: [');
  life.host.tell(RELOAD, { type: 'reload.reconverge', reason: 'shard-1' } as never, 'test');
  await life.clock.advance(100);
  assert.deepEqual(life.told(), EVERYBODY(1));
});

test('[RE-6] reload actor: a new process whose file is refused goes on with what the store has', async () => {
  const first = await live(SITE);
  await boot(first);
  await first.host.stop();
  const second = await live('nonsense: [', first);
  const { status, generation } = await boot(second);
  assert.deepEqual([status, generation], ['load_failed', 1]);
  await second.clock.advance(100);
  assert.deepEqual(second.told(), EVERYBODY(1));
});

test('[RE-6] [RE-15] reload actor: a hook that a crash cut short has all of its time again', async () => {
  const strict = `${SITE}reload: { mode: all-or-nothing }\n`;
  const first = await live(strict);
  await boot(first);
  const changed = strict.replace('size: 2', 'size: 4');
  first.write(changed);
  first.outside.stuck = true;
  const message = { trigger: 'api', dryRun: false, disruptive: false };
  first.host.tell(RELOAD, { type: 'reload.requested', ...message } as never, 'test');
  await first.clock.settle();
  const stopped = first.host.stop();
  await first.clock.advance(86_400_000);
  await stopped;
  const second = await live(changed, first);
  await second.clock.advance(1_000);
  assert.deepEqual([second.generations, second.reports], [[2], []], 'it is waited for');
  second.outside.stuck = false;
  await second.clock.advance(86_400_000);
  assert.deepEqual(second.reports, ['rolled_back'], 'and for no longer than its time');
});

test('[RT-65] reload actor: a row of the first release goes on, and its configuration moves into the store', async () => {
  const loaded = loadText(SITE);
  assert.ok(loaded.ok);
  const { config, hash } = loaded.value;
  const names = { tenants: [], backends: [], frontends: [] };
  const context = {
    generation: 7,
    committed: { hash, config: config as unknown as JsonObject, names },
    booted: null,
    requiresRestart: ['node.name'],
    retired: { ...names, backends: ['old'] },
    request: null,
    requestedAt: 0,
    pass: { id: 'cut short' },
    queue: { real: null, dry: null },
    history: [],
  };
  const migrated = reloadActor.migrate?.({
    value: 'converging',
    context,
    timers: [{ id: 'x', dueAtMs: 1 }],
    machineVersion: 1,
  });
  assert.deepEqual([migrated?.value, migrated?.timers], ['idle', []]);
  const { committed, pass, previous } = migrated?.context ?? {};
  assert.deepEqual([pass, previous], [null, null]);
  assert.deepEqual(committed, {
    hash,
    inline: config,
    requiresRestart: ['node.name'],
    retired: { ...names, backends: ['old'] },
  });
});
