/**
 * Sees instances die. An instance started by this process is our child: the kernel tells us. One of an
 * earlier run has its lifeline, with a slow look at /proc as safety net.
 *
 * Rules: [PR-3] a death is reported once, and only when that very process is gone: neither a closed
 * lifeline nor a reused pid is a death, and not being able to look is not one either.
 */
import type { ChildProcess } from 'node:child_process';
import type { Cancel, Clock } from '../../ports/clock.js';
import type { Log } from '../../ports/log.js';
import { isRunning, type ProcessIdentity } from '../proc/processes.js';
import { followLifeline } from './lifeline.js';
import { EXIT_LOOK_MS, EXIT_LOOKS_MAX, WATCH_POLL_MS } from './limits.js';

export interface Watches {
  watchChild(id: string, child: ChildProcess): void;
  watchStranger(id: string, identity: ProcessIdentity, lifelinePath: string): void;
  isWatched(id: string): boolean;
  stop(id: string): void;
  stopAll(): void;
}

export function openWatches(options: {
  readonly clock: Clock;
  readonly log: Log;
  readonly onDeath: (id: string, detail: string) => void;
}): Watches {
  const { clock, log, onDeath } = options;
  const stops = new Map<string, Cancel>();

  const stop = (id: string): void => {
    stops.get(id)?.();
    stops.delete(id);
  };

  const died = (id: string, detail: string): void => {
    if (!stops.has(id)) return;
    stop(id);
    onDeath(id, detail);
  };

  const watchChild = (id: string, child: ChildProcess): void => {
    const report = (): void => died(id, obituary(child));
    child.once('exit', report);
    child.ref();
    const cancel = hasExited(child) ? clock.after(0, report) : undefined;
    stops.set(id, () => {
      child.removeListener('exit', report);
      child.unref();
      cancel?.();
    });
  };

  const watchStranger = (id: string, identity: ProcessIdentity, lifelinePath: string): void => {
    let cancelTimer: Cancel = () => undefined;
    /** Looks now, then `looksLeft` times in quick succession, then slowly for ever. */
    const look = (looksLeft: number): void => {
      cancelTimer();
      if (!stillRunning(identity, log)) return died(id, 'its process is gone');
      const delayMs = looksLeft > 0 ? EXIT_LOOK_MS : WATCH_POLL_MS;
      cancelTimer = clock.after(delayMs, () => look(Math.max(0, looksLeft - 1)));
    };
    const unfollow = follow(lifelinePath, () => look(EXIT_LOOKS_MAX));
    stops.set(id, () => {
      cancelTimer();
      unfollow();
    });
    cancelTimer = clock.after(0, () => look(0));
  };

  const follow = (path: string, onEnd: () => void): Cancel => {
    try {
      return followLifeline(path, onEnd);
    } catch (error) {
      log.warn({ path, error: String(error) }, 'lifeline lost, watching the process alone');
      return () => undefined;
    }
  };

  return {
    watchChild,
    watchStranger,
    isWatched: (id) => stops.has(id),
    stop,
    stopAll: () => {
      for (const id of [...stops.keys()]) stop(id);
    },
  };
}

function hasExited(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function obituary(child: ChildProcess): string {
  return child.signalCode === null
    ? `exited with code ${child.exitCode}`
    : `killed by ${child.signalCode}`;
}

function stillRunning(identity: ProcessIdentity, log: Log): boolean {
  try {
    return isRunning(identity);
  } catch (error) {
    log.warn({ pid: identity.pid, error: String(error) }, 'cannot look at a process');
    return true;
  }
}
