/**
 * Messages to walk every machine of the project with: each type of message it hears at least once, as
 * its neighbours would send it, and the input its actor starts with. Where one field decides, several
 * samples name its values: a walk mixes them.
 */

import type { BackendEvent } from '../../machines/backend.js';
import type { FrontendEvent } from '../../machines/frontend-setup.js';
import type { GroupEvent } from '../../machines/group-events.js';
import type { InstanceEvent } from '../../machines/instance-setup.js';
import type { LbsyncEvent } from '../../machines/lbsync.js';
import type { Meta } from '../../machines/model/effects.js';
import { addressOf, type BackendName, instanceIdFor } from '../../machines/model/ids.js';
import type { JsonObject } from '../../machines/model/json.js';
import type { ReloadEvent } from '../../machines/reload-memory.js';
import type { TenantEvent } from '../../machines/tenant-setup.js';
import { weightKind } from '../../src/policy/weight-orders.js';
import { agent } from './agent-samples.js';
import { level, TERMS } from './book.js';
import { CHECK, groupSpec, WEB } from './group-spec.js';
import {
  announcement,
  guard,
  identity,
  lease,
  override,
  suspicion,
  sweep,
} from './order-samples.js';
import { outboxSamples as outbox } from './outbox-samples.js';
import { BLOCK, POOL } from './pool-samples.js';
import { read, UNREADABLE } from './reload.js';
import { LANE, PROJECT, TENANCY } from './tenancy-samples.js';
import { frontendSpec, frontendStatus, groupStatus, tenantSpec } from './tenant-spec.js';

/** Without what the runtime adds. */
type Bare<E> = E extends { readonly meta: Meta } ? Omit<E, 'meta'> : never;

export interface Samples {
  readonly input: JsonObject;
  readonly events: readonly { readonly type: string }[];
}

const AT = 1_000_000;
const SPEC = groupSpec();
const ID = instanceIdFor(SPEC.key, '00ab', 0);
const OTHER = instanceIdFor(SPEC.key, '00cd', 1);
const IP = '10.0.0.21';
const FAILURES = (['unavailable', 'permanent', 'not-found', 'quota'] as const).map((code) => ({
  code,
  message: 'no',
}));

const activated = { type: 'activated', children: [] } as const;
const verdicts = (['up', 'down', 'unknown'] as const).map((state) => ({
  type: 'backend.verdict' as const,
  verdict: {
    backend: ID as string as BackendName,
    address: IP,
    state,
    positive: state === 'down',
    episode: `e-${state}`,
    sinceMs: AT,
    code: 'L4OK',
  },
}));

const instance: readonly Bare<InstanceEvent>[] = [
  activated,
  { type: 'instance.desired', spec: SPEC },
  { type: 'instance.desired', spec: groupSpec({ frontends: [], generation: 2 }) },
  { type: 'instance.drain', reason: 'scale-down', lastMayGo: false, force: false },
  { type: 'instance.drain', reason: 'group-removed', lastMayGo: true, force: true },
  { type: 'operator.drain', deadlineMs: 5_000, reason: 'test', force: false },
  { type: 'operator.ackDrain' },
  { type: 'operator.replace', reason: 'test' },
  { type: 'operator.quarantine', force: false, ...TERMS, forMs: null },
  { type: 'operator.quarantine', force: true, ...TERMS, forMs: 60_000 },
  { type: 'operator.release', reason: 'test' },
  { type: 'operator.whyNot' },
  ...(['unheard', 'healthy', 'unhealthy', 'silent'] as const).map((state) => ({
    type: 'agent.verdict' as const,
    verdict: { state, sinceMs: AT, detail: '' },
    known: state !== 'healthy',
  })),
  { type: 'instance.notice', notice: { id: 'n-1', deadlineMs: AT + 120_000 } },
  { type: 'instance.notice', notice: { id: 'n-2' } },
  { type: 'provider.created', token: 'token-1', providerId: 'p-1', address: IP },
  { type: 'provider.found', token: 'token-1', providerId: 'p-1', address: IP },
  { type: 'provider.absent', token: 'token-1' },
  ...FAILURES.flatMap((failure) => [
    { type: 'provider.createFailed', token: 'token-1', failure } as const,
    { type: 'provider.findFailed', token: 'token-1', failure } as const,
    { type: 'provider.deleteFailed', providerId: 'p-1', failure } as const,
  ]),
  { type: 'provider.deleted', providerId: 'p-1' },
  { type: 'provider.exited', providerId: 'p-1', detail: 'code 1' },
  ...verdicts,
  ...(['in', 'drain', 'out'] as const).map((phase, level) => ({
    type: 'member.acknowledged' as const,
    ack: { frontend: WEB, member: ID, level: level + 1, phase, weight: phase === 'in' ? 100 : 0 },
  })),
  { type: 'publish.request' },
];

