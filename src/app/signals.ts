/**
 * Signals of the process. SIGHUP reloads, SIGTERM and SIGINT stop; what comes before anybody listens is
 * kept. A second stop signal while stopping ends the process at once.
 */

export interface End {
  readonly reason: string;
  readonly fatal: boolean;
}

export interface Signals {
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

  const onHangup = (): void => {
    hangups += 1;
    wake();
  };
  const onStop = (signal: NodeJS.Signals): void => {
    if (end !== undefined) process.exit(1);
    end = { reason: signal, fatal: false };
    wake();
  };
  process.on('SIGHUP', onHangup);
  for (const stop of STOPS) process.on(stop, onStop);

  return {
    fatal: (reason) => {
      end ??= { reason, fatal: true };
      wake();
    },
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
