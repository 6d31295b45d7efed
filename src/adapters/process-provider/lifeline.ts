/**
 * A lifeline is a FIFO whose only write end an instance holds (descriptor 3, inherited). The kernel
 * closes it when the last holder dies, however it dies, so the reader sees the end at once, also a
 * reader that came later. Programs may close it early: an end is a reason to look, not yet a death.
 */
import { execFile } from 'node:child_process';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { Socket } from 'node:net';
import { promisify } from 'node:util';

const run = promisify(execFile);
const { O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

export async function makeLifeline(path: string): Promise<void> {
  await run('mkfifo', ['-m', '600', path]);
}

/** Opens both ends (a write end needs a reader), hands the write end to `use`, keeps neither. */
export function withWriteEnd<T>(path: string, use: (writeEnd: number) => T): T {
  const readEnd = openSync(path, O_RDONLY | O_NONBLOCK);
  try {
    const writeEnd = openSync(path, O_WRONLY | O_NONBLOCK);
    try {
      return use(writeEnd);
    } finally {
      closeSync(writeEnd);
    }
  } finally {
    closeSync(readEnd);
  }
}

/**
 * Calls `onEnd` once, when nobody holds the write end any more; soon, if nobody does already. Answers
 * with how to stop listening.
 */
export function followLifeline(path: string, onEnd: () => void): () => void {
  const descriptor = openSync(path, O_RDONLY | O_NONBLOCK);
  if (hasEnded(descriptor)) {
    closeSync(descriptor);
    queueMicrotask(onEnd);
    return () => undefined;
  }
  const socket = new Socket({ fd: descriptor, readable: true, writable: false });
  socket.once('end', onEnd);
  socket.on('error', () => socket.destroy());
  socket.resume();
  return () => {
    socket.removeListener('end', onEnd);
    socket.destroy();
  };
}

/** A poll would miss an end older than our opening; a read does not: 0 bytes is the end. */
function hasEnded(descriptor: number): boolean {
  try {
    return readSync(descriptor, Buffer.alloc(1)) === 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return false;
    throw error;
  }
}
