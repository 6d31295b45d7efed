/** The Control service and its client over a real unix socket. */
import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import type { JsonObject } from '../../../machines/model/json.js';
import { fail, ok } from '../../../machines/model/result.js';
import { type ControlClient, connectControl } from '../../../src/adapters/grpc/client.js';
import { type ControlServer, serveControl } from '../../../src/adapters/grpc/server.js';
import { busySocket } from '../../support/busy-socket.js';
import { type FakeNode, fakeNode } from '../../support/fake-node-api.js';
import { FAKE_LISTS, FAKE_STATUS, INSTANCE_ID } from '../../support/fake-node-data.js';
import { eventually } from '../../support/http-client.js';
import { type RememberingLog, rememberingLog } from '../../support/quiet.js';

let folder: string;
let path: string;
let node: FakeNode;
let log: RememberingLog;
let server: ControlServer;
let client: ControlClient;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'control-'));
  path = join(folder, 'switchyard.sock');
});
after(() => rm(folder, { recursive: true }));

beforeEach(async () => {
  node = fakeNode();
  node.script.views = { [`instance/${INSTANCE_ID}`]: { id: INSTANCE_ID } };
  log = rememberingLog();
  const served = await serveControl({ path, api: node.api, log });
  assert.ok(served.ok, served.ok ? '' : served.failure);
  server = served.value;
  client = connectControl(path);
});

afterEach(async () => {
  client.close();
  await server.close();
});

async function streamed(name: string, request: JsonObject) {
  const objects: JsonObject[] = [];
  const ended = await client.stream(name, request, (object) => objects.push(object));
  return { ended, objects };
}

test('[CL-20] reading calls: give the very objects of the node', async () => {
  assert.deepEqual(await client.call('Status'), ok(FAKE_STATUS));
  for (const [kind, items] of Object.entries(FAKE_LISTS)) {
    assert.deepEqual((await streamed('List', { kind })).objects, items, kind);
  }
  const shown = await client.call('Show', { kind: 'instance', name: INSTANCE_ID });
  assert.deepEqual(shown, ok(FAKE_LISTS['instances']?.[0]));
});

test('[CL-20] verbs: reach the actor they name as its message', async () => {
  const instance = `instance/${INSTANCE_ID}`;
  const reason = 'kernel update';
  const terms = { owner: 'unix', reason, forMs: 86_400_000 };
  const verbs = [
    [
      'Drain',
      { instance: INSTANCE_ID, deadlineMs: 60_000, reason, force: true },
      instance,
      { type: 'operator.drain', reason, force: true, deadlineMs: 60_000 },
    ],
    [
      'Drain',
      { instance: INSTANCE_ID, reason },
      instance,
      { type: 'operator.drain', reason, force: false },
    ],
    ['AckDrain', { name: INSTANCE_ID }, instance, { type: 'operator.ackDrain' }],
    ['Replace', { name: INSTANCE_ID, reason }, instance, { type: 'operator.replace', reason }],
    [
      'Quarantine',
      { instance: INSTANCE_ID, reason, force: true },
      instance,
      { type: 'operator.quarantine', force: true, ...terms },
    ],
    [
      'Quarantine',
      { instance: INSTANCE_ID, reason, release: true },
      instance,
      { type: 'operator.release', reason },
    ],
    [
      'Scale',
      { group: 'acme/web', size: 5, reason },
      'group/acme/web',
      { type: 'operator.scale', size: 5, ...terms },
    ],
    [
      'Backend',
      { name: 'cache-1', verb: 'PAUSE', reason, owner: 'ops', forMs: 60_000 },
      'backend/cache-1',
      { type: 'backend.pause', reason, owner: 'ops', forMs: 60_000 },
    ],
    [
      'SetWeight',
      { frontend: 'cache', pool: 'primary', member: 'cache-1', weight: 5, reason, forever: true },
      'frontend/cache',
      {
        type: 'operator.weight',
        ...{ pool: 'primary', member: 'cache-1', weight: 5, flush: false },
        ...{ ...terms, forMs: null },
      },
    ],
    [
      'ClearOverride',
      { object: 'group/acme/web', kind: 'size', reason, owner: 'ops' },
      'override/group/acme/web',
      { type: 'override.clear', kinds: ['size'], by: 'operator', owner: 'ops', reason },
    ],
    ['Sync', {}, 'lbsync/main', { type: 'operator.sync' }],
    ['Sync', { name: 'cache' }, 'lbsync/main', { type: 'operator.sync', frontend: 'cache' }],
    [
      'Freeze',
      { frontend: 'cache', reason },
      'lbsync/main',
      { type: 'operator.freeze', frontend: 'cache', ...terms },
    ],
    ['Thaw', { reason }, 'lbsync/main', { type: 'operator.thaw', ...terms }],
    [
      'RevokeIdentity',
      { name: INSTANCE_ID, reason },
      `identity/${INSTANCE_ID}`,
      { type: 'identity.revoke', reason },
    ],
    ['ResumeActor', { name: 'group/acme/web' }, 'group/acme/web', { type: 'actor.resume' }],
    ['UndeleteTenant', { name: 'acme' }, 'tenant/acme', { type: 'tenant.undelete' }],
    [
      'AmendOutbox',
      { verb: 'REQUEUE', row: '7' },
      'outbox/main',
      { type: 'outbox.amend', amendment: { verb: 'requeue', row: '7' } },
    ],
    [
      'AmendOutbox',
      { verb: 'DISCARD', row: 'd-7.0', reason },
      'outbox/main',
      { type: 'outbox.amend', amendment: { verb: 'discard', row: 'd-7.0', reason } },
    ],
    [
      'AmendOutbox',
      { verb: 'REPUBLISH', sinceMs: 5_000 },
      'outbox/main',
      { type: 'outbox.amend', amendment: { verb: 'republish', sinceMs: 5_000 } },
    ],
    ['UnparkTenant', { name: 'acme' }, 'resource/acme', { type: 'resource.unpark' }],
  ] as const;
  for (const [call, request, to, message] of verbs) {
    assert.deepEqual(await client.call(call, request), ok({ ok: true }), call);
    assert.deepEqual(node.asked.at(-1), { call: 'ask', to, message });
  }
});

