/**
 * Keeps what instances print within bounds: a talkative one must not fill the disk of all others.
 *
 * An output that has outgrown its bound is emptied, and its end kept beside it as `output.log.1`. The
 * instance writes on: its descriptor appends, so the next line is the first. What it prints in between
 * is lost. Rule: [PR-19] an output holds at most its bound and what is printed between two looks.
 */
import { open, truncate, writeFile } from 'node:fs/promises';
import type { Cancel, Clock } from '../../ports/clock.js';
import type { Log } from '../../ports/log.js';
import { OUTPUT_BYTES_KEPT, OUTPUT_BYTES_MAX, OUTPUT_LOOK_MS } from './limits.js';

export interface OutputKeeping {
  readonly clock: Clock;
  readonly log: Log;
  /** Of all instances, as they are now. */
  readonly paths: () => readonly string[];
}

/** Looks every now and then until it is cancelled. */
export function keepOutputsShort({ clock, log, paths }: OutputKeeping): Cancel {
  let stopped = false;
  let cancel: Cancel = () => undefined;
  const look = async (): Promise<void> => {
    for (const path of paths()) {
      if (stopped) return;
      await shorten(path).catch((error: NodeJS.ErrnoException) => {
        // Deleted meanwhile.
        if (error.code !== 'ENOENT') log.warn({ path, err: error }, 'output not shortened');
      });
    }
    if (!stopped) arm();
  };
  const arm = (): void => {
    cancel = clock.after(OUTPUT_LOOK_MS, () => void look());
  };
  arm();
  return () => {
    stopped = true;
    cancel();
  };
}

async function shorten(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    if (size <= OUTPUT_BYTES_MAX) return;
    const end = Buffer.alloc(OUTPUT_BYTES_KEPT);
    const { bytesRead } = await file.read(end, 0, end.length, size - end.length);
    await writeFile(`${path}.1`, end.subarray(0, bytesRead), { mode: 0o600 });
    await truncate(path, 0);
  } finally {
    await file.close();
  }
}
