/**
 * A small site for crash tests, and what must be true of it whatever was killed: one static tenant, one
 * group, one VIP, the file sink, the simulated VPP, impatient intervals.
 *
 * What is alive is read from /proc, what VPP was sent from the simulator's op log, what was decided from
 * the database, what was published from the feed. Nothing is taken from the daemon's own word except
 * when to look.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { readFeed } from '../../src/feed/read.js';
import type { FeedEvent } from '../../src/ports/store.js';
import type { LogLine } from '../../src/vppsim/op-log.js';
import { type Daemon, makeSite, type Site, tail, until } from './daemon.js';
import { type Judgement, judge, readOpLog } from './op-log.js';
import { verifyFolder } from './verify-folder.js';

const CONFIG = `
node: { name: crash, workers: WORKERS }
guards: { shrink: { share: 100% } }
providers: { local: { driver: process } }
templates: { web: { provider: local, spec: { command: [node, SERVER], env: { CRASH_SITE: MARK } } } }
healthChecks:
  ok: { type: http, path: /healthz, interval: 200ms, fastInterval: 50ms, timeout: 1s }
tenants:
  acme:
    groups:
      web:
        template: web
        size: SIZE
        maxSize: 6
        backend: { probePort: 8080, healthCheck: ok }
        drain: { timeout: 200ms }
frontends:
  shop:
    address: 192.0.2.10
    port: 80
    pools: [{ name: primary, members: [{ group: acme/web }] }]
dataplane: { startupMinDelay: 0s, startupMaxDelay: 1s, syncInterval: 1s }
outbox: { pollInterval: 1s, coalesceWindow: 0s }
retry: { base: 100ms, max: 500ms }
admin: { listen: "127.0.0.1:0" }
`;

type Item = Readonly<Record<string, unknown>>;

export interface CrashSite extends Site {
  /** Changes the group's size in the file; nobody is told. */
  resize(size: number): void;
  log(): readonly LogLine[];
  /** Processes of this site's instances. */
  instances(): readonly InstanceProcess[];
  feed(): Promise<readonly FeedEvent[]>;
}

export interface InstanceProcess {
  readonly pid: number;
  readonly instance: string;
  readonly token: string;
}

export function makeCrashSite(options: { size: number; workers: number }): CrashSite {
  const mark = randomUUID();
  const textOf = (size: number): string =>
    CONFIG.replace('MARK', mark)
      .replace('WORKERS', String(options.workers))
      .replace('SIZE', String(size));
  const site = makeSite(textOf(options.size));
  return {
    ...site,
    resize: (size) => site.write(textOf(size)),
    log: () => readOpLog(`${site.dataDir}/vpp.sock.ops.jsonl`),
    instances: () => instancesOf(mark),
    close: async () => {
      await site.close();
      // After a failed test there may be some that no record knows.
      for (const { pid } of instancesOf(mark)) process.kill(pid, 'SIGKILL');
    },
    feed: async () => {
      const events: FeedEvent[] = [];
      for await (const read of readFeed({ dir: `${site.dataDir}/feed`, from: 0 })) {
        assert.ok(read.ok, 'every line of the feed is readable');
        events.push(read.value);
      }
      return events;
    },
  };
}

/** Ascending by instance, so that two looks compare. */
function instancesOf(mark: string): readonly InstanceProcess[] {
  const found = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const variables = environmentOf(pid);
      if (variables.get('CRASH_SITE') !== mark) return [];
      const instance = variables.get('SWITCHYARD_INSTANCE') ?? '';
      const token = variables.get('SWITCHYARD_TOKEN') ?? '';
      return [{ pid: Number(pid), instance, token }];
    });
  return found.sort((a, b) => (a.instance < b.instance ? -1 : 1));
}

function environmentOf(pid: string): ReadonlyMap<string, string> {
  try {
    const entries: readonly string[] = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    return new Map(entries.map((entry) => splitAt(entry, entry.indexOf('='))));
  } catch {
    // It ended between the listing and this look, or is not ours to see.
    return new Map();
  }
}

