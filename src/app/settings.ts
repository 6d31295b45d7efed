/**
 * What every thread needs to know before it starts: the part of the configuration that only a restart
 * applies, as plain data. Everything else reaches the actors as desired state.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { LogLevel } from '../adapters/system/log.js';
import { packageFile } from '../adapters/system/package-file.js';
import type { Config } from '../config/complete.js';

export interface Settings {
  readonly version: string;
  readonly node: string;
  readonly dataDir: string;
  /** Where relative paths of templates start. */
  readonly configDir: string;
  /** Names this run of the daemon: fences of earlier runs do not count. */
  readonly run: string;
  /** Names this data directory for ever; instances are tagged with it. */
  readonly installation: string;
  /** Tells the agents' authority from any other; absent: agents have no door here. */
  readonly agentCa?: string;
  readonly epoch: number;
  /** Generation committed by an earlier run; 0 on a fresh directory. */
  readonly generation: number;
  readonly shards: number;
  readonly storeFile: string;
  readonly durability: 'full' | 'normal';
  readonly dataplane: {
    readonly driver: 'vpp' | 'simulated' | 'none';
    readonly apiSocket: string;
    readonly requestTimeoutMs: number;
    readonly window: number;
  };
  readonly sink: {
    readonly driver: 'nop' | 'file' | 'nats';
    readonly dir: string;
    readonly layout: 'segments' | 'per-event';
    /** Set with that driver: where the stream is, and how we are let in. */
    readonly nats?: {
      readonly servers: readonly string[];
      readonly stream: string;
      readonly replicas: number;
      readonly credentials?: string;
      readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
    };
  };
  /** Set where several nodes share a fleet. */
  readonly lease?: {
    readonly servers: readonly string[];
    readonly bucket: string;
    readonly replicas: number;
    readonly ttlMs: number;
    readonly credentials?: string;
    readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  };
  readonly feed: { readonly unknownTypes: Config['feed']['unknownTypes'] };
  readonly coalesceWindowMs: number;
  readonly retention: {
    readonly journalMs: number;
    readonly journalBytesMax: number;
    readonly outboxMs: number;
  };
  readonly tenancy?: {
    readonly url: string;
    readonly controller: string;
    readonly tokenHeader: string;
  };
  readonly log: { readonly level: LogLevel; readonly pretty: boolean };
  /** `SWITCHYARD_FAILPOINT`, for crash tests; empty in production. */
  readonly failpoint: string;
}

export type LeaseSettings = NonNullable<Settings['lease']>;

export type NatsSettings = NonNullable<Settings['sink']['nats']>;

/** Known only once the store is open. */
export type BootSettings = Omit<Settings, 'installation' | 'agentCa' | 'epoch' | 'generation'>;

export interface RunOptions {
  readonly run: string;
  readonly configDir: string;
  readonly log: Settings['log'];
  readonly failpoint: string;
}

export function bootSettings(config: Config, options: RunOptions): BootSettings {
  const { dataplane, journal, node, outbox, store, tenancy } = config;
  const base = {
    ...options,
    version: packageVersion(),
    node: node.name,
    dataDir: node.dataDir,
    shards: node.workers === 'auto' ? Math.max(1, availableParallelism() - 1) : node.workers,
    storeFile: join(node.dataDir, 'switchyard.db'),
    durability: store.durability,
    dataplane: {
      driver: dataplane.driver,
      apiSocket: dataplane.apiSocket,
      requestTimeoutMs: dataplane.requestTimeout,
      window: dataplane.window,
    },
    sink: {
      driver: outbox.sink.driver,
      dir: outbox.sink.dir,
      layout: outbox.sink.layout,
      ...(outbox.sink.driver === 'nats' ? { nats: natsSettings(outbox.sink) } : {}),
    },
    feed: { unknownTypes: config.feed.unknownTypes },
    coalesceWindowMs: outbox.coalesceWindow,
    retention: {
      journalMs: journal.retention,
      journalBytesMax: journal.maxBytes,
      outboxMs: outbox.retention,
    },
  };
  const shared = config.lease.driver === 'nats' ? { ...base, lease: leaseSettings(config) } : base;
  if (tenancy === undefined) return shared;
  const { url, controller, auth } = tenancy;
  return { ...shared, tenancy: { url, controller, tokenHeader: auth.tokenHeader } };
}

export function natsSettings(sink: Config['outbox']['sink']): NatsSettings {
  return { ...accessOf(sink), stream: sink.stream };
}

/** Where nothing is said of the lease's servers, they are the feed's. */
function leaseSettings({ lease, outbox }: Config): LeaseSettings {
  const { sink } = outbox;
  const access = accessOf(lease.servers === undefined ? sink : lease);
  return { ...access, bucket: lease.bucket ?? `${sink.stream}_lease`, ttlMs: lease.ttl };
}

type AccessSection = Pick<Config['outbox']['sink'], 'servers' | 'replicas' | 'credentials' | 'tls'>;

function accessOf({ servers, replicas, credentials, tls }: AccessSection) {
  const files = Object.entries(tls).filter(([, path]) => path !== undefined);
  return {
    servers: servers ?? [],
    replicas,
    ...(credentials === undefined ? {} : { credentials }),
    ...(files.length === 0 ? {} : { tls: Object.fromEntries(files) }),
  };
}

export function packageVersion(): string {
  const text = readFileSync(packageFile('package.json'), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}
