/**
 * The commands against a scripted node on a real socket: what they print (test/golden/cli-*.txt,
 * `npm run golden` rewrites them), what they exit with, and what they say when something is wrong.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { addressOf } from '../../machines/model/ids.js';
import { fail, ok } from '../../machines/model/result.js';
import { type ControlServer, serveControl } from '../../src/adapters/grpc/server.js';
import { type FakeNode, fakeNode } from '../support/fake-node-api.js';
import { FAKE_CONDITION, FAKE_STATUS, INSTANCE_ID } from '../support/fake-node-data.js';
import { eventually } from '../support/http-client.js';
import { rememberingLog } from '../support/quiet.js';
import { repoPath } from '../support/root.js';
import type { Ran } from './commands-child.js';

const HERE = dirname(fileURLToPath(import.meta.url));
const CHILD = join(HERE, 'commands-child.js');
const MAIN = join(HERE, '..', '..', 'src', 'cli', 'main.js');

let folder: string;
let socket: string;
let server: ControlServer;
let node: FakeNode;
let child: ChildProcess;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cli-'));
  socket = join(folder, 'switchyard.sock');
  node = fakeNode();
  const served = await serveControl({ path: socket, api: node.api, log: rememberingLog() });
  assert.ok(served.ok);
  server = served.value;
  child = fork(CHILD, { cwd: folder, env: { PATH: process.env['PATH'] } });
});

beforeEach(() => Object.assign(node.script, fakeNode().script));

after(async () => {
  child.disconnect();
  await server.close();
  await rm(folder, { recursive: true });
});

/** One run of the command line. */
function run(words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  return new Promise((resolve) => {
    child.once('message', (ran: Ran) => resolve(ran));
    child.send({ words, env: { SWITCHYARD_SOCKET: socket, ...env } });
  });
}

function golden(name: string, text: string): void {
  const file = repoPath('test', 'golden', `cli-${name}.txt`);
  if (process.env['GOLDEN'] === 'write') writeFileSync(file, text);
  assert.equal(text, readFileSync(file, 'utf8'));
}

/** Ages depend on the day, and so does the width of their column; nothing else may. */
function ageless(text: string): string {
  return text
    .replaceAll(/\d+d\d+h */g, '…d…h  ')
    .replaceAll(/AGE +/g, 'AGE    ')
    .replaceAll(/ +\n/g, '\n');
}

const KINDS = [
  'tenants',
  'groups',
  'instances',
  'backends',
  'frontends',
  'actors',
  'overrides',
  'conditions',
  'guards',
];

test('[CL-40] tables: what an operator looks at first', async () => {
  const texts: string[] = [];
  for (const kind of KINDS) {
    const { code, out } = await run(['get', kind]);
    assert.equal(code, 0, kind);
    texts.push(`$ switchyard get ${kind}\n${ageless(out)}`);
  }
  golden('get', texts.join('\n'));
});

test('[CL-40] one object, one screen, one chain', async () => {
  node.script.chain = [
    {
      seq: 4,
      id: 'd000000000001',
      at: Date.parse('2026-03-01T12:00:00.250Z'),
      actor: addressOf('group', 'acme/web'),
      event: 'group.member_wanted',
      rule: 'GR-4',
      numbers: { size: 3, present: 2 },
      cause: 'operator',
    },
  ];
  const commands = [
    ['status'],
    ['show', 'backend/cache-1'],
    ['show', INSTANCE_ID],
    ['why', 'group', 'acme/web'],
    ['reload', '--dry-run'],
    ['outbox', 'list'],
  ];
  const texts: string[] = [];
  for (const words of commands) {
    const { code, out } = await run(words);
    assert.equal(code, 0, words.join(' '));
    texts.push(`$ switchyard ${words.join(' ')}\n${out}`);
  }
  golden('show', texts.join('\n'));
});

test('[CL-40] status: 1 while something is wrong, and the screen says what', async () => {
  node.script.status = { ...FAKE_STATUS, ready: false, conditions: [FAKE_CONDITION] };
  const { code, out } = await run(['status']);
  assert.equal(code, 1);
  golden('degraded', out);
});

