/** Settings of tenancy, and what a project gets, as tests want them. */
import type { JsonObject } from '../../machines/model/json.js';
import type { TenancySettings } from '../../machines/model/messages.js';
import { groupSpec } from './group-spec.js';
import { frontendSpec } from './tenant-spec.js';

export const NOTHING: JsonObject = { groups: [], frontends: [] };

export function webPlan(size = 3): JsonObject {
  const { key: _key, tenant: _tenant, frontends: _told, generation: _one, ...group } = groupSpec();
  const { tenant: _its, generation: _two, ...frontend } = frontendSpec('web');
  const members = [{ group: 'web', weight: 100 }];
  const pools = [{ name: 'primary', members }];
  return {
    groups: [{ ...group, size }],
    frontends: [{ ...frontend, name: 'web', pools }],
  } as unknown as JsonObject;
}

/** Refers to a group that is not there. */
export function brokenPlan(): JsonObject {
  return { ...webPlan(), groups: [] };
}

export function tenancySettings(change: Partial<TenancySettings> = {}): TenancySettings {
  return {
    pollIntervalMs: 5_000,
    pollLimit: 100,
    initialBackoffMs: 1_000,
    maxBackoffMs: 30_000,
    httpTimeoutMs: 30_000,
    undoWindowMs: 0,
    ordering: 'per-resource',
    laneBackoff: { baseMs: 5_000, maxMs: 300_000 },
    jitter: 0.25,
    tls: {},
    reservedNames: [],
    onProject: webPlan(),
    onOrg: NOTHING,
    generation: 1,
    ...change,
  };
}
