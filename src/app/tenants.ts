/**
 * Tenants as operators see them: what a tenant says of itself, and, for one of the tenant manager, what
 * its lane says: since when it is parked and when it is tried again, and what the tenant manager knows.
 *
 * Input: views of tenants and of lanes. Output: one object per tenant.
 */
import type { JsonObject } from '../../machines/model/json.js';
import type { Directory } from './directory.js';

export async function tenantsOf({ views }: Pick<Directory, 'views'>): Promise<JsonObject[]> {
  const [tenants, lanes] = await Promise.all([views('tenant'), views('resource')]);
  const byTenant = new Map(lanes.map((lane) => [lane['tenant'], lane]));
  return tenants.map((tenant) => withLane(tenant, byTenant.get(tenant['id'])));
}

function withLane(tenant: JsonObject, lane: JsonObject | undefined): JsonObject {
  if (lane === undefined) return tenant;
  const { id, wanted, reported, owed, refusals, attempts, nextAttemptAt, problem } = lane;
  const parked =
    lane['parked'] === true ? { parked: { error: problem, nextAttemptAt, attempts } } : {};
  const resource = { id, wanted, reported, ...(owed === undefined ? {} : { owed, refusals }) };
  return { ...tenant, ...parked, resource };
}

/** What `status` says of tenancy; undefined: it is off, and always was. */
export async function tenancyOf(
  { views }: Pick<Directory, 'views'>,
  nowMs: number,
): Promise<JsonObject | undefined> {
  const [tenancies, lanes, reporters] = await Promise.all([
    views('tenancy'),
    views('resource'),
    views('reporter'),
  ]);
  const [tenancy] = tenancies;
  if (tenancy === undefined) return undefined;
  const { cursor, lastSuccessAt, head, phase, unaccepted, replayDurationMs } = tenancy;
  const count = (is: (lane: JsonObject) => boolean): number => lanes.filter(is).length;
  return {
    cursor: cursor ?? 0,
    lastSuccessAt: lastSuccessAt ?? null,
    parked: count((lane) => lane['parked'] === true),
    phase,
    head,
    unaccepted,
    replayDurationMs,
    lastSuccessAgeMs:
      typeof lastSuccessAt === 'string' ? Math.max(0, nowMs - Date.parse(lastSuccessAt)) : null,
    resources: lanes.length,
    statusesOwed: count(({ owed }) => owed !== undefined),
    statusesFailed: reporters[0]?.['failed'] ?? 0,
  };
}
