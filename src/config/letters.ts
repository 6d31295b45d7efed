/**
 * A site → the messages that make every actor converge to it, hook by hook, in an order in which nothing
 * is missing when it is asked for: settings and pools, then what is wanted, then what is not.
 *
 * Input: the site, the names of vanished objects. Output: receivers and messages. Sending them
 * again changes nothing.
 *
 * Rule: [RE-14] a pass that committed a disruptive change permits every frontend, of tenants to come
 * as well, to re-create its VIP; which of them need it, their own specs say.
 */
import { type Address, addressOf } from '../../machines/model/ids.js';
import type { JsonObject } from '../../machines/model/json.js';
import type {
  BackendMessage,
  FrontendMessage,
  GuardMessage,
  LbsyncMessage,
  OutboxMessage,
  PoolMessage,
  ProviderMessage,
  SweepMessage,
  TenancyMessage,
  TenantMessage,
} from '../../machines/model/messages.js';
import type { HookName, Names } from '../policy/reload.js';
import type { Site } from './site.js';

type Sent =
  | BackendMessage
  | FrontendMessage
  | GuardMessage
  | LbsyncMessage
  | OutboxMessage
  | PoolMessage
  | ProviderMessage
  | SweepMessage
  | TenancyMessage
  | TenantMessage;

export interface Letter {
  readonly to: Address;
  readonly message: Sent;
}

/** Hooks whose parts are actors; what they are told. */
export type LetterHook = Extract<
  HookName,
  | 'guards'
  | 'providers'
  | 'pools'
  | 'dataplane'
  | 'outbox'
  | 'tenancy'
  | 'backends'
  | 'frontends'
  | 'tenants'
  | 'removals'
>;

type Writer = (site: Site, retired: Names) => readonly Letter[];

const WRITERS: Readonly<Record<LetterHook, Writer>> = {
  guards: ({ guard }) => [letter('guard', 'shrink', { type: 'guard.settings', settings: guard })],
  providers: ({ providers, sweeps }) => [
    ...providers.map((one) =>
      letter('provider', one.name, { type: 'provider.settings', settings: one }),
    ),
    ...sweeps.map((one) =>
      letter('sweep', one.provider, { type: 'sweep.settings', settings: one }),
    ),
  ],
  pools: ({ pools }) =>
    pools.map((spec) => letter('pool', spec.name, { type: 'pool.desired', spec })),
  dataplane: ({ lbsync }) => [
    letter('lbsync', 'main', { type: 'lbsync.settings', settings: lbsync }),
  ],
  outbox: ({ outbox }) => [letter('outbox', 'main', { type: 'outbox.settings', settings: outbox })],
  tenancy: ({ tenancy }) =>
    tenancy === undefined
      ? []
      : [letter('tenancy', 'main', { type: 'tenancy.settings', settings: tenancy })],
  backends: ({ backends }) =>
    backends.map((spec) => letter('backend', spec.name, { type: 'backend.desired', spec })),
  frontends: ({ frontends }) =>
    frontends.map((spec) => letter('frontend', spec.name, { type: 'frontend.desired', spec })),
  tenants: ({ tenants }) =>
    tenants.map((spec) => letter('tenant', spec.id, { type: 'tenant.desired', spec })),
  removals: (_, retired) => removed(retired),
};

export const LETTER_HOOKS = Object.keys(WRITERS) as readonly LetterHook[];

export function lettersOf(hook: LetterHook, site: Site, retired: Names): readonly Letter[] {
  return WRITERS[hook](site, retired);
}

export function isLetterHook(hook: HookName): hook is LetterHook {
  return Object.hasOwn(WRITERS, hook);
}

export function permitRecreation(site: Site): Site {
  const { frontends, tenants, tenancy } = site;
  const permitted = {
    ...site,
    frontends: permit(frontends),
    tenants: tenants.map((one) => ({ ...one, frontends: permit(one.frontends) })),
  };
  if (tenancy === undefined) return permitted;
  const { onProject, onOrg } = tenancy;
  const plans = { onProject: permitPlan(onProject), onOrg: permitPlan(onOrg) };
  return { ...permitted, tenancy: { ...tenancy, ...plans } };
}

function permit<T extends object>(frontends: readonly T[]): readonly (T & { mayRecreate: true })[] {
  return frontends.map((one) => ({ ...one, mayRecreate: true }));
}

/** A tenant's plan as text of the config: what it gives its frontends, each tenant's get. */
function permitPlan(plan: JsonObject): JsonObject {
  const frontends = plan['frontends'];
  return Array.isArray(frontends) ? { ...plan, frontends: permit(frontends) } : plan;
}

/** Frontends first: what leaves a frontend need not be drained from it. */
function removed({ frontends, tenants, backends }: Names): readonly Letter[] {
  return [
    ...frontends.map((name) => letter('frontend', name, { type: 'frontend.removed' })),
    ...tenants.map((id) => letter('tenant', id, { type: 'tenant.removed', undoWindowMs: 0 })),
    ...backends.map((name) => letter('backend', name, { type: 'backend.removed' })),
  ];
}

function letter(kind: Parameters<typeof addressOf>[0], key: string, message: Sent): Letter {
  return { to: addressOf(kind, key), message };
}
