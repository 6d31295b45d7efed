/** The `nats` sink against a real server: the contract, what fences a writer, what an outage does. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, headers } from '@nats-io/transport-node';
import { openNatsSink } from '../../../src/adapters/nats/sink.js';
import { nodeSubject } from '../../../src/adapters/nats/stream.js';
import { feedTextOf } from '../../../src/ports/feed-text.js';
import type { Sink } from '../../../src/ports/sink.js';
import type { FeedEvent, FeedText } from '../../../src/ports/store.js';
import { sinkContract } from '../../contract/sink.js';
import { feedEvents, feedText, feedTexts } from '../../support/feed-events.js';
import { type NatsServer, startNatsServer } from '../../support/nats-server.js';

let server: NatsServer;
let streams = 0;

before(async () => {
  server = await startNatsServer();
});

after(() => server.close());

interface Given {
  readonly stream: string;
  readonly writer?: string;
  readonly at?: NatsServer;
  readonly subjectOf?: (event: FeedText) => string;
}

function freshStream(): string {
  streams += 1;
  return `FEED${streams}`;
}

function sinkOn({ stream, writer = 'one', at = server, subjectOf }: Given): Sink {
  return openNatsSink({
    servers: [at.url],
    name: 'test',
    stream,
    replicas: 1,
    writer,
    subjectOf: subjectOf ?? (({ node }) => nodeSubject(stream, node)),
  });
}

/** A message of a writer whose epoch nobody has to mind. */
async function forge(stream: string): Promise<void> {
  const connection = await connect({ servers: server.url });
  const head = headers();
  head.set('Switchyard-Writer', 'old');
  head.set('Switchyard-Epoch', '0');
  const text = feedText(91, { epoch: 0 }).text;
  await jetstream(connection).publish(nodeSubject(stream, 'edge-1'), text, { headers: head });
  await connection.close();
}

/** Ids of the stream's messages, in order. */
async function idsIn(stream: string, at = server): Promise<readonly string[]> {
  const connection = await connect({ servers: at.url });
  const manager = await jetstreamManager(connection);
  const { state } = await manager.streams.info(stream);
  const ids: string[] = [];
  for (let seq = state.first_seq; seq <= state.last_seq; seq += 1) {
    const message = await manager.streams.getMessage(stream, { seq });
    ids.push(message?.json<FeedEvent>().eventId ?? 'gone');
  }
  await connection.close();
  return ids;
}

function codesOf(results: Awaited<ReturnType<Sink['append']>>): readonly string[] {
  return results.map((result) => (result.ok ? 'ok' : result.failure.code));
}

sinkContract(
  'nats',
  async () => {
    const stream = freshStream();
    const sink = sinkOn({ stream });
    const intrude = async (): Promise<void> => {
      const intruder = sinkOn({ stream, writer: 'intruder' });
      // It has our name and an epoch above ours; then another, below ours, has the last word.
      assert.deepEqual(codesOf(await intruder.append([feedText(90, { epoch: 2 })])), ['ok']);
      await intruder.close();
      await forge(stream);
    };
    return { sink, intrude, dispose: () => sink.close() };
  },
  { refusing: true },
);

test('[NA-1] nats sink: of two writers of one subject the older epoch gets nothing in', async () => {
  const stream = freshStream();
  const old = sinkOn({ stream, writer: 'old' });
  const next = sinkOn({ stream, writer: 'next' });
  assert.deepEqual(codesOf(await old.append(feedTexts(1, 3))), ['ok', 'ok', 'ok']);
  assert.deepEqual(codesOf(await next.append([feedText(4, { epoch: 2 })])), ['ok']);
  const late = await old.append(feedTexts(5, 9));
  assert.deepEqual(new Set(codesOf(late)), new Set(['fenced']));
  assert.deepEqual(codesOf(await next.append([feedText(10, { epoch: 2 })])), ['ok']);
  const again = await old.append(feedTexts(5, 6));
  assert.match(JSON.stringify(again[0]), /belongs to another writer of epoch 2/);
  assert.deepEqual(await idsIn(stream), ['event-1', 'event-2', 'event-3', 'event-4', 'event-10']);
  await Promise.all([old.close(), next.close()]);
});

test('[NA-1] nats sink: a namesake of the same epoch does not get in between', async () => {
  const stream = freshStream();
  const one = sinkOn({ stream });
  const other = sinkOn({ stream, writer: 'other' });
  await one.append([feedText(1)]);
  assert.deepEqual(codesOf(await other.append([feedText(2)])), ['fenced']);
  await Promise.all([one.close(), other.close()]);
});

