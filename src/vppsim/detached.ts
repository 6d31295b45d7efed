/**
 * Makes sure that a simulator serves a socket, without owning it: one that answers is left alone;
 * otherwise a process of its own is started, which outlives whoever asked for it.
 *
 * Output: whether it was started, or the sentence saying why there is none.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
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
  let ended: string | undefined;
  child.once('error', (error) => {
    ended = error.message;
  });
  child.once('exit', (code, signal) => {
    ended = `it ended at once (${signal ?? code}): ${lastLine(log)}`;
  });
  child.unref();
  for (let waitedMs = 0; waitedMs < limits.detachedStartMs; waitedMs += limits.detachedPollMs) {
    if (await answersConnect(options.path)) return ok({ started: true, pid: child.pid });
    if (ended !== undefined) return refusal(ended);
    await sleep(limits.detachedPollMs);
  }
  return refusal(`${options.path} does not answer; see ${log}.`);
}

function refusal(why: string): Result<Detached, DetachedFailure> {
  return fail({ code: 'not-started', message: `The VPP simulator did not start: ${why}` });
}

function openLog(path: string): number | undefined {
  try {
    return openSync(path, 'a', 0o640);
  } catch {
    return undefined;
  }
}

function lastLine(path: string): string {
  return readFileSync(path, 'utf8').trimEnd().split('\n').at(-1) ?? '';
}
