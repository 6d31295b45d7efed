/**
 * Two daemons and a broker, each a process of its own: the one that holds the lease is killed, and it is
 * looked at how long it takes until the other one says that it is its own.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../runtime/free-port.js';
import { type Outcome, type Params, param } from '../runtime/probe.js';
import { inFolder } from '../runtime/store-folder.js';
import { startBroker } from './broker.js';

const CLI = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const LOOK_MS = 20;
const PATIENCE_MS = 60_000;

interface Seat {
  readonly file: string;
  readonly port: number;
  process: ChildProcess;
}

/** The worst of some turns. */
export function takeover(params: Params): Promise<Outcome> {
  return inFolder(async (folder) => {
    const broker = await startBroker(folder);
    const seats: Seat[] = [];
    try {
      for (const node of ['one', 'two']) {
        seats.push(await sit(join(folder, node), { node, url: broker.url, params }));
      }
      const tookMs: number[] = [];
      for (let turn = 0; turn < param(params, 'turns'); turn += 1)
        tookMs.push(await handOver(seats));
      return { worstMs: Math.max(...tookMs) };
    } finally {
      for (const seat of seats) await kill(seat);
      await broker.close();
    }
  });
}

interface Given {
  readonly node: string;
  readonly url: string;
  readonly params: Params;
}

async function sit(folder: string, { node, url, params }: Given): Promise<Seat> {
  mkdirSync(folder);
  const file = join(folder, 'site.yaml');
  const port = await freePort();
  writeFileSync(
    file,
    `node: { name: ${node}, workers: 1 }
lease: { driver: nats, ttl: ${param(params, 'ttlMs')}ms }
outbox: { sink: { driver: nats, servers: ["${url}"] } }
dataplane: { driver: none }
admin: { listen: "127.0.0.1:${port}" }
`,
  );
  const seat = { file, port, process: run(file) };
  await until(async () => (await statusOf(seat)) !== undefined);
  return seat;
}

function run(file: string): ChildProcess {
  return spawn(process.execPath, [CLI, 'run', '--config', file], { stdio: 'ignore' });
}

async function handOver(seats: readonly Seat[]): Promise<number> {
  const holder = await holderOf(seats);
  const other = seats.find((seat) => seat !== holder);
  if (other === undefined) throw new Error('there is nobody to take over');
  await until(async () => (await statusOf(other)) !== undefined);
  const killedAt = performance.now();
  await kill(holder);
  await until(async () => (await statusOf(other))?.lease.held === true);
  const tookMs = performance.now() - killedAt;
  holder.process = run(holder.file);
  return tookMs;
}

async function holderOf(seats: readonly Seat[]): Promise<Seat> {
  let holder: Seat | undefined;
  await until(async () => {
    for (const seat of seats) if ((await statusOf(seat))?.lease.held === true) holder = seat;
    return holder !== undefined;
  });
  if (holder === undefined) throw new Error('nobody holds the lease');
  return holder;
}

/** `undefined`: it does not answer. */
async function statusOf({ port }: Seat): Promise<{ lease: { held: boolean } } | undefined> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/status`);
    return (await answer.json()) as { lease: { held: boolean } };
  } catch {
    return undefined;
  }
}

async function kill({ process: child }: Seat): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const endAt = performance.now() + PATIENCE_MS;
  while (performance.now() < endAt) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  throw new Error(`not within ${PATIENCE_MS} ms: ${isSo}`);
}
