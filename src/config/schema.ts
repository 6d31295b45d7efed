/**
 * The schema of `switchyard.yaml`: every key, its type, its default, and how a change takes effect.
 *
 * This is the only definition. The types (`Config`), the JSON Schema, the error messages, the
 * defaults, and the reload's knowledge of what needs a restart are all read from it.
 */
import { z } from 'zod';
import { disruptive, reload, restart, section } from './notes.js';
import {
  addressOfFamily,
  duration,
  either,
  flag,
  listenAddress,
  name,
  path,
  prefix,
  share,
  size,
  span,
  text,
  whole,
} from './scalars.js';
import { backend, frontend, healthCheck } from './schema-frontends.js';
import { provider, template, tenancy, tenant } from './schema-tenants.js';

const names = z.array(text).max(1_000).default([]);
const servers = z.array(text).min(1).max(100).optional();
const streamName = text.regex(/^[A-Za-z0-9_-]+$/, {
  error: 'expected letters, digits, "_" and "-"',
});

/** How a NATS server lets us in. */
const natsAccess = {
  servers: restart(servers),
  credentials: restart(path.optional()),
  tls: section({
    ca: restart(path.optional()),
    cert: restart(path.optional()),
    key: restart(path.optional()),
  }),
  replicas: restart(whole(1, 5).default(1)),
};

const listenOrOff = either('off', listenAddress, 'host:port, e.g. 127.0.0.1:7080');

const stickyBuckets = z
  .int({ error: 'expected a power of two' })
  .refine((count) => count >= 1 && count <= 2 ** 24 && Number.isInteger(Math.log2(count)), {
    error: 'expected a power of two',
  });

const node = section({
  name: restart(name.optional()),
  dataDir: restart(path.default('./data')),
  workers: restart(either('auto', whole(1, 256), 'a whole number from 1 to 256').default('auto')),
  addressPools: z.record(name, reload(prefix)).prefault({}),
});

const api = section({
  listen: restart(listenAddress.optional()),
  /** Where agents are told to call; absent: `listen`, or this host when that is every address. */
  advertise: restart(listenAddress.optional()),
  tls: section({
    cert: restart(path.optional()),
    key: restart(path.optional()),
    clientCa: restart(path.optional()),
  }),
  reflection: restart(flag.default(false)),
  agentCa: section({
    dir: restart(path.optional()),
    lifetime: restart(span.prefault('24h'), { unit: 'duration' }),
  }),
});

const inspector = section({
  enabled: restart(flag.default(false)),
  listen: restart(listenAddress.default('127.0.0.1:7081')),
  filter: section({
    kinds: reload(names),
    ids: reload(names),
    ratePerSecond: reload(whole(1, 100_000).default(200)),
  }),
});

const dataplane = section({
  driver: restart(z.enum(['vpp', 'simulated', 'none']).default('simulated')),
  apiSocket: restart(path.optional()),
  syncInterval: reload(span.prefault('30s'), { unit: 'duration' }),
  startupMinDelay: reload(duration.prefault('5s'), { unit: 'duration' }),
  startupMaxDelay: reload(duration.prefault('30s'), { unit: 'duration' }),
  requestTimeout: reload(span.prefault('5s'), { unit: 'duration' }),
  window: reload(whole(1, 64).default(32)),
  ownership: reload(z.enum(['ledger', 'exclusive']).default('ledger')),
  weightScale: disruptive(z.enum(['reduced', 'exact']).default('reduced')),
  lb: section({
    ip4Source: reload(addressOfFamily(4).optional()),
    ip6Source: reload(addressOfFamily(6).optional()),
    stickyBucketsPerCore: disruptive(stickyBuckets.optional()),
    flowTimeout: reload(span.optional(), { unit: 'duration' }),
  }),
});

const outbox = section({
  sink: section({
    driver: restart(z.enum(['nop', 'file', 'nats']).default('file')),
    dir: restart(path.optional()),
    layout: restart(z.enum(['segments', 'per-event']).default('segments')),
    ...natsAccess,
    stream: restart(streamName.default('SWITCHYARD')),
  }),
  batchSize: reload(whole(1, 1_024).default(64)),
  pollInterval: reload(span.prefault('15s'), { unit: 'duration' }),
  maxAttempts: reload(whole(1, 1_000).default(8)),
  retention: reload(span.prefault('7d'), { unit: 'duration' }),
  coalesceWindow: reload(duration.prefault('1s'), { unit: 'duration' }),
});

export const configSchema = z.strictObject({
  node,
  log: section({ level: reload(z.enum(['debug', 'info', 'warn', 'error']).default('info')) }),
  store: section({ durability: restart(z.enum(['full', 'normal']).default('full')) }),
  journal: section({
    retention: reload(span.prefault('30d'), { unit: 'duration' }),
    maxBytes: reload(size.prefault('1GiB')),
  }),
  lease: section({
    driver: restart(z.enum(['solo', 'nats']).default('solo')),
    ...natsAccess,
    bucket: restart(streamName.optional()),
    ttl: restart(span.prefault('15s'), { unit: 'duration' }),
  }),
  api,
  admin: section({ listen: restart(listenOrOff.default('127.0.0.1:7080')) }),
  inspector,
  tenancy,
  guards: section({
    shrink: section({
      share: reload(share.prefault('25%'), { unit: 'share' }),
      min: reload(whole(0, 1_000_000).default(3)),
      window: reload(span.prefault('10m'), { unit: 'duration' }),
    }),
  }),
  providers: z.record(name, provider).prefault({}),
  orphans: reload(z.enum(['report', 'delete']).default('report')),
  orphanSweepInterval: reload(span.prefault('5m'), { unit: 'duration' }),
  orphanQuarantine: reload(duration.prefault('30m'), { unit: 'duration' }),
  deletedRetention: reload(span.prefault('30m'), { unit: 'duration' }),
  resyncInterval: reload(span.prefault('60s'), { unit: 'duration' }),
  bootTimeout: reload(span.prefault('10m'), { unit: 'duration' }),
  templates: z.record(name, template).prefault({}),
  tenants: z.record(name, tenant).prefault({}),
  healthChecks: z.record(name, healthCheck).prefault({}),
  backends: z.record(name, backend).prefault({}),
  frontends: z.record(name, frontend).prefault({}),
  dataplane,
  announce: section({
    command: reload(z.array(text).min(1).max(1_000).optional(), { opaque: true }),
    timeout: reload(span.prefault('10s'), { unit: 'duration' }),
    holdDown: reload(duration.prefault('5s'), { unit: 'duration' }),
  }),
  outbox,
  feed: section({
    source: reload(text.optional()),
    unknownTypes: reload(z.enum(['halt', 'quarantine', 'ignore']).default('quarantine')),
  }),
  reload: section({
    mode: reload(z.enum(['partial', 'all-or-nothing']).default('partial')),
    hookTimeout: reload(span.prefault('5s'), { unit: 'duration' }),
    watchFile: reload(flag.default(false)),
  }),
  retry: section({
    base: reload(span.prefault('5s'), { unit: 'duration' }),
    max: reload(span.prefault('2m'), { unit: 'duration' }),
    attempts: reload(whole(1, 1_000).default(8)),
    jitter: reload(share.prefault('25%'), { unit: 'share' }),
  }),
});

/** A file that passed the schema, before paths and node-wide defaults are filled in. */
export type ParsedConfig = z.output<typeof configSchema>;
