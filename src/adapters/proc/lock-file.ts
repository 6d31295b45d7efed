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

export async function takeLock(path: string): Promise<Result<Release, NotLocked>> {
  const descriptor = openSync(path, 'a', 0o640);
  const code = await flock(descriptor).catch(() => undefined);
  if (code === 0) {
    ftruncateSync(descriptor);
    writeSync(descriptor, `${process.pid}\n`);
    return ok(async () => closeSync(descriptor));
  }
  closeSync(descriptor);
  if (code !== HELD) return fail({ message: NO_PROGRAM });
  const holder = readFileSync(path, 'utf8').trim();
  return fail({ message: `${path} is held by process ${holder === '' ? 'unknown' : holder}` });
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
