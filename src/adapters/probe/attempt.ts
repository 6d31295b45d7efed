/**
 * One probe in flight: how far it got, when it must end, and what to close behind it.
 *
 * Input: a deadline and the steps. Output: the outcome of the steps, or a timeout of the layer they
 * had reached. Everything opened is closed, whatever happened, the connection before what runs on it:
 * a stream closed first would say goodbye and keep the connection from being reset.
 */
import type { Clock } from '../../ports/clock.js';
import { failed, type Layer, type Outcome } from './outcome.js';

export interface Attempt {
  /** What the probe waits for now; a timeout is named after it. */
  layer: Layer;
  closing(close: () => void): void;
  /** Closes what is open; done at the end in any case. */
  close(): void;
}

export async function attempt(
  clock: Clock,
  timeoutMs: number,
  steps: (attempt: Attempt) => Promise<Outcome>,
): Promise<Outcome> {
  const current = createAttempt();
  const timeout = timeoutOf(clock, timeoutMs, current);
  try {
    return await Promise.race([steps(current), timeout.outcome]);
  } catch (error) {
    // The port promises an answer for every outcome: what Node throws at us is our own trouble.
    return failed('SOCKERR', error instanceof Error ? error.message : String(error));
  } finally {
    timeout.cancel();
    current.close();
  }
}

function createAttempt(): Attempt {
  const closers: (() => void)[] = [];
  let over = false;
  return {
    layer: 'L4',
    closing: (close) => {
      // Opened in the very turn the time ran out.
      if (over) close();
      else closers.push(close);
    },
    close: () => {
      over = true;
      for (const close of closers.splice(0)) close();
    },
  };
}

/** Yields to the poll phase once more first: an answer that is already here must win. */
function timeoutOf(clock: Clock, timeoutMs: number, current: Attempt) {
  let cancel = (): void => undefined;
  const outcome = new Promise<Outcome>((resolve) => {
    cancel = clock.after(timeoutMs, () =>
      clock.soon(() => resolve(failed(`${current.layer}TOUT`, `no answer within ${timeoutMs} ms`))),
    );
  });
  return { outcome, cancel: () => cancel() };
}
