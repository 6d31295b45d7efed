/**
 * A lock that the kernel gives back when its holder dies, however it dies.
 *
 * Node cannot ask for one, but flock(2) locks belong to an open file, not to a process: the `flock`
 * program locks the descriptor it inherits from us and ends, and the lock stays with our copy of it,
 * a bare descriptor: a thread that is terminated closes those, and so gives the lock back as well.
 * The file itself is never removed (a removed lock file is held by nobody's successor); it names its
 * last holder, for people.
 */
import { spawn } from 'node:child_process';
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { fail, ok, type Result } from '../../../machines/model/result.js';

export interface NotLocked {
  /** One sentence: who holds it, or why it cannot be had. */
  readonly message: string;
}

export type Release = () => Promise<void>;

/** Exit code of `flock -n` when another holds the lock. */
const HELD = 1;

/** `mode`: of the file, when it has to be made. */
export async function takeLock(path: string, mode = 0o640): Promise<Result<Release, NotLocked>> {
  const opened = openLockFile(path, mode);
  if (opened === undefined) return fail({ message: `${path} cannot be opened: not ours to lock` });
  const { descriptor, writable } = opened;
  const code = await flock(descriptor).catch(() => undefined);
  if (code === 0) {
    if (writable) sign(descriptor);
    return ok(async () => closeSync(descriptor));
  }
  closeSync(descriptor);
  if (code !== HELD) return fail({ message: NO_PROGRAM });
  const holder = readFileSync(path, 'utf8').trim();
  return fail({ message: `${path} is held by process ${holder === '' ? 'unknown' : holder}` });
}

interface Opened {
  readonly descriptor: number;
  readonly writable: boolean;
}

/** Another user's lock file is locked without being signed; `undefined`: not even that. */
function openLockFile(path: string, mode: number): Opened | undefined {
  try {
    return { descriptor: openSync(path, 'a', mode), writable: true };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
  }
  try {
    return { descriptor: openSync(path, 'r'), writable: false };
  } catch {
    return undefined;
  }
}

function sign(descriptor: number): void {
  ftruncateSync(descriptor);
  writeSync(descriptor, `${process.pid}\n`);
}

const NO_PROGRAM =
  'the program "flock" did not run: install util-linux (apt-get install util-linux)';

/** Answers with the exit code of `flock`, which sees our descriptor as its own number 3. */
function flock(descriptor: number): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const child = spawn('flock', ['-n', '-x', '3'], {
      stdio: ['ignore', 'ignore', 'ignore', descriptor],
    });
    child.once('error', reject);
    child.once('exit', resolve);
  });
}
