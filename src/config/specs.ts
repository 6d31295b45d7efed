/**
 * Single pieces of desired state from single pieces of configuration: health checks, templates,
 * groups, frontends. References are resolved here; src/config/site.ts puts the pieces together.
 *
 * The configuration has passed its checks: a reference that leads nowhere is a defect.
 */
import { assert } from '../../machines/model/assert.js';
import type {
  DisruptionSpec,
  FrontendSpec,
  HealthCheckSpec,
  RetrySpec,
  TemplateSpec,
} from '../../machines/model/desired.js';
import type { JsonObject } from '../../machines/model/json.js';
import type { FrontendPlan, GroupPlan, TenantPlan } from '../policy/tenant-plan.js';
import { digestOf } from './canonical.js';
import type { Config } from './complete.js';
import { groupProbePort } from './probe-port.js';

type GroupConfig = Config['tenants'][string]['groups'][string];
type FrontendConfig = Config['frontends'][string];

/** What every frontend takes from its configuration unchanged, whoever its members are. */
export type FrontendBase = Omit<FrontendSpec, 'name' | 'tenant' | 'generation' | 'pools'>;

export function healthCheckSpec(config: Config, name: string): HealthCheckSpec {
  const check = config.healthChecks[name];
  assert(check !== undefined, `no health check ${name} in a checked configuration`);
  const { interval, fastInterval, downInterval, timeout, ...rest } = check;
  return withoutAbsent({
    ...rest,
    name,
    intervalMs: interval,
    fastIntervalMs: fastInterval,
    downIntervalMs: downInterval,
    timeoutMs: timeout,
  });
}

export function templateSpec(config: Config, name: string): TemplateSpec {
  const template = config.templates[name];
  assert(template !== undefined, `no template ${name} in a checked configuration`);
  const spec = template.spec as JsonObject;
  return {
    name,
    provider: template.provider,
    spec,
    vars: template.vars,
    infraHash: digestOf(spec),
  };
}

export function groupPlan(config: Config, name: string, group: GroupConfig): GroupPlan {
  const { grace, agentInterval, missedReports, replaceAfter, source } = group.health;
  const backend = groupBackend(config, group);
  return {
    name,
    size: group.size,
    maxSize: group.maxSize,
    template: templateSpec(config, group.template),
    health: {
      source,
      graceMs: grace,
      agentIntervalMs: agentInterval,
      missedReports,
      replaceAfterMs: replaceAfter,
    },
    ...(backend === undefined ? {} : { backend }),
    drain: { timeoutMs: group.drain.timeout, holdMaxMs: group.drain.holdMax },
    replace: group.replace,
    disruption: disruptionSpec(group),
    bootTimeoutMs: config.bootTimeout,
    resyncIntervalMs: config.resyncInterval,
    deletedRetentionMs: config.deletedRetention,
    retry: retrySpec(config),
  };
}

function disruptionSpec({ budget, breaker, expiry }: GroupConfig): DisruptionSpec {
  const { max, windows } = budget;
  return {
    budget: {
      max: typeof max === 'number' ? { count: max } : { share: Number.parseInt(max, 10) / 100 },
      windows:
        windows === 'always'
          ? windows
          : windows.map(({ cron, duration }) => ({ cron, durationMs: duration })),
    },
    breaker,
    expiry: withoutAbsent({
      eligibleAgeMs: ageOf(expiry.eligibleAge),
      forcedAgeMs: ageOf(expiry.forcedAge),
      onDemandAgeMs: ageOf(expiry.onDemandAge),
    }),
  };
}

function ageOf(written: number | 'off'): number | undefined {
  return written === 'off' ? undefined : written;
}

function groupBackend(config: Config, group: GroupConfig): GroupPlan['backend'] {
  const checkName = group.backend?.healthCheck;
  const check = checkName === undefined ? undefined : healthCheckSpec(config, checkName);
  const port = groupProbePort(group.backend, config.healthChecks[checkName ?? '']);
  assert(port.ok, 'a group without a port to probe in a checked configuration');
  if (port.value === undefined) return undefined;
  return { probePort: port.value, ...(check === undefined ? {} : { check }) };
}

function retrySpec({ retry }: Config): RetrySpec {
  return {
    baseMs: retry.base,
    maxMs: retry.max,
    attempts: retry.attempts,
    jitter: retry.jitter,
  };
}

export function frontendBase(config: Config, frontend: FrontendConfig): FrontendBase {
  const { address, addressFrom, tableLength, failBack, port } = frontend;
  return {
    ...(address === undefined ? {} : { address }),
    ...(addressFrom === undefined ? {} : { addressFrom }),
    protocol: port === 0 ? 'any' : (frontend.protocol ?? 'tcp'),
    port,
    encap: frontend.encap,
    dscp: frontend.dscp ?? 0,
    srcIpSticky: frontend.srcIpSticky,
    ...(tableLength === 'auto' ? {} : { tableLength }),
    weightScale: config.dataplane.weightScale,
    flushOnDown: frontend.flushOnDown,
    unknown: frontend.unknown,
    allDown: frontend.allDown,
    activeWhile: frontend.activeWhile,
    failBack: { at: failBack.at, holdForMs: failBack.holdFor },
    priority: frontend.priority,
    ...(frontend.panicBelow === 'off' ? {} : { panicBelow: frontend.panicBelow }),
    ...slowStartSpec(frontend),
    ...announceSpec(config, frontend),
    startupMaxDelayMs: config.dataplane.startupMaxDelay,
  };
}

function slowStartSpec({ slowStart }: FrontendConfig): Pick<FrontendSpec, 'slowStart'> {
  if (slowStart === 'off') return {};
  return { slowStart: { steps: slowStart.steps, everyMs: slowStart.every } };
}

/** Nothing, when there is no program to call. */
function announceSpec(
  { announce }: Config,
  frontend: FrontendConfig,
): Pick<FrontendSpec, 'announce'> {
  const { command, timeout, holdDown } = announce;
  if (command === undefined) return {};
  const base = { command, timeoutMs: timeout, holdDownMs: holdDown };
  return { announce: { ...base, enabled: frontend.announce } };
}

export function tenantPlan(
  config: Config,
  blueprint: {
    readonly groups: Readonly<Record<string, GroupConfig>>;
    readonly frontends?: Readonly<Record<string, FrontendConfig>>;
  },
): TenantPlan {
  return {
    groups: Object.entries(blueprint.groups).map(([name, group]) => groupPlan(config, name, group)),
    frontends: Object.entries(blueprint.frontends ?? {}).map(([name, frontend]) =>
      frontendPlan(config, name, frontend),
    ),
  };
}

function frontendPlan(config: Config, name: string, frontend: FrontendConfig): FrontendPlan {
  const pools = frontend.pools.map((pool) => ({
    name: pool.name,
    members: pool.members.map(({ group, weight }) => {
      assert(group !== undefined, "a static backend in a tenant's checked frontend");
      return { group, weight };
    }),
  }));
  return { ...frontendBase(config, frontend), name, pools };
}

type Present<T> = {
  [K in keyof T as undefined extends T[K] ? never : K]: T[K];
} & { [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined> };

/** Leaves out fields that are `undefined`: messages and snapshots have no holes. */
export function withoutAbsent<T extends object>(value: T): Present<T> {
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(fields) as Present<T>;
}
