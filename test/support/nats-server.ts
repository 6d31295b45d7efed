/**
 * A real nats-server for tests: on loopback, a free port and a directory of its own. It can be killed,
 * paused, started again, and set back to an earlier state of its disk.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HOW_TO_GET_IT, listening } from '../../bench/outbox/broker.js';
import { freePort } from '../../bench/runtime/free-port.js';

export interface NatsServer {
  readonly url: string;
  readonly port: number;
  start(): Promise<void>;
  /** SIGKILL, and until it is gone. */
  kill(): Promise<void>;
  /** SIGSTOP, and until each of its threads stands still. */
  pause(): Promise<void>;
  resume(): void;
  /** Copies what is on disk; only while it is down. */
  save(): Promise<void>;
  /** Puts the saved state back; only while it is down. */
  restore(): Promise<void>;
  close(): Promise<void>;
}

/** `config`: lines of its configuration file beside port and JetStream. */
export async function startNatsServer(config = ''): Promise<NatsServer> {
  const dir = await mkdtemp(join(tmpdir(), 'nats-'));
  const data = join(dir, 'data');
  const saved = join(dir, 'saved');
  const port = await freePort();
  const file = join(dir, 'server.conf');
  const jetstream = `jetstream { store_dir: ${JSON.stringify(data)} }`;
  await writeFile(file, `listen: 127.0.0.1:${port}\n${jetstream}\n${config}\n`);
  let child: ChildProcess | undefined;
  const server: NatsServer = {
    url: `127.0.0.1:${port}`,
    port,
    start: async () => {
      child = spawn('nats-server', ['-c', file], { stdio: 'ignore' });
      const failed = new Promise<never>((_, reject) => {
        child?.once('error', () => reject(new Error(HOW_TO_GET_IT)));
        child?.once('exit', (code) => reject(new Error(`nats-server ended with ${code}`)));
      });
      // Later ends are wanted.
      failed.catch(() => undefined);
      await Promise.race([listening(port), failed]);
    },
    kill: async () => {
      const running = child;
      child = undefined;
      if (running === undefined || running.exitCode !== null) return;
      const gone = new Promise<void>((resolve) => running.once('exit', () => resolve()));
      running.kill('SIGKILL');
      await gone;
    },
    pause: async () => {
      child?.kill('SIGSTOP');
      while (child?.pid !== undefined && !(await standsStill(child.pid))) await shortly();
    },
    resume: () => void child?.kill('SIGCONT'),
    save: () => cp(data, saved, { recursive: true, force: true }),
    restore: async () => {
      await rm(data, { recursive: true, force: true });
      await cp(saved, data, { recursive: true });
    },
    close: async () => {
      await server.kill();
      await rm(dir, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}

const shortly = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 25));

/** A signal is on its way for a while, and a server of many threads answers until the last has it. */
async function standsStill(pid: number): Promise<boolean> {
  const tasks = `/proc/${pid}/task`;
  const stats = (await readdir(tasks)).map((task) => readFile(`${tasks}/${task}/stat`, 'utf8'));
  return (await Promise.all(stats)).every((stat) =>
    stat.slice(stat.lastIndexOf(')')).startsWith(') T'),
  );
}