test('[CL-41] programs: get the very objects, as one document or one a line', async () => {
  assert.deepEqual(JSON.parse((await run(['status', '--json'])).out), FAKE_STATUS);
  const list = JSON.parse((await run(['get', 'groups', '--json'])).out);
  assert.deepEqual(list, node.script.lists['groups']);
  const lines = (await run(['get', 'instances', '--jsonl'])).out.trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)),
    node.script.lists['instances'],
  );
});

test('[CL-20] [OB-12] outbox verbs: their words reach the daemon; a time may be a duration ago', async () => {
  const amendmentOf = async (...words: readonly string[]): Promise<unknown> => {
    assert.equal((await run(['outbox', ...words])).code, 0);
    const asked = node.asked.at(-1);
    return asked?.call === 'ask' && 'amendment' in asked.message && asked.message.amendment;
  };
  assert.deepEqual(await amendmentOf('requeue', '7'), { verb: 'requeue', row: '7' });
  const discarded = { verb: 'discard', row: '7', reason: 'known' };
  assert.deepEqual(await amendmentOf('discard', '7', '--reason', 'known'), discarded);
  const since = '2026-03-01T12:00:00Z';
  const republished = { verb: 'republish', sinceMs: Date.parse(since) };
  assert.deepEqual(await amendmentOf('republish', '--since', since), republished);
  const ago = await amendmentOf('republish', '--since', '10m');
  assert.ok(ago !== null && typeof ago === 'object' && 'sinceMs' in ago);
  assert.ok(Math.abs(Date.now() - 600_000 - Number(ago.sinceMs)) < 60_000);
  for (const words of [['discard', '7'], ['republish'], ['republish', '--since', 'noon']]) {
    assert.notEqual((await run(['outbox', ...words])).code, 0, words.join(' '));
  }
});

test('[CL-41] filters: reach the daemon as they were given', async () => {
  await run(['get', 'instances', '--tenant', 'acme', '--group', 'acme/web', '--limit', '7']);
  assert.deepEqual(node.asked.at(-1), {
    call: 'list',
    kind: 'instances',
    filter: { tenant: 'acme', group: 'acme/web', limit: 7 },
  });
});

test('[CL-42] exit codes: each failure has its own, and one sentence on stderr', async () => {
  const lonely = { SWITCHYARD_SOCKET: join(folder, 'none.sock') };
  const cases: readonly (readonly [readonly string[], number, RegExp, Record<string, string>?])[] =
    [
      [['show', 'group/acme/nix'], 4, /there is no group 'acme\/nix'/],
      [['why', 'backend/nix'], 4, /there is no backend 'nix'/],
      [['drain', 'i-none'], 4, /there is no instance 'i-none'/],
      [['status'], 5, /no daemon answers/, lonely],
      [['get', 'groups'], 5, /no daemon answers/, lonely],
      [['show', 'nonsense/x'], 64, /there is no kind/],
      [['show', 'web'], 64, /'web' names no object: write KIND\/NAME/],
      [['machines', 'show', 'nix'], 4, /there is no machine 'nix'/],
      [['feed', 'verify', '--dir', 'nowhere'], 4, /there is no feed/],
      [['feed', 'tail'], 1, /no configuration/],
      [['check'], 1, /no configuration/],
    ];
  for (const [words, code, sentence, env] of cases) {
    const ran = await run(words, env);
    assert.equal(ran.code, code, `${words.join(' ')}: ${ran.err}`);
    assert.match(ran.err, sentence);
    assert.equal(ran.err.trimEnd().split('\n').length, 1, ran.err);
    assert.equal(ran.out, '', words.join(' '));
  }
});

test('[CL-42] a refusal: 6, with the rule in front', async () => {
  node.script.answer = fail({ code: 'refused', rule: 'GR-17', message: 'above maxSize 6' });
  const { code, err } = await run(['scale', 'acme/web', '9']);
  assert.deepEqual([code, err], [6, 'switchyard: GR-17: above maxSize 6\n']);
});

