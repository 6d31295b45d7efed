/** Threads that are ended while they still load what they are to run: nothing else ends with them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { NODE_TREE } from '../../actors/node-tree.js';
import { systemClock } from '../../src/adapters/system/clock.js';
import { createMesh } from '../../src/adapters/threads/mesh.js';
import { createThreads } from '../../src/app/threads.js';
import { threadTree } from '../../src/app/tree-walk.js';
import { rememberingLog, rememberingMetrics, seededRandom } from '../support/quiet.js';
import { seedOfRun } from '../support/seed.js';
import { workerSettings } from '../support/worker-settings.js';

const SHARDS = Array.from({ length: 6 }, (_, n) => `shard-${n}`);
const ROUNDS = 12;

test('[SU-31] threads that are ended as they load end alone', async () => {
  const random = seededRandom(seedOfRun());
  for (let round = 0; round < ROUNDS; round += 1) {
    const log = rememberingLog();
    const threads = createThreads({
      tree: { ...NODE_TREE, children: threadTree(SHARDS).children },
      mesh: createMesh({
        thread: 'main',
        incarnation: 0,
        log,
        deliver: () => undefined,
        settle: () => undefined,
        answer: () => null,
      }),
      log,
      metrics: rememberingMetrics(),
      incarnationBase: () => 100,
      settings: () => workerSettings({ shards: SHARDS.length }),
      clock: systemClock(),
      random,
      onReplace: async () => undefined,
      onReplaced: () => undefined,
      onGiveUp: () => undefined,
    });
    const started = threads.start(['store']);
    // Somewhere between the first thread and the last one's last module.
    await sleep(random.next() * 1_500);
    await threads.close();
    await started;
    assert.ok(!(await threads.start(['store'])).ok);
  }
});
