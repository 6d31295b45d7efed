/** The example tenant manager: its events, its statuses, its cleanup, and its program. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { derivedStatus } from '../../examples/tenant-manager/derived-status.js';
import { type ManagerLab, managerLab } from '../support/tenant-manager-lab.js';

function check(title: string, body: (lab: ManagerLab) => Promise<void>): void {
  test(title, async () => {
    const lab = await managerLab();
    try {
      await body(lab);
    } finally {
      await lab.dispose();
    }
  });
}

const TIMEOUT_MS = 10_000;

async function populate({ call }: ManagerLab): Promise<void> {
  await call('POST', '/v1/orgs', { name: 'edge' });
  await call('POST', '/v1/orgs/edge/projects', { name: 'one' });
}

async function project({ projects }: ManagerLab) {
  const [first] = await projects();
  assert.ok(first !== undefined);
  return first;
}

check('[TE-40] tenant manager: names are unique until they are gone for good', async (lab) => {
  const { call, manager } = lab;
  await populate(lab);
  assert.equal((await call('POST', '/v1/orgs', { name: 'edge' })).status, 400);
  assert.equal((await call('POST', '/v1/orgs/edge/projects', { name: 'one' })).status, 400);
  assert.equal((await call('DELETE', '/v1/orgs/edge/projects/one')).status, 200);
  assert.equal((await call('DELETE', '/v1/orgs/edge/projects/one')).status, 400);
  assert.equal((await call('POST', '/v1/orgs/edge/projects', { name: 'one' })).status, 400);
  manager.cleanUp();
  assert.equal((await call('POST', '/v1/orgs/edge/projects', { name: 'one' })).status, 201);
});

check(
  '[TE-40] tenant manager: deleting an org is one event for each of its projects, then its own',
  async (lab) => {
    await populate(lab);
    await lab.call('POST', '/v1/orgs/edge/projects', { name: 'two' });
    await lab.call('DELETE', '/v1/orgs/edge');
    const page = await lab.api.poll(3, 100, TIMEOUT_MS);
    const names = page.ok ? page.value.events.map(({ resourceName }) => resourceName) : [];
    assert.deepEqual(names, ['one', 'two', 'edge']);
    assert.equal((await lab.call('POST', '/v1/orgs/edge/projects', { name: 'x' })).status, 400);
  },
);

check(
  '[TE-40] tenant manager: what is wrong with a question is said with 4xx',
  async ({ call }) => {
    const wrong: readonly (readonly [string, string, number, unknown?])[] = [
      ['GET', '/v1/events', 400],
      ['GET', '/v1/events?controller=c&after=-1', 400],
      ['GET', '/v1/events?controller=c&limit=0', 400],
      ['GET', '/v1/events?controller=c&limit=1001', 400],
      ['PUT', '/v1/status', 400, { controller: 'c' }],
      ['PUT', '/v1/status', 413, { message: 'x'.repeat(70_000) }],
      ['POST', '/v1/orgs', 400, { name: 'No Name' }],
      ['DELETE', '/v1/orgs/none', 400],
      ['PATCH', '/v1/orgs', 405],
      ['GET', '/v2/orgs', 404],
    ];
    for (const [method, path, status, body] of wrong) {
      assert.equal((await call(method, path, body)).status, status, `${method} ${path}`);
    }
    assert.equal((await call('GET', '/healthz')).status, 200);
  },
);

check('[TE-41] tenant manager: people see what controllers reported', async (lab) => {
  await populate(lab);
  const before = await project(lab);
  assert.deepEqual(before.status, {
    indicator: 'IN_PROGRESS',
    message: 'waiting for switchyard',
  });
  const resource = { type: 'project', id: before.id } as const;
  await lab.api.putStatus(resource, 'completed', '', TIMEOUT_MS);
  assert.equal((await project(lab)).status.indicator, 'IDLE');
  await lab.api.putStatus(resource, 'error', 'no room', TIMEOUT_MS);
  assert.deepEqual((await project(lab)).status, { indicator: 'ERROR', message: 'no room' });
});

const row = (controller: string, status: string, message = '') => ({ controller, status, message });
const DERIVED: readonly (readonly [
  boolean,
  readonly string[],
  readonly ReturnType<typeof row>[],
  string,
  string,
])[] = [
  [false, [], [], 'IDLE', ''],
  [true, [], [row('x', 'error')], 'DELETED', ''],
  [false, ['a', 'b'], [row('a', 'completed')], 'IN_PROGRESS', 'waiting for b'],
  [
    false,
    ['a', 'b', 'c'],
    [row('a', 'in_progress'), row('b', 'completed')],
    'IN_PROGRESS',
    'waiting for c; in progress: a',
  ],
  [false, ['a'], [row('a', 'completed'), row('x', 'error', 'no')], 'IDLE', ''],
  [false, ['a', 'b'], [row('a', 'in_progress'), row('b', 'error', 'no')], 'ERROR', 'no'],
  [true, ['a', 'b'], [row('a', 'completed')], 'IN_PROGRESS', 'waiting for a'],
  [true, ['a'], [], 'DELETED', ''],
];

for (const [deleted, controllers, rows, indicator, message] of DERIVED) {
  const given = rows.map(({ controller, status }) => `${controller} ${status}`).join(', ');
  const life = deleted ? 'deleted' : 'live';
  test(`[TE-41] tenant manager: ${life}, [${controllers}] of [${given}] is ${indicator}`, () => {
    assert.deepEqual(derivedStatus(deleted, controllers, rows), { indicator, message });
  });
}

check(
  '[TE-42] tenant manager: a deleted project goes when its controllers have let go, then its org',
  async (lab) => {
    const { api, call, manager } = lab;
    await populate(lab);
    const { id } = await project(lab);
    const resource = { type: 'project', id } as const;
    await api.putStatus(resource, 'in_progress', '', TIMEOUT_MS);
    await call('DELETE', '/v1/orgs/edge');
    manager.cleanUp();
    assert.equal((await lab.projects()).length, 1);
    assert.equal((await lab.orgs()).length, 1);
    await api.deleteStatus(resource, TIMEOUT_MS);
    manager.cleanUp();
    assert.deepEqual([await lab.projects(), await lab.orgs()], [[], []]);
    const replay = await api.replay(TIMEOUT_MS);
    assert.deepEqual(replay, { ok: true, value: { events: [], lastEventId: 4 } });
  },
);

test('[TE-40] tenant manager: what it knows survives its process', async () => {
  const first = await managerLab();
  await populate(first);
  const second = await first.again();
  try {
    assert.equal((await project(second)).name, 'one');
    const page = await second.api.poll(0, 100, TIMEOUT_MS);
    assert.equal(page.ok ? page.value.lastEventId : -1, 2);
  } finally {
    await second.dispose();
  }
});

test('[TE-40] tenant manager: with a token, controllers need it and people do not', async () => {
  const lab = await managerLab({ token: 'secret' });
  try {
    const path = '/v1/events?controller=c&replay=true';
    assert.equal((await lab.call('GET', path)).status, 401);
    const headers = { 'x-internal-token': 'secret' };
    assert.equal((await lab.call('GET', path, undefined, headers)).status, 200);
    assert.equal((await lab.api.replay(TIMEOUT_MS)).ok, true);
    assert.equal((await lab.call('GET', '/v1/orgs')).status, 200);
  } finally {
    await lab.dispose();
  }
});

test('[TE-43] tenant manager: its program says where it listens, and SIGTERM ends it cleanly', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'switchyard-manager-'));
  const main = fileURLToPath(new URL('../../examples/tenant-manager/main.js', import.meta.url));
  const args = [main, '--listen', '127.0.0.1:0', '--db', join(dir, 'tenants.db')];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  try {
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    const { listening } = JSON.parse(line) as { readonly listening: string };
    assert.equal((await fetch(`${listening}/healthz`)).status, 200);
    child.kill('SIGTERM');
    assert.deepEqual(await ended, [0, null]);
  } finally {
    child.kill('SIGKILL');
    await rm(dir, { recursive: true, force: true });
  }
});

test('[TE-41] tenant manager: a controller reads one project by its id, also while it is deleted', async () => {
  const lab = await managerLab({ token: 'secret' });
  try {
    await lab.call('POST', '/v1/orgs', { name: 'acme' });
    await lab.call('POST', '/v1/orgs/acme/projects', { name: 'shop' });
    const [project] = await lab.projects();
    const path = `/v1/internal/projects/${project?.id}`;
    assert.equal((await lab.call('GET', path)).status, 401);
    const headers = { 'x-internal-token': 'secret' };
    assert.deepEqual((await lab.call('GET', path, undefined, headers)).body, project);
    const stranger = await lab.call('GET', `${path}0`, undefined, headers);
    assert.equal(stranger.status, 404);
    await lab.call('DELETE', '/v1/orgs/acme/projects/shop');
    const gone = (await lab.call('GET', path, undefined, headers)).body as { deleted: boolean };
    assert.equal(gone.deleted, true);
  } finally {
    await lab.dispose();
  }
});
