/**
 * Entry of a worker thread that dies as it starts, in its second life and later, for as long as one
 * actor is not kept out of it.
 */
import type { MessagePort } from 'node:worker_threads';
import { type Address, addressOf } from '../../machines/model/ids.js';
import type { WorkerTask } from '../../src/app/worker-entry.js';
import { decodeToThread } from '../../src/wire/to-thread.js';
import { writeVitals } from '../../src/wire/vitals.js';

const CULPRIT: Address = addressOf('group', 't/stillborn');

export function runWorker({ control }: WorkerTask): Promise<void> {
  return new Promise((resolve) => {
    (control as MessagePort).on('message', (value: unknown) => {
      const frame = decodeToThread(value);
      if (!frame.ok) throw new Error(frame.failure.message);
      if (frame.value.type === 'stop') {
        control.close();
        return resolve();
      }
      if (frame.value.type !== 'start') return;
      const { thread, incarnation, quarantine, vitals } = frame.value;
      if (incarnation > 101 && !quarantine.includes(CULPRIT)) {
        writeVitals(vitals).begin(CULPRIT, 'activated');
        process.exit(1);
      }
      control.postMessage({ type: 'ready', thread, incarnation });
    });
  });
}
