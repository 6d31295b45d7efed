/** The admin port over real sockets: every path, every refusal, and hostile requests. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Script } from 'node:vm';
import { type AdminServer, serveAdmin } from '../../../src/adapters/http/server.js';
import { type FakeNode, fakeNode } from '../../support/fake-node-api.js';
import { FAKE_LISTS, FAKE_STATUS } from '../../support/fake-node-data.js';
import { fetchPath, rawExchange } from '../../support/http-client.js';
import { type RememberingLog, rememberingLog } from '../../support/quiet.js';

let node: FakeNode;
let log: RememberingLog;
let server: AdminServer;

before(async () => {
  node = fakeNode();
  log = rememberingLog();
  const served = await serveAdmin({
    listen: '127.0.0.1:0',
    api: node.api,
    metrics: async () => ({ text: 'switchyard_up 1\n', contentType: 'text/plain; version=0.0.4' }),
    log,
    limits: { headersTimeoutMs: 150, requestTimeoutMs: 300, checkEveryMs: 20, bodyBytesMax: 1024 },
  });
  assert.ok(served.ok, served.ok ? '' : served.failure);
  server = served.value;
});

after(() => server.close());

const get = (path: string) => fetchPath(server.address, path);
const errorOf = (body: string): { code: string; message: string } => JSON.parse(body).error;

test('[CL-1] known paths: answer with the shapes of the node', async () => {
  const answers: Readonly<Record<string, unknown>> = {
    '/api/v1/status': FAKE_STATUS,
    '/api/v1/reload': { status: 'unchanged', generation: 3, trigger: 'api' },
    '/readyz': { ready: true, reasons: [] },
    ...Object.fromEntries(
      Object.entries(FAKE_LISTS).map(([kind, items]) => [`/api/v1/${kind}`, items]),
    ),
  };
  for (const [path, expected] of Object.entries(answers)) {
    const { status, headers, body } = await get(path);
    assert.equal(status, 200, path);
    assert.equal(headers['content-type'], 'application/json', path);
    assert.deepEqual(JSON.parse(body), expected, path);
  }
  assert.equal((await get('/healthz')).body, 'ok\n');
  const metrics = await get('/metrics');
  assert.equal(metrics.headers['content-type'], 'text/plain; version=0.0.4');
  assert.match(metrics.body, /^switchyard_up 1$/m);
  assert.match(metrics.body, /^switchyard_outbox_pending 2$/m);
});

test('[CL-1] unknown paths and methods: 404, and 405 with what is allowed', async () => {
  const nowhere = [
    '/nowhere',
    '/api/v1',
    '/api/v1/status/',
    '/api/v1/secrets',
    '/../../etc/passwd',
    '/api/v1/..%2f..%2fetc%2fpasswd',
    '//healthz',
    '/%00',
    '/page.html',
    '/__proto__',
    '/constructor',
  ];
  for (const path of nowhere) {
    const { status, body } = await get(path);
    assert.equal(status, 404, path);
    assert.equal(errorOf(body).code, 'not-found', path);
  }
  for (const [method, path, allow] of [
    ['POST', '/api/v1/status', 'GET, HEAD'],
    ['DELETE', '/api/v1/groups', 'GET, HEAD'],
    ['PUT', '/api/v1/reload', 'GET, HEAD, POST'],
    ['POST', '/api/v1/events', 'GET, HEAD'],
    ['TRACE', '/', 'GET, HEAD'],
  ] as const) {
    const { status, headers } = await fetchPath(server.address, path, { method });
    assert.deepEqual([status, headers.allow], [405, allow], `${method} ${path}`);
  }
  const head = await fetchPath(server.address, '/api/v1/status', { method: 'HEAD' });
  assert.deepEqual([head.status, head.body], [200, '']);
});

test('[CL-1] lists: the filters of the query reach the node, and nothing else does', async () => {
  await get('/api/v1/instances?tenant=acme&group=web&state=serving&after=i-1&limit=5&x=1&state=');
  assert.deepEqual(node.asked.at(-1), {
    call: 'list',
    kind: 'instances',
    filter: { tenant: 'acme', group: 'web', after: 'i-1', limit: 5 },
  });
  await get('/api/v1/groups');
  assert.deepEqual(node.asked.at(-1), { call: 'list', kind: 'groups', filter: { limit: 1000 } });
});

test('[CL-1] lists: a limit that is none is refused in one sentence', async () => {
  for (const limit of ['0', '-1', '1.5', '1e3', 'all', '10001', '9'.repeat(40), '%00', '0x10']) {
    const { status, body } = await get(`/api/v1/groups?limit=${limit}`);
    assert.deepEqual([status, errorOf(body).code], [400, 'bad-request'], limit);
  }
});

test('[CL-2] readiness: 503 with the reasons while something is missing', async () => {
  node.script.ready = { ready: false, reasons: ['dataplane: not connected yet'] };
  const { status, body } = await get('/readyz');
  node.script.ready = { ready: true, reasons: [] };
  assert.equal(status, 503);
  assert.deepEqual(JSON.parse(body).reasons, ['dataplane: not connected yet']);
  assert.equal((await get('/healthz')).status, 200);
});

test('[CL-3] reload over HTTP: only from here, and only by a program that means it', async () => {
  const post = (headers: Record<string, string>, path = '/api/v1/reload') =>
    fetchPath(server.address, path, { method: 'POST', headers });
  const before = node.asked.length;
  const refused = [
    {},
    { 'x-switchyard': '0' },
    { 'x-switchyard': '1', host: 'evil.example' },
    { 'x-switchyard': '1', host: 'localhost.evil.example:7080' },
  ];
  for (const headers of refused) {
    const { status, body } = await post(headers);
    assert.deepEqual([status, errorOf(body).code], [403, 'forbidden'], JSON.stringify(headers));
  }
  assert.equal(node.asked.length, before);
  assert.equal((await post({ 'x-switchyard': '1' }, '/api/v1/reload?dryRun=1')).status, 200);
  assert.deepEqual(node.asked.at(-1), {
    call: 'reload',
    request: { dryRun: true, disruptive: false, trigger: 'api' },
  });
  await post(
    { 'x-switchyard': '1', host: 'localhost:7080' },
    '/api/v1/reload?dryRun=0&disruptive=1',
  );
  assert.deepEqual(node.asked.at(-1), {
    call: 'reload',
    request: { dryRun: false, disruptive: true, trigger: 'api' },
  });
});

test('[CL-4] a head above the bound: 431, and the next request is served', async () => {
  const answer = await rawExchange(
    server.address,
    `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'a'.repeat(9_000)}\r\n\r\n`,
  );
  assert.match(answer, /^HTTP\/1\.1 431 /);
  assert.match(answer, /"code":"too-large"/);
  assert.equal((await get('/healthz')).status, 200);
});

test('[CL-4] a body above the bound: 413, announced or not', async () => {
  const large = 'x'.repeat(2_048);
  const headers = { 'x-switchyard': '1' };
  const asked = node.asked.length;
  const announced = await fetchPath(server.address, '/api/v1/reload', {
    method: 'POST',
    headers: { ...headers, 'content-length': String(large.length) },
    body: large,
  });
  assert.equal(announced.status, 413);
  const chunked = await rawExchange(
    server.address,
    `POST /api/v1/reload HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Switchyard: 1\r\nTransfer-Encoding: chunked\r\n\r\n800\r\n${large}\r\n`,
  );
  assert.match(chunked, /^HTTP\/1\.1 413 /);
  assert.equal(node.asked.length, asked);
});

test('[CL-4] a body that never ends: the request is given up and does nothing', async () => {
  const asked = node.asked.length;
  const answer = await rawExchange(
    server.address,
    'POST /api/v1/reload HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Switchyard: 1\r\nContent-Length: 10\r\n\r\nabc',
  );
  assert.match(answer, /^HTTP\/1\.1 408 /);
  assert.equal(node.asked.length, asked);
});

test('[CL-4] a head that never ends: the connection is closed', async () => {
  const answer = await rawExchange(server.address, 'GET / HTTP/1.1\r\nHost: x\r\nX-A');
  assert.match(answer, /^HTTP\/1\.1 408 /);
});

test('[CL-4] what is no HTTP: 400 on that connection, others go on', async () => {
  for (const bytes of [
    '\x16\x03\x01\x02\x00\r\n\r\n',
    'HELO there\r\n\r\n',
    'FETCH / HTTP/1.1\r\n\r\n',
  ]) {
    assert.match(
      await rawExchange(server.address, bytes),
      /^HTTP\/1\.1 400 /,
      JSON.stringify(bytes),
    );
  }
  const smuggled =
    'POST /api/v1/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n';
  assert.match(await rawExchange(server.address, smuggled), /^HTTP\/1\.1 400 /);
  assert.equal((await get('/healthz')).status, 200);
});

test('[CL-5] a failure inside: 500 without details, and the log has them', async () => {
  node.script.defect = new Error('secret detail');
  const { status, body } = await get('/api/v1/status');
  node.script.defect = undefined;
  assert.deepEqual([status, errorOf(body).code], [500, 'internal']);
  assert.doesNotMatch(body, /secret detail/);
  assert.equal(log.lines.at(-1)?.level, 'error');
});

test('[CL-8] the page: needs nothing from outside and allows nothing else', async () => {
  const { headers, body } = await get('/');
  const policy = String(headers['content-security-policy']);
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /script-src 'sha256-[A-Za-z0-9+/]{43}='/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.doesNotMatch(policy, /unsafe/);
  assert.doesNotMatch(body, /https?:\/\//);
  assert.doesNotMatch(body, /\son[a-z]+=|style=|innerHTML/);
  assert.ok(new Script(/<script>([\s\S]*)<\/script>/.exec(body)?.[1] ?? ''));
  assert.equal(headers['x-content-type-options'], 'nosniff');
});

test('[CL-9] a taken address: one sentence with the address, its key and the remedy', async () => {
  const again = await serveAdmin({
    listen: server.address,
    api: node.api,
    metrics: async () => ({ text: '', contentType: 'text/plain' }),
    log,
  });
  assert.ok(!again.ok);
  assert.equal(
    again.failure,
    `${server.address} (admin.listen) is in use by another program: stop that one, or set admin.listen to a free HOST:PORT`,
  );
});

test('[CL-9] an address that is none: told before anything is opened', async () => {
  for (const listen of ['127.0.0.1', ':80', '127.0.0.1:99999', '::1:80', 'a b:80:']) {
    const served = await serveAdmin({
      listen,
      api: node.api,
      metrics: async () => ({ text: '', contentType: 'text/plain' }),
      log,
    });
    assert.ok(!served.ok, listen);
    assert.match(served.failure, /admin\.listen/);
  }
});
