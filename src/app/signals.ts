/**
 * Signals of the process. SIGHUP reloads, SIGTERM and SIGINT stop; what comes before anybody listens is
 * kept, and a stop cuts a start short. A second stop signal while stopping ends the process at once, a
 * hangup while stopping does nothing, whenever it comes.
 */

import { takeHangups } from './hangups.js';

export interface End {
  readonly reason: string;
  readonly fatal: boolean;
}

export interface Signals {
  /** Aborted when the end is asked for, whoever listens. */
  readonly stop: AbortSignal;
  /** How it ends, once that is known. */
  readonly end: End | undefined;
  /** The node cannot go on. */
  fatal(reason: string): void;
  /** Calls `onHangup` for each SIGHUP until the end is asked for. */
  until(onHangup: (signal: string) => void): Promise<End>;
  close(): void;
}

const STOPS = ['SIGTERM', 'SIGINT'] as const;

export function createSignals(): Signals {
  let hangups = 0;
  let end: End | undefined;
  let wake = (): void => undefined;
  const stopping = new AbortController();

  const finish = (how: End): void => {
    end ??= how;
    stopping.abort();
    wake();
  };

  const onHangup = (): void => {
    hangups += 1;
    wake();
  };
  const onStop = (signal: NodeJS.Signals): void => {
    if (end !== undefined) process.exit(1);
    finish({ reason: signal, fatal: false });
  };
  process.on('SIGHUP', onHangup);
  hangups += takeHangups();
  for (const stop of STOPS) process.on(stop, onStop);

  return {
    stop: stopping.signal,
    get end() {
      return end;
    },
    fatal: (reason) => finish({ reason, fatal: true }),
    until: (reload) =>
      new Promise((resolve) => {
        wake = () => {
          const asked = hangups;
          hangups = 0;
          if (asked > 0 && end === undefined) reload('SIGHUP');
          if (end !== undefined) resolve(end);
        };
        wake();
      }),
    close: () => {
      process.off('SIGHUP', onHangup);
      for (const stop of STOPS) process.off(stop, onStop);
    },
  };
}
