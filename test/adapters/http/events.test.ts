/** The event stream over HTTP: resuming, filters, slow readers, bounds. */
import assert from 'node:assert/strict';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { afterEach, beforeEach, test } from 'node:test';
import { type AdminServer, serveAdmin } from '../../../src/adapters/http/server.js';
import type { WatchItem } from '../../../src/ports/node-api.js';
import { type FakeNode, fakeNode } from '../../support/fake-node-api.js';
import { eventually, fetchPath } from '../../support/http-client.js';
import { rememberingLog } from '../../support/quiet.js';

let node: FakeNode;
let server: AdminServer;

beforeEach(async () => {
  node = fakeNode();
  const served = await serveAdmin({
    listen: '127.0.0.1:0',
    api: node.api,
    metrics: async () => ({ text: '', contentType: 'text/plain' }),
    log: rememberingLog(),
    limits: { streamsMax: 2, heartbeatMs: 20 },
  });
  assert.ok(served.ok);
  server = served.value;
});

afterEach(() => server.close());

interface Reader {
  readonly response: IncomingMessage;
  readonly items: () => readonly WatchItem[];
  readonly text: () => string;
  close(): void;
}

function openReader(query: string, headers: Record<string, string> = {}): Promise<Reader> {
  return new Promise((resolve) => {
    const [host = '', port = ''] = server.address.split(':');
    const path = `/api/v1/events${query}`;
    const sent: ClientRequest = request({ host, port, path, headers, agent: false }, (response) => {
      const blocks: string[] = [];
      const items: WatchItem[] = [];
      let rest = '';
      response.on('data', (chunk: Buffer) => {
        const whole = (rest + chunk.toString('utf8')).split('\n\n');
        rest = whole.pop() ?? '';
        blocks.push(...whole);
        for (const block of whole) {
          const [, json] = /^data: (.*)$/m.exec(block) ?? [];
          if (json !== undefined) items.push(JSON.parse(json));
        }
      });
      response.on('error', () => undefined);
      const text = () => blocks.join('\n\n');
      resolve({ response, items: () => items, text, close: () => sent.destroy() });
    });
    sent.on('error', () => undefined);
    sent.end();
  });
}

const seqs = (reader: Reader): readonly number[] => reader.items().map(({ seq }) => seq);

test('[CL-6] a stream: begins after `since`, and follows', async () => {
  for (let made = 0; made < 3; made += 1) node.emit();
  const reader = await openReader('?since=1');
  await eventually(() => seqs(reader).length === 2);
  node.emit();
  await eventually(() => seqs(reader).length === 3);
  assert.deepEqual(seqs(reader), [2, 3, 4]);
  assert.equal(reader.response.headers['content-type'], 'text/event-stream');
  assert.match(reader.text(), /^id: 4$/m);
});

test('[CL-6] a reader that comes back: what it saw last wins over where it began', async () => {
  for (let made = 0; made < 5; made += 1) node.emit();
  const reader = await openReader('?since=1', { 'last-event-id': '4' });
  await eventually(() => seqs(reader).length === 1);
  assert.deepEqual(seqs(reader), [5]);
});

test('[CL-6] no `since`: new events only', async () => {
  node.emit();
  const reader = await openReader('');
  await eventually(() => node.watchers() === 1);
  node.emit();
  await eventually(() => seqs(reader).length === 1);
  assert.deepEqual(seqs(reader), [2]);
});

test('[CL-6] filters: by kind and by tenant', async () => {
  node.emit({ kind: 'group', object: 'acme/web' });
  node.emit({ kind: 'group', object: 'other/web' });
  node.emit({ kind: 'tenant', object: 'acme' });
  node.emit({ kind: 'backend', object: 'acme' });
  node.emit({ kind: 'instance', object: 'i-1', numbers: { tenant: 'acme' } });
  const ofTenant = await openReader('?since=0&tenant=acme');
  await eventually(() => seqs(ofTenant).length === 3);
  assert.deepEqual(seqs(ofTenant), [1, 3, 5]);
  const ofKind = await openReader('?since=0&kind=group');
  await eventually(() => seqs(ofKind).length === 2);
  assert.deepEqual(seqs(ofKind), [1, 2]);
});

test('[CL-6] a `since` that is none: refused', async () => {
  for (const since of ['x', '-2', '1.5', '1e9']) {
    const { status } = await fetchPath(server.address, `/api/v1/events?since=${since}`);
    assert.equal(status, 400, since);
  }
});

test('[CL-7] a slow reader: the watch stops instead of buffering, and nothing is missed', async () => {
  const reader = await openReader('?since=0');
  reader.response.pause();
  const padding = 'x'.repeat(20_000);
  const total = 400;
  for (let made = 0; made < total; made += 1) node.emit({ numbers: { padding } });
  await eventually(() => node.watchers() === 0);
  reader.response.resume();
  await eventually(() => seqs(reader).length === total);
  assert.deepEqual(
    seqs(reader),
    Array.from({ length: total }, (_, index) => index + 1),
  );
});

test('[CL-7] a reader that leaves: its watch is stopped', async () => {
  const reader = await openReader('?since=0');
  await eventually(() => node.watchers() === 1);
  reader.close();
  await eventually(() => node.watchers() === 0);
});

test('[CL-7] streams: silent ones carry heartbeats, and there are only so many', async () => {
  const first = await openReader('');
  const second = await openReader('');
  await eventually(() => first.text().includes(': still here'));
  const third = await fetchPath(server.address, '/api/v1/events');
  assert.equal(third.status, 503);
  second.close();
  await eventually(() => node.watchers() === 1);
  const again = await openReader('?since=0');
  assert.equal(again.response.statusCode, 200);
});