test('[CL-20] [OB-12] outbox verbs: one without what it is about is refused', async () => {
  const asked = node.asked.length;
  for (const request of [{}, { verb: 'REQUEUE' }, { verb: 'DISCARD' }, { verb: 'REPUBLISH' }]) {
    const answer = await client.call('AmendOutbox', request);
    assert.match(answer.ok ? 'done' : answer.failure.message, /verb must be/);
  }
  assert.equal(node.asked.length, asked);
});

test('[CL-20] plan: of the daemon’s own file, or of a text from elsewhere', async () => {
  await client.call('Plan', {});
  assert.deepEqual(node.asked.at(-1), { call: 'plan' });
  const given = { file: '/tmp/next.yaml', text: 'node: { name: a }' };
  assert.deepEqual(await client.call('Plan', given), ok(node.script.plan));
  assert.deepEqual(node.asked.at(-1), { call: 'plan', given });
});

test('[CL-21] failures: each has its kind and one sentence', async () => {
  const cases = [
    ['Show', { kind: 'group', name: 'acme/nix' }, 'not-found', /^there is no group 'acme\/nix'/],
    ['Show', { kind: 'gruop', name: 'x' }, 'usage', /^there is no kind 'gruop'/],
    ['Why', { kind: '', name: '' }, 'usage', /^there is no kind ''/],
    ['Why', { kind: 'group', name: 'acme/nix' }, 'not-found', /^there is no group/],
    ['Drain', { instance: 'nix' }, 'not-found', /^there is no instance 'nix'/],
    ['Scale', { group: '../etc', size: 1 }, 'not-found', /^there is no group/],
    ['Backend', { name: 'cache-1' }, 'usage', /^verb must be/],
    ['Sync', { name: 'a/b/c' }, 'not-found', /^there is no frontend/],
    ['RevokeIdentity', { name: 'nix' }, 'not-found', /^there is no instance/],
    ['ResumeActor', { name: 'nix' }, 'not-found', /^there is no actor/],
    ['ClearOverride', { object: 'backend/nix', kind: 'pause' }, 'not-found', /^there is no overr/],
    ['SetWeight', { frontend: 'nix' }, 'not-found', /^there is no frontend/],
  ] as const;
  for (const [call, request, code, message] of cases) {
    const answer = await client.call(call, request);
    assert.ok(!answer.ok, call);
    assert.equal(answer.failure.code, code, call);
    assert.match(answer.failure.message, message);
  }
  const listed = await streamed('List', { kind: 'nix' });
  assert.ok(!listed.ended.ok);
  assert.equal(listed.ended.failure.code, 'usage');
});

test('[CL-21] a refusal: carries the rule that refused', async () => {
  const refusal = { code: 'refused', rule: 'GR-17', message: 'above maxSize 6' } as const;
  node.script.answer = fail(refusal);
  const answer = await client.call('Scale', { group: 'acme/web', size: 9 });
  assert.deepEqual(answer, fail({ code: 'refused', message: 'GR-17: above maxSize 6' }));
});

test('[SG-10] scale: says when what it takes away is more than may go by itself', async () => {
  node.script.answer = ok({ ok: true, counted: 10 });
  node.script.lists = { ...FAKE_LISTS, guards: [{ name: 'shrink', used: 2, limit: 5 }] };
  const held = async (size: number) => {
    const answer = await client.call('Scale', { group: 'acme/web', size });
    return answer.ok && answer.value['held'];
  };
  assert.deepEqual([await held(7), await held(12)], [undefined, undefined]);
  assert.match(String(await held(6)), /^4 instances would go, and 2 of 5 .*confirm shrink/);
});

test('[CL-5] a failure inside: told without details, in calls and in streams', async () => {
  node.script.defect = new Error('secret detail');
  const called = await client.call('Status');
  const listed = await streamed('List', { kind: 'groups' });
  for (const outcome of [called, listed.ended]) {
    assert.ok(!outcome.ok);
    assert.equal(outcome.failure.code, 'internal');
    assert.doesNotMatch(outcome.failure.message, /secret/);
  }
  assert.equal(log.lines.filter(({ level }) => level === 'error').length, 2);
});

