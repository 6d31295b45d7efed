/** A tenant as tests want it: a group behind a frontend, and the words its parts say. */
import type { FrontendSpec, TenantSpec } from '../../machines/model/desired.js';
import { type FrontendName, groupKeyOf, type TenantId } from '../../machines/model/ids.js';
import type { FrontendStatus, GroupStatus } from '../../machines/model/messages.js';
import { groupSpec } from './group-spec.js';

export const ACME = 'acme' as TenantId;

export function frontendSpec(name: string, generation = 1): FrontendSpec {
  return {
    name: `${ACME}/${name}` as FrontendName,
    tenant: ACME,
    addressFrom: 'public',
    protocol: 'tcp',
    port: 80,
    encap: 'auto',
    dscp: 0,
    srcIpSticky: false,
    weightScale: 'reduced',
    flushOnDown: true,
    unknown: 'keep',
    allDown: 'keep',
    activeWhile: 0.3,
    failBack: { at: 0.5, holdForMs: 10_000 },
    priority: 100,
    startupMaxDelayMs: 30_000,
    pools: [{ name: 'primary', members: [] }],
    generation,
  };
}

export interface TenantParts {
  readonly groups?: readonly string[];
  readonly frontends?: readonly string[];
  readonly size?: number;
  readonly source?: TenantSpec['source'];
  readonly generation?: number;
}

export function tenantSpec(parts: TenantParts = {}): TenantSpec {
  const { groups = ['web'], frontends = ['web'], size = 3, generation = 1 } = parts;
  return {
    id: ACME,
    displayName: 'Acme',
    kind: 'project',
    source: parts.source ?? 'tenancy',
    groups: groups.map((name) => {
      const key = groupKeyOf(ACME, name);
      return groupSpec({ key, tenant: ACME, name, size, generation });
    }),
    frontends: frontends.map((name) => frontendSpec(name, generation)),
    generation,
  };
}

export function groupStatus(name: string, change: Partial<GroupStatus> = {}): GroupStatus {
  const group = groupKeyOf(ACME, name);
  return { group, size: 3, serving: 3, converged: true, removed: false, ...change };
}

export function frontendStatus(name: string, change: Partial<FrontendStatus> = {}): FrontendStatus {
  const frontend = `${ACME}/${name}` as FrontendName;
  return { frontend, state: 'up', synced: true, removed: false, ...change };
}
