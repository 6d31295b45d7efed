/** The outbox actor in a real host, on the real store and the real file sink: decision to feed line. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { blockActor } from '../../actors/block-actor.js';
import { outboxActor } from '../../actors/outbox-actor.js';
import type { OutboxPorts } from '../../actors/outbox-backlog.js';
import { poolActor } from '../../actors/pool-actor.js';
import { addressOf } from '../../machines/model/ids.js';
import type { Message } from '../../machines/model/messages.js';
import { openFileSink } from '../../src/adapters/file-sink/sink.js';
import { systemClock } from '../../src/adapters/system/clock.js';
import { noFailpoints } from '../../src/adapters/system/failpoints.js';
import { readFeed } from '../../src/feed/read.js';
import type { Sink } from '../../src/ports/sink.js';
import type { Store } from '../../src/ports/store.js';
import type { ActorType } from '../../src/runtime/actor-type.js';
import { createHost, type Host } from '../../src/runtime/host.js';
import { createSinglePlacement } from '../../src/runtime/placement.js';
import { expectOk } from '../contract/provider.js';
import { OUTBOX_SETTINGS } from '../support/outbox-world.js';
import { numberedIds, rememberingLog, rememberingMetrics, seededRandom } from '../support/quiet.js';
import { memoryStore } from '../support/toy-node.js';
import { verifyFolder } from '../support/verify-folder.js';

const POOL = addressOf('pool', 'public');
const PUBLISHER = { thread: 'main', incarnation: 1, epoch: 1 };
const OUTBOX = addressOf('outbox', 'main');

/** One life of a node: its host, its sink, and when so many events have been acknowledged. */
async function life(dir: string, store: Store, incarnation: number) {
  const log = rememberingLog();
  const sink = expectOk(await openFileSink({ dir, layout: 'segments', log }));
  const waiting: { readonly count: number; readonly done: () => void }[] = [];
  let acknowledged = 0;
  const counted: Sink = {
    resume: () => sink.resume(),
    putArtifact: (ref, bytes) => sink.putArtifact(ref, bytes),
    append: async (events) => {
      const results = await sink.append(events);
      acknowledged += results.filter(({ ok }) => ok).length;
      for (const { count, done } of waiting) if (acknowledged >= count) done();
      return results;
    },
    close: () => sink.close(),
  };
  const metrics = rememberingMetrics();
  const ports: OutboxPorts = {
    store,
    sink: counted,
    failpoints: noFailpoints,
    metrics,
    publisher: PUBLISHER,
  };
  const host: Host = createHost({
    thread: 'main',
    incarnation,
    types: [outboxActor as ActorType, poolActor as ActorType, blockActor],
    services: [],
    placement: createSinglePlacement(),
    clock: systemClock(),
    ids: numberedIds(`d${incarnation}`),
    random: seededRandom(incarnation),
    log,
    metrics,
    store,
    ports,
    remote: { send: () => false, reply: () => undefined },
    generation: () => 1,
  });
  expectOk(await host.start());
  return {
    host,
    log,
    metrics,
    tell: (to: typeof POOL, message: Message & Record<string, unknown>) =>
      host.tell(to, message, 'test'),
    acknowledgedReach: (count: number): Promise<void> =>
      new Promise((done) => {
        if (acknowledged >= count) done();
        else waiting.push({ count, done });
      }),
    end: async () => {
      await host.stop();
      await sink.close();
    },
  };
}

test('[OB-7] [OB-5] outbox actor: decisions reach the feed on their own, over restarts', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'switchyard-outbox-'));
  t.after(() => rm(dir, { recursive: true }));
  const store = memoryStore();
  // A poll this rare cannot be what publishes: every row is published because it was announced.
  const settings = { ...OUTBOX_SETTINGS, pollIntervalMs: 3_600_000 };

  const first = await life(dir, store, 1);
  first.tell(OUTBOX, { type: 'outbox.settings', settings });
  first.tell(POOL, {
    type: 'pool.desired',
    spec: { name: 'public', cidr: '198.51.100.0/24', generation: 1 },
  });
  for (const frontend of ['a', 'b', 'c']) first.tell(POOL, { type: 'pool.allocate', frontend });
  await first.acknowledgedReach(3);
  await first.end();
  assert.equal(expectOk(await store.outboxCounts()).pending, 0, 'a stop writes back');
  assert.equal(first.metrics.counts['outbox_published_total'], 3);

  const second = await life(dir, store, 2);
  second.tell(POOL, { type: 'pool.allocate', frontend: 'd' });
  second.tell(OUTBOX, { type: 'outbox.settings', settings });
  await second.acknowledgedReach(1);
  await second.end();

  const lines: string[] = [];
  for await (const event of readFeed({ dir })) {
    const { controlVersion, aggregateVersion, type } = expectOk(event);
    lines.push(`${controlVersion} ${aggregateVersion} ${type}`);
  }
  const wanted = [1, 2, 3, 4].map((version) => `${version} ${version} allocation.made`);
  assert.deepEqual(lines, wanted);
  assert.equal((await verifyFolder(dir)).problemsTotal, 0);
  expectOk({ ok: true, value: await store.close() });
});
