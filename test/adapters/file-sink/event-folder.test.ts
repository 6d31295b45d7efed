/** One file per event: names, the older system's fields, numbers over restarts, and refused names. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openFileSink } from '../../../src/adapters/file-sink/sink.js';
import { systemClock } from '../../../src/adapters/system/clock.js';
import { openFileSource } from '../../../src/feed/file-source.js';
import { feedTextOf } from '../../../src/ports/feed-text.js';
import type { Sink } from '../../../src/ports/sink.js';
import type { FeedEvent } from '../../../src/ports/store.js';
import { expectOk } from '../../contract/provider.js';
import { feedEvent } from '../../support/feed-events.js';
import { rememberingLog } from '../../support/quiet.js';

async function folder(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'switchyard-feed-'));
  t.after(() => rm(dir, { recursive: true }));
  return dir;
}

async function open(dir: string): Promise<Sink> {
  return expectOk(await openFileSink({ dir, layout: 'per-event', log: rememberingLog() }));
}

async function answers(sink: Sink, ...events: readonly FeedEvent[]) {
  const results = await sink.append(events.map(feedTextOf));
  return results.map((result) => (result.ok ? result.value.controlVersion : result.failure.code));
}

const filesOf = (dir: string) => readdirSync(dir).filter((name) => name.endsWith('.json'));

test('[FD-8] event folder: a file has the older names too, and gives back the very event', async (t) => {
  const dir = await folder(t);
  const sink = await open(dir);
  const event = feedEvent(3, { tenantId: 'acme', previousHash: 'h', eventId: 'evt_a' });
  assert.deepEqual(await answers(sink, event), [1]);
  await sink.close();
  const file = JSON.parse(readFileSync(join(dir, 'evt_a.json'), 'utf8'));
  const older = { id: 0, event_id: 'evt_a', tenant_id: 'acme', version: 3, base_version: 2 };
  for (const [key, value] of Object.entries(older)) assert.equal(file[key], value, key);
  assert.equal(file.control_version, 1);
  assert.equal(file.created_at, event.occurredAt);
  const items = expectOk(await openFileSource({ dir, clock: systemClock() }).read(0, 10));
  assert.deepEqual(items, [{ controlVersion: 1, event: { ...event, controlVersion: 1 } }]);
});

test('[FD-1] [FD-3] event folder: numbers go on from the highest, what is there keeps its own', async (t) => {
  const dir = await folder(t);
  const first = await open(dir);
  assert.deepEqual(await answers(first, feedEvent(1), feedEvent(2)), [1, 2]);
  await first.close();
  writeFileSync(join(dir, '.event-9.json.new'), '{"eventId":');
  const second = await open(dir);
  assert.deepEqual(expectOk(await second.resume()), { head: 2 });
  assert.deepEqual(await answers(second, feedEvent(2, { data: {} }), feedEvent(3)), [2, 3]);
  assert.match(readFileSync(join(dir, 'event-2.json'), 'utf8'), /"size":2/);
  await second.close();
});

test('[FD-8] event folder: no id leaves the folder, none takes the file of another', async (t) => {
  const dir = await folder(t);
  const sink = await open(dir);
  const named = (eventId: string, orderingKey = eventId) => feedEvent(1, { eventId, orderingKey });
  const sent = [
    named('../up'),
    named('a/b'),
    named('a_b'),
    named('.hidden'),
    named('x'.repeat(300)),
  ];
  assert.deepEqual(await answers(sink, ...sent), [1, 2, 'content', 3, 'content']);
  assert.deepEqual(filesOf(dir).sort(), ['_._up.json', '_hidden.json', 'a_b.json']);
  await sink.close();
});

test('[FD-2] event folder: what the disk refuses leaves no trace, and its number goes to the next', async (t) => {
  const dir = await folder(t);
  const sink = await open(dir);
  // A folder is where a file should be made.
  mkdirSync(join(dir, '.event-2.json.new'));
  assert.deepEqual(await answers(sink, feedEvent(1), feedEvent(2)), ['unavailable', 'unavailable']);
  assert.deepEqual(filesOf(dir), []);
  rmdirSync(join(dir, '.event-2.json.new'));
  assert.deepEqual(await answers(sink, feedEvent(2), feedEvent(1)), [1, 2]);
  await sink.close();
});

test('[FD-2] event folder: a file that is no event keeps the sink closed and is named', async (t) => {
  const dir = await folder(t);
  writeFileSync(join(dir, 'broken.json'), '{"eventId":');
  const opened = await openFileSink({ dir, layout: 'per-event', log: rememberingLog() });
  assert.match(opened.ok ? '' : opened.failure.message, /broken.json is not JSON: move it away/);
  const read = await openFileSource({ dir, clock: systemClock() }).read(0, 1);
  assert.match(read.ok ? '' : read.failure.message, /broken.json is not JSON/);
});
