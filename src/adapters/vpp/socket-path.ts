/**
 * May this socket be talked to? It must exist, and nobody but its owner and group may replace it or
 * write to it: whoever can pose as VPP decides what we believe.
 *
 * Input: a path. Output: nothing, or the failure in one sentence that names the path.
 */
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { LbFailure } from '../../../machines/model/failures.js';

const WRITABLE_BY_ANYBODY = 0o002;

export function unreachableFailure(path: string, reason: string): LbFailure {
  return { code: 'LB_UNREACHABLE', message: `VPP at ${path}: ${reason}` };
}

export async function refuseSocket(path: string): Promise<LbFailure | undefined> {
  try {
    const [socket, folder] = await Promise.all([stat(path), stat(dirname(path))]);
    if (!socket.isSocket()) return unreachableFailure(path, 'this is not a socket');
    if (((socket.mode | folder.mode) & WRITABLE_BY_ANYBODY) === 0) return undefined;
    return unreachableFailure(path, 'anybody may write to this socket or its folder');
  } catch (error) {
    return unreachableFailure(path, explainSocketError(error));
  }
}

/** What an error of the system means for somebody who set this path up. */
export function explainSocketError(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'there is no such socket; is VPP running, with this socket-name?';
  if (code === 'EACCES') return 'permission denied; is this user in the group of the socket?';
  if (code === 'ECONNREFUSED') return 'nobody listens on this socket; is VPP running?';
  return String(error);
}
