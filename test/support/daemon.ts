/**
 * A real daemon for end-to-end tests: the built command line as a process of its own, in a directory of
 * its own, asked only through its command line. Cleans up what outlives it (simulator, instances).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endDetachedVppSim } from '../../src/vppsim/detached.js';
import { repoPath } from './root.js';

/** The built entry beside this built file. */
export const CLI = join(
  dirname(fileURLToPath(import.meta.url)),
  '..',
  '..',
  'src',
  'cli',
  'main.js',
);

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function runCli(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd?: string,
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CLI, ...args], {
      env: { ...process.env, ...env },
      ...(cwd === undefined ? {} : { cwd }),
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

export interface Site {
  readonly dir: string;
  readonly config: string;
  readonly dataDir: string;
  write(text: string): void;
  /** Starts a daemon on this site; resolves when it says ready. */
  start(options?: StartOptions): Promise<Daemon>;
  /** JSON lines of the simulator's op log: every request that changed VPP. */
  ops(): readonly VppOp[];
  /** Ends everything that outlives a daemon and removes the directory. */
  close(): Promise<void>;
}

export interface VppOp {
  readonly op?: string;
  readonly violation?: string;
  readonly vip?: string;
  readonly as?: string;
  readonly weight?: number;
  readonly retval?: number;
}

export interface StartOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Do not wait for ready. */
  readonly wait?: boolean;
}

export interface Daemon {
  readonly process: ChildProcess;
  /** Parsed log lines so far. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
  readonly exited: Promise<number | string>;
  cli(...args: readonly string[]): Promise<Ran>;
  /** The JSON a command prints. */
  json<T = Readonly<Record<string, unknown>>>(...args: readonly string[]): Promise<T>;
  stop(signal?: NodeJS.Signals): Promise<number | string>;
}

const READY_WITHIN_MS = 60_000;

/** How the node hosts its actors: over worker threads, or all in the main thread. */
export type HostMode = 'threads' | 'single';

export function makeSite(config: string, mode: HostMode = 'threads'): Site {
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-'));
  const file = join(dir, 'site.yaml');
  const dataDir = join(dir, 'data');
  const started: Daemon[] = [];
  const write = (text: string): void =>
    writeFileSync(file, text.replaceAll('SERVER', repoPath('examples', 'server.mjs')));
  write(config);
  return {
    dir,
    config: file,
    dataDir,
    write,
    start: async (options = {}) => {
      const daemon = startDaemon({ file, dataDir, options, mode });
      started.push(daemon);
      if (options.wait !== false) await ready(daemon);
      return daemon;
    },
    ops: () => readOps(join(dataDir, 'vpp.sock.ops.jsonl')),
    close: async () => {
      for (const daemon of started) await daemon.stop('SIGKILL');
      await endDetachedVppSim(join(dataDir, 'vpp.sock'));
      killInstances(join(dataDir, 'process'));
      rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}

interface Started {
  readonly file: string;
  readonly dataDir: string;
  readonly options: StartOptions;
  readonly mode: HostMode;
}

function startDaemon({ file, dataDir, options, mode }: Started): Daemon {
  const threads = mode === 'single' ? ['--single-thread'] : [];
  const args = [CLI, 'run', '--config', file, '--data-dir', dataDir, ...threads];
  const child = spawn(process.execPath, [...args, ...(options.args ?? [])], {
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log: Record<string, unknown>[] = [];
  let rest = '';
  const take = (chunk: Buffer): void => {
    const lines = (rest + chunk.toString('utf8')).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) log.push(parsed(line));
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  const exited = new Promise<number | string>((resolve) => {
    child.on('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  const cli = (...words: readonly string[]): Promise<Ran> =>
    runCli([...words, '--socket', join(dataDir, 'switchyard.sock')]);
  return {
    process: child,
    log,
    exited,
    cli,
    json: async (...words) => {
      const ran = await cli(...words, '--json');
      if (ran.stdout === '') throw new Error(`${words.join(' ')}: exit ${ran.code}: ${ran.stderr}`);
      return JSON.parse(ran.stdout);
    },
    stop: async (signal = 'SIGTERM') => {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      return exited;
    },
  };
}

function parsed(line: string): Record<string, unknown> {
  try {
    return JSON.parse(line);
  } catch {
    return { line };
  }
}

async function ready(daemon: Daemon): Promise<void> {
  let ended: number | string | undefined;
  void daemon.exited.then((how) => {
    ended = how;
  });
  await until(
    'ready',
    async () => {
      if (ended !== undefined) throw new Error(`daemon ended (${ended}): ${tail(daemon)}`);
      return daemon.log.some((line) => line['msg'] === 'ready');
    },
    READY_WITHIN_MS,
  );
}

export function tail(daemon: Daemon): string {
  return daemon.log
    .slice(-25)
    .map((line) => JSON.stringify(line))
    .join('\n');
}

/** Polls until `probe` is true; fails with `what` and the last error. */
export async function until(
  what: string,
  probe: () => Promise<boolean>,
  withinMs = 60_000,
): Promise<void> {
  const deadline = Date.now() + withinMs;
  let last: unknown;
  while (Date.now() < deadline) {
    try {
      if (await probe()) return;
    } catch (error) {
      last = error;
      if (error instanceof Error && error.message.startsWith('daemon ended')) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`not within ${withinMs} ms: ${what}${last === undefined ? '' : ` (${last})`}`);
}

function readOps(file: string): readonly VppOp[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as VppOp);
}

/** Ends what the process provider started and nobody stopped. */
export function killInstances(dir: string): void {
  if (!existsSync(dir)) return;
  for (const entry of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
    if (!entry.endsWith('meta.json')) continue;
    const text = readFileSync(join(dir, entry), 'utf8');
    const pid = Number(/"pid":\s*(\d+)/.exec(text)?.[1] ?? 0);
    if (pid > 1) end(pid);
  }
}

function end(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It was gone already.
  }
}
