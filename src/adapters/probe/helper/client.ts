/**
 * The near end of a helper process: started when it is first needed, and again, after a while, when it
 * has ended.
 *
 * Output: its result; when it cannot give one, a `SOCKERR` that says why. That is no verdict: a helper
 * that dies takes no weight away.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ProbeResult } from '../../../../machines/model/messages.js';
import type { Clock } from '../../../ports/clock.js';
import type { Prober } from '../../../ports/prober.js';
import { failed } from '../outcome.js';
import type { HelperAnswer } from './protocol.js';

export interface Helper extends Prober {
  close(): void;
}

export interface HelperOptions {
  readonly clock: Clock;
  readonly userAgent: string;
  /** Name of a network namespace under /run/netns; absent: our own. */
  readonly netns?: string;
}

/** One that ended is not started again before. */
const RETRY_MS = 1_000;
/** Beyond a check's own timeout: a helper that is silent for so long hangs. */
const GRACE_MS = 5_000;
/** Of what it said on its way out. */
const LAST_WORDS_CHARACTERS_MAX = 200;

const ENTRY = fileURLToPath(new URL('./entry.js', import.meta.url));

export function createHelper(options: HelperOptions): Helper {
  const { clock } = options;
  const pending = new Map<number, (result: ProbeResult) => void>();
  let child: ChildProcess | undefined;
  let lastId = 0;
  let endedAtMs = Number.NEGATIVE_INFINITY;
  let reason = '';

  const ended = (of: ChildProcess, why: string): void => {
    if (child !== of) return;
    child = undefined;
    endedAtMs = clock.monotonic();
    reason = `${nameOf(options)} ended: ${why}`;
    for (const [id, settle] of [...pending]) {
      pending.delete(id);
      settle(ourTrouble(reason));
    }
  };

  const start = (): ChildProcess | undefined => {
    if (child !== undefined) return child;
    if (clock.monotonic() - endedAtMs < RETRY_MS) return undefined;
    const started = tryLaunch(options);
    if (typeof started === 'string') {
      endedAtMs = clock.monotonic();
      reason = started;
      return undefined;
    }
    child = started;
    let lastWords = '';
    started.stderr?.on('data', (said: Buffer) => {
      lastWords = `${lastWords}${said}`.slice(-LAST_WORDS_CHARACTERS_MAX);
    });
    started.on('message', ({ id, result }: HelperAnswer) => {
      const settle = pending.get(id);
      pending.delete(id);
      settle?.(result);
    });
    started.on('error', (error) => ended(started, error.message));
    // Not `exit`: by now all it had to say was read.
    started.on('close', (code, signal) =>
      ended(started, lastWords.trim() || `exit ${code ?? signal}`),
    );
    return started;
  };

  return {
    probe: (target, check) => {
      const running = start();
      if (running === undefined) return Promise.resolve(ourTrouble(reason));
      const id = ++lastId;
      return new Promise((resolve) => {
        const cancel = clock.after(check.timeoutMs + GRACE_MS, () => running.kill('SIGKILL'));
        pending.set(id, (result) => {
          cancel();
          resolve(result);
        });
        // What cannot be sent is told of when the channel closes.
        running.send({ id, target, check }, () => undefined);
      });
    },
    close: () => {
      const last = child;
      if (last === undefined) return;
      ended(last, 'the node stops');
      if (last.connected) last.disconnect();
      last.unref();
    },
  };
}

/** Without descriptors to spare there is no process, or one that cannot be talked to. */
function tryLaunch(options: HelperOptions): ChildProcess | string {
  try {
    const started = launch(options);
    if (started.connected) return started;
    started.on('error', () => undefined);
    // One that never was has process number 0, and a signal to that is for all of us.
    if (started.pid !== undefined) started.kill('SIGKILL');
    return `${nameOf(options)} cannot be started`;
  } catch (error) {
    return `${nameOf(options)} cannot be started: ${(error as Error).message}`;
  }
}

/** `nsenter`, because only a process of its own can be in another namespace. */
function launch({ netns, userAgent }: HelperOptions): ChildProcess {
  const node = [process.execPath, ENTRY, userAgent];
  const enter = netns === undefined ? [] : ['nsenter', `--net=/run/netns/${netns}`];
  const [program = process.execPath, ...args] = [...enter, ...node];
  return spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
}

function nameOf({ netns }: HelperOptions): string {
  return netns === undefined ? 'the probe helper' : `the probe helper in netns ${netns}`;
}

function ourTrouble(reason: string): ProbeResult {
  return { ...failed('SOCKERR', reason), durationMs: 0, late: false };
}
