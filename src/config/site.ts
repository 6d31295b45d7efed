/**
 * The site: everything the configuration wants, as desired state per actor.
 *
 * Input: a checked configuration and its generation. Output: tenants, backends, frontends, pools
 * and the settings of the node's own actors, all plain data. Pure: the same configuration always
 * derives the same site, in the same order.
 */
import { assert } from '../../machines/model/assert.js';
import type {
  BackendSpec,
  FrontendSpec,
  PoolMemberSpec,
  PoolRangeSpec,
  TenantSpec,
} from '../../machines/model/desired.js';
import {
  type BackendName,
  type FrontendName,
  type GroupKey,
  parseBackendName,
  parseFrontendName,
  parseGroupKey,
} from '../../machines/model/ids.js';
import type { JsonObject } from '../../machines/model/json.js';
import type {
  GuardSettings,
  LbsyncSettings,
  OutboxSettings,
  ProviderSettings,
  SweepSettings,
  TenancySettings,
} from '../../machines/model/messages.js';
import { deriveTenant, type TenantPlan } from '../policy/tenant-plan.js';
import type { Config } from './complete.js';
import { backendProbePort, servedPorts } from './probe-port.js';
import { frontendBase, healthCheckSpec, tenantPlan, withoutAbsent } from './specs.js';

export interface Site {
  readonly generation: number;
  readonly tenants: readonly TenantSpec[];
  readonly backends: readonly BackendSpec[];
  /** Static ones; a tenant's are inside its spec. */
  readonly frontends: readonly FrontendSpec[];
  readonly pools: readonly PoolRangeSpec[];
  readonly providers: readonly ProviderSettings[];
  readonly sweeps: readonly SweepSettings[];
  readonly guard: GuardSettings;
  readonly lbsync: LbsyncSettings;
  readonly outbox: OutboxSettings;
  /** Absent: no tenant manager. */
  readonly tenancy?: TenancySettings;
  readonly log: { readonly level: Config['log']['level'] };
}

/** Names of the static objects of a generation: what a later one has to remove. */
export interface SiteNames {
  readonly tenants: readonly string[];
  readonly backends: readonly string[];
  readonly frontends: readonly string[];
}

export function deriveSite(config: Config, generation: number): Site {
  const frontends = Object.entries(config.frontends).map(([name, frontend]): FrontendSpec => {
    const pools = frontend.pools.map((pool) => ({
      name: pool.name,
      members: pool.members.map((member) => poolMember(config, member)),
    }));
    return { ...frontendBase(config, frontend), name: frontendName(name), pools, generation };
  });
  const audience = audiencesOf(frontends);
  const tenancy = tenancySettings(config, generation);
  return {
    generation,
    tenants: staticTenants(config, audience, generation),
    backends: staticBackends(config, audience, generation),
    frontends,
    pools: Object.entries(config.node.addressPools).map(([name, cidr]) => ({
      name,
      cidr,
      generation,
    })),
    providers: Object.entries(config.providers).map(([name, one]) => providerSettings(name, one)),
    sweeps: Object.keys(config.providers).map((name) => sweepSettings(config, name)),
    guard: guardSettings(config),
    lbsync: lbsyncSettings(config, generation),
    outbox: outboxSettings(config),
    ...(tenancy === undefined ? {} : { tenancy }),
    log: { level: config.log.level },
  };
}

export function namesOf(config: Config): SiteNames {
  return {
    tenants: Object.keys(config.tenants),
    backends: Object.keys(config.backends),
    frontends: Object.keys(config.frontends),
  };
}

interface Audience {
  readonly ofBackend: ReadonlyMap<BackendName, readonly FrontendName[]>;
  readonly ofGroup: ReadonlyMap<GroupKey, readonly FrontendName[]>;
}

/** Who must hear of each backend and group. A member stands in a frontend once. */
function audiencesOf(frontends: readonly FrontendSpec[]): Audience {
  const ofBackend = new Map<BackendName, FrontendName[]>();
  const ofGroup = new Map<GroupKey, FrontendName[]>();
  for (const { name, pools } of frontends) {
    for (const { ref } of pools.flatMap((pool) => pool.members)) {
      if (ref.kind === 'backend') append(ofBackend, ref.backend, name);
      else append(ofGroup, ref.group, name);
    }
  }
  return { ofBackend, ofGroup };
}

function append<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

type MemberConfig = Config['frontends'][string]['pools'][number]['members'][number];

function poolMember(config: Config, { backend, group, weight }: MemberConfig): PoolMemberSpec {
  if (backend !== undefined) {
    const address = config.backends[backend]?.address;
    const name = parseBackendName(backend);
    assert(address !== undefined && name !== undefined, `no backend ${backend} in a checked file`);
    return { ref: { kind: 'backend', backend: name, address }, weight };
  }
  const key = parseGroupKey(group ?? '');
  const [tenant = '', name = ''] = (group ?? '').split('/');
  const maxSize = config.tenants[tenant]?.groups[name]?.maxSize;
  assert(key !== undefined && maxSize !== undefined, `no group ${group} in a checked file`);
  return { ref: { kind: 'group', group: key, maxSize }, weight };
}

function frontendName(name: string): FrontendName {
  const parsed = parseFrontendName(name);
  assert(parsed !== undefined, `"${name}" names a frontend in a checked file`);
  return parsed;
}

