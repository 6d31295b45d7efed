/**
 * What the pool loads into each of its threads: it fetches the entry named by the pool when a task
 * comes, or, in a thread that is told to stand by, before: then the thread also rehearses.
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

let entry: Promise<Entry> | undefined;
let isPrepared = false;
let tasks = 0;

const load = (): Promise<Entry> => {
  entry ??= import((workerData as { readonly entry: string }).entry);
  return entry;
};

const prepare = async (): Promise<void> => {
  const { rehearse } = await load();
  await rehearse?.(() => tasks > 0);
};

module.exports = {
  /** Ends at once, so that the pool has the thread for the next task. */
  standBy: async (): Promise<void> => {
    // What goes wrong here goes wrong again for a task, which then says so.
    if (!isPrepared) void prepare().catch(() => undefined);
    isPrepared = true;
  },
  runWorker: async (task: Task): Promise<void> => {
    tasks += 1;
    return (await load()).runWorker(task);
  },
};
