/**
 * One daemon with its threads, a simulated VPP in a process of its own, and backends that fail one after
 * the other: how long from the verdict on each until VPP is asked to take its weight away.
 *
 * Both times are wall-clock milliseconds of one machine: the verdict's from the backend's view, VPP's from
 * the simulator's op log, written after it has done what it was asked. Our own share of the way is what the
 * daemon says of itself: the way without what it waited for VPP (`verdict_to_dataplane_own_seconds`).
 */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { percentile } from '../rows.js';
import { freePort } from '../runtime/free-port.js';
import { type Outcome, type Params, param } from '../runtime/probe.js';
import { inFolder } from '../runtime/store-folder.js';
import { type Ports, type SiteSize, siteOf, victimsOf } from './site.js';

export const failoverProbes = { failover };

const CLI = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const LISTENERS = fileURLToPath(new URL('./listeners.js', import.meta.url));
/** Between two failures: no verdict waits for another's. */
const SPACING_MS = 60;
const PATIENCE_MS = 120_000;

function failover(params: Params): Promise<Outcome> {
  const size: SiteSize = {
    frontends: param(params, 'frontends'),
    servers: param(params, 'servers'),
    intervalMs: param(params, 'intervalMs'),
  };
  return inFolder(async (folder) => {
    const victims = victimsOf(size);
    const listeners = fork(LISTENERS, [...victims]);
    const [listening] = (await once(listeners, 'message')) as [Omit<Ports, 'admin'>];
    const ports = { ...listening, admin: await freePort() };
    const site = join(folder, 'site.yaml');
    writeFileSync(site, siteOf(size, ports));
    // The daemon takes the one that is there, and we know whom to end.
    const simulator = spawn(process.execPath, [CLI, 'vpp-sim', '--socket', socketIn(folder)], {
      stdio: 'ignore',
    });
    await until(() => existsSync(socketIn(folder)));
    const daemon = await startDaemon(site, folder);
    try {
      await until(() => weightsIn(folder).size >= size.frontends * size.servers);
      const before = await ownBuckets(ports.admin);
      for (const fail of victims) {
        listeners.send({ fail });
        await pause(SPACING_MS);
      }
      await until(() => victims.every((address) => weightsIn(folder).get(address)?.weight === 0));
      const own = since(before, await ownBuckets(ports.admin));
      const ownMs = { ownP50Ms: quantile(own, 0.5), ownP99Ms: quantile(own, 0.99) };
      return { ...(await latencies(folder, victims)), ...ownMs };
    } finally {
      listeners.kill();
      await stop(daemon);
      simulator.kill();
    }
  });
}

/** Where a daemon with this data directory looks for its simulator. */
function socketIn(folder: string): string {
  return join(folder, 'vpp.sock');
}

async function startDaemon(site: string, folder: string): Promise<ChildProcess> {
  const args = [CLI, 'run', '--config', site, '--data-dir', folder];
  const daemon = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  daemon.stdout?.on('data', (chunk: Buffer) => {
    if (!said.includes('"ready"')) said += String(chunk);
  });
  await until(() => said.includes('"ready"') || daemon.exitCode !== null);
  if (daemon.exitCode !== null) throw new Error(`the daemon did not start: ${said}`);
  return daemon;
}

async function stop(daemon: ChildProcess): Promise<void> {
  daemon.kill('SIGTERM');
  if (daemon.exitCode === null) await once(daemon, 'exit');
}

interface Weight {
  readonly weight: number;
  /** When VPP had done it. */
  readonly at: number;
}

/** The last weight of every server, by its address. */
function weightsIn(folder: string): ReadonlyMap<string, Weight> {
  const file = `${socketIn(folder)}.ops.jsonl`;
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  const weights = new Map<string, Weight>();
  for (const line of lines.filter(Boolean)) {
    const { as, weight, at } = JSON.parse(line);
    if (as !== undefined && weight !== undefined) weights.set(as, { weight, at });
  }
  return weights;
}

interface BackendView {
  readonly address: string;
  readonly since: string;
}

async function latencies(folder: string, victims: readonly string[]): Promise<Outcome> {
  const backends = await ask<readonly BackendView[]>(folder, 'get', 'backends');
  const fallen = new Map(backends.map((view) => [view.address, Date.parse(view.since)]));
  const weights = weightsIn(folder);
  const tookMs = victims.map(
    (address) => (weights.get(address)?.at ?? Number.NaN) - (fallen.get(address) ?? Number.NaN),
  );
  return { p50Ms: percentile(tookMs, 0.5), p99Ms: percentile(tookMs, 0.99), failed: tookMs.length };
}

/** From the daemon's page. */
async function ownBuckets(admin: number): Promise<readonly Bucket[]> {
  const page = await (await fetch(`http://127.0.0.1:${admin}/metrics`)).text();
  const line = /^switchyard_verdict_to_dataplane_own_seconds_bucket\{le="([\d.]+)"\} (\d+)$/gm;
  return [...page.matchAll(line)].map(([, le, count]) => ({
    le: Number(le) * 1_000,
    count: Number(count),
  }));
}

interface Bucket {
  /** Upper bound, in milliseconds. */
  readonly le: number;
  /** Observations up to it. */
  readonly count: number;
}

function since(before: readonly Bucket[], now: readonly Bucket[]): readonly Bucket[] {
  const earlier = new Map(before.map(({ le, count }) => [le, count]));
  return now.map(({ le, count }) => ({ le, count: count - (earlier.get(le) ?? 0) }));
}

/** Within a bucket the observations lie evenly. */
function quantile(buckets: readonly Bucket[], share: number): number {
  const rank = share * (buckets.at(-1)?.count ?? 0);
  const at = buckets.findIndex(({ count }) => count >= rank);
  const { le = Number.NaN, count = 0 } = buckets[at] ?? {};
  const below = buckets[at - 1] ?? { le: 0, count: 0 };
  return below.le + ((le - below.le) * (rank - below.count)) / Math.max(1, count - below.count);
}

async function ask<T>(folder: string, ...words: readonly string[]): Promise<T> {
  const args = [CLI, ...words, '--json', '--socket', join(folder, 'switchyard.sock')];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    said += String(chunk);
  });
  await once(child, 'close');
  return JSON.parse(said) as T;
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error('it did not happen in time');
    await pause(1_000);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
