/**
 * Whether a unix socket may be made at a path, and whether one there is alive.
 *
 * A file nobody listens on is what a crash leaves behind, and is replaced; a live socket never is.
 * Every refusal is one sentence that says what is wrong and what to do.
 */
import { lstatSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { fail, ok, type Result } from '../../machines/model/result.js';
import { limits } from './limits.js';

export interface SocketRefusal {
  readonly code: 'path-too-long' | 'no-parent' | 'not-a-socket' | 'in-use' | 'unavailable';
  readonly message: string;
}

/** Makes the path free for listening, or says why it cannot be. */
export async function claimSocketPath(path: string): Promise<Result<void, SocketRefusal>> {
  const bytes = Buffer.byteLength(path);
  if (bytes > limits.socketPathBytes) {
    const message =
      `The socket path ${path} has ${bytes} bytes, but a unix socket allows ` +
      `${limits.socketPathBytes}; choose a shorter directory.`;
    return fail({ code: 'path-too-long', message });
  }
  const parent = dirname(path);
  if (!isDirectory(parent)) {
    const message = `The directory ${parent} for the socket does not exist; create it first.`;
    return fail({ code: 'no-parent', message });
  }
  const kind = kindOf(path);
  if (kind === 'other') {
    const message = `${path} exists and is not a socket; move it away or choose another path.`;
    return fail({ code: 'not-a-socket', message });
  }
  if (kind === 'socket') {
    if (await answersConnect(path)) {
      const message = `Something is already listening on ${path}; stop it, or use another socket path.`;
      return fail({ code: 'in-use', message });
    }
    rmSync(path, { force: true });
  }
  return ok(undefined);
}

/** Whether somebody listens there, also somebody too busy to answer. */
export function answersConnect(path: string): Promise<boolean> {
  if (Buffer.byteLength(path) > limits.socketPathBytes) return Promise.resolve(false);
  return new Promise((resolve) => {
    const socket = connect(path);
    const settle = (answers: boolean) => {
      socket.destroy();
      resolve(answers);
    };
    socket.setTimeout(limits.connectProbeMs, () => settle(false));
    socket.once('connect', () => settle(true));
    // Too many wait to be accepted already: somebody is there.
    socket.once('error', (error: NodeJS.ErrnoException) => settle(error.code === 'EAGAIN'));
  });
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function kindOf(path: string): 'absent' | 'socket' | 'other' {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return 'absent';
  return found.isSocket() ? 'socket' : 'other';
}
