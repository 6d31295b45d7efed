/**
 * One daemon per VPP: a connection is made only while this process holds the lock of that socket.
 *
 * The lock is beside the socket where we may write there, and in the machine's lock directory in any
 * case, so that two daemons under different users meet as well. Held until the dataplane is closed or
 * its thread ends, whatever becomes of the connection: VPP may come and go meanwhile.
 *
 * Rules: [LB-63] while another process holds the lock, connecting fails with its number.
 */
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { LbFailure } from '../../../machines/model/failures.js';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import type { Dataplane } from '../../ports/dataplane.js';
import { type Release, takeLock } from '../proc/lock-file.js';

const LOCK_DIRECTORY = '/run/lock';

/** Daemons of other users can find it held. */
const LOCK_MODE = 0o644;

/** `lockDirectory`: another one than the machine's. */
export function asOnlyWriter(
  vpp: Dataplane,
  socketPath: string,
  lockDirectory?: string,
): Dataplane {
  let held: readonly Release[] | undefined;
  const hold = async (): Promise<Result<void, LbFailure>> => {
    if (held !== undefined) return ok(undefined);
    const taken = await takeAll(lockPaths(socketPath, lockDirectory ?? machineLocks()));
    if (!taken.ok) return taken;
    held = taken.value;
    return ok(undefined);
  };
  return {
    connect: async () => {
      const mine = await hold();
      return mine.ok ? vpp.connect() : mine;
    },
    read: () => vpp.read(),
    apply: (op) => vpp.apply(op),
    ping: () => vpp.ping(),
    onDown: (listener) => vpp.onDown(listener),
    close: async () => {
      await vpp.close();
      const locks = held ?? [];
      held = undefined;
      await releaseAll(locks);
    },
  };
}

async function takeAll(paths: readonly string[]): Promise<Result<readonly Release[], LbFailure>> {
  const locks: Release[] = [];
  for (const path of paths) {
    const taken = await takeLock(path, LOCK_MODE);
    if (taken.ok) {
      locks.push(taken.value);
      continue;
    }
    await releaseAll(locks);
    const message = `another daemon may be programming this VPP: ${taken.failure.message}`;
    return fail({ code: 'LB_UNREACHABLE', message });
  }
  return ok(locks);
}

async function releaseAll(locks: readonly Release[]): Promise<void> {
  for (const release of locks) await release();
}

function machineLocks(): string {
  return existsSync(LOCK_DIRECTORY) ? LOCK_DIRECTORY : tmpdir();
}

/** In this order for everybody, so that two that start at once cannot each have one. */
function lockPaths(socketPath: string, lockDirectory: string): readonly string[] {
  const socket = resolve(socketPath);
  const digest = createHash('sha256').update(socket).digest('hex').slice(0, 12);
  const shared = join(lockDirectory, `switchyard-vpp-${digest}.lock`);
  return isWritable(dirname(socket)) ? [shared, `${socket}.switchyard.lock`] : [shared];
}

function isWritable(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK);
    return true;
  } catch {
    // Not ours to write, or not there: then nobody listens there either.
    return false;
  }
}
