/** Messages to walk tenancy and the lane of a resource with; see machine-samples.ts. */
import type { Meta } from '../../machines/model/effects.js';
import type { TenantId } from '../../machines/model/ids.js';
import type { ResourceEvent } from '../../machines/resource-setup.js';
import type { TenancyEvent } from '../../machines/tenancy-setup.js';
import { news, told } from './driven-resource.js';
import { key, page, replay, event as resource } from './driven-tenancy.js';
import { brokenPlan, tenancySettings } from './tenancy-settings.js';

/** Without what the runtime adds. */
type Bare<E> = E extends { readonly meta: Meta } ? Omit<E, 'meta'> : never;

export const PROJECT = key(1);

const activated = { type: 'activated', children: [] } as const;

export const TENANCY: readonly Bare<TenancyEvent>[] = [
  activated,
  { type: 'tenancy.settings', settings: tenancySettings() },
  { type: 'tenancy.settings', settings: tenancySettings({ generation: 2, undoWindowMs: 60_000 }) },
  { type: 'tenancy.unconfigured' },
  ...[
    replay([resource(1, 'created', 1), resource(2, 'created', 2)]),
    page([resource(43, 'created', 3), resource(44, 'deleted', 1)]),
    page([]),
  ].map((answer) => ({ ...answer, type: 'answer.read' as const })),
  ...(['unreachable', 'unauthorized'] as const).map((code) => ({
    type: 'answer.failed' as const,
    code,
    message: 'connection refused',
  })),
  ...[1, 2, 3].flatMap((era) =>
    [0, 43, 44].map((id) => ({
      type: 'resource.accepted' as const,
      accepted: {
        tenant: key(id === 43 ? 3 : 1) as TenantId,
        ...{ era, id, changed: era === 1, problem: era === 2 ? 'bad' : null },
      },
    })),
  ),
  { type: 'resource.waits' },
];

export const LANE: readonly Bare<ResourceEvent>[] = [
  activated,
  ...(['created', 'deleted'] as const).flatMap((what) => [
    told(news(0, what)),
    told(news(43, what)),
    told(news(44, what), { onProject: brokenPlan() }),
  ]),
  { type: 'resource.settings', settings: tenancySettings({ generation: 2 }) },
  { type: 'resource.settings', settings: tenancySettings({ reservedNames: ['p1'] }) },
  { type: 'resource.missing', settings: tenancySettings() },
  { type: 'resource.unpark' },
  ...(['accepted', 'converged', 'degraded', 'deleting', 'removed'] as const).map((state) => ({
    type: 'tenant.status' as const,
    status: {
      ...{ tenant: key(1) as TenantId, kind: 'project' as const, state },
      message: state === 'deleting' ? 'group/web: busy' : '',
    },
  })),
  ...(['acknowledged', 'refused'] as const).flatMap((outcome) =>
    (['in_progress', 'completed', 'deleted'] as const).map((status) => ({
      type: 'status.told' as const,
      report: { status, message: '' },
      outcome,
    })),
  ),
];
