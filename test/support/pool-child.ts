/**
 * A process that cuts one of its threads off, ends the pool, and has nothing more to do. Its last line says how
 * many threads there are two seconds later.
 */
import { fileURLToPath } from 'node:url';
import { createThreadPool } from '../../src/adapters/threads/pool.js';

const TASKS = 2;
const LOADER = fileURLToPath(new URL('../../src/app/worker-loader.cjs', import.meta.url));
const ENTRY = new URL('./sleepy-entry.js', import.meta.url).href;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const pool = createThreadPool({
  ...{ loader: LOADER, entry: ENTRY, tasks: TASKS, heapMb: 64 },
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
  onSpareDied: () => undefined,
});
const cut = new AbortController();
const over = [
  pool.run({ slow: true }, [], cut.signal),
  pool.run({ slow: false }, [], new AbortController().signal),
].map((task) => task.catch(() => undefined));
await pause(500);
cut.abort();
await pool.close();
await Promise.all(over);
await pause(2_000);
console.log(`threads ${pool.threads}`);