function splitAt(text: string, at: number): [string, string] {
  return [text.slice(0, Math.max(0, at)), text.slice(at + 1)];
}

/** A node as its operators see it, from outside or from inside. */
export interface View {
  status(): Promise<Item>;
  list(kind: 'instances' | 'frontends' | 'tenants'): Promise<readonly Item[]>;
}

/** Through the admin port of a daemon that said where it is. */
function viewOf(daemon: Daemon): View {
  const get = async <T>(path: string): Promise<T> => {
    const address = daemon.log.find(({ msg }) => msg === 'ready')?.['admin'];
    const answer = await fetch(`http://${address}/api/v1/${path}`);
    return (await answer.json()) as T;
  };
  return { status: () => get('status'), list: (kind) => get(kind) };
}

interface Status {
  readonly ready: boolean;
  readonly dataplane: { readonly synced: boolean };
  readonly outbox: { readonly pending: number };
}

interface Frontend {
  readonly pools: readonly { readonly members: readonly { readonly sentWeight: number }[] }[];
}

/** Why the site is not yet at rest with `size` instances; `undefined`: it is. */
async function unrest(view: View, size: number): Promise<string | undefined> {
  const status = (await view.status()) as unknown as Status;
  if (!status.ready || !status.dataplane.synced) return 'not ready';
  const instances = await view.list('instances');
  const states = instances.map(({ state }) => state).filter((state) => state !== 'deleted');
  if (states.length !== size || states.some((state) => state !== 'serving')) {
    return `instances ${states}`;
  }
  const frontends = (await view.list('frontends')) as unknown as readonly Frontend[];
  const members = frontends.flatMap(({ pools }) => pools.flatMap((pool) => pool.members));
  const weights = members.map(({ sentWeight }) => sentWeight);
  if (weights.length !== size || weights.includes(0)) return `weights ${weights}`;
  const tenants = (await view.list('tenants')).map(({ state }) => state);
  if (tenants.some((state) => state !== 'converged')) return `tenants ${tenants}`;
  // Asked again: what the tenants decided meanwhile waits for the sink as well.
  const { outbox } = (await view.status()) as unknown as Status;
  return outbox.pending === 0 ? undefined : 'events wait for the sink';
}

/** Resolves at rest. */
export async function settledOver(view: View, size: number): Promise<void> {
  let last: string | undefined;
  await until(`${size} at rest`, async () => {
    last = await unrest(view, size).catch((error: unknown) => String(error));
    return last === undefined;
  }).catch((error: unknown) => {
    throw new Error(`${error}: ${last}`);
  });
}

/** Resolves at rest, or as soon as the daemon ended. */
export async function settled(daemon: Daemon, size: number): Promise<'settled' | 'ended'> {
  let ended = false;
  let last: string | undefined;
  void daemon.exited.then(() => {
    ended = true;
  });
  await until(`${size} at rest`, async () => {
    if (ended) return true;
    if (!daemon.log.some(({ msg }) => msg === 'ready')) return false;
    last = await unrest(viewOf(daemon), size).catch((error: unknown) => String(error));
    return last === undefined;
  }).catch((error: unknown) => {
    throw new Error(`${error}: ${last}\n${tail(daemon)}`);
  });
  return ended ? 'ended' : 'settled';
}

/** [I3] As many processes as wanted, and no token twice. */
export function provePopulation(site: CrashSite, size: number): void {
  const alive = site.instances();
  assert.equal(alive.length, size, `alive: ${JSON.stringify(alive)}`);
  assert.equal(new Set(alive.map(({ token }) => token)).size, size, 'one process for each token');
}

