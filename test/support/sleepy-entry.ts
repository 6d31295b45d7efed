/** Entry of a worker thread that, told to be slow, takes a second to end after it was cut off. */
import { execFileSync } from 'node:child_process';

export async function runWorker({ slow }: { readonly slow: boolean }): Promise<void> {
  // What waits in the kernel cannot be interrupted.
  if (slow) execFileSync('sleep', ['1']);
  await new Promise<never>(() => undefined);
}
