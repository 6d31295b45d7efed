/** The JSON shapes that docs/API.md promises, for assertShape: kinds as they are listed, and the rest. */
import type { Shape } from './shape.js';

export const CONDITION: Shape = {
  type: 'name',
  object: 'name',
  severity: 'name',
  since: 'time',
  cause: 'name',
  message: 'name',
  next: 'name',
};

export const LISTED: Readonly<Record<string, Shape>> = {
  tenants: {
    id: 'name',
    name: 'name',
    kind: 'name',
    state: 'name',
    since: 'time',
    source: 'name',
    groups: 'name[]',
    frontends: 'name[]',
    pending: 'any[]',
    undoUntil: 'time?',
  },
  groups: {
    tenant: 'name',
    name: 'name',
    size: 'number',
    maxSize: 'number',
    effectiveSize: 'number',
    serving: 'number',
    booting: 'number',
    draining: 'number',
    failed: 'number',
    unavailable: 'number',
    budget: { max: 'number', used: 'number' },
    breaker: 'name',
    conditions: 'object[]',
    nextExpiryAt: 'time?',
  },
  instances: {
    id: 'name',
    tenant: 'name',
    group: 'name',
    state: 'name',
    since: 'time',
    address: 'name',
    provider: 'name',
    providerId: 'name',
    onDemand: 'flag',
    replaces: 'name?',
    health: { probe: 'name' },
    template: 'name',
    infraHash: 'name',
    token: 'name',
    cause: 'name',
  },
  backends: {
    name: 'name',
    address: 'name',
    state: 'name',
    since: 'time',
    enabled: 'flag',
    counter: 'number',
    rise: 'number',
    fall: 'number',
    lastProbe: { at: 'time', code: 'name', detail: 'text', durationMs: 'number' },
    nextProbeAt: 'time?',
    frontends: 'name[]',
    transitions: 'object[]',
  },
  frontends: {
    name: 'name',
    tenant: 'name?',
    address: 'name',
    protocol: 'name',
    port: 'number',
    state: 'name',
    activePool: 'name',
    panic: 'flag',
    frozen: 'flag',
    announced: 'flag',
    synced: 'flag',
    vip: {
      encap: 'name',
      tableLength: 'number',
      scale: 'number',
      stickyBySource: 'flag',
      tableDigest: 'name',
    },
    pools: 'object[]',
  },
  actors: {
    address: 'name',
    thread: 'name',
    state: 'any',
    mailboxDepth: 'number',
    oldestMessageAgeMs: 'number',
    restarts: 'number',
    quarantined: 'flag',
    lastError: 'text?',
  },
  conditions: CONDITION,
};

export const MEMBER: Shape = {
  name: 'name',
  address: 'name',
  state: 'name',
  weight: 'number',
  effectiveWeight: 'number',
  sentWeight: 'number',
  buckets: 'number',
};

export const STATUS: Shape = {
  node: 'name',
  version: 'name',
  ready: 'flag',
  lease: { driver: 'name', held: 'flag', epoch: 'number' },
  generation: 'number',
  dataplane: { driver: 'name', connected: 'flag', synced: 'flag', frozen: 'flag' },
  outbox: { pending: 'number', oldestAgeMs: 'number', dead: 'number' },
  counts: {
    tenants: 'number',
    groups: 'number',
    instances: 'number',
    backends: 'number',
    frontends: 'number',
  },
  conditions: 'object[]',
};

export const RELOAD: Shape = {
  generation: 'number',
  status: 'name',
  trigger: 'name',
  dryRun: 'flag',
  outcomes: 'object[]',
  requiresRestart: 'name[]',
  disruptive: 'name[]',
  problems: 'object[]',
  startedAt: 'time',
  endedAt: 'time',
};

export const OUTBOX_ROW: Shape = {
  id: 'number',
  eventId: 'name',
  type: 'name',
  orderingKey: 'name',
  state: 'name',
  attempts: 'number',
  lastError: 'text?',
  controlVersion: 'number?',
  createdAt: 'time',
};

export const FEED_EVENT: Shape = {
  eventId: 'name',
  type: 'name',
  schema: 'number',
  node: 'name',
  epoch: 'number',
  tenantId: 'name?',
  aggregateKind: 'name',
  aggregateId: 'name',
  aggregateVersion: 'number',
  orderingKey: 'name',
  causationId: 'name',
  correlationId: 'name',
  configGeneration: 'number',
  occurredAt: 'time',
  controlVersion: 'number',
  data: 'object',
};

export const WHY_LINK: Shape = {
  seq: 'number',
  at: 'time',
  actor: 'name',
  event: 'name',
  rule: 'name',
  numbers: 'object',
  cause: 'name',
};

export const EVENT: Shape = {
  seq: 'number',
  at: 'time',
  kind: 'name',
  object: 'name',
  event: 'name',
};

export const TRANSITION: Shape = {
  at: 'time',
  from: 'name',
  to: 'name',
  code: 'name',
  cause: 'name',
};