/** [I1] [I9] VPP has exactly the group, each with weight, and was told nothing it knew. */
export function proveDataplane(site: CrashSite, size: number): Judgement {
  const judged = judge(site.log());
  const { violations, redundant, refused, emptied, vips } = judged;
  assert.deepEqual({ violations, redundant, refused, emptied }, NOTHING_WRONG);
  assert.deepEqual([...vips.keys()], ['192.0.2.10/32 tcp 80']);
  const servers = [...vips.values()].flatMap((vip) => [...vip.values()]);
  assert.equal(servers.length, size, 'as many servers as instances');
  assert.ok(servers.every((weight) => weight > 0));
  return judged;
}

const NOTHING_WRONG = { violations: [], redundant: [], refused: [], emptied: [] };

/**
 * [I4] [I5] [I6] Of a stopped site: the feed has every event that was decided, in order, a repeated one
 * unchanged; nothing that was not decided; journal, outbox and versions agree.
 */
export async function proveRecords(site: CrashSite): Promise<void> {
  const report = await verifyFolder(`${site.dataDir}/feed`);
  assert.deepEqual(report.problems, []);
  const published = await site.feed();
  const db = new Database(`${site.dataDir}/switchyard.db`, { readonly: true });
  try {
    proveOutbox(db, published);
    proveVersions(db, published);
  } finally {
    db.close();
  }
}

function proveOutbox(db: Database.Database, published: readonly FeedEvent[]): void {
  const rows = db
    .prepare("SELECT event ->> 'eventId' AS id, state FROM events")
    .all() as readonly Item[];
  assert.deepEqual(
    rows.filter(({ state }) => state !== 'published'),
    [],
  );
  const decided = new Set(rows.map(({ id }) => id));
  assert.deepEqual(new Set(published.map(({ eventId }) => eventId)), decided);
  const orphans = db
    .prepare(
      `SELECT seq FROM journal WHERE outbox_seq > 0
         AND outbox_seq NOT IN (SELECT seq FROM outbox)
       UNION ALL
       SELECT seq FROM outbox WHERE seq NOT IN (SELECT outbox_seq FROM journal)
       UNION ALL
       SELECT outbox_seq FROM journal WHERE outbox_seq > 0 GROUP BY outbox_seq HAVING count(*) > 1`,
    )
    .all();
  assert.deepEqual(orphans, [], 'one journal entry for each event, one event for each such entry');
}

function proveVersions(db: Database.Database, published: readonly FeedEvent[]): void {
  const versions = new Map<string, Set<number>>();
  for (const { orderingKey, aggregateVersion } of published) {
    const known = versions.get(orderingKey) ?? new Set();
    versions.set(orderingKey, known.add(aggregateVersion));
  }
  const kept = db.prepare('SELECT ordering_key AS key, version FROM aggregates').all();
  const told = [...versions].map(([key, seen]) => ({ key, version: seen.size }));
  const byKey = (a: Item, b: Item): number => (String(a['key']) < String(b['key']) ? -1 : 1);
  assert.deepEqual(told.sort(byKey), (kept as readonly Item[]).toSorted(byKey));
}

/** Long enough for several audits, probes and passes. */
const QUIET_MS = 1_500;

/**
 * Another start and stop of a site at rest: VPP is not written to, and nothing is news but that it was. In a
 * single thread: it is quick, and what is stored does not depend on who hosts it.
 */
export async function proveRestIsRest(site: CrashSite, size: number): Promise<void> {
  const lines = site.log().length;
  const events = (await site.feed()).length;
  const alive = site.instances();
  const daemon = await site.start({ args: ['--single-thread'] });
  assert.equal(await settled(daemon, size), 'settled');
  await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
  assert.equal(await daemon.stop(), 0);
  assert.deepEqual(site.log().slice(lines), []);
  assert.deepEqual(site.instances(), alive);
  const news = (await site.feed()).slice(events);
  assert.deepEqual(
    news.map(({ type }) => type),
    ['node.started', 'node.stopping'],
  );
  await proveRecords(site);
}
