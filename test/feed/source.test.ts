/** All sources keep the contract. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFileSink } from '../../src/adapters/file-sink/sink.js';
import { systemClock } from '../../src/adapters/system/clock.js';
import { openFileSource } from '../../src/feed/file-source.js';
import { expectOk } from '../contract/provider.js';
import { sourceContract } from '../contract/source.js';
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
