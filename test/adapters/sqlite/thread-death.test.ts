/** The store thread dies with the file open: its successor in the same process gets the lock. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { unwrap } from '../../contract/store-fixture.js';
import { openOrThrow, type Scratch, scratch } from '../../support/sqlite-scratch.js';

const scratches: Scratch[] = [];
after(() => {
  for (const one of scratches) one.remove();
});

const deaths = [
  { name: 'cut off', end: 'stay', kill: (worker: Worker) => void worker.terminate() },
  { name: 'of a throw', end: 'throw', kill: (worker: Worker) => worker.postMessage('die') },
] as const;
for (const { name, end, kill } of deaths) {
  test(`[ST-7] open: after its thread died, ${name}, the file is free and whole`, async () => {
    const place = scratch();
    scratches.push(place);
    const script = new URL('./thread-child.js', import.meta.url);
    const worker = new Worker(script, { workerData: { file: place.file, end } });
    worker.on('error', () => undefined);
    await once(worker, 'message');
    const exited = new Promise((resolve) => worker.once('exit', resolve));
    kill(worker);
    await exited;
    const store = openOrThrow(place.file);
    assert.equal(unwrap(await store.load(['group'])).length, 1);
    assert.equal(unwrap(await store.outboxCounts()).pending, 1);
    await store.close();
  });
}
