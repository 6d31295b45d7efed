/** Entry of a worker thread that does not bear to be idle: it dies when no task comes for a while. */
import type { MessagePort } from 'node:worker_threads';
import type { WorkerTask } from '../../src/app/worker-entry.js';
import { decodeToThread } from '../../src/wire/to-thread.js';

const restless = setTimeout(() => {
  throw new Error('nothing to do');
}, 50);

export function runWorker({ control }: WorkerTask): Promise<void> {
  clearTimeout(restless);
  return new Promise((resolve) => {
    (control as MessagePort).on('message', (value: unknown) => {
      const frame = decodeToThread(value);
      if (!frame.ok) throw new Error(frame.failure.message);
      if (frame.value.type === 'start') {
        const { thread, incarnation } = frame.value;
        control.postMessage({ type: 'ready', thread, incarnation });
      }
      if (frame.value.type !== 'stop') return;
      control.close();
      resolve();
    });
  });
}
