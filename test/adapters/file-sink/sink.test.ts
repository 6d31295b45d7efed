/** The file sink on a real folder: what crashes leave, segments, and one writer. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { createSegmentWriter } from '../../../src/adapters/file-sink/segment-writer.js';
import { openFileSink } from '../../../src/adapters/file-sink/sink.js';
import { takeLock } from '../../../src/adapters/proc/lock-file.js';
import { feedTextOf } from '../../../src/ports/feed-text.js';
import type { Sink } from '../../../src/ports/sink.js';
import type { FeedEvent } from '../../../src/ports/store.js';
import { expectOk } from '../../contract/provider.js';
import { feedEvent, feedEvents, feedTexts } from '../../support/feed-events.js';
import { rememberingLog } from '../../support/quiet.js';
import { seedOfRun } from '../../support/seed.js';
import { verifyFolder } from '../../support/verify-folder.js';

const SMALL_SEGMENT_BYTES = 500;

async function folder(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'switchyard-feed-'));
  t.after(() => rm(dir, { recursive: true }));
  return dir;
}

async function open(dir: string, segmentBytes?: number, log = rememberingLog()): Promise<Sink> {
  const sizes = segmentBytes === undefined ? {} : { segmentBytes };
  return expectOk(await openFileSink({ dir, layout: 'segments', log, ...sizes }));
}

async function versions(sink: Sink, events: readonly FeedEvent[]): Promise<readonly number[]> {
  const results = await sink.append(events.map(feedTextOf));
  return results.map((result) => (result.ok ? result.value.controlVersion : 0));
}

function segmentsOf(dir: string): readonly string[] {
  return readdirSync(dir)
    .filter((name) => name.endsWith('.jsonl'))
    .sort();
}

function lastSegment(dir: string): string {
  return join(dir, segmentsOf(dir).at(-1) ?? '');
}

test('[FD-1] file sink: a line is the event with its number, republished byte for byte', async (t) => {
  const dir = await folder(t);
  const sink = await open(dir);
  await versions(sink, feedEvents(1, 2));
  await sink.close();
  assert.deepEqual(segmentsOf(dir), ['feed-0000000000000001.jsonl']);
  const lines = readFileSync(lastSegment(dir), 'utf8').split('\n');
  assert.deepEqual(
    lines.slice(0, 2).map((line) => JSON.parse(line)),
    [
      { ...feedEvent(1), controlVersion: 1 },
      { ...feedEvent(2), controlVersion: 2 },
    ],
  );
  assert.equal(lines[2], '');
});

test('[FD-1] file sink: numbers go on over segments and restarts', async (t) => {
  const dir = await folder(t);
  for (let round = 0; round < 4; round += 1) {
    const sink = await open(dir, SMALL_SEGMENT_BYTES);
    const from = round * 3 + 1;
    assert.deepEqual(await versions(sink, feedEvents(from, from + 2)), [from, from + 1, from + 2]);
    await sink.close();
  }
  assert.deepEqual(
    segmentsOf(dir),
    [1, 4, 7, 10].map((first) => `feed-${String(first).padStart(16, '0')}.jsonl`),
  );
  const report = await verifyFolder(dir);
  assert.deepEqual(report, { events: 12, lastControlVersion: 12, problems: [], problemsTotal: 0 });
});

test('[FD-3] file sink: events of earlier segments and runs keep their numbers', async (t) => {
  const dir = await folder(t);
  const sink = await open(dir, SMALL_SEGMENT_BYTES);
  for (const index of [1, 4, 7]) await versions(sink, feedEvents(index, index + 2));
  await sink.close();
  const later = await open(dir, SMALL_SEGMENT_BYTES);
  assert.deepEqual(await versions(later, [feedEvent(1), feedEvent(9), feedEvent(10)]), [1, 9, 10]);
  await later.close();
});

test('[FD-2] file sink: wherever a crash cuts the last line, the rest is whole', async (t) => {
  const dir = await folder(t);
  const first = await open(dir);
  await versions(first, feedEvents(1, 3));
  await first.close();
  const whole = readFileSync(lastSegment(dir));
  const secondEnds = whole.indexOf('\n', whole.indexOf('\n') + 1) + 1;
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: secondEnds, max: whole.length - 1 }), async (bytes) => {
      writeFileSync(lastSegment(dir), whole.subarray(0, bytes));
      const log = rememberingLog();
      const sink = await open(dir, undefined, log);
      assert.equal(log.lines.length, bytes === secondEnds ? 0 : 1);
      assert.deepEqual(await versions(sink, feedEvents(2, 3)), [2, 3]);
      await sink.close();
      assert.deepEqual(readFileSync(lastSegment(dir)), whole);
    }),
    { seed: seedOfRun(), numRuns: 25, examples: [[secondEnds], [whole.length - 1]] },
  );
});

test('[FD-2] file sink: pages of zeros that a power failure leaves are cut off', async (t) => {
  const dir = await folder(t);
  const sink = await open(dir);
  await versions(sink, feedEvents(1, 2));
  await sink.close();
  const whole = readFileSync(lastSegment(dir));
  appendFileSync(lastSegment(dir), Buffer.concat([Buffer.alloc(4_096), Buffer.from('\n{"half')]));
  const later = await open(dir);
  assert.deepEqual(readFileSync(lastSegment(dir)), whole);
  assert.deepEqual(await versions(later, [feedEvent(3)]), [3]);
  await later.close();
});

test('[FD-2] file sink: an empty last segment is begun again', async (t) => {
  const dir = await folder(t);
  const sink = await open(dir);
  await versions(sink, feedEvents(1, 2));
  await sink.close();
  writeFileSync(join(dir, 'feed-0000000000000003.jsonl'), '\n');
  const later = await open(dir);
  assert.deepEqual(await versions(later, [feedEvent(2), feedEvent(3)]), [2, 3]);
  await later.close();
  assert.equal((await verifyFolder(dir)).problemsTotal, 0);
});

test('[FD-2] file sink: damage inside the last segment is not cut away', async (t) => {
  const dir = await folder(t);
  const sink = await open(dir);
  await versions(sink, feedEvents(1, 3));
  await sink.close();
  const damaged = readFileSync(lastSegment(dir), 'utf8').replace('event-2', 'event"2');
  writeFileSync(lastSegment(dir), damaged);
  const opened = await openFileSink({ dir, layout: 'segments', log: rememberingLog() });
  assert.ok(!opened.ok);
  assert.match(opened.failure.message, /^line 2 of feed-0000000000000001\.jsonl is damaged/);
  assert.equal(readFileSync(lastSegment(dir), 'utf8'), damaged);
});

test('[FD-2] segment writer: a failed write leaves nothing, the next one begins clean', async (t) => {
  const dir = await folder(t);
  const writer = createSegmentWriter(dir, { first: 1, bytes: 0 });
  await writer.write(Buffer.from('one\n'), 1);
  await writer.close();
  // What a failed write may have left behind the last acknowledged byte.
  appendFileSync(lastSegment(dir), 'a long part of a line that was never acknowl');
  await writer.write(Buffer.from('two\n'), 2);
  await writer.close();
  assert.equal(readFileSync(lastSegment(dir), 'utf8'), 'one\ntwo\n');
});

test('[FD-2] file sink: a folder that fails is unavailable, and is fine again later', async (t) => {
  const dir = await folder(t);
  const sink = await open(dir, 1);
  assert.deepEqual(await versions(sink, [feedEvent(1)]), [1]);
  // The next segment's name is taken by a folder: it cannot be opened.
  const obstacle = join(dir, 'feed-0000000000000002.jsonl');
  mkdirSync(obstacle);
  const results = await sink.append(feedTexts(1, 3));
  assert.deepEqual(
    results.map((result) => (result.ok ? 'ok' : result.failure.code)),
    ['ok', 'unavailable', 'unavailable'],
  );
  rmdirSync(obstacle);
  assert.deepEqual(await versions(sink, [feedEvent(2), feedEvent(3)]), [2, 3]);
  await sink.close();
  assert.equal((await verifyFolder(dir)).problemsTotal, 0);
});

test('[FD-4] file sink: a second writer is refused, and welcome when the first is gone', async (t) => {
  const dir = await folder(t);
  const sink = await open(dir);
  const second = await openFileSink({ dir, layout: 'segments', log: rememberingLog() });
  assert.ok(!second.ok);
  assert.match(second.failure.message, new RegExp(`held by process ${process.pid}: .* stop the`));
  await sink.close();
  await (await open(dir)).close();
});

test('[FD-4] lock: a killed holder holds nothing', async (t) => {
  const path = join(await folder(t), 'lock');
  const module = new URL('../../../src/adapters/proc/lock-file.js', import.meta.url).href;
  const script = `const { takeLock } = await import('${module}');
    console.log((await takeLock('${path}')).ok);
    setInterval(() => undefined, 1000);`;
  const holder = spawn(process.execPath, ['--input-type=module', '-e', script]);
  const [printed] = await once(holder.stdout, 'data');
  assert.equal(String(printed), 'true\n');
  assert.equal((await takeLock(path)).ok, false);
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  await expectOk(await takeLock(path))();
});

test('[FD-4] file sink: of many that open at once, one wins', async (t) => {
  const dir = await folder(t);
  const opened = await Promise.all(
    Array.from({ length: 6 }, () =>
      openFileSink({ dir, layout: 'segments', log: rememberingLog() }),
    ),
  );
  const winners = opened.flatMap((result) => (result.ok ? [result.value] : []));
  assert.equal(winners.length, 1);
  await winners[0]?.close();
});

test('[FD-5] file sink: an event too large is refused by content, with both sizes', async (t) => {
  const dir = await folder(t);
  const sink = await open(dir);
  const large = feedEvent(1, { data: { text: 'x'.repeat(1024 * 1024) } });
  const [result] = await sink.append([feedTextOf(large)]);
  assert.ok(result !== undefined && !result.ok && result.failure.code === 'content');
  assert.match(result.failure.message, /takes 10\d{5} bytes, the feed takes at most 1048576/);
  await sink.close();
});