function staticTenants(
  config: Config,
  { ofGroup }: Audience,
  generation: number,
): readonly TenantSpec[] {
  return Object.entries(config.tenants).map(([id, tenant]) => {
    const plan = asJson(tenantPlan(config, tenant));
    const identity = { id, displayName: id, kind: 'project', source: 'static' } as const;
    const derived = deriveTenant(plan, { ...identity, generation });
    assert(derived.ok, `tenant ${id} of a checked file cannot be derived`);
    const groups = derived.value.groups.map((group) => ({
      ...group,
      frontends: ofGroup.get(group.key) ?? [],
    }));
    return { ...derived.value, groups };
  });
}

function staticBackends(
  config: Config,
  { ofBackend }: Audience,
  generation: number,
): readonly BackendSpec[] {
  const served = servedPorts(config);
  return Object.entries(config.backends).map(([text, backend]): BackendSpec => {
    const name = parseBackendName(text);
    assert(name !== undefined, `"${text}" names a backend in a checked file`);
    const { address, enabled, healthCheck } = backend;
    const probe = backendProbe(config, healthCheck, served.get(text));
    const frontends = ofBackend.get(name) ?? [];
    const base = { name, address, enabled, frontends, generation };
    return probe === undefined ? base : { ...base, probe };
  });
}

function backendProbe(
  config: Config,
  healthCheck: string | undefined,
  served: ReadonlySet<number> | undefined,
): BackendSpec['probe'] {
  const check = config.healthChecks[healthCheck ?? ''];
  if (check === undefined || healthCheck === undefined) return undefined;
  const port = backendProbePort(check, served);
  assert(port.ok, 'a backend without a port to probe in a checked file');
  return { port: port.value, check: healthCheckSpec(config, healthCheck) };
}

function providerSettings(name: string, provider: Config['providers'][string]): ProviderSettings {
  const { driver, command, timeout, createRate, maxInstances, concurrency } = provider;
  const { pollInterval, passEnvironment } = provider;
  const script = scriptOf(provider.script);
  const forProgram = driver === 'exec' ? { pollIntervalMs: pollInterval, passEnvironment } : {};
  return withoutAbsent({
    name,
    driver,
    command,
    timeoutMs: timeout,
    ...forProgram,
    script,
    createRate: createRate === 'off' ? undefined : createRate,
    maxInstances,
    concurrency,
  });
}

function scriptOf(
  script: Config['providers'][string]['script'],
): ProviderSettings['script'] | undefined {
  if (script === undefined) return undefined;
  const { latency, errors, spot, diesAfter } = script;
  return withoutAbsent({
    latencyMs: latency,
    errors: errors.map((error) => withoutAbsent(error)),
    spot: spot && { afterMs: spot.after, warningMs: spot.warning },
    diesAfterMs: diesAfter,
  });
}

function guardSettings({ guards }: Config): GuardSettings {
  const { share, min, window } = guards.shrink;
  return { share, min, windowMs: window };
}

function sweepSettings(config: Config, provider: string): SweepSettings {
  const { orphans, orphanSweepInterval, orphanQuarantine } = config;
  return {
    provider,
    mode: orphans,
    intervalMs: orphanSweepInterval,
    quarantineMs: orphanQuarantine,
  };
}

function lbsyncSettings({ dataplane }: Config, generation: number): LbsyncSettings {
  const { lb } = dataplane;
  return withoutAbsent({
    syncIntervalMs: dataplane.syncInterval,
    startupMinDelayMs: dataplane.startupMinDelay,
    startupMaxDelayMs: dataplane.startupMaxDelay,
    requestTimeoutMs: dataplane.requestTimeout,
    window: dataplane.window,
    ownership: dataplane.ownership,
    ip4Source: lb.ip4Source,
    ip6Source: lb.ip6Source,
    stickyBucketsPerCore: lb.stickyBucketsPerCore,
    flowTimeoutS: lb.flowTimeout === undefined ? undefined : Math.ceil(lb.flowTimeout / 1_000),
    generation,
  });
}

function outboxSettings({ outbox }: Config): OutboxSettings {
  return {
    batchSize: outbox.batchSize,
    pollIntervalMs: outbox.pollInterval,
    maxAttempts: outbox.maxAttempts,
    retentionMs: outbox.retention,
    coalesceWindowMs: outbox.coalesceWindow,
  };
}

function tenancySettings(config: Config, generation: number): TenancySettings | undefined {
  const { tenancy } = config;
  if (tenancy === undefined) return undefined;
  return {
    pollIntervalMs: tenancy.pollInterval,
    pollLimit: tenancy.pollLimit,
    initialBackoffMs: tenancy.initialBackoff,
    maxBackoffMs: tenancy.maxBackoff,
    httpTimeoutMs: tenancy.httpTimeout,
    undoWindowMs: tenancy.undoWindow,
    ordering: tenancy.ordering,
    laneBackoff: { baseMs: tenancy.laneBackoff.base, maxMs: tenancy.laneBackoff.max },
    jitter: config.retry.jitter,
    tls: withoutAbsent({ ...tenancy.tls }),
    onProject: asJson(tenantPlan(config, tenancy.onProject)),
    onOrg: asJson(tenantPlan(config, tenancy.onOrg)),
    reservedNames: Object.keys(config.tenants),
    generation,
  };
}

/** Specs are plain data by construction; their types are interfaces without an index. */
function asJson(plan: TenantPlan): JsonObject {
  return plan as unknown as JsonObject;
}