test('[CL-6] WatchEvents: after `since`, filtered, and followed', async () => {
  node.emit({ kind: 'group', object: 'acme/web' });
  node.emit({ kind: 'group', object: 'other/web' });
  node.emit({ kind: 'backend', object: 'cache-1' });
  const seen: unknown[] = [];
  const watched = client.stream(
    'WatchEvents',
    { since: 0, kind: 'group', tenant: 'acme' },
    ({ seq }) => seen.push(seq),
  );
  await eventually(() => seen.length === 1);
  node.emit({ kind: 'group', object: 'acme/web' });
  await eventually(() => seen.length === 2);
  assert.deepEqual(seen, [1, 4]);
  client.close();
  await eventually(() => node.watchers() === 0);
  assert.ok(!(await watched).ok);
});

test('[CL-7] WatchEvents: a burst larger than the stream holds arrives whole and in order', async () => {
  const padding = 'x'.repeat(20_000);
  for (let made = 0; made < 300; made += 1) node.emit({ numbers: { padding } });
  const seen: unknown[] = [];
  const watched = client.stream('WatchEvents', { since: 0 }, ({ seq }) => seen.push(seq));
  await eventually(() => seen.length === 300);
  assert.deepEqual(
    seen,
    Array.from({ length: 300 }, (_, index) => index + 1),
  );
  client.close();
  await watched;
});

test('[CL-22] no daemon: unreachable, with the way to start one', async () => {
  const lonely = connectControl(join(folder, 'none.sock'));
  const answer = await lonely.call('Status');
  lonely.close();
  assert.ok(!answer.ok);
  assert.equal(answer.failure.code, 'unreachable');
  assert.match(answer.failure.message, /switchyard run/);
});

test('[CL-23] the socket: is for its owner and group only', async () => {
  assert.equal((await stat(path)).mode & 0o777, 0o660);
});

test('[CL-23] a second daemon on the socket: refused, and the first goes on', async () => {
  const second = await serveControl({ path, api: node.api, log });
  assert.ok(!second.ok);
  assert.match(second.failure, /in use by another daemon/);
  assert.ok((await client.call('Status')).ok);
});

test('[CL-23] a socket left by a crash: taken over; a file that is none: left alone', async () => {
  const left = join(folder, 'left.sock');
  const crashed = createServer();
  await new Promise<void>((resolve) => crashed.listen(left, resolve));
  await chmod(left, 0o600);
  // Closing unlinks the path; a rename keeps the dead socket, as a crash does.
  const { rename } = await import('node:fs/promises');
  await rename(left, `${left}.kept`);
  await new Promise<void>((resolve) => crashed.close(() => resolve()));
  await rename(`${left}.kept`, left);
  const served = await serveControl({ path: left, api: node.api, log });
  assert.ok(served.ok, served.ok ? '' : served.failure);
  await served.value.close();

  const file = join(folder, 'notes.txt');
  await writeFile(file, 'mine');
  const refused = await serveControl({ path: file, api: node.api, log });
  assert.ok(!refused.ok);
  assert.equal((await stat(file)).size, 4);
});

test('[CL-23] a path too long for a socket: one sentence instead of a system error', async () => {
  const refused = await serveControl({ path: `/tmp/${'x'.repeat(120)}`, api: node.api, log });
  assert.ok(!refused.ok);
  assert.match(refused.failure, /107 bytes/);
});

test('[CL-50] a daemon too busy to answer: its socket is not taken away', async () => {
  const busy = join(folder, 'busy.sock');
  const end = await busySocket(busy);
  const second = await serveControl({ path: busy, api: node.api, log });
  await end();
  assert.match(second.ok ? 'taken' : second.failure, /in use by another daemon/);
  assert.ok((await stat(busy)).isSocket());
});

test('[CL-20] [OR-9] sweep: each provider is asked, or the one that is named', async () => {
  node.script.lists = { ...FAKE_LISTS, providers: [{ name: 'cloud' }, { name: 'local' }] };
  node.script.answer = ok({ ok: true, name: 'x', orphans: [] });
  const sweeps = async (name: string) => {
    const from = node.asked.length;
    const { ended, objects } = await streamed('Sweep', { name });
    const asked = node.asked.slice(from).flatMap((one) => ('to' in one ? [one.to] : []));
    return { ended, objects: objects.length, asked };
  };
  const all = await sweeps('');
  assert.deepEqual([all.objects, all.asked], [2, ['sweep/cloud', 'sweep/local']]);
  assert.deepEqual((await sweeps('cloud')).asked, ['sweep/cloud']);
  const nobody = (await sweeps('elsewhere')).ended;
  assert.equal(nobody.ok ? 'ok' : nobody.failure.code, 'not-found');
  node.script.answer = fail({ code: 'refused', rule: 'OR-5', message: 'its list failed' });
  const failed = (await sweeps('cloud')).ended;
  assert.match(failed.ok ? 'ok' : failed.failure.message, /^OR-5: its list failed/);
});
