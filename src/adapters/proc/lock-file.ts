/**
 * A lock that the kernel gives back when its holder dies, however it dies.
 *
 * Node cannot ask for one, but flock(2) locks belong to an open file, not to a process: the `flock`
 * program locks the descriptor it inherits from us and ends, and the lock stays with our copy of it.
 * The file itself is never removed (a removed lock file is held by nobody's successor); it names its
 * last holder, for people.
 */
import { spawn } from 'node:child_process';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { fail, ok, type Result } from '../../../machines/model/result.js';

export interface NotLocked {
  /** One sentence: who holds it, or why it cannot be had. */
  readonly message: string;
}

export type Release = () => Promise<void>;

/** Exit code of `flock -n` when another holds the lock. */
const HELD = 1;

export async function takeLock(path: string): Promise<Result<Release, NotLocked>> {
  const file = await open(path, 'a', 0o640);
  const code = await flock(file).catch(() => undefined);
  if (code === 0) {
    await file.truncate(0);
    await file.write(`${process.pid}\n`);
    return ok(() => file.close());
  }
  await file.close();
  if (code !== HELD) return fail({ message: NO_PROGRAM });
  const holder = (await readFile(path, 'utf8')).trim();
  return fail({ message: `${path} is held by process ${holder === '' ? 'unknown' : holder}` });
}

const NO_PROGRAM =
  'the program "flock" did not run: install util-linux (apt-get install util-linux)';

/** Answers with the exit code of `flock`, which sees our file as its descriptor 3. */
function flock(file: FileHandle): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const child = spawn('flock', ['-n', '-x', '3'], {
      stdio: ['ignore', 'ignore', 'ignore', file.fd],
    });
    child.once('error', reject);
    child.once('exit', resolve);
  });
}
