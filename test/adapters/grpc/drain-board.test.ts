/** Drains as their executors are told of them, on a clock that stands still. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseInstanceId } from '../../../machines/model/ids.js';
import type { JsonObject } from '../../../machines/model/json.js';
import { createDrainBoard, type DrainNotice } from '../../../src/adapters/grpc/drain-board.js';
import { createVirtualClock } from '../../../src/runtime/virtual-clock.js';
import { fakeNode } from '../../support/fake-node-api.js';

const A = 'i-3f2a-0190abcdef0123456789';
const B = 'i-3f2a-0190abcdef012345678b';
const STARTED = '2026-03-01T12:00:00.000Z';
const DEADLINE = '2026-03-01T12:05:00.000Z';

interface Lab {
  readonly board: ReturnType<typeof createDrainBoard>;
  readonly node: ReturnType<typeof fakeNode>;
  readonly clock: ReturnType<typeof createVirtualClock>;
  put(id: string, state: string, more?: JsonObject): void;
  remove(id: string): void;
}

function openLab(): Lab {
  const node = fakeNode();
  const clock = createVirtualClock();
  const views = new Map<string, JsonObject>();
  const publish = (): void => {
    node.script.views = Object.fromEntries(
      [...views].map(([id, view]) => [`instance/${id}`, view]),
    );
    node.script.lists = {
      ...node.script.lists,
      instances: [...views.values()].filter(({ state }) => state === 'draining'),
    };
  };
  return {
    node,
    clock,
    board: createDrainBoard({ api: node.api, clock }),
    put: (id, state, more = {}) => {
      const drain = { reason: 'scale-down', startedAt: STARTED, deadline: DEADLINE, ...more };
      views.set(id, { id, tenant: id === A ? 'acme' : 'other', group: 'web', state, drain });
      publish();
    },
    remove: (id) => {
      views.delete(id);
      publish();
    },
  };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

function reader(room = Number.POSITIVE_INFINITY) {
  const told: DrainNotice[] = [];
  let left = room;
  return {
    told,
    said: () => told.map(({ instance, phase }) => `${instance === A ? 'A' : 'B'} ${phase}`),
    tell: (notice: DrainNotice) => {
      told.push(notice);
      left -= 1;
      return left > 0;
    },
    refill: (more: number) => {
      left = more;
    },
  };
}

test('[ID-20] [ID-21] what waits comes first, then what begins and ends; the same again after a reconnect', async () => {
  const lab = openLab();
  lab.put(A, 'draining');
  const first = reader();
  const following = lab.board.follow(first);
  await settle();
  assert.deepEqual(first.said(), ['A PENDING']);
  lab.put(B, 'draining');
  lab.node.emit({ kind: 'instance', object: B, event: 'instance.draining' });
  await settle();
  following.stop();
  const second = reader();
  lab.board.follow(second);
  await settle();
  assert.deepEqual(second.said().sort(), ['A PENDING', 'B PENDING']);
  assert.deepEqual(
    second.told.find(({ instance }) => instance === A),
    first.told[0],
  );
  assert.equal(first.told[0]?.deadlineMs, Date.parse(DEADLINE));
  lab.put(A, 'drained', { endedBy: 'acknowledged' });
  lab.node.emit({ kind: 'instance', object: A, event: 'instance.drained' });
  await settle();
  assert.deepEqual(second.said().at(-1), 'A ENDED');
  assert.equal(second.told.at(-1)?.endedBy, 'acknowledged');
});

test('[ID-20] an entry of the journal that never came costs a delay, not a drain', async () => {
  const lab = openLab();
  const one = reader();
  lab.board.follow(one);
  await settle();
  lab.put(A, 'draining');
  await lab.clock.advance(30_000);
  await settle();
  assert.deepEqual(one.said(), ['A PENDING']);
  lab.remove(A);
  await lab.clock.advance(30_000);
  await settle();
  assert.deepEqual(one.said(), ['A PENDING', 'A ENDED']);
});

test('[ID-20] [CL-7] a reader that is full is told the rest when it has room, each as it is by then', async () => {
  const lab = openLab();
  lab.put(A, 'draining');
  lab.put(B, 'draining');
  const slow = reader(1);
  const following = lab.board.follow(slow);
  await settle();
  assert.equal(slow.told.length, 1);
  slow.refill(10);
  following.resume();
  assert.deepEqual(slow.said().sort(), ['A PENDING', 'B PENDING']);
});

test('[ID-20] [ID-17] who follows one instance or one tenant hears of that alone', async () => {
  const lab = openLab();
  lab.put(A, 'draining');
  lab.put(B, 'draining');
  const instance = parseInstanceId(B) ?? assert.fail();
  const [ofB, ofAcme] = [reader(), reader()];
  lab.board.follow({ instance, tell: ofB.tell });
  lab.board.follow({ tenant: 'acme', tell: ofAcme.tell });
  await settle();
  assert.deepEqual([ofB.said(), ofAcme.said()], [['B PENDING'], ['A PENDING']]);
});

test('[ID-20] the journal is followed only while somebody follows the board', async () => {
  const lab = openLab();
  assert.equal(lab.node.watchers(), 0);
  const stops = [lab.board.follow(reader()), lab.board.follow(reader())].map(({ stop }) => stop);
  await settle();
  assert.equal(lab.node.watchers(), 1);
  for (const stop of stops) stop();
  assert.equal(lab.node.watchers(), 0);
});
