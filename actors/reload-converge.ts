/**
 * A site → the messages that make every actor converge to it, in an order in which nothing is
 * missing when it is asked for: settings and pools, then what is wanted, then what is not.
 *
 * Input: the site, the names of vanished objects. Output: receivers and messages. Sending them
 * again changes nothing.
 *
 * Rule: [RE-14] a pass that committed a disruptive change permits every frontend, of tenants to come
 * as well, to re-create its VIP; which of them need it, their own specs say.
 */
import { type Address, addressOf } from '../machines/model/ids.js';
import type { JsonObject } from '../machines/model/json.js';
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
} from '../machines/model/messages.js';
import type { Site } from '../src/config/site.js';
import type { Names } from '../src/policy/reload.js';

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

export function lettersOf(site: Site, retired: Names): readonly Letter[] {
  return [...settings(site), ...wanted(site), ...removed(retired)];
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

function settings(site: Site): readonly Letter[] {
  const { providers, sweeps, guard, pools, lbsync, outbox, tenancy } = site;
  return [
    ...providers.map((one) =>
      letter('provider', one.name, { type: 'provider.settings', settings: one }),
    ),
    letter('guard', 'shrink', { type: 'guard.settings', settings: guard }),
    ...sweeps.map((one) =>
      letter('sweep', one.provider, { type: 'sweep.settings', settings: one }),
    ),
    ...pools.map((spec) => letter('pool', spec.name, { type: 'pool.desired', spec })),
    letter('lbsync', 'main', { type: 'lbsync.settings', settings: lbsync }),
    letter('outbox', 'main', { type: 'outbox.settings', settings: outbox }),
    ...(tenancy === undefined
      ? []
      : [letter('tenancy', 'main', { type: 'tenancy.settings', settings: tenancy })]),
  ];
}

function wanted({ backends, frontends, tenants }: Site): readonly Letter[] {
  return [
    ...backends.map((spec) => letter('backend', spec.name, { type: 'backend.desired', spec })),
    ...frontends.map((spec) => letter('frontend', spec.name, { type: 'frontend.desired', spec })),
    ...tenants.map((spec) => letter('tenant', spec.id, { type: 'tenant.desired', spec })),
  ];
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
