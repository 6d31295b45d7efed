/**
 * The few calls of the C library that Node does not offer: a socket with options that Node cannot set.
 *
 * Loaded when it is first needed, in a process's main thread alone: a thread that is ended in the midst of
 * loading this addon takes the whole process with it. Worker threads, and machines it was not built for, do
 * without, by other means, and are told why.
 *
 * Rule: [SU-34] no worker thread loads an addon that cannot be interrupted.
 */
import { isMainThread } from 'node:worker_threads';
import { fail, ok, type Result } from '../../../machines/model/result.js';

export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
/** Both belong to every socket of ours: no call may block, no child may inherit. */
export const SOCK_OURS = 0o4000 | 0o2000000;
export const AF_INET = 2;
export const AF_INET6 = 10;

export interface Libc {
  /** Negative: `errno` says why. So with the others. */
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: Buffer, bytes: number): number;
  setsockopt(fd: number, level: number, name: number, value: Buffer, bytes: number): number;
  close(fd: number): number;
  errno(): number;
}

type Koffi = typeof import('koffi');

let loading: Promise<Result<Libc, string>> | undefined;

export function loadLibc(): Promise<Result<Libc, string>> {
  loading ??= load();
  return loading;
}

async function load(): Promise<Result<Libc, string>> {
  if (!isMainThread) return fail('libc is called from the main thread alone');
  try {
    const koffi = ((await import('koffi')) as unknown as { readonly default: Koffi }).default;
    const library = koffi.load(null);
    return ok({
      socket: library.func('int socket(int, int, int)') as Libc['socket'],
      bind: library.func('int bind(int, const void *, uint32_t)') as Libc['bind'],
      setsockopt: library.func(
        'int setsockopt(int, int, int, const void *, uint32_t)',
      ) as Libc['setsockopt'],
      close: library.func('int close(int)') as Libc['close'],
      errno: () => koffi.errno(),
    });
  } catch (error) {
    return fail(`libc cannot be called here: ${(error as Error).message}`);
  }
}
