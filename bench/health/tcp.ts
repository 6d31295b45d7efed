/**
 * What a TCP check costs: CPU seconds of the probing process for 10,000 of them, at the same pace, by our
 * prober, by `net.connect` as anybody would write it, and by Debian's haproxy.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { HealthCheckSpec } from '../../machines/model/desired.js';
import { openProber } from '../../src/adapters/probe/prober.js';
import { openTcp } from '../../src/adapters/probe/tcp-handle.js';
import { systemClock } from '../../src/adapters/system/clock.js';
import { percentile } from '../rows.js';
import { type Outcome, type Params, param } from '../runtime/probe.js';
import { inFolder } from '../runtime/store-folder.js';
import { paced } from './pacing.js';
import { withListener } from './target.js';

const HOST = '127.0.0.1';
const CHECK: HealthCheckSpec = {
  name: 'bench',
  type: 'tcp',
  path: '/',
  status: [],
  insecureSkipVerify: false,
  intervalMs: 1_000,
  fastIntervalMs: 1_000,
  downIntervalMs: 1_000,
  timeoutMs: 1_000,
  rise: 2,
  fall: 3,
  snap: true,
  jitter: 0,
};

export const tcpProbes = {
  'health-tcp-ours': (params: Params) => measured(params, ours),
  'health-tcp-naive': (params: Params) => measured(params, naive),
  'health-tcp-haproxy': haproxy,
};

type Probe = () => Promise<boolean>;

function ours(port: number): Probe {
  // As in a shard's thread: on plain sockets (src/adapters/probe/libc.ts).
  const prober = openProber({
    clock: systemClock(),
    userAgent: 'switchyard/bench',
    tcp: openTcp(),
  });
  const target = { address: HOST, port };
  return async () => (await prober.probe(target, CHECK)).passed;
}

function naive(port: number): Probe {
  return () =>
    new Promise((resolve) => {
      const socket = connect({ host: HOST, port });
      const timeout = setTimeout(() => socket.destroy(), CHECK.timeoutMs);
      const end = (passed: boolean): void => {
        clearTimeout(timeout);
        socket.resetAndDestroy();
        resolve(passed);
      };
      socket.once('connect', () => end(true));
      socket.on('error', () => end(false));
    });
}

function measured(params: Params, probing: (port: number) => Probe): Promise<Outcome> {
  const [targets, durationMs] = [param(params, 'targets'), param(params, 'durationMs')];
  const pace = { targets, durationMs, intervalMs: param(params, 'intervalMs') };
  return withListener(async ({ port }) => {
    const clock = systemClock();
    const { probes, passed, cpuSeconds, lagsMs } = await paced({ ...pace, clock }, probing(port));
    return {
      per10000: (cpuSeconds / probes) * 10_000,
      perS: probes / (durationMs / 1_000),
      failed: probes - passed > targets ? probes - passed : 0,
      lagP50Ms: percentile(lagsMs, 0.5),
      lagP99Ms: percentile(lagsMs, 0.99),
    };
  });
}

// --- haproxy ----------------------------------------------------------------------------------

/** Seconds in one tick of /proc's clock. */
const TICK_S = 0.01;

function haproxy(params: Params): Promise<Outcome> {
  return withListener(({ port }) =>
    inFolder(async (folder) => {
      const config = join(folder, 'haproxy.cfg');
      writeFileSync(config, configOf(port, join(folder, 'haproxy.sock'), params));
      const child = spawn('haproxy', ['-f', config, '-db'], { stdio: 'ignore' });
      try {
        return await watch(child, param(params, 'durationMs'));
      } finally {
        child.kill('SIGKILL');
      }
    }),
  );
}

/** Its first checks are spread over one interval; then it goes at its pace. */
const SETTLE_MS = 1_000;

async function watch({ pid }: ChildProcess, durationMs: number): Promise<Outcome> {
  const stat = `/proc/${pid}/stat`;
  await pause(SETTLE_MS);
  const before = { cpu: cpuSecondsIn(stat), opened: connectionsOpened() };
  await pause(durationMs);
  const probes = connectionsOpened() - before.opened;
  const cpuSeconds = cpuSecondsIn(stat) - before.cpu;
  return { per10000: (cpuSeconds / probes) * 10_000, perS: probes / (durationMs / 1_000) };
}

/**
 * On the whole machine, by the kernel's count: haproxy resets a connection before it was established on
 * the other side, so that a listener never hears of it.
 */
function connectionsOpened(): number {
  const [names = '', numbers = ''] = readFileSync('/proc/net/snmp', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('Tcp:'));
  return Number(numbers.split(' ')[names.split(' ').indexOf('ActiveOpens')]);
}

/** User and system time: the 14th and 15th field, the second of which may have spaces within. */
function cpuSecondsIn(stat: string): number {
  const fields = readFileSync(stat, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK_S;
}

function configOf(port: number, socket: string, params: Params): string {
  const servers = Array.from(
    { length: param(params, 'targets') },
    (_, n) => `  server s${n} ${HOST}:${port} check inter ${param(params, 'intervalMs')}ms`,
  );
  return `global
  nbthread 1
  maxconn 1000
defaults
  mode tcp
  timeout connect 1s
  timeout client 1s
  timeout server 1s
listen bench
  bind unix@${socket}
${servers.join('\n')}
`;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
