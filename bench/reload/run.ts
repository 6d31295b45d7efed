/**
 * A whole daemon on a very large configuration: started, left alone, reloaded, looked at.
 *
 * Input: how many objects. Output: delays, effects and the time of a check. The daemon is a process of
 * its own: what is measured is its threads, as its metrics page tells them.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { JsonObject } from '../../machines/model/json.js';
import { median } from '../rows.js';

export interface Size {
  readonly backends: number;
  readonly frontends: number;
  readonly rounds: number;
}

export interface LargeReload {
  readonly stallMs: number;
  readonly restMs: number;
  readonly effects: number;
  readonly checkS: number;
}

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const READY_WITHIN_MS = 300_000;
const LOOK_EVERY_MS = 1_000;

interface Running {
  readonly child: ChildProcess;
  readonly admin: string;
}

export async function measureLargeReload(
  size: Size,
  progress: (line: string) => void,
): Promise<LargeReload> {
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-bench-'));
  const file = join(dir, 'switchyard.yaml');
  writeFileSync(file, largeSite(size));
  progress('reload: the daemon starts on its large configuration');
  const running = await start(file);
  try {
    await atRest(running);
    return await measure(running, size, progress);
  } finally {
    running.child.kill('SIGKILL');
    rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

async function measure(
  running: Running,
  { rounds }: Size,
  progress: (line: string) => void,
): Promise<LargeReload> {
  const stalls: number[] = [];
  const rests: number[] = [];
  const checks: number[] = [];
  const before = await countsOf(running);
  for (let round = 1; round <= rounds; round += 1) {
    progress(`reload: round ${round} of ${rounds}`);
    await worstLagMs(running);
    const startedAt = performance.now();
    const { status } = await reload(running);
    if (status !== 'unchanged') throw new Error(`the reload said ${status}`);
    checks.push(performance.now() - startedAt);
    stalls.push(await worstLagMs(running));
    await new Promise((resolve) => setTimeout(resolve, checks.at(-1)));
    rests.push(await worstLagMs(running));
  }
  const after = await countsOf(running);
  return {
    stallMs: median(stalls),
    restMs: median(rests),
    checkS: median(checks) / 1_000,
    effects: after.effects - before.effects,
  };
}

/** Each frontend has as many backends as there are for it. */
function largeSite({ backends, frontends }: Size): string {
  const each = Math.floor(backends / frontends);
  const address = (n: number): string => `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`;
  const rows = Array.from({ length: backends }, (_, n) => `  b${n}: { address: ${address(n)} }`);
  const vips = Array.from({ length: frontends }, (_, n) => {
    const members = Array.from({ length: each }, (__, m) => `{ backend: b${n * each + m} }`);
    return `  f${n}: { address: 172.${16 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}, pools: [{ name: one, members: [${members.join(', ')}] }] }`;
  });
  const head =
    'node: { name: large }\ndataplane: { driver: none }\nadmin: { listen: "127.0.0.1:0" }';
  return `${head}\nbackends:\n${rows.join('\n')}\nfrontends:\n${vips.join('\n')}\n`;
}

function start(file: string): Promise<Running> {
  const child = spawn(process.execPath, [MAIN, 'run', '--config', file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    const limit = setTimeout(
      () => reject(new Error('the daemon does not come up')),
      READY_WITHIN_MS,
    );
    child.on('exit', (code) => reject(new Error(`the daemon ended: ${code}`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const { msg, admin } = JSON.parse(line) as JsonObject;
      if (msg !== 'ready') return;
      clearTimeout(limit);
      resolve({ child, admin: String(admin) });
    });
  });
}

/** Nothing is decided any more: what the start had to do is done. */
async function atRest(running: Running): Promise<void> {
  for (let last = -1; ; ) {
    const { decisions, pending } = await countsOf(running);
    if (decisions === last && pending === 0) return;
    last = decisions;
    await new Promise((resolve) => setTimeout(resolve, 2 * LOOK_EVERY_MS));
  }
}

async function page(running: Running): Promise<string> {
  return (await fetch(`http://${running.admin}/metrics`)).text();
}

/** Of all threads, since it was last asked. */
async function worstLagMs(running: Running): Promise<number> {
  const found = [
    ...(await page(running)).matchAll(/^switchyard_event_loop_lag_seconds\{[^}]*\} (\S+)$/gm),
  ];
  if (found.length < 4) throw new Error('threads do not tell their delay');
  return Math.max(...found.map(([, seconds]) => Number(seconds) * 1_000));
}

async function reload(running: Running): Promise<JsonObject> {
  const headers = { 'X-Switchyard': '1' };
  const answer = await fetch(`http://${running.admin}/api/v1/reload`, { method: 'POST', headers });
  return (await answer.json()) as JsonObject;
}

/** Rows of decisions so far, and what others were told. */
async function countsOf(
  running: Running,
): Promise<{ readonly decisions: number; readonly effects: number; readonly pending: number }> {
  const text = await page(running);
  const metric = (name: string): number =>
    Number(new RegExp(`^switchyard_${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1] ?? 0);
  const decisions = metric('store_batch_rows_sum');
  // The reload's own row says that it looked; these are what others hear of.
  const heard = ['outbox_published_total', 'config_generation', 'lbsync_total', 'vpp_api_total'];
  const effects = heard.reduce((sum, name) => sum + metric(name), 0);
  return { decisions, effects, pending: metric('outbox_pending') };
}