const group: readonly Bare<GroupEvent>[] = [
  activated,
  { type: 'group.desired', spec: SPEC },
  { type: 'group.desired', spec: groupSpec({ size: 1, generation: 2 }) },
  { type: 'group.removed', reason: 'group-removed' },
  ...(['serving', 'failed', 'deleted', 'draining', 'suspect'] as const).flatMap((state) =>
    [ID, OTHER].map((id) => ({
      type: 'instance.changed' as const,
      summary: { id, state, sinceMs: AT, inService: state === 'serving', replaceWanted: false },
    })),
  ),
  { type: 'guard.granted', to: 1, sinceMs: AT },
  { type: 'guard.granted', to: 0, sinceMs: AT },
  { type: 'instance.forgotten', id: ID },
  { type: 'operator.scale', size: 2, ...TERMS },
  { type: 'operator.scale', size: 99, ...TERMS },
  { type: 'group.desired', spec: groupSpec({ size: 1, asleep: true, generation: 2 }) },
  { type: 'operator.whyNot' },
  { type: 'operator.createInstance', key: 'job-1', reason: 'test' },
  { type: 'operator.createInstance', key: 'no key', reason: 'test' },
  { type: 'operator.deleteInstance', instance: 'job-1', reason: 'test', force: false },
  { type: 'operator.deleteInstance', instance: 'job-1', reason: 'test', force: true },
  level('size', 2, SPEC.size),
  level('size', 1, 99),
  { type: 'override.level', overrides: {} },
  { type: 'publish.request', frontend: WEB },
];

const PROBE = { port: 8080, check: CHECK };
const backendSpec = {
  name: 'cache-1' as BackendName,
  address: IP,
  enabled: true,
  frontends: [WEB],
  generation: 1,
};

const backend: readonly Bare<BackendEvent>[] = [
  activated,
  { type: 'backend.desired', spec: { ...backendSpec, probe: PROBE } },
  { type: 'backend.desired', spec: backendSpec },
  { type: 'backend.removed' },
  ...[true, false].flatMap((passed) =>
    [1, 2, 3].map((probe) => ({
      type: 'probe.finished' as const,
      probe,
      result: {
        passed,
        code: passed ? 'L7OK' : 'L4CON',
        detail: '',
        durationMs: 3,
        positive: !passed,
        late: false,
      },
    })),
  ),
  { type: 'backend.died', code: 'EXIT', detail: 'code 1' },
  { type: 'suspicion.level', untilMs: 2_000_000_000_000, believed: false },
  { type: 'suspicion.level', untilMs: 0, believed: false },
  { type: 'suspicion.level', untilMs: 0, believed: true },
  { type: 'hearing.asked', round: 3 },
  { type: 'backend.pause', ...TERMS },
  { type: 'backend.resume', ...TERMS },
  { type: 'backend.disable', ...TERMS },
  { type: 'backend.enable', ...TERMS },
  { type: 'backend.test' },
  level('pause', true, false),
  level('enabled', false, true),
  { type: 'override.level', overrides: {} },
  { type: 'publish.request' },
];

const served = {
  ...frontendSpec('web'),
  pools: [
    {
      name: 'primary',
      members: [
        {
          ref: { kind: 'group' as const, group: SPEC.key, maxSize: SPEC.maxSize },
          weight: 100,
        },
      ],
    },
  ],
};
const { addressFrom: _pooled, ...unpooled } = served;
const CONF = { encap: 'gre4', tableLength: 1_024 };

