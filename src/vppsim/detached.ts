/**
 * Makes sure that a simulator serves a socket, without owning it: one that answers is left alone;
 * otherwise a process of its own is started, which outlives whoever asked for it.
 *
 * Output: whether it was started, or the sentence saying why there is none.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fail, ok, type Result } from '../../machines/model/result.js';
import { limits } from './limits.js';
import { answersConnect } from './socket-path.js';

export interface DetachedOptions {
  /** The API socket. */
  readonly path: string;
  /** Where the simulator's output goes. Default: `<path>.log`. */
  readonly log?: string;
  /** Default: this process's. */
  readonly nodePath?: string;
  /** The command line's entry file, the built `main.js`. */
  readonly cliPath: string;
}

export interface Detached {
  readonly started: boolean;
  /** Of a simulator started by this call. */
  readonly pid: number | undefined;
}

export interface DetachedFailure {
  readonly code: 'not-started';
  readonly message: string;
}

export async function ensureDetachedVppSim(
  options: DetachedOptions,
): Promise<Result<Detached, DetachedFailure>> {
  if (await answersConnect(options.path)) return ok({ started: false, pid: undefined });
  const log = options.log ?? `${options.path}.log`;
  const output = openLog(log);
  if (output === undefined) return refusal(`its log ${log} cannot be written.`);
  const args = [options.cliPath, 'vpp-sim', '--socket', options.path];
  const child = spawn(options.nodePath ?? process.execPath, args, {
    detached: true,
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  const fate = fateOf(child);
  child.unref();
  for (let waitedMs = 0; waitedMs < limits.detachedStartMs; waitedMs += limits.detachedPollMs) {
    const ended = fate();
    if (await answersConnect(options.path)) {
      // Ours gave way to one that somebody else started meanwhile, if it ended.
      const started = ended === undefined;
      return ok({ started, pid: started ? child.pid : undefined });
    }
    if (ended !== undefined) return refusal(`${ended}: ${lastLine(log)}`);
    await sleep(limits.detachedPollMs);
  }
  return refusal(`${options.path} does not answer; see ${log}.`);
}

/** How the child ended, if it did. It may do so long after we are gone: nothing happens then. */
function fateOf(child: ChildProcess): () => string | undefined {
  let ended: string | undefined;
  child.once('error', (error) => {
    ended = error.message;
  });
  child.once('exit', (code, signal) => {
    ended ??= `it ended at once (${signal ?? code})`;
  });
  return () => ended;
}

function refusal(why: string): Result<Detached, DetachedFailure> {
  return fail({ code: 'not-started', message: `The VPP simulator did not start: ${why}` });
}

/** Ends the simulator of a socket, if there is one; resolves when it has let go of it. */
export function endDetachedVppSim(path: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(`${path}.ctl`, () => socket.write('{"die":true}\n'));
    socket.on('close', () => resolve());
    socket.on('error', () => resolve());
    // Unread, the answer would hide the end of the connection.
    socket.resume();
  });
}

function openLog(path: string): number | undefined {
  try {
    return openSync(path, 'a', 0o640);
  } catch {
    return undefined;
  }
}

function lastLine(path: string): string {
  try {
    return readFileSync(path, 'utf8').trimEnd().split('\n').at(-1) ?? '';
  } catch {
    return `its log ${path} cannot be read`;
  }
}
