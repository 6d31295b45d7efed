/**
 * Sending over a link that may be full: whoever sends waits then, as a bench must lose nothing. The
 * runtime itself does not wait: there the message is a dead letter, and its sender is told.
 */
import type { Envelope } from '../../src/runtime/envelope.js';
import type { Remote } from '../../src/runtime/kernel.js';

/** `undefined`: it was taken at once, which most are, and there is nothing to await. */
export function sendWhenTaken(
  remote: Pick<Remote, 'send'>,
  thread: string,
  envelope: Envelope,
): Promise<void> | undefined {
  // Not whatever is truthy: a link that is full says so in a word.
  return remote.send(thread, envelope) === true ? undefined : retry(remote, thread, envelope);
}

async function retry(
  remote: Pick<Remote, 'send'>,
  thread: string,
  envelope: Envelope,
): Promise<void> {
  do await tick();
  while (remote.send(thread, envelope) !== true);
}

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