test('[CL-42] usage: 64 for whatever cannot be understood', async () => {
  for (const words of [
    ['nonsense'],
    ['get'],
    ['get', 'gruops'],
    ['get', 'groups', '--limit', 'many'],
    ['get', 'groups', '--nonsense'],
    ['scale', 'acme/web', '-1'],
    ['scale', 'acme/web', '1.5'],
    ['drain', INSTANCE_ID, '--deadline', '5 minutes'],
    ['watch', '--since', '-3'],
    ['backend', 'break', 'cache-1'],
    ['machines', 'show', 'group', '--format', 'png'],
  ]) {
    const { code, err, out } = await run(words);
    assert.equal(code, 64, `${words.join(' ')}: ${err}`);
    assert.notEqual(err, '');
    assert.equal(out, '');
  }
});

test('[CL-43] reload: the exit code says how it went', async () => {
  for (const [status, code] of [
    ['full_success', 0],
    ['unchanged', 0],
    ['partial_applied', 2],
    ['validation_failed', 1],
    ['load_failed', 1],
    ['rolled_back', 1],
    ['refused', 6],
    ['no_result', 1],
  ] as const) {
    node.script.reload = { status, generation: 4, trigger: 'api' };
    assert.equal((await run(['reload'])).code, code, status);
  }
});

test('[RE-22] reload: one that was not begun says why, and is no trouble of the file', async () => {
  const loadError = 'too many callers wait';
  for (const [status, says] of [
    ['refused', /^not begun: nothing has changed\nerror: too many callers wait/],
    ['no_result', /^no result: .*reload status.*\nerror: too many callers wait/],
  ] as const) {
    node.script.reload = { status, loadError, dryRun: false, outcomes: [], problems: [] };
    assert.match((await run(['reload'])).out, says);
  }
});

test('[CL-70] reload: a refusal says first what stands in its way', async () => {
  const place = { file: 'f.yaml', line: 3, column: 1, path: '', message: 'unknown key' };
  const consent = {
    name: 'dataplane',
    status: 'failed',
    error: 'needs --disruptive, since …: a.b',
  };
  const refused = { status: 'validation_failed', generation: 1, outcomes: [], problems: [] };
  for (const [result, says] of [
    [{ ...refused, problems: [place] }, /^refused: 1 problem in the file; nothing has changed/],
    [
      { ...refused, problems: [place, place], dryRun: true },
      /^a reload would be refused: 2 problems/,
    ],
    [
      { ...refused, outcomes: [consent], disruptive: ['a.b'], dryRun: true },
      /^a reload would be refused: it interrupts traffic, and so needs --disruptive/,
    ],
  ] as const) {
    node.script.reload = result;
    assert.match((await run(['reload'])).out, says);
  }
});

test('[CL-44] watch: follows until it is interrupted', async () => {
  node.emit({ event: 'group.first_seen' });
  const watch = spawn(process.execPath, [MAIN, 'watch', '--since', '0', '--jsonl'], {
    env: { PATH: process.env['PATH'], SWITCHYARD_SOCKET: socket },
  });
  let out = '';
  watch.stdout.on('data', (chunk) => {
    out += chunk;
  });
  await eventually(() => out.includes('group.first_seen'));
  node.emit({ event: 'group.second_seen' });
  await eventually(() => out.includes('group.second_seen'));
  watch.kill('SIGINT');
  await new Promise((resolve) => watch.on('close', resolve));
  await eventually(() => node.watchers() === 0);
});

test('[CL-45] text from outside: cannot drive the terminal', async () => {
  node.script.lists = { groups: [{ tenant: 'a\u001b[2J', name: 'b\u0007', size: 1 }] };
  const { out } = await run(['get', 'groups']);
  assert.deepEqual(
    [...out].filter((char) => char !== '\n' && /\p{Cc}/u.test(char)),
    [],
  );
});

