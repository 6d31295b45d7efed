/**
 * A file that says who may write here. It names a process, not a pid, so what a killed process leaves
 * behind is recognised and taken over. Holders must see one another's /proc: one machine, one
 * container. Both ways of putting the file there are atomic: whoever comes second knows.
 */
import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { assert } from '../../../machines/model/assert.js';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import { identify, isRunning, type ProcessIdentity } from './processes.js';

export interface HeldBy {
  readonly pid: number;
}

export type Release = () => Promise<void>;

/** Rounds of finding a stale lock and losing the race for it. */
const ATTEMPTS_MAX = 8;

export async function takeLock(path: string): Promise<Result<Release, HeldBy>> {
  const self = identify(process.pid);
  assert(self !== undefined, 'this process is alive');
  const claim = `${path}.${randomUUID()}`;
  await writeFile(claim, JSON.stringify(self), { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      if (await linked(claim, path)) return ok(() => rm(path, { force: true }));
      const holder = await holderOf(path);
      if (holder !== undefined && isRunning(holder)) return fail({ pid: holder.pid });
      await discard(path);
    }
    return fail({ pid: (await holderOf(path))?.pid ?? 0 });
  } finally {
    await rm(claim, { force: true });
  }
}

/** False: there is a lock already. */
async function linked(claim: string, path: string): Promise<boolean> {
  try {
    await link(claim, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Takes a stale lock away, looking again at what was really taken: another may have been faster. */
async function discard(path: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch {
    return;
  }
  const holder = await holderOf(aside);
  if (holder !== undefined && isRunning(holder)) await linked(aside, path);
  await rm(aside, { force: true });
}

/** `undefined`: no lock, or one that names nobody, which nobody holds. */
async function holderOf(path: string): Promise<ProcessIdentity | undefined> {
  try {
    const holder: Partial<ProcessIdentity> = JSON.parse(await readFile(path, 'utf8'));
    const { pid, startTicks, bootId } = holder;
    if (pid === undefined || startTicks === undefined || bootId === undefined) return undefined;
    return { pid, startTicks, bootId };
  } catch {
    return undefined;
  }
}
