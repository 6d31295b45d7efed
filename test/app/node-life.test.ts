/** A life of the daemon in the feed: what is told of it, and that nothing waits for a store that is away. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fail } from '../../machines/model/result.js';
import { type NodeLifeInput, tellOfLife } from '../../src/app/node-life.js';
import { EVENT_SCHEMAS } from '../../src/feed/event-schemas.js';
import { wholeOf } from '../../src/ports/feed-text.js';
import { createVirtualClock } from '../../src/runtime/virtual-clock.js';
import { unwrap } from '../contract/store-fixture.js';
import { numberedIds, rememberingLog } from '../support/quiet.js';
import { memoryStore } from '../support/toy-node.js';

function lifeOn(store: NodeLifeInput['store'], more: Partial<NodeLifeInput> = {}) {
  const clock = createVirtualClock();
  const log = rememberingLog();
  const told: number[] = [];
  const life: NodeLifeInput = {
    ...{ store, clock, log, ids: numberedIds('life'), node: 'edge-1', version: '1.2.3', epoch: 7 },
    appended: (seq) => void told.push(seq),
    ...more,
  };
  return { life, clock, log, told };
}

test('[ND-1] node: each life is told once when it serves and once when it is told to stop', async () => {
  const store = memoryStore();
  const { life, told } = lifeOn(store);
  await tellOfLife(life, 'node.started');
  await tellOfLife(life, 'node.stopping');
  const rows = unwrap(await store.outboxPending(0, 10));
  const events = rows.map(({ event }) => wholeOf(event));
  assert.deepEqual(
    events.map((event) => `${event.orderingKey} ${event.aggregateVersion} ${event.type}`),
    ['node/edge-1 1 node.started', 'node/edge-1 2 node.stopping'],
  );
  assert.deepEqual(told, [1, 2], 'the outbox does not wait for its next look');
  for (const event of events) {
    assert.deepEqual(event.data, { node: 'edge-1', version: '1.2.3', generation: 0, epoch: 7 });
    assert.ok(EVENT_SCHEMAS.get(event.type)?.safeParse(event).success);
  }
});

test('[ND-1] node: a store that takes nothing, or never answers, holds nobody up', async () => {
  const away = fail({ code: 'unavailable' as const, message: 'no room' });
  const refusing = { load: async () => away, commit: async () => [away] };
  const refused = lifeOn(refusing);
  await tellOfLife(refused.life, 'node.stopping');
  const silent = { load: () => new Promise<never>(() => undefined), commit: async () => [] };
  const waiting = lifeOn(silent);
  const told = tellOfLife(waiting.life, 'node.stopping');
  await waiting.clock.advance(5_000);
  await told;
  assert.deepEqual([refused.told, waiting.told], [[], []]);
  assert.match(JSON.stringify(refused.log.lines), /no room/);
});