const frontend: readonly Bare<FrontendEvent>[] = [
  activated,
  { type: 'frontend.desired', spec: served },
  { type: 'frontend.desired', spec: { ...unpooled, address: '192.0.2.1', generation: 2 } },
  {
    type: 'frontend.desired',
    spec: {
      ...served,
      slowStart: { steps: [10, 50], everyMs: 300 },
      panicBelow: 0.9,
      generation: 3,
    },
  },
  { type: 'frontend.removed' },
  ...(['in', 'drain', 'out'] as const).map((phase, revision) => ({
    type: 'member.level' as const,
    level: {
      member: ID,
      revision: revision + 1,
      group: SPEC.key,
      address: IP,
      phase,
      dead: false,
      lastMayGo: phase === 'out',
    },
  })),
  ...verdicts,
  { type: 'pool.allocated', pool: 'public', address: '192.0.2.7' },
  { type: 'pool.exhausted', pool: 'public', message: 'full' },
  { type: 'pool.released', pool: 'public' },
  ...[true, false].map((synced) => ({
    type: 'vip.applied' as const,
    report: {
      frontend: WEB,
      revision: 1,
      synced,
      exists: true,
      servers: synced ? [{ address: IP, weight: 1, buckets: 1_024 }] : [],
      conf: CONF,
    },
  })),
  { type: 'vip.gone', revision: 1 },
  { type: 'lbsync.hello' },
  { type: 'operator.weight', pool: 'primary', member: SPEC.key, weight: 7, flush: true, ...TERMS },
  { type: 'operator.weight', pool: 'nix', member: 'nix', weight: 700, flush: false, ...TERMS },
  level(weightKind('primary', SPEC.key), 7, 100),
  { type: 'override.level', overrides: {} },
  { type: 'announce.status', announced: true },
  { type: 'node.level', drained: true },
  { type: 'node.level', drained: false },
  { type: 'frontend.decided', revision: 1 },
];

const { key: _key, tenant: _tenant, frontends: _all, generation: _first, ...PLAN } = SPEC;
const ORDERING = { owner: 'batch', reason: 'a job' } as const;

const tenant: readonly Bare<TenantEvent>[] = [
  activated,
  { type: 'tenant.desired', spec: tenantSpec() },
  { type: 'tenant.desired', spec: tenantSpec({ groups: ['web', 'db'], generation: 2 }) },
  { type: 'tenant.removed', undoWindowMs: 0 },
  { type: 'tenant.removed', undoWindowMs: 60_000 },
  { type: 'tenant.undelete' },
  { type: 'operator.orderGroup', name: 'jobs', wish: { size: 1 }, plan: PLAN, ...ORDERING },
  { type: 'operator.orderGroup', name: 'web', wish: {}, plan: PLAN, ...ORDERING },
  { type: 'operator.dismissGroup', name: 'jobs', ...ORDERING },
  { type: 'tenant.replan', plans: { jobs: { problem: 'no template' } } },
  { type: 'tenant.replan', plans: { jobs: { plan: { ...PLAN, size: 9 } } } },
  { type: 'operator.sleep', ...ORDERING },
  { type: 'operator.wake', ...ORDERING },
  { type: 'group.status', status: groupStatus('web', { onDemand: 1 }) },
  { type: 'tenant.problem', message: 'bad', name: 'p1', kind: 'project' },
  { type: 'tenant.problem', message: '' },
  ...[true, false].flatMap((converged) => [
    { type: 'group.status', status: groupStatus('web', { converged }) } as const,
    { type: 'frontend.status', status: frontendStatus('web', { synced: converged }) } as const,
  ]),
  { type: 'group.status', status: groupStatus('web', { removed: true, size: 0, serving: 0 }) },
  { type: 'frontend.status', status: frontendStatus('web', { removed: true }) },
];

