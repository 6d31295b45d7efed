/** The inspector over real sockets: viewers come and go, threads record only for them. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, test } from 'node:test';
import { Script } from 'node:vm';
import { WebSocket } from 'ws';
import type { Json } from '../../../machines/model/json.js';
import { type InspectorServer, serveInspector } from '../../../src/adapters/inspector/server.js';
import { systemClock } from '../../../src/adapters/system/clock.js';
import { eventually, fetchPath } from '../../support/http-client.js';
import { rememberingLog } from '../../support/quiet.js';

let server: InspectorServer;
let reads: boolean[];
let steps: Json[];
let broken: boolean;

beforeEach(async () => {
  reads = [];
  steps = [];
  broken = false;
  const served = await serveInspector({
    listen: '127.0.0.1:0',
    node: 'edge-1',
    filter: { kinds: [], ids: [], ratePerSecond: 1_000 },
    clock: systemClock(),
    log: rememberingLog(),
    machines: new Map(),
    secrets: () => [],
    read: async (request) => {
      reads.push(request !== undefined);
      if (broken) throw new Error('a thread is away');
      return [{ thread: 'shard-1', answer: { frames: steps.splice(0) } }];
    },
    limits: { readEveryMs: 2, viewersMax: 2 },
  });
  assert.ok(served.ok, served.ok ? '' : served.failure);
  server = served.value;
});

afterEach(() => server.close());

interface Viewer {
  readonly socket: WebSocket;
  readonly types: () => readonly string[];
}

function view(options: { readonly origin?: string; readonly host?: string } = {}): Promise<Viewer> {
  return new Promise((resolve, reject) => {
    const { origin, host } = options;
    const socket = new WebSocket(`ws://${server.address}/`, {
      ...(origin === undefined ? {} : { origin }),
      ...(host === undefined ? {} : { headers: { host } }),
    });
    const types: string[] = [];
    socket.on('message', (data) => types.push(JSON.parse(String(data)).type));
    socket.on('open', () => resolve({ socket, types: () => types }));
    socket.on('error', reject);
  });
}

function aStep(address: string): Json {
  return {
    address,
    machineId: 'group',
    event: { type: 'go' },
    value: 'a',
    context: {},
    status: 'active',
  };
}

test('[CL-13] nobody watches: nothing is read; the last who leaves ends the recording', async () => {
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(reads, []);
  const viewer = await view();
  await eventually(() => reads.includes(true));
  viewer.socket.close();
  await eventually(() => reads.at(-1) === false);
  const ended = reads.length;
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(reads.length, ended);
});

test('[CL-10] two viewers: both see every step, the later one the chart first', async () => {
  const first = await view();
  steps.push(aStep('group/a/b'));
  await eventually(() => first.types().includes('@xstate.snapshot'));
  const second = await view();
  await eventually(() => second.types().length >= 3);
  assert.deepEqual(second.types(), ['@xstate.actor', '@xstate.snapshot', 'switchyard.counters']);
  steps.push(aStep('group/a/b'));
  await eventually(() => second.types().includes('@xstate.event'));
});

test('[CL-13] a thread that cannot be read: the watching goes on', async () => {
  const viewer = await view();
  broken = true;
  const before = reads.length;
  await eventually(() => reads.length > before + 2);
  broken = false;
  steps.push(aStep('group/a/b'));
  await eventually(() => viewer.types().includes('@xstate.actor'));
});

test('[CL-14] pages of others, forged names, and one viewer too many: not let in', async () => {
  await assert.rejects(view({ origin: 'https://evil.example' }), /403/);
  await assert.rejects(view({ origin: 'http://127.0.0.1:1' }), /403/);
  await assert.rejects(view({ host: 'evil.example', origin: 'http://evil.example' }), /403/);
  await view({ origin: `http://${server.address}` });
  await view();
  await assert.rejects(view(), /503/);
});

test('[CL-14] a viewer that talks too much: is cut off, others go on', async () => {
  const loud = await view();
  const other = await view();
  const closed = new Promise((resolve) => loud.socket.on('close', resolve));
  loud.socket.on('error', () => undefined);
  loud.socket.send('x'.repeat(10_000));
  await closed;
  steps.push(aStep('group/a/b'));
  await eventually(() => other.types().includes('@xstate.actor'));
});

test('[CL-8] its page: one file, no markup from names, and nothing else is served', async () => {
  const page = await fetchPath(server.address, '/');
  assert.match(String(page.headers['content-security-policy']), /default-src 'none'/);
  assert.ok(new Script(/<script>([\s\S]*)<\/script>/.exec(page.body)?.[1] ?? ''));
  assert.doesNotMatch(page.body, /innerHTML|<link|src=|\son[a-z]+=/);
  assert.equal((await fetchPath(server.address, '/page.html')).status, 404);
  assert.equal((await fetchPath(server.address, '/', { method: 'POST' })).status, 405);
});

test('[CL-9] a taken address: one sentence with its key', async () => {
  const again = await serveInspector({
    listen: server.address,
    node: 'edge-1',
    filter: { kinds: [], ids: [], ratePerSecond: 1 },
    clock: systemClock(),
    log: rememberingLog(),
    machines: new Map(),
    secrets: () => [],
    read: async () => [],
  });
  assert.ok(!again.ok);
  assert.match(again.failure, /inspector\.listen/);
});

test('[CL-49] a refused viewer that never hangs up: does not keep the inspector from closing', async () => {
  const [host = '', port = ''] = server.address.split(':');
  const socket = connect({ host, port: Number(port), allowHalfOpen: true });
  socket.on('error', () => undefined);
  const upgrade = 'Upgrade: websocket\r\nConnection: Upgrade\r\n';
  socket.write(`GET / HTTP/1.1\r\nHost: evil.example\r\n${upgrade}\r\n`);
  const [answer] = await once(socket, 'data');
  assert.match(String(answer), /^HTTP\/1\.1 403 /);
  await server.close();
  socket.destroy();
});
