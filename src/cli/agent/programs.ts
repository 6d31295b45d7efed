/**
 * Programs the agent runs beside itself: the check of its health and the hook of a drain. A command line for
 * the shell, with the facts in the environment; its output is the agent's.
 */
import { spawn } from 'node:child_process';
import type { DrainTold } from '../../adapters/agent-client/client.js';
import type { Health } from '../../adapters/agent-client/session.js';

const CHECK_TIMEOUT_MS = 10_000;
const OUTPUT_MAX = 512;

/** Exit 0 is healthy; the last line it printed is the detail. */
export function checkWith(command: string | undefined): () => Promise<Health> {
  if (command === undefined) return async () => ({ healthy: true, detail: '' });
  return async () => {
    const ran = await run(command, {}, CHECK_TIMEOUT_MS);
    const detail = ran.output.trim().split('\n').at(-1) ?? '';
    return { healthy: ran.code === 0, detail: ran.timedOut ? 'the check took too long' : detail };
  };
}

/** Resolves when the hook exits with 0, at the latest at the deadline; without one, at once. */
export function hookWith(command: string | undefined, now: () => number) {
  return async (drain: DrainTold): Promise<void> => {
    if (command === undefined) return;
    const facts = {
      SWITCHYARD_DRAIN_REASON: drain.reason,
      SWITCHYARD_DRAIN_NOTE: drain.note,
      SWITCHYARD_DRAIN_DEADLINE: new Date(drain.deadlineMs).toISOString(),
    };
    const ran = await run(command, facts, Math.max(0, drain.deadlineMs - now()));
    if (ran.timedOut) throw new Error('the hook was not done by the deadline');
    if (ran.code !== 0) throw new Error(`the hook ended with ${ran.code ?? 'a signal'}`);
  };
}

interface Ran {
  readonly code: number | null;
  readonly output: string;
  readonly timedOut: boolean;
}

/** Longest wait that Node's timers take. */
const TIMER_MAX_MS = 2 ** 31 - 1;

function run(
  command: string,
  facts: Readonly<Record<string, string>>,
  limitMs: number,
): Promise<Ran> {
  return new Promise((resolve) => {
    const child = spawn('/bin/sh', ['-c', command], {
      env: { ...process.env, ...facts, SWITCHYARD_TOKEN: undefined },
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    let output = '';
    let timedOut = false;
    child.stdout.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString('utf8')).slice(-OUTPUT_MAX);
    });
    const timer = setTimeout(
      () => {
        timedOut = true;
        killGroup(child.pid);
      },
      Math.min(limitMs, TIMER_MAX_MS),
    );
    const done = (code: number | null): void => {
      clearTimeout(timer);
      resolve({ code, output, timedOut });
    };
    child.on('error', () => done(127));
    child.on('close', done);
  });
}

/** The shell and what it started. */
function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It was gone already.
  }
}