const lbsync: readonly Bare<LbsyncEvent>[] = [
  activated,
  {
    type: 'vip.desired',
    desired: {
      frontend: WEB,
      revision: 1,
      vip: { address: '192.0.2.1', prefixLength: 32, protocol: 'tcp', port: 80 },
      attributes: { encap: 'gre4', dscp: 0, srcIpSticky: false, tableLength: 1_024 },
      servers: [{ address: IP, weight: 1 }],
      priority: 100,
    },
  },
  { type: 'vip.withdrawn', frontend: WEB, revision: 2 },
  { type: 'vip.awaited', frontend: WEB },
  {
    type: 'lbsync.settings',
    settings: {
      syncIntervalMs: 10_000,
      startupMinDelayMs: 100,
      startupMaxDelayMs: 5_000,
      requestTimeoutMs: 1_000,
      window: 16,
      ownership: 'ledger',
      generation: 1,
    },
  },
  { type: 'operator.sync', frontend: WEB },
  { type: 'operator.freeze', ...TERMS },
  { type: 'operator.drainNode', ...TERMS },
  { type: 'operator.undrainNode', ...TERMS },
  level('drain', true, false),
  { type: 'operator.thaw', frontend: WEB, ...TERMS },
  level('freeze', true, false),
  { type: 'lb.connected', session: 1, version: '24.02' },
  { type: 'lb.absent' },
  { type: 'lb.connectFailed', session: 1, message: 'no socket' },
  { type: 'lb.read', session: 1, tookMs: 4 },
  ...(['done', 'surprised', 'lost'] as const).flatMap((verdict) =>
    [false, true].map((more) => ({
      type: 'lb.passed' as const,
      session: 1,
      marks: 1,
      outcome: { verdict, more, built: more, ...(more ? {} : { retryInMs: 500 }) },
    })),
  ),
  { type: 'lb.lost', session: 1, reason: 'closed' },
  {
    type: 'lb.rebuilt',
    rebuild: { lostAt: AT, detectedAt: AT, rebuiltAt: AT, ops: 3, frontends: [WEB] },
  },
  { type: 'ledger.answered' },
];

const reload: readonly Bare<ReloadEvent>[] = [
  activated,
  ...(['signal', 'api', 'file', 'boot'] as const).map((trigger) => ({
    type: 'reload.requested' as const,
    trigger,
    dryRun: trigger === 'file',
    disruptive: trigger === 'api',
  })),
  { type: 'reload.reconverge', reason: 'a thread came back' },
  ...['one', 'two'].map((hash) => ({ type: 'config.examined' as const, examined: read(hash) })),
  { type: 'config.examined', examined: UNREADABLE },
  { type: 'config.examined', examined: read('three', { disruptive: ['dataplane'] }) },
  { type: 'config.examined', examined: read('four', { mode: 'all-or-nothing' }) },
  { type: 'hook.finished', pass: 'step-1', outcome: { name: 'log_level', status: 'applied' } },
];

const inputOf = (kind: Parameters<typeof addressOf>[0], name: string): JsonObject => ({
  address: addressOf(kind, name),
});

export const SAMPLES: Readonly<Record<string, Samples>> = {
  tenancy: { input: inputOf('tenancy', 'main'), events: TENANCY },
  resource: { input: inputOf('resource', PROJECT), events: LANE },
  tenant: { input: inputOf('tenant', 'acme'), events: tenant },
  agent: { input: inputOf('agent', ID), events: agent },
  group: { input: inputOf('group', SPEC.key), events: group },
  instance: {
    input: {
      ...inputOf('instance', ID),
      id: ID,
      token: 'token-1',
      spec: SPEC as unknown as JsonObject,
      onDemand: false,
    },
    events: instance,
  },
  backend: { input: inputOf('backend', 'cache-1'), events: backend },
  guard: { input: inputOf('guard', 'shrink'), events: guard },
  sweep: { input: inputOf('sweep', 'local'), events: sweep },
  suspicion: { input: inputOf('suspicion', 'main'), events: suspicion },
  lease: { input: inputOf('lease', 'main'), events: lease },
  announcement: { input: inputOf('announcement', WEB), events: announcement },
  override: { input: inputOf('override', 'backend/cache-1'), events: override },
  identity: { input: inputOf('identity', ID), events: identity },
  frontend: { input: inputOf('frontend', WEB), events: frontend },
  pool: { input: inputOf('pool', 'public'), events: POOL },
  block: { input: inputOf('block', 'public/192.0.2.0'), events: BLOCK },
  lbsync: { input: inputOf('lbsync', 'main'), events: lbsync },
  reload: { input: inputOf('reload', 'main'), events: reload },
  outbox: { input: inputOf('outbox', 'main'), events: outbox },
};
