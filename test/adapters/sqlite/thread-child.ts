/**
 * The thread that thread-death.test.ts takes down: opens the store, commits once, says so, and
 * stays.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { cellOf, decisionOf, publishOf, WEB } from '../../contract/store-values.js';
import { openOrThrow } from '../../support/sqlite-scratch.js';

const { file, end } = workerData as { readonly file: string; readonly end: 'stay' | 'throw' };
const store = openOrThrow(file);
await store.commit([decisionOf('d-1', { cell: cellOf(WEB, 1), records: [publishOf(WEB)] })]);
parentPort?.postMessage('committed');
parentPort?.on('message', () => {
  if (end === 'throw') throw new Error('died on purpose');
});
