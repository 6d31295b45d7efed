/**
 * The reload actor on a real host and store; every other actor is elsewhere and only remembered. A
 * file becomes messages, a restart keeps the generation, what vanished is told, no secret is kept.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { reloadActor } from '../../actors/reload-actor.js';
import { type Address, addressOf, kindOf } from '../../machines/model/ids.js';
import type { JsonObject } from '../../machines/model/json.js';
import { fail } from '../../machines/model/result.js';
import { noFailpoints } from '../../src/adapters/system/failpoints.js';
import type { ReloadPorts } from '../../src/ports/reload.js';
import type { Store } from '../../src/ports/store.js';
import type { Envelope } from '../../src/runtime/envelope.js';
import { createHost, type Host } from '../../src/runtime/host.js';
import { createVirtualClock, type VirtualClock } from '../../src/runtime/virtual-clock.js';
import { unwrap } from '../contract/store-fixture.js';
import { loadText, SITE } from '../support/config.js';
import { numberedIds, rememberingLog, rememberingMetrics, seededRandom } from '../support/quiet.js';
import { textConfigFile } from '../support/text-config.js';
import { memoryStore } from '../support/toy-node.js';

const RELOAD = addressOf('reload', 'main');
/** The runtime's own: a row waits for the sink. */
const WAKE = 'outbox.appended';

interface Life {
  readonly host: Host;
  readonly clock: VirtualClock;
  readonly store: Store;
  /** `receiver type generation`, in order, since the last look. */
  told(): readonly string[];
  readonly levels: readonly string[];
  readonly generations: readonly number[];
  /** Statuses, as log and metrics hear of them. */
  readonly reports: readonly string[];
  /** Pools that take no messages. */
  readonly outside: { deaf: Address[] };
  write(text: string): void;
  reload(change?: JsonObject): Promise<JsonObject>;
}

interface Before {
  readonly store: Store;
  readonly clock: VirtualClock;
}

async function live(text: string, before?: Before): Promise<Life> {
  const store = before?.store ?? memoryStore();
  const clock = before?.clock ?? createVirtualClock();
  const file = { text };
  const told: string[] = [];
  const levels: string[] = [];
  const generations: number[] = [];
  const reports: string[] = [];
  const outside: { deaf: Address[] } = { deaf: [] };
  const setLevel = async ({ level }: JsonObject): Promise<void> => {
    if (level === 'warn') throw new Error('no such level here');
    levels.push(String(level));
  };
  const host = createHost({
    thread: 'main',
    incarnation: before === undefined ? 1 : 2,
    types: [reloadActor as never],
    services: [],
    placement: {
      shards: ['elsewhere'],
      threadOf: (address) => (kindOf(address) === 'reload' ? 'main' : 'elsewhere'),
    },
    clock,
    ids: numberedIds(before === undefined ? 'a' : 'b'),
    random: seededRandom(1),
    log: rememberingLog(),
    metrics: rememberingMetrics(),
    store,
    ports: {
      configFile: textConfigFile(
        () => file.text,
        () => store,
      ),
      failpoints: noFailpoints,
      hook: (name) => (name === 'log_level' ? setLevel : undefined),
      room: () => new Promise<void>((resolve) => clock.soon(resolve)),
      quarantined: async (kinds) => (kinds.includes('pool') ? outside.deaf : []),
      plan: async () => ({ instances: [] }),
      report: (result) => void reports.push(String(result['status'])),
      setGeneration: (generation) => void generations.push(generation),
    } satisfies ReloadPorts,
    remote: {
      send: (_, envelope) => told.push(sayLetter(envelope)) > 0,
      reply: () => undefined,
    },
    generation: () => generations.at(-1) ?? 0,
  });
  const started = await host.start();
  assert.ok(started.ok);
  const reload = async (change: JsonObject = {}): Promise<JsonObject> => {
    const message = { trigger: 'api', dryRun: false, disruptive: false, ...change };
    const asked = host.ask(RELOAD, { type: 'reload.requested', ...message });
    await clock.settle();
    const answer = await asked;
    assert.ok(answer.ok, 'an answer');
    return answer.value as JsonObject;
  };
  const write = (next: string): void => void Object.assign(file, { text: next });
  const letters = (): readonly string[] => told.splice(0).filter((line) => !line.includes(WAKE));
  return {
    host,
    clock,
    store,
    told: letters,
    levels,
    generations,
    reports,
    outside,
    write,
    reload,
  };
}

