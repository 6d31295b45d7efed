/**
 * The reload actor on a real host and store: a file becomes messages, a restart keeps the generation,
 * what vanished is told, no secret is kept.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { JsonObject } from '../../machines/model/json.js';
import { unwrap } from '../contract/store-fixture.js';
import { SITE } from '../support/config.js';
import { boot, EVERYBODY, live, PERMITTED } from '../support/reload-life.js';

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
