/** A group as tests want it: three members behind one frontend, every bound small but apart. */
import type { GroupSpec } from '../../machines/model/desired.js';
import { type FrontendName, groupKeyOf, type TenantId } from '../../machines/model/ids.js';

export const MINUTE_MS = 60_000;

export const CHECK = {
  name: 'http-ok',
  type: 'http',
  path: '/healthz',
  status: [{ from: 200, to: 200 }],
  insecureSkipVerify: false,
  intervalMs: 2_000,
  fastIntervalMs: 500,
  downIntervalMs: 2_000,
  timeoutMs: 1_000,
  rise: 2,
  fall: 3,
  snap: true,
  jitter: 0,
} as const;

export const WEB = 'acme/web' as FrontendName;

export function groupSpec(change: Partial<GroupSpec> = {}): GroupSpec {
  return {
    key: groupKeyOf('acme', 'web'),
    tenant: 'acme' as TenantId,
    name: 'web',
    size: 3,
    maxSize: 6,
    template: {
      name: 'web',
      provider: 'local',
      spec: { command: ['node', 'server.mjs'] },
      vars: {},
      infraHash: 'abc123',
    },
    health: {
      source: 'probe',
      graceMs: 30_000,
      agentIntervalMs: MINUTE_MS,
      missedReports: 3,
      replaceAfterMs: 5 * MINUTE_MS,
    },
    backend: { probePort: 8080, check: CHECK },
    drain: { timeoutMs: 5 * MINUTE_MS, holdMaxMs: 15 * MINUTE_MS },
    replace: 'create-first',
    bootTimeoutMs: 10 * MINUTE_MS,
    resyncIntervalMs: MINUTE_MS,
    deletedRetentionMs: 30 * MINUTE_MS,
    retry: { baseMs: 5_000, maxMs: 2 * MINUTE_MS, attempts: 8, jitter: 0.25 },
    frontends: [WEB],
    generation: 1,
    ...change,
  };
}