const PERMITTED = ' may recreate';

function sayLetter({ to, body }: Envelope): string {
  const { type, spec, settings } = body as { type: string } & Record<string, JsonObject>;
  const generation = (spec ?? settings)?.['generation'] ?? '';
  const permitted = JSON.stringify(body).includes('"mayRecreate":true') ? PERMITTED : '';
  return `${to} ${type} ${String(generation)}${permitted}`.trim();
}

const boot = (life: Life): Promise<JsonObject> => life.reload({ trigger: 'boot' });

const EVERYBODY = (generation: number): readonly string[] => [
  'guard/shrink guard.settings',
  'provider/local provider.settings',
  'sweep/local sweep.settings',
  `pool/public pool.desired ${generation}`,
  `lbsync/main lbsync.settings ${generation}`,
  'outbox/main outbox.settings',
  `tenancy/main tenancy.settings ${generation}`,
  `backend/cache-1 backend.desired ${generation}`,
  `backend/cache-2 backend.desired ${generation}`,
  `frontend/cache frontend.desired ${generation}`,
  `frontend/bulk frontend.desired ${generation}`,
  `tenant/acme tenant.desired ${generation}`,
];

test('[RE-4] reload actor: a first boot tells everybody what they should be', async () => {
  const life = await live(SITE);
  const { status, generation, ok: fine } = await boot(life);
  assert.deepEqual([fine, status, generation], [true, 'full_success', 1]);
  assert.deepEqual(life.told(), EVERYBODY(1));
  assert.deepEqual([life.levels, life.generations], [['info'], [1]]);
});

test('[RE-5] reload actor: the next life tells the same generation again', async () => {
  const first = await live(SITE);
  await boot(first);
  await first.host.stop();
  const second = await live(`# the same\n${SITE}`, first);
  const { status, generation } = await boot(second);
  assert.deepEqual([status, generation], ['unchanged', 1]);
  assert.deepEqual(second.told(), EVERYBODY(1));
});

test('[RE-4] [RE-9] reload actor: a changed file changes and removes', async () => {
  const life = await live(SITE);
  await boot(life);
  life.told();
  life.write(SITE.replace(/\n {2}bulk:.*/, '').replace('size: 2', 'size: 4'));
  const { status, generation, diff } = await life.reload();
  assert.deepEqual([status, generation], ['full_success', 2]);
  const paths = (diff as readonly JsonObject[]).map(({ path }) => path);
  assert.deepEqual(paths, [
    'tenants.acme.groups.api.size',
    'tenants.acme.groups.api.maxSize',
    'frontends.bulk',
  ]);
  const expected = EVERYBODY(2).filter((line) => !line.startsWith('frontend/bulk'));
  assert.deepEqual(life.told(), [...expected, 'frontend/bulk frontend.removed']);
});

test('[RE-2] reload actor: a broken file tells nobody and says where it is broken', async () => {
  const life = await live(SITE);
  await boot(life);
  life.told();
  life.write(`${SITE}\n]`);
  const { status, problems } = await life.reload();
  assert.equal(status, 'load_failed');
  assert.equal((problems as readonly JsonObject[])[0]?.['line'], SITE.split('\n').length + 1);
  assert.deepEqual(life.told(), []);
});

test('[RE-3] reload actor: a disruptive change waits for consent', async () => {
  const life = await live(SITE);
  await boot(life);
  life.write(SITE.replace('port: 443', 'port: 443\n    tableLength: 2048'));
  const refused = await life.reload();
  assert.deepEqual(
    [refused['status'], refused['disruptive']],
    ['validation_failed', ['frontends.cache.tableLength']],
  );
  const agreed = await life.reload({ disruptive: true });
  assert.deepEqual([agreed['status'], agreed['generation']], ['full_success', 2]);
});

