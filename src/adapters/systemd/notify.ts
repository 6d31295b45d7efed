/**
 * Tells systemd how the service does, as sd_notify(3): readiness, reloads, the end, signs of life.
 *
 * Input: `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID` of the environment. Output: one datagram for
 * each message; without a socket nothing at all. A message that cannot be sent is told to the log
 * once and otherwise lost: systemd decides what silence means.
 */
import type { Log } from '../../ports/log.js';
import { FULL, openDatagrams } from './datagram.js';

export interface ServiceManager {
  /** Serving; also what ends a reload. `status`: a sentence for `systemctl status`. */
  ready(status: string): void;
  reloading(status: string): void;
  stopping(status: string): void;
  /** How often `alive` must be called; undefined: nobody waits for it. */
  readonly aliveEveryMs: number | undefined;
  alive(): void;
}

export interface NotifyOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  /** CLOCK_MONOTONIC, whose µs systemd compares with its own. */
  readonly monotonicUs: () => bigint;
  readonly log: Log;
}

/** Nothing is sent: nobody listens. */
export const NO_SERVICE_MANAGER: ServiceManager = {
  ready: () => undefined,
  reloading: () => undefined,
  stopping: () => undefined,
  aliveEveryMs: undefined,
  alive: () => undefined,
};

export async function openServiceManager(options: NotifyOptions): Promise<ServiceManager> {
  const { env, log, monotonicUs } = options;
  const path = env['NOTIFY_SOCKET'];
  if (path === undefined || path === '') return NO_SERVICE_MANAGER;
  const opened = await openDatagrams(path);
  if (!opened.ok) {
    log.error({ reason: opened.failure }, 'systemd cannot be told that we serve');
    return NO_SERVICE_MANAGER;
  }
  const send = sender(opened.value, log);
  return {
    ready: (status) => send(`READY=1\nSTATUS=${line(status)}`),
    reloading: (status) =>
      send(`RELOADING=1\nMONOTONIC_USEC=${monotonicUs()}\nSTATUS=${line(status)}`),
    stopping: (status) => send(`STOPPING=1\nSTATUS=${line(status)}`),
    aliveEveryMs: watchdogOf(options),
    alive: () => send(ALIVE),
  };
}

/** In their order; a reader that is behind is tried again, and signs of life do not pile up for it. */
function sender(send: (text: string) => string | undefined, log: Log): (text: string) => void {
  const waiting: string[] = [];
  let told = false;

  const flush = (): void => {
    for (let text = waiting[0]; text !== undefined; text = waiting[0]) {
      const failure = send(text);
      if (failure === FULL) return void setTimeout(flush, RETRY_MS).unref();
      waiting.shift();
      if (failure !== undefined && !told) {
        told = true;
        log.warn({ reason: failure }, 'systemd did not take a message');
      }
    }
  };

  return (text) => {
    if (waiting.length > 0 && (text === ALIVE || waiting.length >= WAITING_MAX)) return;
    waiting.push(text);
    if (waiting.length === 1) flush();
  };
}

const ALIVE = 'WATCHDOG=1';
const RETRY_MS = 50;
/** Of a reader that is not there to read. */
const WAITING_MAX = 256;

/** Half of what systemd waits for, as it asks. Meant for another process: not for us. */
function watchdogOf({ env, pid }: NotifyOptions): number | undefined {
  const waitsUs = Number(env['WATCHDOG_USEC']);
  const meant = env['WATCHDOG_PID'];
  if (!Number.isSafeInteger(waitsUs) || waitsUs <= 0) return undefined;
  if (meant !== undefined && meant !== '' && Number(meant) !== pid) return undefined;
  return waitsUs / 2_000;
}

/** A line break would begin another field. */
function line(text: string): string {
  return text.replaceAll(/[\r\n]+/g, ' ');
}
