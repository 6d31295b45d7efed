/** What a thread of a test loads: it tells whoever listens what it does, and its task never ends. */
import { BroadcastChannel } from 'node:worker_threads';

export function runWorker(): Promise<void> {
  tell('runs');
  return new Promise(() => {
    setInterval(() => undefined, 60_000);
  });
}

export async function rehearse(): Promise<void> {
  tell('rehearses');
}

function tell(what: string): void {
  const stage = new BroadcastChannel('stage');
  stage.postMessage(what);
  stage.close();
}
