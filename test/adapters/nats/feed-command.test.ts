/** `feed tail` and `feed verify` on a real stream, as an operator runs them: nothing but a name is needed. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openNatsSink } from '../../../src/adapters/nats/sink.js';
import { nodeSubject } from '../../../src/adapters/nats/stream.js';
import { runCli } from '../../support/daemon.js';
import { feedText } from '../../support/feed-events.js';
import { type NatsServer, startNatsServer } from '../../support/nats-server.js';

let server: NatsServer;

before(async () => {
  server = await startNatsServer();
});

after(() => server.close());

test('[CL-47] [NA-4] feed: a stream is read where it lies, and one that cannot be read is told', async () => {
  const stream = 'OPERATOR';
  const sink = openNatsSink({
    ...{ servers: [server.url], name: 'test', stream, replicas: 1, writer: 'one' },
    subjectOf: ({ node }) => nodeSubject(stream, node),
  });
  await sink.append([feedText(1), feedText(2)]);
  const source = `nats://${server.url}/${stream}`;
  const verified = await runCli(['feed', 'verify', '--json', '--source', source]);
  assert.equal(verified.code, 0, verified.stderr);
  const { events, problems } = JSON.parse(verified.stdout) as {
    readonly events: number;
    readonly problems: readonly { readonly code: string }[];
  };
  assert.deepEqual([events, problems.map(({ code }) => code)], [2, []]);
  const tail = await runCli(['feed', 'tail', '--jsonl', '--from', '2', '--source', source]);
  assert.deepEqual(
    tail.stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { eventId: string }).eventId),
    ['event-2'],
  );
  await sink.close();
  const nobody = `nats://127.0.0.1:1/${stream}`;
  const away = await runCli(['feed', 'verify', '--source', nobody]);
  assert.deepEqual([away.code, away.stdout], [1, '']);
  assert.match(away.stderr, /NATS at/);
});
