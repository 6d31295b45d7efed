/**
 * Runs the operator's program once per call, in a process group of its own, a few at a time.
 *
 * Input: command, timeout, what to say on stdin. Output: a result; the program's own output goes nowhere
 * but for the end of its stderr, which is the message of a failure.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { HookCall, HookFailure } from '../../../machines/model/announce.js';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import type { AnnounceHook } from '../../ports/announce-hook.js';
import type { Clock } from '../../ports/clock.js';

/** Programs that run at the same time. */
const RUNNING_MAX = 8;
const STDERR_BYTES_MAX = 512;

type Outcome = Result<void, HookFailure>;
type Program = Parameters<AnnounceHook['call']>[0];

export function openAnnounceHook({ clock }: { readonly clock: Clock }): AnnounceHook {
  const running = new Set<ChildProcess>();
  const waiting: (() => void)[] = [];
  let taken = 0;
  let closed = false;

  /** A place is handed on: nobody who comes later takes it from those who wait. */
  const turn = (): Promise<void> => {
    if (taken >= RUNNING_MAX) return new Promise((go) => void waiting.push(go));
    taken += 1;
    return Promise.resolve();
  };

  const leave = (): void => {
    const next = waiting.shift();
    if (next === undefined) taken -= 1;
    else next();
  };

  async function call(program: Program, what: HookCall): Promise<Outcome> {
    await turn();
    try {
      if (closed) return fail({ code: 'unavailable', message: 'the node is stopping' });
      return await run(program, what);
    } catch (error) {
      return fail({ code: 'unavailable', message: (error as Error).message });
    } finally {
      leave();
    }
  }

  function run({ command, timeoutMs }: Program, what: HookCall): Promise<Outcome> {
    return new Promise((resolve) => {
      const [file = '', ...args] = command;
      const child = spawn(file, args, { detached: true, stdio: ['pipe', 'ignore', 'pipe'] });
      running.add(child);
      let said = '';
      let late = false;
      const cancel = clock.after(timeoutMs, () => {
        late = true;
        endGroup(child);
      });
      const end = (outcome: Outcome): void => {
        cancel();
        running.delete(child);
        resolve(outcome);
      };
      child.stderr.on('data', (bytes: Buffer) => {
        said = (said + bytes.toString('utf8')).slice(-STDERR_BYTES_MAX);
      });
      // It may end without reading what it is told.
      child.stdin.on('error', () => undefined);
      child.stdin.end(`${JSON.stringify(what)}\n`);
      child.on('error', ({ message }) => end(fail({ code: 'unavailable', message })));
      child.on('exit', (code, signal) => {
        if (late) end(fail({ code: 'timeout', message: `still running after ${timeoutMs} ms` }));
        else if (code === 0) end(ok(undefined));
        else end(fail({ code: 'failed', message: endText(code ?? signal, said) }));
      });
    });
  }

  const close = async (): Promise<void> => {
    closed = true;
    for (const child of running) endGroup(child);
  };

  return { call, close };
}

function endText(end: number | string | null, said: string): string {
  const last = said.trim().split('\n').at(-1) ?? '';
  const how = typeof end === 'number' ? `exit ${end}` : `ended by ${end}`;
  return last === '' ? how : `${how}: ${last}`;
}

/** The program and whatever it started. */
function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    // It ended between the look and the signal.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
