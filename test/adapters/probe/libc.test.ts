/** Calls of the C library: from the main thread, and from no other. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { loadLibc } from '../../../src/adapters/probe/libc.js';

const MODULE = new URL('../../../src/adapters/probe/libc.js', import.meta.url).href;
const CODE = `
  const { parentPort } = require('node:worker_threads');
  import(${JSON.stringify(MODULE)})
    .then(({ loadLibc }) => loadLibc())
    .then((libc) => parentPort.postMessage(libc.ok ? 'loaded' : libc.failure));
`;

test('[SU-34] libc is called from the main thread alone: a thread that ends while it loads ends alone', async () => {
  assert.equal((await loadLibc()).ok, true);
  const worker = new Worker(CODE, { eval: true });
  const [said] = await once(worker, 'message');
  assert.equal(said, 'libc is called from the main thread alone');
  await worker.terminate();
});
