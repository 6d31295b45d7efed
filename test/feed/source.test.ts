/** All sources keep the contract. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openFileSink } from '../../src/adapters/file-sink/sink.js';
import { systemClock } from '../../src/adapters/system/clock.js';
import { openFileSource } from '../../src/feed/file-source.js';
import { segmentName } from '../../src/feed/segments.js';
import { expectOk } from '../contract/provider.js';
import { sourceContract } from '../contract/source.js';
import { feedEvent, feedText } from '../support/feed-events.js';
import { openMemorySink } from '../support/memory-sink.js';
import { openMemorySource } from '../support/memory-source.js';
import { rememberingLog } from '../support/quiet.js';

/** A few events each: reading crosses from one to the next. */
const SEGMENT_BYTES = 700;

for (const layout of ['segments', 'per-event'] as const) {
  sourceContract(`file source of ${layout}`, async () => {
    const dir = await mkdtemp(join(tmpdir(), 'switchyard-feed-'));
    const log = rememberingLog();
    const sink = expectOk(await openFileSink({ dir, layout, log, segmentBytes: SEGMENT_BYTES }));
    const source = openFileSource({ dir, clock: systemClock() });
    const dispose = async (): Promise<void> => {
      await source.close();
      await sink.close();
      await rm(dir, { recursive: true });
    };
    return { source, sink, dispose };
  });
}

sourceContract('memory source', async () => {
  const sink = openMemorySink();
  return { source: openMemorySource(sink), sink, dispose: async () => undefined };
});

test('[FA-7] file source: the head is counted on from the last read, and seen when the feed loses its end', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'switchyard-feed-'));
  t.after(() => rm(dir, { recursive: true }));
  const options = { dir, layout: 'segments', log: rememberingLog() } as const;
  const append = async (...numbers: readonly number[]): Promise<void> => {
    const sink = expectOk(await openFileSink(options));
    await sink.append(numbers.map((number) => feedText(number)));
    await sink.close();
  };
  const source = openFileSource({ dir, clock: systemClock() });
  await append(1, 2, 3);
  expectOk(await source.read(0, 2));
  assert.equal(expectOk(await source.head()), 3);
  await append(4);
  assert.equal(expectOk(await source.head()), 4);
  expectOk(await source.read(2, 9));
  await truncate(join(dir, segmentName(1)), JSON.stringify(feedEvent(1)).length + 1);
  assert.ok(expectOk(await source.head()) <= 1);
  await append(5, 6);
  assert.ok(expectOk(await source.head()) >= 2);
});
