/**
 * The drain of the instance, carried out once: what has to be done is begun when it is first told, and its
 * end waits to be acknowledged, over however many connections.
 *
 * Rules: [ID-32] a drain is carried out once, however often it is told, and acknowledged until the daemon
 * has heard it.
 */
import type { Log } from '../../ports/log.js';
import type { DrainTold } from './client.js';

export interface Drains {
  heard(drain: DrainTold): void;
  /** It is done, and the daemon has not heard so. */
  readonly isDue: boolean;
  acknowledged(): void;
}

export function createDrains(options: {
  readonly log: Log;
  carryOut(drain: DrainTold): Promise<void>;
  /** There is something to acknowledge. */
  due(): void;
}): Drains {
  const { log } = options;
  /** When the drain began that was begun here; a drain of another time is another one. */
  let begun: number | undefined;
  let isDue = false;

  const carryOut = async (drain: DrainTold): Promise<void> => {
    const { reason, startedAtMs, deadlineMs } = drain;
    log.info({ reason, deadline: new Date(deadlineMs).toISOString() }, 'the instance is drained');
    try {
      await options.carryOut(drain);
    } catch (error) {
      log.error({ err: error }, 'the drain could not be carried out: its deadline will end it');
      return;
    }
    if (begun !== startedAtMs) return;
    isDue = true;
    options.due();
  };

  return {
    heard: (drain) => {
      if (drain.phase === 'ENDED') {
        log.info({ endedBy: drain.endedBy }, 'the drain has ended');
        isDue = false;
        return;
      }
      if (begun === drain.startedAtMs) return;
      begun = drain.startedAtMs;
      void carryOut(drain);
    },
    get isDue() {
      return isDue;
    },
    acknowledged: () => {
      isDue = false;
    },
  };
}
