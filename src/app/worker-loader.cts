/**
 * What the pool loads into each of its threads: it fetches the entry named by the pool, at once, so that a
 * spare thread has it before its task comes.
 *
 * CommonJS, because the pool loads by `require`: Node loads an ES module that way in one go, and a
 * thread that is ended just then takes the whole process with it (`IsGraphAsync must be used on an
 * instantiated module`). A thread that is ended during an `import` ends alone [SU-31].
 */
const { workerData } = require('node:worker_threads') as typeof import('node:worker_threads');

type Task = import('./worker-entry.js').WorkerTask;
type Entry = { readonly runWorker: (task: Task) => Promise<void> };

const entry: Promise<Entry> = import((workerData as { readonly entry: string }).entry);
// Whoever asks for a task hears of it.
entry.catch(() => undefined);

module.exports = {
  runWorker: async (task: Task): Promise<void> => (await entry).runWorker(task),
};
