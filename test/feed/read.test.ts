/** Reading a feed that lies still and one that grows. */
import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../src/adapters/system/clock.js';
import { type ReadOptions, readFeed } from '../../src/feed/read.js';
import { encodeLine, segmentName } from '../../src/feed/segments.js';
import { feedText } from '../support/feed-events.js';

async function folder(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'switchyard-feed-'));
  t.after(() => rm(dir, { recursive: true }));
  return dir;
}

function lines(from: number, to: number): string {
  return Array.from({ length: to - from + 1 }, (_, offset) => {
    return `${encodeLine(feedText(from + offset), from + offset)}\n`;
  }).join('');
}

async function read(options: ReadOptions): Promise<readonly (number | string)[]> {
  const found: (number | string)[] = [];
  for await (const event of readFeed(options)) {
    found.push(
      event.ok ? event.value.controlVersion : `${event.failure.segment}:${event.failure.line}`,
    );
  }
  return found;
}

test('[FD-6] feed: everything in order, over segments, from where one asks', async (t) => {
  const dir = await folder(t);
  writeFileSync(join(dir, segmentName(1)), lines(1, 3));
  writeFileSync(join(dir, segmentName(4)), lines(4, 5));
  writeFileSync(join(dir, segmentName(6)), lines(6, 6));
  writeFileSync(join(dir, 'writer.lock'), '');
  assert.deepEqual(await read({ dir }), [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(await read({ dir, from: 5 }), [5, 6]);
  assert.deepEqual(await read({ dir, from: 6 }), [6]);
  assert.deepEqual(await read({ dir, from: 7 }), []);
});

test('[FD-6] feed: no folder and an empty folder are an empty feed', async (t) => {
  const dir = await folder(t);
  assert.deepEqual(await read({ dir }), []);
  assert.deepEqual(await read({ dir: join(dir, 'none') }), []);
});

test('[FD-6] feed: lines longer than a read are whole, an unfinished one is not there', async (t) => {
  const dir = await folder(t);
  const long = encodeLine(feedText(1, { data: { text: 'ä'.repeat(200_000) } }), 1);
  writeFileSync(join(dir, segmentName(1)), `${long}\n${lines(2, 2)}${lines(3, 3).slice(0, -1)}`);
  assert.deepEqual(await read({ dir }), [1, 2]);
});

test('[FD-6] feed: a damaged line is a failure in its place', async (t) => {
  const dir = await folder(t);
  writeFileSync(join(dir, segmentName(1)), `${lines(1, 1)}nonsense\n${lines(3, 3)}`);
  assert.deepEqual(await read({ dir }), [1, `${segmentName(1)}:2`, 3]);
});

test('[FD-6] feed: followed, it gives what comes later, also in new segments', async (t) => {
  const dir = await folder(t);
  const end = new AbortController();
  const follow = { clock: systemClock(), signal: end.signal };
  const found: number[] = [];
  const grow: Readonly<Record<number, () => void>> = {
    1: () => appendFileSync(join(dir, segmentName(1)), lines(2, 2)),
    2: () => {
      appendFileSync(join(dir, segmentName(1)), lines(3, 3));
      writeFileSync(join(dir, segmentName(4)), lines(4, 4));
    },
    4: () => end.abort(),
  };
  writeFileSync(join(dir, segmentName(1)), lines(1, 1));
  for await (const event of readFeed({ dir, follow })) {
    assert.ok(event.ok);
    found.push(event.value.controlVersion);
    grow[event.value.controlVersion]?.();
  }
  assert.deepEqual(found, [1, 2, 3, 4]);
});

test('[FD-6] feed: following a folder that is not there yet waits for it', async (t) => {
  const dir = await folder(t);
  const end = new AbortController();
  const following = read({ dir, follow: { clock: systemClock(), signal: end.signal } });
  setImmediate(() => end.abort());
  assert.deepEqual(await following, []);
});
