/**
 * What the pool loads into each of its threads: it fetches the entry named by the pool when a task
 * comes, or, in a thread that has been spare for a while, before: then the thread also rehearses. Not at
 * once, because a spare comes up just when another thread has died, and its successor has better use
 * for the processor.
 *
 * CommonJS, because the pool loads by `require`: Node loads an ES module that way in one go, and a
 * thread that is ended just then takes the whole process with it (`IsGraphAsync must be used on an
 * instantiated module`). A thread that is ended during an `import` ends alone [SU-31].
 */
const { workerData } = require('node:worker_threads') as typeof import('node:worker_threads');

type Task = import('./worker-entry.js').WorkerTask;
interface Entry {
  readonly runWorker: (task: Task) => Promise<void>;
  readonly rehearse?: (isOver: () => boolean) => Promise<void>;
}

const CALM_MS = 1_000;

let entry: Promise<Entry> | undefined;
let tasks = 0;

const load = (): Promise<Entry> => {
  entry ??= import((workerData as { readonly entry: string }).entry);
  return entry;
};

const prepare = async (): Promise<void> => {
  const { rehearse } = await load();
  await rehearse?.(() => tasks > 0);
};

// What goes wrong here goes wrong again for a task, which then says so.
const calm = setTimeout(() => void prepare().catch(() => undefined), CALM_MS);

module.exports = {
  runWorker: async (task: Task): Promise<void> => {
    tasks += 1;
    clearTimeout(calm);
    return (await load()).runWorker(task);
  },
};
