/**
 * The threads themselves: a Piscina pool with one never-ending task in each and one spare beside them,
 * nothing ever queued for longer than a thread takes to come up.
 *
 * The spare is made when those that have a task have what they need, not when one of them dies: its
 * successor takes the spare that is there, and a new thread would only take the processor from it. Once
 * made, a spare loads its code and rehearses (src/app/worker-loader.cts).
 */
import type { MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';

export interface PoolOptions {
  /** What each thread loads first: it knows `runWorker` and `standBy`. */
  readonly loader: string;
  /** What that one loads: a module with `runWorker` and maybe `rehearse`. */
  readonly entry: string;
  /** So many at a time. */
  readonly tasks: number;
  readonly heapMb: number;
  after(delayMs: number, run: () => void): () => void;
  /** A thread without a task died. */
  onSpareDied(error: unknown): void;
}

export interface ThreadPool {
  /** Ends with the task, or with its thread. */
  run(task: object, transferList: readonly MessagePort[], signal: AbortSignal): Promise<unknown>;
  /** Those with a task serve: time for a spare, if there is none. */
  settled(): void;
  /** Whether a task waits for a thread that is already there. */
  readonly isBehind: boolean;
  /** How many there are, spares included. */
  readonly threads: number;
  close(): Promise<void>;
}

/** How long all is calm before a spare is made. */
const CALM_MS = 250;

export function createThreadPool(options: PoolOptions): ThreadPool {
  const { tasks, heapMb, loader, entry, after } = options;
  const pool = new Piscina({
    filename: loader,
    workerData: { entry },
    minThreads: tasks,
    maxThreads: tasks + 1,
    idleTimeout: Number.POSITIVE_INFINITY,
    concurrentTasksPerWorker: 1,
    atomics: 'disabled',
    resourceLimits: { maxOldGenerationSizeMb: heapMb },
  });
  let cancel: (() => void) | undefined;
  let standingBy = 0;
  let closed = false;

  /**
   * A task that ends at once: for it the pool makes a thread, which stays. One that is there already may
   * have come up by itself, in the place of one that died, and has rehearsed nothing yet: it is told too.
   */
  const standBy = (): void => {
    cancel = undefined;
    if (closed) return;
    standingBy += 1;
    const over = (): void => {
      standingBy -= 1;
    };
    // It fails only with its thread, of which `error` tells.
    pool.run(undefined, { name: 'standBy' }).then(over, over);
  };
  const settled = (): void => {
    cancel?.();
    cancel = closed ? undefined : after(CALM_MS, standBy);
  };
  pool.on('error', (error) => {
    options.onSpareDied(error);
    settled();
  });
  // A thread that was cut off may end after the pool did, which then makes others in its place.
  pool.on('workerCreate', () => {
    if (closed) void pool.destroy();
  });
  return {
    run: (task, transferList, signal) => {
      if (closed) return Promise.reject(new Error('the pool of threads is closed'));
      cancel?.();
      cancel = undefined;
      return pool.run(task, { transferList: [...transferList], name: 'runWorker', signal });
    },
    settled,
    get isBehind() {
      return standingBy === 0 && pool.queueSize > 0;
    },
    get threads() {
      return pool.threads.length;
    },
    close: () => {
      closed = true;
      cancel?.();
      return pool.destroy();
    },
  };
}