test('[CL-46] [DP-51] check: every problem with its place, 1 and 2 by their kind', async () => {
  const file = async (text: string): Promise<string> => {
    const path = join(folder, 'site.yaml');
    await writeFile(path, text);
    return path;
  };
  const fine = await run([
    'check',
    await file(readFileSync(repoPath('examples/minimal.yaml'), 'utf8')),
  ]);
  assert.equal(fine.code, 0, fine.err);
  const unknown = await run(['check', await file('nonsense: 1\nnode: { name: UPPER }\n')]);
  assert.equal(unknown.code, 1);
  assert.match(unknown.err, /site\.yaml:1:1: /);
  assert.equal(unknown.err.trimEnd().split('\n').length, 2);
  const contradictory = await run([
    'check',
    '--json',
    await file(
      'frontends: { a: { address: 192.0.2.1, pools: [ { name: p, members: [ { backend: nix } ] } ] } }\n',
    ),
  ]);
  assert.equal(contradictory.code, 2, contradictory.out);
  assert.equal(JSON.parse(contradictory.out)[0].code, 'semantic');
  const schema = JSON.parse((await run(['check', '--schema'])).out);
  assert.equal(schema.type, 'object');
});

test('[CL-47] feed: verify proves it, tail prints it, damage is 1', async () => {
  const dir = await mkdtemp(join(folder, 'feed-'));
  const event = (version: number) =>
    JSON.stringify({
      eventId: `e${version}`,
      type: 'group.changed',
      orderingKey: 'group/acme/web',
      aggregateKind: 'group',
      aggregateId: 'acme/web',
      aggregateVersion: version,
      controlVersion: version,
      occurredAt: '2026-03-01T12:00:00.250Z',
    });
  const segment = join(dir, 'feed-0000000000000001.jsonl');
  await writeFile(segment, `${event(1)}\n${event(2)}\n`);
  const whole = await run(['feed', 'verify', '--dir', dir]);
  assert.deepEqual([whole.code, whole.out], [0, '2 events up to 2: whole\n']);
  const tail = await run(['feed', 'tail', '--from', '2', '--dir', dir]);
  assert.equal(tail.out, '2  12:00:00.250  group.changed  group/acme/web  v2\n');
  await writeFile(segment, `${event(1)}\n{broken\n${event(4)}\n`);
  const damaged = await run(['feed', 'verify', '--json', '--dir', dir]);
  assert.equal(damaged.code, 1);
  assert.ok(JSON.parse(damaged.out).problemsTotal >= 2);
  assert.equal((await run(['feed', 'tail', '--dir', dir])).code, 1);
});

test('[CL-47] feed: without a name it is the one that feed.source names, and a name that is none is told', async () => {
  const dir = await mkdtemp(join(folder, 'source-'));
  const file = join(dir, 'site.yaml');
  await writeFile(file, 'feed: { source: elsewhere }\n');
  const there = join(dir, 'elsewhere');
  const missing = await run(['--config', file, 'feed', 'verify']);
  assert.deepEqual([missing.code, missing.err.includes(there)], [4, true]);
  await mkdir(there);
  const empty = await run(['--config', file, 'feed', 'verify']);
  assert.deepEqual([empty.code, empty.out], [0, '0 events up to 0: whole\n']);
  assert.equal((await run(['feed', 'verify', '--source', there])).code, 0);
  const odd = await run(['feed', 'tail', '--source', 'nats://nobody/S']);
  assert.deepEqual([odd.code, /expected a folder, or nats/.test(odd.err)], [64, true]);
});

test('[CL-40] why-not and sweep: one line for each thing, what holds first', async () => {
  const gate = (name: string, state: string) => ({ gate: name, state, says: `says ${name}` });
  node.script.lists = {
    ...node.script.lists,
    providers: [{ name: 'local', state: 'open', queued: 2 }],
  };
  const gates = [gate('sleep', 'open'), gate('budget', 'holds')];
  node.script.answer = ok({ ok: true, gates, provider: 'local' });
  const why = await run(['why-not', 'group/acme/web']);
  assert.equal(why.code, 0);
  const [first, ...others] = why.out.trim().split('\n');
  assert.match(first ?? '', /^holds +budget +says budget$/);
  assert.match(others.at(-1) ?? '', /provider\/local: open, 2 waiting/);
  const orphan = { providerId: 'p-1', why: 'unknown', instance: 'i-1', address: '127.64.0.1' };
  node.script.answer = ok({
    ok: true,
    name: 'local',
    listed: 4,
    mode: 'report',
    orphans: [orphan],
  });
  const swept = await run(['sweep']);
  assert.equal(swept.code, 0);
  assert.match(swept.out, /^local: 4 of ours, mode report\nPROVIDER ID .*\np-1 +local +unknown/);
});
