/** The threads of a node from the side of main: a death is handled once, and only while they serve. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { NODE_TREE } from '../../actors/node-tree.js';
import { systemClock } from '../../src/adapters/system/clock.js';
import { createMesh } from '../../src/adapters/threads/mesh.js';
import { createThreads, type ThreadSpec, type Threads } from '../../src/app/threads.js';
import { threadTree } from '../../src/app/tree-walk.js';
import type { SupervisorSpec } from '../../src/supervision/spec.js';
import { rememberingLog, rememberingMetrics, seededRandom } from '../support/quiet.js';
import { workerSettings } from '../support/worker-settings.js';

const TREE: SupervisorSpec<ThreadSpec> = {
  ...NODE_TREE,
  backoff: { baseMs: 1, maxMs: 4 },
  children: threadTree([]).children.slice(0, 1),
};

interface Crew {
  readonly threads: Threads;
  /** What was told, in order. */
  readonly told: string[];
  readonly log: ReturnType<typeof rememberingLog>;
  /** Resolves at the next word of this kind. */
  next(word: string): Promise<void>;
}

function crew(entry?: string): Crew {
  const told: string[] = [];
  let waiting: { readonly word: string; readonly resolve: () => void }[] = [];
  const tell = (word: string, rest = ''): void => {
    told.push(`${word}${rest}`);
    const here = waiting.filter((wait) => wait.word === word);
    waiting = waiting.filter((wait) => wait.word !== word);
    for (const { resolve } of here) resolve();
  };
  const log = rememberingLog();
  const mesh = createMesh({
    thread: 'main',
    incarnation: 0,
    log,
    deliver: () => undefined,
    settle: () => undefined,
    answer: () => null,
  });
  const threads = createThreads({
    tree: TREE,
    mesh,
    log,
    metrics: rememberingMetrics(),
    incarnationBase: () => 100,
    settings: () => workerSettings(),
    ...(entry === undefined ? {} : { entry }),
    clock: { monotonic: () => 0, after: systemClock().after },
    random: seededRandom(1),
    onReplace: async (name, incarnation) => tell('replace', ` ${name} ${incarnation}`),
    onReplaced: (name) => tell('replaced', ` ${name}`),
    onGiveUp: (name) => tell('gave up', ` ${name}`),
  });
  const next = (word: string): Promise<void> =>
    new Promise((resolve) => void waiting.push({ word, resolve }));
  return { threads, told, next, log };
}

test('[SU-4] a death is handled once, with a higher incarnation; the sixth is the end', async () => {
  const { threads, told, next } = crew();
  const started = await threads.start(['store']);
  assert.ok(started.ok, JSON.stringify(started));
  for (let life = 0; life < 5; life += 1) {
    const replaced = next('replaced');
    assert.ok(threads.kill('store'));
    assert.ok(threads.kill('store'), 'killed twice in one life');
    await replaced;
  }
  const end = next('gave up');
  threads.kill('store');
  await end;
  assert.deepEqual(told, [
    ...[102, 103, 104, 105, 106].flatMap((n) => [`replace store ${n}`, 'replaced store']),
    'gave up store',
  ]);
  assert.equal(threads.kill('store'), false);
  await threads.close();
});

test('[SU-13] an actor that ends its thread as it starts is blamed for it as well, and kept out', async () => {
  const entry = new URL('../support/stillborn-entry.js', import.meta.url).href;
  const { threads, told, next } = crew(entry);
  assert.ok((await threads.start(['store'])).ok);
  const replaced = next('replaced');
  threads.kill('store');
  await Promise.race([replaced, next('gave up')]);
  assert.deepEqual(told, [
    ...[102, 103, 104, 105].map((n) => `replace store ${n}`),
    'replaced store',
  ]);
  await threads.stop();
  await threads.close();
});

test('[SU-4] a spare thread that dies is replaced by the pool, and concerns nobody', async () => {
  const entry = new URL('../support/restless-entry.js', import.meta.url).href;
  const { threads, told, log } = crew(entry);
  assert.ok((await threads.start(['store'])).ok);
  const idle = () => log.lines.filter(({ message }) => message.startsWith('idle thread died'));
  while (idle().length < 2) await sleep(20);
  assert.deepEqual(told, []);
  assert.equal(threads.kill('store'), true, 'it serves');
  await threads.close();
});

test('[SU-4] a thread that was told to stop, or is closed, is not replaced', async () => {
  const stopped = crew();
  assert.ok((await stopped.threads.start(['store'])).ok);
  await stopped.threads.stop();
  await stopped.threads.close();
  const closed = crew();
  assert.ok((await closed.threads.start(['store'])).ok);
  await closed.threads.close();
  assert.deepEqual([...stopped.told, ...closed.told], []);
  assert.ok(!(await stopped.threads.start(['store'])).ok, 'nothing starts after a stop');
});
