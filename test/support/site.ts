/**
 * What end-to-end tests ask again and again of a site: one group of real processes behind one VIP, and
 * its instances and weights as the command line tells them.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { JsonObject } from '../../machines/model/json.js';
import { readFeed } from '../../src/feed/read.js';
import type { FeedEvent } from '../../src/ports/store.js';
import { type Daemon, type Site, tail, until } from './daemon.js';

/** Lines to replace, by their text. */
export type Edits = readonly (readonly [from: string, to: string])[];

const BASE = `
node: { name: e2e }
providers: { local: { driver: process } }
templates: { web: { provider: local, spec: { command: [node, SERVER] } } }
healthChecks:
  ok: { type: http, path: /healthz, interval: 300ms, fastInterval: 100ms, timeout: 250ms }
tenants:
  acme:
    groups:
      web:
        template: web
        size: 1
        backend: { probePort: 8080, healthCheck: ok }
        drain: { timeout: 1s }
frontends:
  shop:
    address: 192.0.2.10
    port: 80
    pools: [{ name: primary, members: [{ group: acme/web }] }]
dataplane: { startupMinDelay: 0s, syncInterval: 2s }
admin: { listen: "127.0.0.1:0" }
`;

/** The site above with its edits; an edit that finds nothing is a mistake of the test. */
export function siteText(edits: Edits = []): string {
  return edits.reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`the site has no '${from}'`);
    return text.replace(from, to);
  }, BASE);
}

export async function instances(daemon: Daemon): Promise<readonly JsonObject[]> {
  return daemon.json<readonly JsonObject[]>('get', 'instances');
}

export async function serving(daemon: Daemon): Promise<readonly JsonObject[]> {
  return (await instances(daemon)).filter(({ state }) => state === 'serving');
}

interface Pools {
  readonly pools: readonly { readonly members: readonly Member[] }[];
}

export interface Member {
  readonly name: string;
  readonly address: string;
  readonly sentWeight: number;
}

export async function weighted(daemon: Daemon, frontend = 'shop'): Promise<readonly Member[]> {
  const { pools } = await daemon.json<Pools>('show', `frontend/${frontend}`);
  return pools.flatMap(({ members }) => members).filter(({ sentWeight }) => sentWeight > 0);
}

/** `size` instances serve, and as many have weight in the VIP. */
export async function settled(daemon: Daemon, size: number, frontend = 'shop'): Promise<void> {
  await until(`${size} in ${frontend}`, async () => {
    const [all, members] = await Promise.all([serving(daemon), weighted(daemon, frontend)]);
    return all.length === size && members.length === size;
  }).catch((error: unknown) => {
    throw new Error(`${error}\n${tail(daemon)}`);
  });
}

export async function conditions(daemon: Daemon): Promise<readonly JsonObject[]> {
  return daemon.json<readonly JsonObject[]>('get', 'conditions');
}

/** Every line of the feed so far. */
export async function feedOf({ dataDir }: Site): Promise<readonly FeedEvent[]> {
  const events: FeedEvent[] = [];
  for await (const read of readFeed({ dir: `${dataDir}/feed`, from: 0 })) {
    if (!read.ok) throw new Error(`the feed has a damaged line: ${read.failure.message}`);
    events.push(read.value);
  }
  return events;
}

/** Base address of a daemon's admin port, from its ready line. */
export function adminOf({ log }: Daemon): string {
  const ready = log.find(({ msg }) => msg === 'ready');
  return `http://${ready?.['admin']}`;
}

/** What was written to stderr: the daemon's log lines are JSON, its sentences are not. */
export function sentences({ log }: Daemon): readonly string[] {
  return log.flatMap(({ line }) => (typeof line === 'string' ? [line] : []));
}

/** Processes whose command line or environment names `text`; nobody else's temporary directory does. */
export function processesOf(text: string): readonly number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => pid !== process.pid && names(pid, text));
}

function names(pid: number, text: string): boolean {
  return ['cmdline', 'environ'].some((file) => {
    const path = `/proc/${pid}/${file}`;
    try {
      return existsSync(path) && readFileSync(path, 'utf8').includes(text);
    } catch {
      // It ended meanwhile, or is not ours to look at.
      return false;
    }
  });
}
