/** Objects of a small node, one of each kind, in the shapes of docs/API.md. */
import type { JsonObject } from '../../machines/model/json.js';

export const INSTANCE_ID = 'i-3f2a-0190aaaaaaaa00';

export const FAKE_STATUS: JsonObject = {
  node: 'edge-1',
  version: '0.1.0',
  ready: true,
  lease: { driver: 'solo', held: true, epoch: 7 },
  generation: 3,
  dataplane: { driver: 'simulated', connected: true, synced: true, frozen: false },
  outbox: { pending: 2, oldestAgeMs: 1500, dead: 0 },
  tenancy: { cursor: 41, lastSuccessAt: '2026-03-01T12:00:00.000Z', parked: 1 },
  counts: { tenants: 1, groups: 1, instances: 1, backends: 1, frontends: 1 },
  conditions: [],
};

export const FAKE_CONDITION: JsonObject = {
  type: 'create-failing',
  object: 'group/acme/web',
  severity: 'warning',
  since: '2026-03-01T11:58:00.000Z',
  cause: 'd000000000001',
  message: 'its provider refuses: quota',
  next: 'raise maxInstances of the provider',
};

const since = '2026-03-01T11:00:00.000Z';

export const FAKE_LISTS: Readonly<Record<string, readonly JsonObject[]>> = {
  tenants: [
    {
      id: 'acme',
      name: 'acme',
      kind: 'project',
      state: 'converged',
      since,
      source: 'static',
      groups: ['acme/web'],
      frontends: ['acme/web'],
      pending: [],
    },
  ],
  groups: [
    {
      tenant: 'acme',
      name: 'web',
      size: 3,
      maxSize: 6,
      effectiveSize: 3,
      serving: 2,
      booting: 1,
      draining: 0,
      failed: 0,
      unavailable: 1,
      conditions: [FAKE_CONDITION],
    },
  ],
  instances: [
    {
      id: INSTANCE_ID,
      tenant: 'acme',
      group: 'web',
      state: 'serving',
      since,
      address: '127.1.0.4',
      provider: 'local',
      onDemand: false,
      health: { probe: 'up' },
      template: 'web',
      token: 'tok-1',
      cause: 'd000000000001',
    },
  ],
  backends: [
    {
      name: 'cache-1',
      address: '10.0.0.21',
      state: 'up',
      since,
      enabled: true,
      counter: 3,
      rise: 2,
      fall: 3,
      lastProbe: { at: since, code: 'L7OK', detail: '200', durationMs: 2 },
      frontends: ['cache'],
      transitions: [],
    },
  ],
  frontends: [
    {
      name: 'cache',
      address: '192.0.2.1',
      protocol: 'tcp',
      port: 443,
      state: 'up',
      activePool: 'primary',
      synced: true,
      pools: [
        {
          name: 'primary',
          members: [
            { name: 'cache-1', address: '10.0.0.21', sentWeight: 100 },
            { name: 'cache-2', address: '10.0.0.22', sentWeight: 0 },
          ],
        },
      ],
    },
  ],
  actors: [
    {
      address: 'group/acme/web',
      thread: 'shard-1',
      state: 'active',
      mailboxDepth: 0,
      oldestMessageAgeMs: 0,
      restarts: 0,
      quarantined: false,
    },
  ],
  conditions: [FAKE_CONDITION],
  overrides: [
    {
      object: 'group/acme/web',
      kind: 'size',
      value: 5,
      owner: 'operator',
      reason: 'launch day',
      since,
    },
  ],
  guards: [],
  incidents: [],
};
