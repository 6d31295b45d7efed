/**
 * The reload actor on a real host and store; every other actor is elsewhere and only remembered. A
 * file becomes messages, a restart keeps the generation, what vanished is told, no secret is kept.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reloadActor } from '../../actors/reload-actor.js';
import { addressOf, kindOf } from '../../machines/model/ids.js';
import type { JsonObject } from '../../machines/model/json.js';
import { fail, ok } from '../../machines/model/result.js';
import { loadConfig } from '../../src/config/load.js';
import type { ConfigFile, ReloadPorts } from '../../src/ports/config-file.js';
import type { Store } from '../../src/ports/store.js';
import type { Envelope } from '../../src/runtime/envelope.js';
import { createHost, type Host } from '../../src/runtime/host.js';
import { createVirtualClock, type VirtualClock } from '../../src/runtime/virtual-clock.js';
import { SITE } from '../support/config.js';
import { numberedIds, rememberingLog, rememberingMetrics, seededRandom } from '../support/quiet.js';
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
      configFile: fileOf(file),
      setLogLevel: async (level) => {
        if (level === 'warn') throw new Error('no such level here');
        levels.push(level);
      },
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
  return { host, clock, store, told: letters, levels, generations, write, reload };
}

/** Parses here and now; holds secrets as the real one does. */
function fileOf(file: { readonly text: string }): ConfigFile {
  return {
    async load() {
      const loaded = loadConfig({ text: file.text, file: '/site/switchyard.yaml', env: {} });
      if (!loaded.ok) return fail(loaded.failure);
      const { config, hash } = loaded.value;
      return ok({ config: config as unknown as JsonObject, hash });
    },
    adopt: () => undefined,
    secret: () => undefined,
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
  'provider/local provider.settings',
  'guard/shrink guard.settings',
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
  const { dryRun, generation, diff } = await life.reload({ dryRun: true });
  assert.deepEqual([dryRun, generation], [true, 1]);
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
  const stored = await life.store.load(['reload']);
  const journal = await life.store.journal(0, 100);
  const rows = await life.store.outboxPending(0, 100);
  const everything = JSON.stringify([answer, second, stored, journal, rows, life.told()]);
  assert.match(everything, /config\.reloaded/);
  assert.match(everything, /tenancy\.auth\.token/);
  assert.doesNotMatch(everything, /sesame|swordfish/);
});
