/**
 * The pump on a real broker that is killed, frozen, and set back to an older state of its disk: with the
 * real store, passes and sink. What has to be waited for are the client's own time-outs; an outage of ten
 * minutes passes in virtual time (test/sim/fleet.test.ts).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { emptyBacklog, type OutboxPorts } from '../../../actors/outbox-backlog.js';
import { runPass } from '../../../actors/outbox-pass.js';
import type { PassReport } from '../../../machines/outbox.js';
import { openNatsSink } from '../../../src/adapters/nats/sink.js';
import { nodeSubject } from '../../../src/adapters/nats/stream.js';
import { openSqliteStore } from '../../../src/adapters/sqlite/open.js';
import { systemClock } from '../../../src/adapters/system/clock.js';
import { noFailpoints } from '../../../src/adapters/system/failpoints.js';
import type { FeedEvent } from '../../../src/ports/store.js';
import { expectOk } from '../../contract/provider.js';
import { decisionOf, publishOf, WEB } from '../../contract/store-values.js';
import { type NatsServer, startNatsServer } from '../../support/nats-server.js';
import { OUTBOX_SETTINGS } from '../../support/outbox-world.js';
import { PLAIN } from '../../support/sqlite-scratch.js';

const STREAM = 'FEED';

async function world() {
  const broker = await startNatsServer();
  const memory = { file: ':memory:', durability: 'normal', node: 'edge-1', epoch: 1 } as const;
  const store = expectOk(openSqliteStore({ ...PLAIN, ...memory }));
  const sink = openNatsSink({
    ...{ servers: [broker.url], name: 'test', stream: STREAM, replicas: 1, writer: 'one' },
    subjectOf: ({ node }) => nodeSubject(STREAM, node),
  });
  const ports: OutboxPorts = {
    ...{ store, sink, failpoints: noFailpoints },
    publisher: { thread: 'outbox', incarnation: 1, epoch: 1 },
  };
  const backlog = emptyBacklog();
  const rule = { settings: OUTBOX_SETTINGS, clock: systemClock() };
  let made = 0;
  return {
    ...{ broker, store, backlog },
    pass: () => runPass(ports, backlog, rule),
    decide: async (count: number): Promise<void> => {
      for (let left = count; left > 0; left -= 1) {
        made += 1;
        const [done] = await store.commit([decisionOf(`d-${made}`, { records: [publishOf(WEB)] })]);
        assert.ok(done?.ok);
      }
    },
    close: async () => {
      await sink.close();
      await store.close();
      await broker.close();
    },
  };
}

type World = Awaited<ReturnType<typeof world>>;

/** Passes until nothing is left to send; the last report. */
async function drain({ pass }: World): Promise<PassReport> {
  for (let attempt = 0; attempt < 400; attempt += 1) {
    const report = await pass();
    if (!report.more && report.stopped === undefined) return report;
    if (report.stopped !== undefined) await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return assert.fail('the outbox did not drain');
}

/** Texts by id, in the order of the stream; an id that is there twice must have one text. */
async function textsIn(broker: NatsServer): Promise<ReadonlyMap<string, string>> {
  const connection = await connect({ servers: broker.url });
  const manager = await jetstreamManager(connection);
  const { state } = await manager.streams.info(STREAM);
  const texts = new Map<string, string>();
  for (let seq = state.first_seq; seq <= state.last_seq; seq += 1) {
    const message = await manager.streams.getMessage(STREAM, { seq });
    const text = message?.string() ?? '';
    const { eventId } = JSON.parse(text) as FeedEvent;
    assert.equal(texts.get(eventId) ?? text, text, `${eventId} is there twice, and not the same`);
    texts.set(eventId, text);
  }
  await connection.close();
  return texts;
}

const idsFrom = (from: number, to: number): readonly string[] =>
  Array.from({ length: to - from + 1 }, (_, at) => `d-${from + at}.0`);

test('[OB-3] [NA-2] outbox on a broker that is killed, and killed again: in order, each once', async (t) => {
  const all = await world();
  t.after(() => all.close());
  await all.decide(6);
  await drain(all);
  for (let life = 0; life < 2; life += 1) {
    await all.broker.kill();
    await all.decide(6);
    const { stopped, more } = await all.pass();
    assert.deepEqual([stopped?.by, more], ['sink', true]);
    await all.broker.start();
    await drain(all);
  }
  assert.deepEqual([...(await textsIn(all.broker)).keys()], idsFrom(1, 18));
  const rows = expectOk(await all.store.outboxList({ limit: 100 }));
  assert.ok(rows.every(({ attempts, state }) => attempts === 0 && state === 'published'));
});

test('[OB-3] [NA-2] outbox on a broker that answers no more: told as away, and nothing is there twice', async (t) => {
  const all = await world();
  t.after(() => all.close());
  await all.decide(3);
  await drain(all);
  await all.broker.pause();
  await all.decide(3);
  const { stopped } = await all.pass();
  assert.equal(stopped?.by, 'sink');
  all.broker.resume();
  await drain(all);
  assert.deepEqual([...(await textsIn(all.broker)).keys()], idsFrom(1, 6));
});

test('[OB-13] [NA-2] outbox on a broker that lost its end: it is said, and republished it is whole again', async (t) => {
  const all = await world();
  t.after(() => all.close());
  await all.decide(4);
  await drain(all);
  await all.broker.kill();
  await all.broker.save();
  await all.broker.start();
  await all.decide(8);
  await drain(all);
  const before = await textsIn(all.broker);
  assert.equal(before.size, 12);
  await all.broker.kill();
  await all.broker.restore();
  await all.broker.start();
  await all.decide(1);
  assert.deepEqual((await drain(all)).lost, { head: 4, expected: 12 });
  const amended = await all.store.outboxAmend({ verb: 'republish', sinceMs: 0 });
  assert.equal(expectOk(amended).rows, 13);
  Object.assign(all.backlog, { rescan: true, lost: undefined });
  assert.equal((await drain(all)).lost, undefined);
  const after = await textsIn(all.broker);
  assert.equal(after.size, 13);
  for (const [eventId, text] of before) assert.equal(after.get(eventId), text, eventId);
});
