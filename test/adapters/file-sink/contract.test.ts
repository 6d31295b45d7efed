/** All sinks keep the contract. */
import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFileSink } from '../../../src/adapters/file-sink/sink.js';
import { openNopSink } from '../../../src/adapters/nop-sink/sink.js';
import { encodeLine, segmentName } from '../../../src/feed/segments.js';
import { expectOk } from '../../contract/provider.js';
import { sinkContract } from '../../contract/sink.js';
import { feedText } from '../../support/feed-events.js';
import { openMemorySink } from '../../support/memory-sink.js';
import { rememberingLog } from '../../support/quiet.js';

const nothing = async (): Promise<void> => undefined;

sinkContract(
  'file sink',
  async () => {
    const dir = await mkdtemp(join(tmpdir(), 'switchyard-feed-'));
    const sink = expectOk(await openFileSink({ dir, layout: 'segments', log: rememberingLog() }));
    return {
      sink,
      intrude: async () => {
        const line = encodeLine(feedText(99, { eventId: 'of-another' }), 3);
        await appendFile(join(dir, segmentName(1)), `${line}\n`);
      },
      dispose: async () => {
        await sink.close();
        await rm(dir, { recursive: true });
      },
    };
  },
  { refusing: true },
);
sinkContract(
  'file sink of one file per event',
  async () => {
    const dir = await mkdtemp(join(tmpdir(), 'switchyard-feed-'));
    const sink = expectOk(await openFileSink({ dir, layout: 'per-event', log: rememberingLog() }));
    return {
      sink,
      dispose: async () => {
        await sink.close();
        await rm(dir, { recursive: true });
      },
    };
  },
  { refusing: true },
);
sinkContract(
  'memory sink',
  async () => {
    const sink = openMemorySink();
    return { sink, intrude: async () => sink.intrude(), dispose: nothing };
  },
  { refusing: true },
);
sinkContract('nop sink', async () => ({ sink: openNopSink(), dispose: nothing }), {
  refusing: false,
});