test('[RE-14] reload actor: consent permits whoever has a frontend, for this pass alone', async () => {
  const life = await live(SITE);
  await boot(life);
  life.told();
  const longer = SITE.replace('port: 443', 'port: 443\n    tableLength: 2048');
  life.write(longer);
  await life.reload({ disruptive: true });
  const permitted = life.told().filter((line) => line.endsWith(PERMITTED));
  assert.deepEqual(
    permitted.map((line) => line.slice(0, line.indexOf(' '))),
    ['tenancy/main', 'frontend/cache', 'frontend/bulk'],
  );
  life.write(longer.replace('size: 2', 'size: 3'));
  await life.reload();
  const next = life.told();
  assert.ok(next.length > 0 && next.every((line) => !line.endsWith(PERMITTED)));
  const again = await life.reload({ disruptive: true });
  assert.deepEqual([again['status'], again['generation']], ['unchanged', 3]);
  assert.equal(life.told().filter((line) => line.endsWith(PERMITTED)).length, permitted.length);
});

test('[RE-7] reload actor: what waits for a restart stays named until it is reverted', async () => {
  const life = await live(SITE);
  await boot(life);
  const renamed = SITE.replace('name: edge-1', 'name: edge-2');
  life.write(renamed);
  assert.deepEqual((await life.reload())['requiresRestart'], ['node.name']);
  life.write(renamed.replace('size: 2', 'size: 3'));
  assert.deepEqual((await life.reload())['requiresRestart'], ['node.name']);
  life.write(SITE);
  assert.deepEqual((await life.reload())['requiresRestart'], []);
});

test('[RE-8] reload actor: a dry run shows the difference and leaves no trace', async () => {
  const life = await live(SITE);
  await boot(life);
  life.told();
  life.write(SITE.replace('size: 2', 'size: 4'));
  const stored = async () => {
    const [{ value, context } = assert.fail('no row')] = unwrap(await life.store.load(['reload']));
    return { value, context };
  };
  const before = await stored();
  const { dryRun, generation, diff, plan } = await life.reload({ dryRun: true });
  assert.deepEqual([dryRun, generation, plan], [true, 1, { instances: [] }]);
  assert.deepEqual(await stored(), before);
  assert.equal((diff as readonly JsonObject[])[0]?.['path'], 'tenants.acme.groups.api.size');
  assert.deepEqual(life.told(), []);
});

test('[RE-4] reload actor: a log level that cannot be set is a partial reload', async () => {
  const life = await live(SITE);
  await boot(life);
  life.write(`${SITE}log: { level: warn }\n`);
  const { status, outcomes } = await life.reload();
  assert.equal(status, 'partial_applied');
  assert.deepEqual((outcomes as readonly JsonObject[])[0], {
    name: 'log_level',
    status: 'failed',
    error: 'no such level here',
  });
});

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

test('[RE-10] reload actor: its view has the last result and the history', async () => {
  const life = await live(SITE);
  assert.deepEqual(life.host.views('reload'), []);
  await boot(life);
  await life.reload();
  const [view] = life.host.views('reload');
  const history = view?.['history'] as readonly JsonObject[];
  assert.deepEqual(
    [view?.['generation'], history.map(({ status }) => status)],
    [1, ['unchanged', 'full_success']],
  );
  assert.deepEqual(view?.['last'], history[0]);
});

test('[RE-13] reload actor: no secret is stored, journalled, fed or answered', async () => {
  const life = await live(SITE);
  const answer = await boot(life);
  life.write(SITE.replace('sesame', 'swordfish'));
  const second = await life.reload();
  const stored = unwrap(await life.store.load(['reload']));
  const { hash } = (stored[0]?.context['committed'] ?? {}) as JsonObject;
  const part = unwrap(await life.store.artifactGet('config', String(hash), 0)) ?? '';
  const content = gunzipSync(Buffer.from(part, 'base64')).toString();
  const journal = await life.store.journal(0, 100);
  const rows = await life.store.outboxPending(0, 100);
  const everything = JSON.stringify([answer, second, stored, content, journal, rows, life.told()]);
  assert.match(everything, /config\.reloaded/);
  assert.match(everything, /tenancy\.auth\.token/);
  assert.doesNotMatch(everything, /sesame|swordfish/);
});
