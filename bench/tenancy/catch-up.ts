/**
 * One daemon with its threads, and the example tenant manager beside it. Events are put into its
 * database in one transaction, between two questions of the daemon; when they are accepted is what the
 * daemon's own database says, when they are reported what the tenant manager's says.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { freePort } from '../runtime/free-port.js';
import { type Outcome, type Params, param } from '../runtime/probe.js';
import { inFolder } from '../runtime/store-folder.js';

export const tenancyProbes = { catchUp };

const CLI = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const MANAGER = fileURLToPath(new URL('../../examples/tenant-manager/main.js', import.meta.url));
const PATIENCE_MS = 120_000;
const LOOK_MS = 250;
const QUIET_LOOKS = 8;

interface Site {
  readonly folder: string;
  readonly admin: number;
  readonly db: string;
}

function catchUp(params: Params): Promise<Outcome> {
  const events = param(params, 'events');
  return inFolder(async (folder) => {
    const site = { folder, admin: await freePort(), db: join(folder, 'tenants.db') };
    const manager = await startManager(site);
    writeFileSync(join(folder, 'site.yaml'), siteOf(manager.url, site.admin));
    let daemon = await startDaemon(site);
    try {
      await until(async () => typeof (await tenancyOf(site))?.['lastSuccessAt'] === 'string');
      await atRest(daemon);
      queue(site.db, events);
      const start = Date.now();
      await until(() => reportedIn(site.db) === events);
      const settledMs = Date.now() - start;
      await stop(daemon);
      const pagesMs = lastAcceptedAt(site) - start;
      daemon = await startDaemon(site);
      await until(async () => {
        const { phase, unaccepted } = (await tenancyOf(site)) ?? {};
        return phase === 'following' && unaccepted === 0;
      });
      const replayMs = Math.max(1, Number((await tenancyOf(site))?.['replayDurationMs']));
      const perSecond = (tookMs: number): number => (events * 1_000) / tookMs;
      return {
        pagesPerSecond: perSecond(pagesMs),
        settledPerSecond: perSecond(settledMs),
        replayPerSecond: perSecond(replayMs),
      };
    } finally {
      await stop(daemon);
      await stop(manager.child);
    }
  });
}

function siteOf(url: string, admin: number): string {
  return `node: { name: bench }
tenancy:
  url: ${url}
  pollInterval: 200ms
  pollLimit: 1000
  onProject: { groups: { web: { template: web, size: 0 } } }
providers: { local: { driver: process } }
templates: { web: { provider: local, spec: { command: ["true"] } } }
dataplane: { driver: none }
outbox: { sink: { driver: nop } }
admin: { listen: "127.0.0.1:${admin}" }
`;
}

/** As many projects of one org, made at once. */
function queue(file: string, count: number): void {
  const db = new Database(file);
  const org = randomUUID();
  db.transaction(() => {
    db.prepare('INSERT INTO orgs (id, name, created_at) VALUES (?, ?, 0)').run(org, 'bench');
    const project = db.prepare(
      'INSERT INTO projects (id, org_seq, name, created_at) VALUES (?, 1, ?, 0)',
    );
    const event = db.prepare(
      `INSERT INTO tenancy_events (event_type, resource_type, resource_id, resource_name, created_at)
       VALUES ('created', ?, ?, ?, ${Date.now()})`,
    );
    event.run('org', org, 'bench');
    for (let number = 0; number < count; number += 1) {
      const id = randomUUID();
      project.run(id, `p${number}`);
      event.run('project', id, `p${number}`);
    }
  })();
  db.close();
}

/** When the last of the events was decided, as the journal of a daemon that has ended says. */
function lastAcceptedAt({ folder }: Site): number {
  const db = new Database(join(folder, 'switchyard.db'), { readonly: true });
  const row = db
    .prepare("SELECT max(at) AS at FROM journal WHERE event = 'tenancy.event_accepted'")
    .get() as { readonly at: number };
  db.close();
  return row.at;
}

function reportedIn(file: string): number {
  const db = new Database(file, { readonly: true });
  const row = db
    .prepare(
      `SELECT count(*) AS n FROM controller_statuses
       WHERE status = 'completed' AND resource_type = 'project'`,
    )
    .get() as { readonly n: number };
  db.close();
  return row.n;
}

async function tenancyOf({ admin }: Site): Promise<Readonly<Record<string, unknown>> | undefined> {
  const response = await fetch(`http://127.0.0.1:${admin}/api/v1/status`).catch(() => undefined);
  if (response?.ok !== true) return undefined;
  const status = (await response.json()) as Readonly<Record<string, never>>;
  return status['tenancy'];
}

async function startManager({ db }: Site) {
  const args = [MANAGER, '--listen', '127.0.0.1:0', '--db', db];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const { listening } = JSON.parse(line) as { readonly listening: string };
  return { child, url: listening };
}

async function startDaemon({ folder }: Site): Promise<ChildProcess> {
  const args = [CLI, 'run', '--config', join(folder, 'site.yaml'), '--data-dir', folder];
  const daemon = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  daemon.stdout?.on('data', (chunk: Buffer) => {
    if (!said.includes('"ready"')) said += String(chunk);
  });
  await until(async () => said.includes('"ready"') || daemon.exitCode !== null);
  if (daemon.exitCode !== null) throw new Error(`the daemon did not start: ${said}`);
  return daemon;
}

/** What a start leaves to be done, such as warming up the spare thread, is no part of catching up. */
async function atRest({ pid }: ChildProcess): Promise<void> {
  let before = cpuTicksOf(pid);
  let quiet = 0;
  // One quiet look is none: it may only be waiting for a processor.
  await until(() => {
    const now = cpuTicksOf(pid);
    quiet = now - before <= 2 ? quiet + 1 : 0;
    before = now;
    return quiet >= QUIET_LOOKS;
  });
}

/** Processor time so far, in hundredths of a second; 0 where there is no `/proc`. */
function cpuTicksOf(pid: number | undefined): number {
  try {
    const [, fields = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
    const [user, system] = fields.split(' ').slice(11, 13);
    return Number(user) + Number(system);
  } catch {
    return 0;
  }
}

async function stop(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return;
  daemon.kill('SIGTERM');
  await once(daemon, 'exit');
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('it did not happen in time');
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
