/**
 * Everything a running node shows and takes: its admin port, the shapes of its answers, its verbs and
 * their exit codes.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import type { JsonObject } from '../../machines/model/json.js';
import { CLI, type Daemon, makeSite, runCli, type Site, until } from '../support/daemon.js';
import {
  CONDITION,
  EVENT,
  FEED_EVENT,
  LISTED,
  MEMBER,
  OUTBOX_ROW,
  RELOAD,
  STATUS,
  TRANSITION,
  WHY_LINK,
} from '../support/documented-shapes.js';
import { assertShape } from '../support/shape.js';
import {
  adminOf,
  feedOf,
  instances,
  serving,
  settled,
  siteText,
  weighted,
} from '../support/site.js';

/** A second group never serves: its condition is there to be looked at. */
const BROKEN_GROUP = `
      broken:
        template: broken
        size: 1
frontends:`;

describe('the surface of a running node', () => {
  let site: Site;
  let daemon: Daemon;

  const api = async (path: string): Promise<unknown> => {
    const answer = await fetch(`${adminOf(daemon)}${path}`);
    assert.equal(answer.status, 200, path);
    return answer.json();
  };
  const only = async (): Promise<JsonObject> => {
    const [instance] = await serving(daemon);
    assert.ok(instance);
    return instance;
  };

  /** Kept for a while to be asked about, or forgotten already. */
  const gone = async (instance: string): Promise<boolean> =>
    (await instances(daemon)).every(({ id, state }) => id !== instance || state === 'deleted');

  before(async () => {
    site = makeSite(
      siteText([
        ['size: 1', 'size: 2'],
        ['\nfrontends:', BROKEN_GROUP],
        [
          'templates: {',
          'templates: { broken: { provider: local, spec: { command: [no-such-program] } },',
        ],
      ]),
    );
    daemon = await site.start();
    await settled(daemon, 2);
    await until('a condition', async () => ((await api('/api/v1/conditions')) as []).length > 0);
  });
  after(() => site.close());

  test('[EE-60] health, readiness, metrics and the page answer', async () => {
    for (const path of ['/healthz', '/readyz', '/']) {
      assert.equal((await fetch(`${adminOf(daemon)}${path}`)).status, 200, path);
    }
    const metrics = await (await fetch(`${adminOf(daemon)}/metrics`)).text();
    const lines = metrics.split('\n');
    for (const name of ['vpp_connected 1', 'outbox_pending ', 'config_generation ', 'instances{']) {
      assert.ok(
        lines.some((line) => line.startsWith(`switchyard_${name}`)),
        `there is no switchyard_${name}`,
      );
    }
    assert.equal((await fetch(`${adminOf(daemon)}/nowhere`)).status, 404);
    const posted = await fetch(`${adminOf(daemon)}/api/v1/reload`, { method: 'POST' });
    assert.equal(posted.status, 403, 'a reload needs its header');
  });

  for (const [kind, shape] of Object.entries(LISTED)) {
    test(`[EE-61] ${kind} have every documented field, over HTTP as on the command line`, async () => {
      const shown = await daemon.json<readonly JsonObject[]>('get', kind);
      const served = (await api(`/api/v1/${kind}`)) as readonly JsonObject[];
      assert.ok(shown.length > 0, `there are no ${kind}`);
      // What never came to be lacks what it would have got.
      const whole = [...shown, ...served].filter(({ group }) => group !== 'broken');
      for (const item of whole) assertShape(kind, item, shape);
      assert.ok(served.length > 0, `there are no ${kind} over HTTP`);
    });
  }

  test('[EE-61] members of pools, health transitions and conditions have theirs', async () => {
    const frontend = await daemon.json<{ pools: readonly { members: readonly JsonObject[] }[] }>(
      'show',
      'frontend/shop',
    );
    const members = frontend.pools.flatMap((pool) => pool.members);
    assert.equal(members.length, 2);
    for (const member of members) assertShape('member', member, MEMBER);
    const [backend] = await daemon.json<readonly { transitions: readonly JsonObject[] }[]>(
      'get',
      'backends',
    );
    for (const each of backend?.transitions ?? []) assertShape('transition', each, TRANSITION);
    assert.notEqual(backend?.transitions.length, 0);
  });

  test('[EE-62] status, reload, why, outbox and feed have their documented fields', async () => {
    const { stdout, code } = await daemon.cli('status', '--json');
    assert.equal(code, 1, 'a condition is a degraded node');
    const status = JSON.parse(stdout) as { conditions: readonly JsonObject[] };
    assertShape('status', status, STATUS);
    for (const condition of status.conditions) assertShape('condition', condition, CONDITION);
    assertShape('status over HTTP', await api('/api/v1/status'), STATUS);
    assertShape('reload', await daemon.json('reload', 'status'), RELOAD);
    assertShape('reload over HTTP', await api('/api/v1/reload'), RELOAD);
    const { id } = await only();
    const why = await daemon.json<{ object: string; chain: readonly JsonObject[] }>(
      'why',
      String(id),
    );
    assert.equal(why.object, `instance/${id}`);
    for (const link of why.chain) assertShape('why', link, WHY_LINK);
    for (const row of await daemon.json<readonly JsonObject[]>('outbox', 'list')) {
      assertShape('outbox row', row, OUTBOX_ROW);
    }
    const tail = await daemon.cli('feed', 'tail', '--jsonl', '--dir', join(site.dataDir, 'feed'));
    const lines = tail.stdout.trimEnd().split('\n');
    assert.equal(tail.code, 0, tail.stderr);
    assert.ok(lines.length > 5);
    for (const line of lines) assertShape('feed event', JSON.parse(line), FEED_EVENT);
    assert.equal((await daemon.cli('feed', 'verify', '--dir', join(site.dataDir, 'feed'))).code, 0);
  });

  test('[EE-63] each failure has its exit code and one sentence', async () => {
    const nobody = 'i-0000-000000000000000000000000000000';
    const socket = ['--socket', join(site.dir, 'nobody.sock')];
    const cases: readonly (readonly [code: number, says: RegExp, words: readonly string[]])[] = [
      [4, /there is no frontend 'nope': see/, ['show', 'frontend/nope']],
      [4, /there is no instance/, ['why', nobody]],
      [4, /there is no instance/, ['drain', nobody]],
      [4, /there is no group 'acme\/nope'/, ['scale', 'acme/nope', '1']],
      [6, /^switchyard: GR-\d+: /, ['scale', 'acme/web', '60000']],
      [6, /^switchyard: IN-\d+: /, ['ack-drain', String((await only())['id'])]],
      [
        6,
        /^switchyard: SU-3: frontend\/shop is not quarantined/,
        ['actor', 'resume', 'frontend/shop'],
      ],
      [64, /unknown command/, ['dance']],
      [64, /invalid/, ['get', 'unicorns']],
      [64, /missing required argument/, ['scale', 'acme/web']],
      [64, /not a whole number/, ['scale', 'acme/web', 'many']],
    ];
    const runs = cases.map(async ([code, says, words]) => {
      const ran = await daemon.cli(...words);
      assert.equal(ran.code, code, `${words.join(' ')}: ${ran.stderr}`);
      assert.match(ran.stderr, says);
      if (code < 64) assert.equal(ran.stderr.trimEnd().split('\n').length, 1, ran.stderr);
    });
    await Promise.all(runs);
    const alone = await runCli(['status', ...socket]);
    assert.equal(alone.code, 5);
    assert.match(alone.stderr, /nobody\.sock/);
  });

  test('[EE-64] scale, pause, resume and sync do what they say', async () => {
    assert.equal((await daemon.cli('scale', 'acme/web', '3')).code, 0);
    await settled(daemon, 3);
    const name = String((await only())['id']);
    assert.equal((await daemon.cli('backend', 'pause', name)).code, 0);
    assert.equal((await daemon.json('show', `backend/${name}`))['state'], 'paused');
    await until('it gets no new flow', async () => {
      const names = (await weighted(daemon)).map((member) => member.name);
      return names.length === 2 && !names.includes(name);
    });
    assert.equal((await daemon.cli('backend', 'resume', name)).code, 0);
    await until('it is up again', async () => {
      return (await daemon.json('show', `backend/${name}`))['state'] === 'up';
    });
    assert.equal((await daemon.cli('dataplane', 'sync')).code, 0);
    assert.equal((await daemon.cli('scale', 'acme/web', '2')).code, 0);
    await settled(daemon, 2);
  });

  test('[EE-64] [HE-41] probe test tells all about one check, and its exit code whether it passed', async () => {
    const { id } = await only();
    const ran = await daemon.cli('probe', 'test', String(id), '--json');
    assert.equal(ran.code, 0, ran.stderr);
    const { backend, code, check, type, path, port } = JSON.parse(ran.stdout);
    assert.deepEqual(
      { backend, code, check, type, path, port },
      { backend: id, code: 'L7OK', check: 'ok', type: 'http', path: '/healthz', port: 8080 },
    );
    assert.equal((await daemon.cli('probe', 'test', 'no-such')).code, 4);
  });

  test('[EE-65] drain with an acknowledgement, and replace: a new one first', async () => {
    const drained = String((await only())['id']);
    const drain = ['drain', drained, '--deadline', '10m', '--reason', 'a test'];
    assert.equal((await daemon.cli(...drain)).code, 0);
    const shown = await daemon.json('show', `instance/${drained}`);
    assert.equal(shown['state'], 'draining');
    assertShape('drain', shown['drain'], { reason: 'name', startedAt: 'time', deadline: 'time' });
    assert.equal((await daemon.cli('ack-drain', drained)).code, 0);
    await until('it is gone', () => gone(drained));
    await settled(daemon, 2);
    const replaced = String((await only())['id']);
    assert.equal((await daemon.cli('replace', replaced)).code, 0);
    await until('it is replaced', async () => {
      const all = await instances(daemon);
      const successor = all.find(({ replaces }) => replaces === replaced);
      return successor?.['state'] === 'serving' && gone(replaced);
    });
    const feed = await feedOf(site);
    const versionOf = (type: string, wanted: (data: JsonObject) => boolean): number =>
      feed.find((event) => event.type === type && wanted(event.data))?.controlVersion ?? 0;
    const ready = versionOf('instance.ready', ({ replaces }) => replaces === replaced);
    const draining = versionOf('instance.draining', ({ id }) => id === replaced);
    assert.ok(0 < ready && ready < draining, 'the new one serves before the old one drains');
  });

  test('[EE-66] watch goes on where a watcher stopped', async () => {
    const args = [
      'watch',
      '--since',
      '0',
      '--jsonl',
      '--socket',
      `${site.dataDir}/switchyard.sock`,
    ];
    const first = await watched(args, 5);
    for (const item of first) assertShape('event', item, EVENT);
    const [, , third] = first;
    const again = await watched(args.with(2, String(third?.['seq'])), 2);
    assert.deepEqual(again, first.slice(3, 5));
    const kinds = await watched([...args, '--kind', 'instance'], 3);
    assert.ok(kinds.every(({ kind }) => kind === 'instance'));
  });

  test('[EE-67] machines are listed and shown in every format, without a daemon', async () => {
    const listed = JSON.parse((await runCli(['machines', 'list', '--json'])).stdout);
    const names = (listed as readonly JsonObject[]).map(({ name }) => name);
    for (const name of ['tenant', 'group', 'instance', 'backend', 'frontend', 'lbsync', 'outbox']) {
      assert.ok(names.includes(name), `${name} is not listed`);
    }
    for (const [format, says] of [
      ['json', /"name": "instance"/],
      ['mermaid', /^stateDiagram-v2/m],
      ['stately', /createMachine/],
    ] as const) {
      const shown = await runCli(['machines', 'show', 'instance', '--format', format]);
      assert.equal(shown.code, 0, shown.stderr);
      assert.match(shown.stdout, says);
    }
    assert.equal((await runCli(['machines', 'show', 'unicorn'])).code, 4);
  });
});

/** The first `count` lines of a watch, which is then ended. */
async function watched(args: readonly string[], count: number): Promise<readonly JsonObject[]> {
  const child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const items: JsonObject[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    items.push(JSON.parse(line));
    if (items.length === count) break;
  }
  child.kill();
  await ended;
  return items;
}
