/** The pool of threads: its spare has rehearsed, and at its end nothing of it is left. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { BroadcastChannel } from 'node:worker_threads';
import { systemClock } from '../../../src/adapters/system/clock.js';
import { createThreadPool } from '../../../src/adapters/threads/pool.js';

const CHILD = fileURLToPath(new URL('../../support/pool-child.js', import.meta.url));

test('[SU-33] pool: one that ended makes no thread when one that was cut off ends at last, and the process ends', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [CHILD], { timeout: 30_000 });
  assert.equal(stdout.trim(), 'threads 0');
});

const LOADER = fileURLToPath(new URL('../../../src/app/worker-loader.cjs', import.meta.url));
const ENTRY = new URL('../../support/rehearsing-entry.js', import.meta.url).href;

test('[SU-32] pool: a spare that came up by itself, in the place of one that was cut off, rehearses too', async () => {
  const stage = new BroadcastChannel('stage');
  const told = (what: string) =>
    new Promise<void>((resolve) => {
      stage.addEventListener('message', (event) => {
        if ((event as MessageEvent).data === what) resolve();
      });
    });
  const [runs, rehearses] = [told('runs'), told('rehearses')];
  const pool = createThreadPool({
    ...{ loader: LOADER, entry: ENTRY, tasks: 1, heapMb: 64, after: systemClock().after },
    onSpareDied: () => undefined,
  });
  const cut = new AbortController();
  const first = pool.run({}, [], cut.signal).catch(() => undefined);
  await runs;
  cut.abort();
  await first;
  // The pool makes a thread in the place of the first, and another for a task that does not wait for it.
  const second = pool.run({}, [], new AbortController().signal).catch(() => undefined);
  pool.settled();
  await rehearses;
  stage.close();
  await pool.close();
  await second;
});
