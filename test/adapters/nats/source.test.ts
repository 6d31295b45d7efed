/** The feed in NATS, read back: the contract of sources, and a reader that was set back. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openNatsSink } from '../../../src/adapters/nats/sink.js';
import { openNatsSource } from '../../../src/adapters/nats/source.js';
import { nodeSubject } from '../../../src/adapters/nats/stream.js';
import { expectOk } from '../../contract/provider.js';
import { type SourceLab, sourceContract } from '../../contract/source.js';
import { feedTexts } from '../../support/feed-events.js';
import { type NatsServer, startNatsServer } from '../../support/nats-server.js';

let server: NatsServer;
let streams = 0;

before(async () => {
  server = await startNatsServer();
});

after(() => server.close());

function open(): SourceLab {
  streams += 1;
  const stream = `SOURCE${streams}`;
  const access = { servers: [server.url], name: 'test', stream, replicas: 1 };
  const sink = openNatsSink({
    ...access,
    writer: 'one',
    subjectOf: ({ node }) => nodeSubject(stream, node),
  });
  const source = openNatsSource({ ...access, reader: 'reader' });
  const dispose = async (): Promise<void> => {
    await Promise.all([sink.close(), source.close()]);
  };
  return { sink, source, dispose };
}

sourceContract('nats source', async () => open());

test('[NA-4] nats source: a reader that was set back reads from its own cursor, not the server’s', async () => {
  const { sink, source, dispose } = open();
  await sink.append(feedTexts(1, 6));
  expectOk(await source.read(0, 6));
  expectOk(await source.acknowledge(6));
  const again = expectOk(await source.read(2, 10));
  assert.deepEqual(
    again.map(({ controlVersion }) => controlVersion),
    [3, 4, 5, 6],
  );
  await dispose();
});
