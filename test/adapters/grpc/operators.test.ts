/** The Operator service: over the control socket for all tenants, over TLS for what a certificate is for. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, before, test } from 'node:test';
import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import { fail } from '../../../machines/model/result.js';
import { makeCertificate, pemOf } from '../../../src/adapters/agent-ca/certificate.js';
import { connectControl } from '../../../src/adapters/grpc/client.js';
import { clientOf } from '../../../src/adapters/grpc/definition.js';
import { errorIn } from '../../../src/adapters/grpc/error-events.js';
import { type DoorLab, INSTANCE, OTHER, openDoorLab } from '../../support/agent-door.js';
import { eventually } from '../../support/http-client.js';

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const issuer = { name: 'Operators', publicKey: pair.publicKey, privateKey: pair.privateKey };
const times = { notBeforeMs: Date.now() - 60_000, notAfterMs: Date.now() + 3_600_000 };
const clientCa = pemOf(
  makeCertificate(
    { subject: issuer.name, publicKey: pair.publicKey, use: 'authority', ...times },
    issuer,
  ),
);

interface Stub {
  readonly [name: string]: unknown;
  close(): void;
}

let lab: DoorLab;
const stubs: Stub[] = [];
before(async () => {
  lab = await openDoorLab({ clientCa });
  lab.show(OTHER, { tenant: 'other' });
});
after(async () => {
  for (const stub of stubs) stub.close();
  await lab.close();
});

interface Holder {
  readonly certificate: string;
  readonly key: string;
}

function certified(uris: readonly string[]): Holder {
  const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const request = {
    subject: 'drainer',
    publicKey: own.publicKey,
    use: 'client',
    uris,
    ...times,
  } as const;
  return {
    certificate: pemOf(makeCertificate(request, issuer)),
    key: own.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function connect(holder?: Holder, service: Parameters<typeof clientOf>[0] = 'Operator'): Stub {
  const { host, port } = lab.address;
  const shown =
    holder === undefined ? [] : [Buffer.from(holder.key), Buffer.from(holder.certificate)];
  const Client = clientOf(service);
  const stub = new Client(
    `${host}:${port}`,
    credentials.createSsl(Buffer.from(lab.authority.certificate), ...(shown as [Buffer, Buffer])),
  ) as unknown as Stub;
  stubs.push(stub);
  return stub;
}

const ALL = certified([]);
const ACME = certified(['spiffe://example.org/tenant/acme']);

const acknowledge = (stub: Stub, instance: string) =>
  called(stub, 'AcknowledgeDrained', { instance });

function called(stub: Stub, name: string, request: object): Promise<string> {
  type Unary = (request: object, done: (error: ServiceError | null) => void) => void;
  return new Promise((resolve) => {
    (stub[name] as Unary).call(stub, request, (error) =>
      resolve(error === null ? 'OK' : (status[error.code] ?? '')),
    );
  });
}

interface Reading {
  readonly items: Record<string, unknown>[];
  readonly failed: () => string | undefined;
}

function read(stub: Stub, name: string, request: object): Reading {
  type Streaming = (request: object) => NodeJS.EventEmitter;
  const items: Record<string, unknown>[] = [];
  let failure: string | undefined;
  const stream = (stub[name] as Streaming).call(stub, request);
  stream.on('data', (item: Record<string, unknown>) => items.push(item));
  stream.on('error', (error: ServiceError) => {
    failure = status[error.code];
  });
  return { items, failed: () => failure };
}

test('[ID-16] nobody without an operator’s certificate: strangers, agents, and one that is for nothing', async () => {
  const { identity, key } = await lab.enrol();
  const odd = certified(['spiffe://example.org/role/admin']);
  for (const holder of [undefined, { certificate: identity.certificate, key }, odd]) {
    assert.equal(await acknowledge(connect(holder), INSTANCE), 'UNAUTHENTICATED');
    const reading = read(connect(holder), 'WatchDrains', {});
    await eventually(() => reading.failed() === 'UNAUTHENTICATED');
  }
});

test('[ID-17] a certificate of one tenant acknowledges that tenant’s instances only', async () => {
  assert.equal(await acknowledge(connect(ACME), INSTANCE), 'OK');
  assert.deepEqual(lab.node.asked.at(-1), {
    call: 'ask',
    to: `instance/${INSTANCE}`,
    message: { type: 'operator.ackDrain' },
  });
  assert.equal(await acknowledge(connect(ACME), OTHER), 'NOT_FOUND');
  assert.equal(await acknowledge(connect(ACME), '../x'), 'NOT_FOUND');
  assert.equal(await acknowledge(connect(ALL), OTHER), 'OK');
});

test('[ID-23] [ID-17] groups and instances on demand: each call reaches its actor in the caller’s name', async () => {
  const group = { tenant: 'acme', name: 'web' };
  const acme = { id: 'acme', groups: ['acme/web'] };
  lab.node.script.views = {
    ...lab.node.script.views,
    ...{ 'group/acme/web': group, 'tenant/acme': acme },
  };
  const reason = 'a job';
  const owner = 'drainer';
  const calls = [
    [
      'CreateInstance',
      { group: 'acme/web', key: 'job-1', reason },
      'group/acme/web',
      { type: 'operator.createInstance', key: 'job-1', reason },
    ],
    [
      'DeleteInstance',
      { instance: INSTANCE, reason, force: true },
      'group/acme/web',
      { type: 'operator.deleteInstance', instance: INSTANCE, reason, force: true },
    ],
    [
      'DeleteInstance',
      { group: 'acme/web', instance: 'job-1', reason },
      'group/acme/web',
      { type: 'operator.deleteInstance', instance: 'job-1', reason, force: false },
    ],
    [
      'UpsertGroup',
      { group: 'acme/web', size: 0, reason },
      'group/acme/web',
      { type: 'operator.scale', size: 0, owner, reason, forMs: null },
    ],
    [
      'UpsertGroup',
      { group: 'acme/web', size: 5, reason },
      'group/acme/web',
      { type: 'operator.scale', size: 5, owner, reason, forMs: null },
    ],
    [
      'DeleteGroup',
      { group: 'acme/web', reason },
      'override/group/acme/web',
      { type: 'override.clear', kinds: ['size'], by: 'operator', owner, reason },
    ],
  ] as const;
  for (const [name, request, to, message] of calls) {
    assert.equal(await called(connect(ACME), name, request), 'OK', name);
    assert.deepEqual(lab.node.asked.at(-1), { call: 'ask', to, message }, name);
    const elsewhere = certified(['spiffe://example.org/tenant/other']);
    assert.equal(await called(connect(elsewhere), name, request), 'NOT_FOUND', name);
  }
  const bad = { group: 'acme/web', key: 'no spaces' };
  assert.equal(await called(connect(ALL), 'CreateInstance', bad), 'INVALID_ARGUMENT');
  assert.equal(await called(connect(ALL), 'GetInstanceStatus', { instance: INSTANCE }), 'OK');
});

test('[TN-10] [ID-17] [ID-23] groups of a program’s own: ordered with a template, changed in part, dismissed', async () => {
  const { views } = lab.node.script;
  const jobs = { group: 'acme/jobs', wish: { template: 'web', size: 3, maxSize: 9 } };
  const sent = () => lab.node.asked.at(-1) as unknown as { to: string; message: object };
  const settings = (text: string) => Buffer.from(text);
  const stub = connect(ACME);
  const tenant = (change: object) => {
    const acme = { id: 'acme', groups: ['acme/web'], ...change };
    lab.node.script.views = { ...views, 'tenant/acme': acme };
  };
  const words = { owner: 'drainer', reason: 'asked by drainer' };
  tenant({});
  const request = {
    group: 'acme/jobs',
    template: 'web',
    size: 3,
    settings: settings('{"maxSize":9}'),
  };
  assert.equal(await called(stub, 'UpsertGroup', request), 'OK');
  const { wish } = jobs;
  const plan = { name: 'x', ...wish };
  const order = { type: 'operator.orderGroup', name: 'jobs' };
  assert.deepEqual(sent().message, { ...order, wish, plan, ...words });
  assert.equal(sent().to, 'tenant/acme');
  tenant({ ordered: [jobs], groups: ['acme/web', 'acme/jobs'] });
  assert.equal(await called(stub, 'UpsertGroup', { group: 'acme/jobs', size: 0 }), 'OK');
  assert.deepEqual((sent().message as { wish: object }).wish, { ...wish, size: 0 });
  assert.equal(await called(stub, 'DeleteGroup', { group: 'acme/jobs' }), 'OK');
  assert.deepEqual(sent().message, { type: 'operator.dismissGroup', name: 'jobs', ...words });
  tenant({ leaving: ['acme/jobs'], groups: ['acme/web', 'acme/jobs'] });
  assert.equal(await called(stub, 'DeleteGroup', { group: 'acme/jobs' }), 'OK', 'again');
  tenant({});
  assert.equal(await called(stub, 'DeleteGroup', { group: 'acme/jobs' }), 'NOT_FOUND');
  lab.node.script.planGroup = () => fail('no template is named "x"');
  for (const [name, asked, code] of [
    ['UpsertGroup', { group: 'acme/jobs', template: 'x' }, 'INVALID_ARGUMENT'],
    ['UpsertGroup', { group: 'acme/jobs', settings: settings('[1]') }, 'INVALID_ARGUMENT'],
    ['UpsertGroup', { group: 'acme/jobs', settings: settings('{') }, 'INVALID_ARGUMENT'],
    ['UpsertGroup', { group: 'acme/web', template: 'web' }, 'FAILED_PRECONDITION'],
    ['UpsertGroup', { group: 'acme/web' }, 'INVALID_ARGUMENT'],
    ['UpsertGroup', { group: 'other/jobs', template: 'web' }, 'NOT_FOUND'],
    ['UpsertGroup', { group: 'acme', template: 'web' }, 'NOT_FOUND'],
  ] as const) {
    assert.equal(await called(stub, name, asked), code, JSON.stringify(asked));
  }
});

test('[CL-81] [ID-16] reflection over TLS: for operators alone', async () => {
  const ask = (holder?: Holder) => {
    const stub = connect(holder, 'ServerReflection');
    const names: unknown[] = [];
    let failure: string | undefined;
    type Asking = () => NodeJS.WritableStream & { write(question: object): void };
    const stream = (stub['ServerReflectionInfo'] as Asking).call(stub);
    stream.on('data', (answer: { listServicesResponse?: { service: unknown[] } }) =>
      names.push(...(answer.listServicesResponse?.service ?? [])),
    );
    stream.on('error', (error: ServiceError) => {
      failure = status[error.code];
    });
    stream.write({ listServices: '*' });
    return { names, failed: () => failure };
  };
  const known = ask(ALL);
  await eventually(() => known.names.length === 5);
  const stranger = ask();
  await eventually(() => stranger.failed() === 'UNAUTHENTICATED');
});

test('[TN-12] [ID-17] sleep: of its own tenant, in its own name', async () => {
  const { views } = lab.node.script;
  lab.node.script.views = {
    ...views,
    'tenant/acme': { id: 'acme' },
    'tenant/other': { id: 'other' },
  };
  for (const [call, type] of [
    ['SleepTenant', 'operator.sleep'],
    ['WakeTenant', 'operator.wake'],
  ] as const) {
    assert.equal(await called(connect(ACME), call, { tenant: 'acme', reason: 'night' }), 'OK');
    const message = { type, owner: 'drainer', reason: 'night' };
    assert.deepEqual(lab.node.asked.at(-1), { call: 'ask', to: 'tenant/acme', message });
    assert.equal(await called(connect(ACME), call, { tenant: 'other' }), 'NOT_FOUND');
    assert.equal(await called(connect(ALL), call, { tenant: 'nobody' }), 'NOT_FOUND');
  }
});

test('[ID-22] [ID-17] errors: from where the watcher left off, of its own tenant', async () => {
  const of = (tenant: string, problem: string) => ({
    kind: 'instance',
    object: INSTANCE,
    event: 'instance.failed',
    numbers: { tenant, problem },
  });
  const first = lab.node.emit(of('acme', 'quota: no room'));
  lab.node.emit({ kind: 'group', object: 'acme/web', event: 'group.member_wanted', numbers: {} });
  lab.node.emit(of('other', 'quota: none here either'));
  const second = lab.node.emit(of('acme', 'quota: still none'));
  const all = read(connect(ALL), 'WatchErrors', { since: 0 });
  await eventually(() => all.items.length === 3);
  assert.equal(all.items[0]?.['message'], 'quota: no room');
  assert.equal(all.items[0]?.['object'], `instance/${INSTANCE}`);
  const resumed = read(connect(ACME), 'WatchErrors', { since: first });
  await eventually(() => resumed.items.length === 1);
  assert.deepEqual([resumed.items[0]?.['seq'], resumed.items[0]?.['tenant']], [second, 'acme']);
});

test('[ID-22] an error is what was refused, failed or died, and nothing else', () => {
  const item = {
    seq: 1,
    at: '2026-03-01T12:00:00.000Z',
    rule: 'IN-4',
    cause: 'c',
    kind: 'instance',
  };
  const event = (name: string, numbers = {}) =>
    errorIn({ ...item, object: 'i-1', event: name, numbers })?.message;
  assert.equal(event('instance.lost'), 'its provider says that it is dead');
  assert.equal(event('instance.ready'), undefined);
  assert.equal(event('instance.ready', { problem: 'odd' }), 'odd');
});

test('[ID-17] [ID-20] groups: all of them, then each that changes, then what is gone', async () => {
  const group = (tenant: string, serving: number) => ({
    tenant,
    name: 'web',
    serving,
    effectiveSize: 3,
  });
  const put = (...groups: object[]) => {
    lab.node.script.lists = { ...lab.node.script.lists, groups: groups as never };
    lab.node.emit({ kind: 'group', object: 'acme/web', event: 'group.changed' });
  };
  put(group('acme', 1), group('other', 1));
  const watching = read(connect(ALL), 'WatchGroups', {});
  const shown = () =>
    watching.items.map(({ json, removed }) => (removed || String(json)) as string);
  await eventually(() => watching.items.length === 2);
  put(group('acme', 2), group('other', 1));
  await eventually(() => watching.items.length === 3);
  assert.match(shown()[2] ?? '', /"acme".*"serving":2/);
  put(group('acme', 2));
  await eventually(() => watching.items.length === 4);
  assert.equal(shown()[3], 'other/web');
  const listed = read(connect(ALL), 'ListGroups', {});
  await eventually(() => listed.items.length === 1);
});

test('[ID-24] [ID-16] [ID-17] the Control service over TLS: for operators of all tenants, in their own name', async () => {
  const { host, port } = lab.address;
  const ca = Buffer.from(lab.authority.certificate);
  const as = ({ certificate, key }: Holder) => {
    const client = connectControl({
      server: `${host}:${port}`,
      ca,
      cert: Buffer.from(certificate),
      key: Buffer.from(key),
    });
    stubs.push({ close: client.close });
    return client;
  };
  const scale = { group: 'acme/web', size: 4, reason: 'r', owner: 'somebody else' };
  assert.ok((await as(ALL).call('Scale', scale)).ok);
  const sent = lab.node.asked.at(-1) as unknown as { message: { owner: string; size: number } };
  assert.deepEqual([sent.message.owner, sent.message.size], ['drainer', 4]);
  lab.bound.clear();
  const { identity, key } = await lab.enrol();
  for (const [holder, rule] of [
    [ACME, /^ID-17/],
    [{ certificate: identity.certificate, key }, /^ID-16/],
  ] as const) {
    const refused = await as(holder).call('Status');
    assert.ok(!refused.ok && refused.failure.code === 'refused');
    assert.match(refused.failure.message, rule);
    const stream = await as(holder).stream('List', { kind: 'groups' }, () => undefined);
    assert.equal(stream.ok, false);
  }
});
