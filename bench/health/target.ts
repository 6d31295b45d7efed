/** The near end of the listener (listener.ts). */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface Listener {
  readonly port: number;
}

export async function withListener<T>(work: (listener: Listener) => Promise<T>): Promise<T> {
  const child = fork(fileURLToPath(new URL('./listener.js', import.meta.url)));
  try {
    const [listener] = (await once(child, 'message')) as [Listener];
    return await work(listener);
  } finally {
    child.kill();
  }
}
