/**
 * Watches the configuration file: calls when it has become another one and has stayed so for a moment,
 * so that a file that is still being written is not read.
 *
 * The folder is watched, not the file: editors and deployment tools replace files, by a rename or by
 * turning a link round. What the folder says is only a reason to look; a slow look happens anyway, since
 * not every file system tells. Ignorance changes nothing: a file that is gone is no change.
 */
import { type FSWatcher, statSync, watch } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Clock } from '../../ports/clock.js';
import type { Log } from '../../ports/log.js';

export interface WatchOptions {
  readonly file: string;
  readonly clock: Pick<Clock, 'after'>;
  readonly log: Log;
}

/** How long a file must have stayed as it is. */
const STILL_MS = 500;
/** Between looks that nobody gave a reason for. */
const LOOK_MS = 10_000;

/** Answers how to end it. */
export function watchConfigFile(options: WatchOptions, changed: () => void): () => void {
  const file = resolve(options.file);
  const { clock, log } = options;
  let known = signatureOf(file);
  let seen = known;
  let hurried = false;
  let cancel = (): void => undefined;

  const next = (delayMs: number): void => {
    cancel();
    cancel = clock.after(delayMs, look);
  };

  /** Others may write to the folder all the time: that must not put the look off. */
  const hurry = (): void => {
    if (hurried) return;
    hurried = true;
    next(STILL_MS);
  };

  const look = (): void => {
    hurried = false;
    const now = signatureOf(file);
    const isStill = now === seen;
    seen = now;
    if (now === undefined || now === known) return next(LOOK_MS);
    if (!isStill) return next(STILL_MS);
    known = now;
    changed();
    next(LOOK_MS);
  };

  const watcher = tryWatch(dirname(file), hurry);
  if (watcher === undefined) {
    log.warn({ file }, 'its folder cannot be watched; it is looked at now and then');
  }
  next(LOOK_MS);
  return () => {
    cancel();
    watcher?.close();
  };
}

function tryWatch(folder: string, onEvent: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, { persistent: false }, onEvent);
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}

/** Another one has another signature; undefined: it is not there. */
function signatureOf(file: string): string | undefined {
  try {
    const { dev, ino, size, mtimeNs } = statSync(file, { bigint: true });
    return [dev, ino, size, mtimeNs].join(' ');
  } catch {
    return undefined;
  }
}