test('[NA-1] nats sink: writers of different subjects share a stream, each in its order', async () => {
  const stream = freshStream();
  const nodes = ['a', 'b', 'c'];
  const sinks = nodes.map((node) => sinkOn({ stream, writer: node }));
  const eventsOf = (node: string): readonly FeedText[] =>
    feedEvents(1, 400).map((event) =>
      feedTextOf({ ...event, node, eventId: `${node}-${event.eventId}` }),
    );
  const answers = await Promise.all(
    sinks.map((sink, index) => sink.append(eventsOf(nodes[index] ?? ''))),
  );
  const ids = await idsIn(stream);
  for (const [index, node] of nodes.entries()) {
    const own = ids.filter((id) => id.startsWith(`${node}-`));
    const acknowledged = (answers[index] ?? []).filter(({ ok }) => ok).length;
    assert.deepEqual(
      own,
      eventsOf(node)
        .slice(0, own.length)
        .map(({ eventId }) => eventId),
    );
    assert.ok(own.length >= acknowledged && acknowledged > 0);
  }
  await Promise.all(sinks.map((sink) => sink.close()));
});

test('[NA-1] nats sink: a restarted writer goes on where its last life stood', async () => {
  const stream = freshStream();
  const first = sinkOn({ stream });
  await first.append(feedTexts(1, 3));
  await first.close();
  const second = sinkOn({ stream });
  const events = feedEvents(2, 5).map((event) => feedTextOf({ ...event, epoch: 2 }));
  const numbers = (await second.append(events)).map((one) => one.ok && one.value.controlVersion);
  assert.deepEqual(numbers, [2, 3, 4, 5]);
  await second.close();
});

test('[FD-5] nats sink: an event larger than the server takes is refused, what is not goes on', async () => {
  const sink = sinkOn({ stream: freshStream() });
  const large = feedText(1, { data: { text: 'x'.repeat(2_000_000) }, orderingKey: 'group/a/b' });
  const results = await sink.append([
    large,
    feedText(2),
    feedText(3, { orderingKey: 'group/a/b' }),
  ]);
  assert.deepEqual(codesOf(results), ['content', 'ok', 'content']);
  await sink.close();
});

test('[NA-2] nats sink: a stream that would lose or repeat events is refused by name', async () => {
  const stream = freshStream();
  const connection = await connect({ servers: server.url });
  const manager = await jetstreamManager(connection);
  await manager.streams.add({ name: stream, subjects: [`${stream}.>`], retention: 'workqueue' });
  const sink = sinkOn({ stream });
  const [result] = await sink.append([feedText(1)]);
  assert.match(JSON.stringify(result), /unavailable.*retention is workqueue/);
  await manager.streams.delete(stream);
  assert.deepEqual(codesOf(await sink.append([feedText(1)])), ['ok']);
  await Promise.all([sink.close(), connection.close()]);
});

test('[NA-2] nats sink: a server that is killed is away, and back with all that it acknowledged', async () => {
  const own = await startNatsServer();
  const sink = sinkOn({ stream: 'FEED', at: own });
  assert.deepEqual(codesOf(await sink.append(feedTexts(1, 2))), ['ok', 'ok']);
  await own.kill();
  assert.deepEqual(codesOf(await sink.append(feedTexts(3, 4))), ['unavailable', 'unavailable']);
  await own.start();
  await untilOk(sink, [feedText(2), feedText(3), feedText(4)]);
  assert.deepEqual(await idsIn('FEED', own), ['event-1', 'event-2', 'event-3', 'event-4']);
  await sink.close();
  await own.close();
});

test('[NA-2] nats sink: a server that lost its end takes what follows, and the lost again', async () => {
  const own = await startNatsServer();
  const sink = sinkOn({ stream: 'FEED', at: own });
  await sink.append(feedTexts(1, 2));
  await own.kill();
  await own.save();
  await own.start();
  await untilOk(sink, feedTexts(3, 5));
  await own.kill();
  await own.restore();
  await own.start();
  await untilOk(sink, [feedText(6)]);
  // Republished: the same ids and bytes as before.
  await untilOk(sink, feedTexts(1, 5));
  const ids = await idsIn('FEED', own);
  assert.deepEqual(
    [...ids].sort(),
    feedTexts(1, 6).map(({ eventId }) => eventId),
  );
  await sink.close();
  await own.close();
});

test('[NA-2] nats sink: nobody listens there: told in one sentence, at once', async () => {
  const sink = openNatsSink({
    servers: ['127.0.0.1:1'],
    name: 'test',
    stream: 'FEED',
    replicas: 1,
    writer: 'one',
    subjectOf: () => 'FEED.node.x',
  });
  const [result] = await sink.append([feedText(1)]);
  assert.match(JSON.stringify(result), /unavailable.*NATS at 127\.0\.0\.1:1: /);
  await sink.close();
});

async function untilOk(sink: Sink, events: readonly FeedText[]): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const results = await sink.append(events);
    if (results.every(({ ok }) => ok)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail('the sink did not come back');
}
