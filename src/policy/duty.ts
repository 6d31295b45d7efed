/**
 * What must happen once per fleet, by whom it is decided: the actors of the lease's holder. All others
 * (frontends, backends, lbsync, reload, outbox) are each node's own.
 *
 * Rule: [FL-1] tenants, groups, instances, address pools and their blocks, tenancy, providers and their sweeps, and what
 * operators ordered of groups live on the holder alone; their rows are the fleet's.
 */
import type { Address } from '../../machines/model/ids.js';

/** Addresses that begin so are duties. */
export const DUTY_PREFIXES = [
  'tenant/',
  'group/',
  'instance/',
  'pool/',
  'block/',
  'tenancy/',
  'resource/',
  'reporter/',
  'override/group/',
  'provider/',
  'sweep/',
  'identity/',
  'agent/',
  'guard/',
] as const;

export function isDuty(address: Address): boolean {
  return DUTY_PREFIXES.some((prefix) => address.startsWith(prefix));
}

/** Kinds with rows among them; not every override is one. */
export const DUTY_KINDS = [
  'tenant',
  'group',
  'instance',
  'pool',
  'block',
  'tenancy',
  'resource',
  'override',
  'identity',
  'guard',
] as const;

/** Kinds of aggregates that only the holder speaks of. */
const FLEET_AGGREGATES: ReadonlySet<string> = new Set([
  'tenant',
  'group',
  'instance',
  'pool',
  'block',
  'tenancy',
  'resource',
  'identity',
  'guard',
  'lease',
]);

export function isOfFleet({
  aggregateKind,
  orderingKey,
}: {
  readonly aggregateKind: string;
  readonly orderingKey: string;
}): boolean {
  return FLEET_AGGREGATES.has(aggregateKind) || isDuty(orderingKey as Address);
}

/**
 * Whose versions are one row: what the fleet's holders say of a key, one after the other, or what one node says
 * of it: two nodes that probe the same backend count for themselves.
 */
export function lineOf(event: {
  readonly aggregateKind: string;
  readonly orderingKey: string;
  readonly node: string;
}): string {
  return isOfFleet(event) ? event.orderingKey : `${event.orderingKey}@${event.node}`;
}
