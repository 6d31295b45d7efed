/**
 * Runs the operator's program once: a process group of its own, a request on stdin, an answer on stdout.
 *
 * Input: command, verb, request, environment, timeout. Output: how it ended and what it said. Never
 * rejects. Whatever it started is ended with it when it takes too long, says too much, or we stop.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Clock } from '../../ports/clock.js';
import { END_GRACE_MS, LAST_OUTPUT_MS, STDERR_BYTES_MAX, STDOUT_BYTES_MAX } from './limits.js';

export interface ProgramCall {
  readonly command: readonly string[];
  readonly verb: string;
  readonly stdin: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

export type Ended =
  | {
      readonly how: 'exit';
      readonly code: number;
      readonly stdout: string;
      readonly stderr: string;
    }
  | { readonly how: 'signal'; readonly signal: string; readonly stderr: string }
  | { readonly how: 'timeout' | 'too-much' | 'stopped' }
  | { readonly how: 'not-started'; readonly code: string; readonly message: string };

export interface Programs {
  run(call: ProgramCall): Promise<Ended>;
  /** Ends what runs; what is asked for afterwards is not started. */
  close(): void;
}

type Cut = 'timeout' | 'too-much' | 'stopped';

export function createPrograms(clock: Clock): Programs {
  const running = new Set<(why: Cut) => void>();
  let closed = false;
  return {
    run: (call) => {
      if (closed) return Promise.resolve({ how: 'stopped' });
      return new Promise((resolve) => start(call, { clock, running, resolve }));
    },
    close: () => {
      closed = true;
      for (const cut of [...running]) cut('stopped');
    },
  };
}

interface Around {
  readonly clock: Clock;
  readonly running: Set<(why: Cut) => void>;
  resolve(ended: Ended): void;
}

function start(call: ProgramCall, { clock, running, resolve }: Around): void {
  const child = spawned(call);
  if (child instanceof Error) return resolve(notStarted(child));
  let why: Cut | undefined;
  let stdout = '';
  let stderr = '';
  let over = false;
  let cancelWait = (): void => undefined;
  const cut = (reason: Cut): void => {
    if (why !== undefined) return;
    why = reason;
    signalGroup(child, 'SIGTERM');
    cancelWait = clock.after(END_GRACE_MS, () => signalGroup(child, 'SIGKILL'));
  };
  const cancelTimeout = clock.after(call.timeoutMs, () => cut('timeout'));
  const end = (ended: Ended): void => {
    if (over) return;
    over = true;
    cancelTimeout();
    cancelWait();
    running.delete(cut);
    // What it left behind holds its pipes no longer.
    if (why !== undefined) signalGroup(child, 'SIGKILL');
    child.stdout?.destroy();
    child.stderr?.destroy();
    resolve(ended);
  };
  running.add(cut);
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    if (stdout.length + text.length > STDOUT_BYTES_MAX) return cut('too-much');
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_BYTES_MAX);
  });
  // It may end without reading what it is told.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(`${call.stdin}\n`);
  child.on('error', (error) => end(notStarted(error)));
  const finish = (code: number | null, signal: string | null): void => {
    if (why !== undefined) end({ how: why });
    else if (code !== null) end({ how: 'exit', code, stdout, stderr });
    else end({ how: 'signal', signal: signal ?? 'a signal', stderr });
  };
  child.on('close', finish);
  child.on('exit', (code, signal) => {
    if (why !== undefined) return finish(code, signal);
    cancelTimeout();
    cancelWait = clock.after(LAST_OUTPUT_MS, () => finish(code, signal));
  });
}

function spawned({ command, verb, cwd, env }: ProgramCall): ChildProcess | Error {
  const [program = '', ...args] = command;
  try {
    return spawn(program, [...args, verb], { cwd, env, detached: true, stdio: 'pipe' });
  } catch (error) {
    return error as Error;
  }
}

function notStarted(error: NodeJS.ErrnoException): Ended {
  return { how: 'not-started', code: error.code ?? 'unknown', message: error.message };
}

/** The program and whatever it started. */
function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // It ended between the look and the signal.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
