/**
 * What the feed carries: every type of event, and the shape of the whole aggregate that it brings. The one
 * source of the JSON Schemas under docs/events/; tests hold real events against it.
 *
 * Fields may be added in a release without a new `schema` number: who reads an event leaves alone what it
 * does not know.
 */
import { z } from 'zod';

const text = z.string();
const count = z.int().min(0);
const time = z.iso.datetime();
const texts = z.array(text);
const objects = z.array(z.looseObject({}));
const some = z.looseObject({});

/** By aggregate kind; after a removal as well, as it was last. */
const AGGREGATES = {
  block: z.looseObject({ pool: text, first: text, allocations: some }),
  backend: z.looseObject({
    ...{ name: text, address: text, state: text, since: time.optional(), enabled: z.boolean() },
    ...{ counter: count, rise: count, fall: count, frontends: texts, transitions: objects },
    lastProbe: some.optional(),
  }),
  config: z.looseObject({
    ...{ generation: count, hash: text.nullable(), trigger: text, requiresRestart: texts },
    ...{ changed: z.array(text.nullable()).optional(), status: text.optional() },
    ...{ failed: objects.optional(), loadError: text.nullable().optional() },
  }),
  frontend: z.looseObject({
    ...{ name: text, tenant: text.optional(), address: text, protocol: text, port: count },
    ...{ state: text, since: time.optional(), activePool: text.optional(), panic: z.boolean() },
    ...{ frozen: z.boolean(), announced: z.boolean(), synced: z.boolean(), vip: some.optional() },
    ...{ pools: objects, problem: text.optional() },
  }),
  group: z.looseObject({
    ...{ tenant: text, name: text, size: count, maxSize: count, effectiveSize: count },
    ...{ serving: count, booting: count, draining: count, failed: count, unavailable: count },
    ...{ budget: some, breaker: text, conditions: objects },
  }),
  instance: z.looseObject({
    ...{ id: text, tenant: text, group: text, state: text, since: time, provider: text },
    ...{ onDemand: z.boolean(), health: some, template: text, infraHash: text, token: text },
    ...{ cause: text, address: text.optional(), providerId: text.optional() },
    ...{ drain: some.optional(), problem: text.optional() },
  }),
  lease: z.looseObject({ fleet: text, writer: text, node: text, epoch: count }),
  life: z.looseObject({ node: text, version: text, generation: count, epoch: count }),
  node: z.looseObject({ node: text, epoch: count, reason: text }),
  orphans: z.looseObject({ provider: text, count, orphans: objects }),
  outbox: z.looseObject({ rows: z.union([count, objects]), verb: text.optional() }),
  override: z.looseObject({ object: text, overrides: objects }),
  tenancy: z.looseObject({
    ...{ cursor: z.int().nullable(), era: count, changed: count, blockedBy: text.nullable() },
    unreachableSince: time.nullable(),
  }),
  resource: z.looseObject({
    ...{ id: text, tenant: text, kind: text, name: text, wanted: text, problem: text.nullable() },
    ...{ reported: some.nullable(), era: count, eventId: count, attempts: count },
  }),
  tenant: z.looseObject({
    ...{ id: text, name: text, kind: text, state: text, since: time, source: text },
    ...{
      groups: texts,
      frontends: texts,
      pending: z.array(z.unknown()),
      undoUntil: time.optional(),
    },
  }),
} as const;

type AggregateName = keyof typeof AGGREGATES;

/** Types by what they are about. */
const TYPES: Readonly<Record<AggregateName, readonly string[]>> = {
  block: ['allocation.made', 'allocation.released'],
  backend: ['backend.added', 'backend.removed', 'backend.state_changed'],
  config: ['config.reloaded', 'config.reload_failed', 'config.rolled_back'],
  frontend: [
    ...['frontend.desired_changed', 'frontend.removed', 'frontend.state_changed'],
    ...['frontend.sync_failed', 'frontend.synced'],
  ],
  group: [
    ...['group.breaker_changed', 'group.create_failed', 'group.create_recovered'],
    ...['group.converged', 'group.desired_changed', 'group.removed', 'group.removing'],
    'group.stalled',
  ],
  instance: [
    ...['instance.created', 'instance.deleted', 'instance.drain_timed_out', 'instance.drained'],
    ...['instance.draining', 'instance.termination_notice'],
    ...['instance.failed', 'instance.lost', 'instance.quarantined', 'instance.ready'],
    ...['instance.requested', 'instance.unhealthy'],
  ],
  lease: ['lease.gained'],
  life: ['node.started', 'node.stopping'],
  node: ['lease.lost'],
  orphans: ['orphans.deleting', 'orphans.found', 'orphans.gone'],
  outbox: [
    ...['outbox.dead_lettered', 'outbox.discarded', 'outbox.republished', 'outbox.requeued'],
  ],
  override: ['override.ended', 'override.set'],
  tenancy: [...['tenancy.degraded', 'tenancy.recovered', 'tenancy.replayed']],
  resource: ['tenancy.event_parked', 'tenancy.event_unparked'],
  tenant: [
    ...['tenant.accepted', 'tenant.converged', 'tenant.degraded', 'tenant.deletion_accepted'],
    ...['tenant.draining', 'tenant.removed', 'tenant.undeleted'],
    ...['tenant.asleep', 'tenant.awake', 'tenant.group_dismissed', 'tenant.group_ordered'],
    'tenant.groups_replanned',
  ],
};

/** What stands in the feed for an event that its sink refused. */
export const TOMBSTONE_TYPE = 'event.buried';

const tombstone = z.looseObject({ eventId: text, type: text });

/** What nodes that share a fleet tell each other: the rows that a decision wrote. */
const ROWS_TYPE = 'fleet.decided';

const row = z.looseObject({ address: text, machine: text, version: count });
const rows = z.looseObject({ cell: row.nullable(), spawns: z.array(row), forget: z.boolean() });

const coalesced = z.object({ changes: count, from: text });

/** Data that lies in an artifact leaves nothing behind. */
function dataOf(aggregate: z.ZodType): z.ZodType {
  const told = z.looseObject({ coalesced: coalesced.optional() });
  return z.union([z.intersection(aggregate, told), z.strictObject({})]);
}

function envelopeOf(type: string, data: z.ZodType) {
  return z.looseObject({
    ...{ eventId: text.min(1), type: z.literal(type), schema: z.literal(1), node: text },
    ...{ epoch: count, tenantId: text.optional(), aggregateKind: text.min(1), aggregateId: text },
    ...{ aggregateVersion: z.int().min(1), orderingKey: text.min(1), causationId: text },
    ...{ correlationId: text, configGeneration: count, occurredAt: time, controlVersion: count },
    ...{ data, previousHash: text.optional() },
    artifactRef: z
      .string()
      .regex(/^sha256\/[0-9a-f]{64}$/)
      .optional(),
    checksum: z
      .string()
      .regex(/^sha256:[0-9a-f]{64}$/)
      .optional(),
  });
}

/** The envelope and the data of every type. */
export const EVENT_SCHEMAS: ReadonlyMap<string, z.ZodType> = new Map([
  ...(Object.keys(TYPES) as AggregateName[]).flatMap((name) =>
    TYPES[name].map((type) => [type, envelopeOf(type, dataOf(AGGREGATES[name]))] as const),
  ),
  [TOMBSTONE_TYPE, envelopeOf(TOMBSTONE_TYPE, tombstone)],
  [ROWS_TYPE, envelopeOf(ROWS_TYPE, dataOf(rows))],
]);

/** Whether this release knows what such an event says. */
export function knowsType(type: string): boolean {
  return EVENT_SCHEMAS.has(type);
}

/** By type: a JSON Schema of the whole event. */
export function eventJsonSchemas(): ReadonlyMap<string, object> {
  return new Map(
    [...EVENT_SCHEMAS].map(([type, schema]) => [type, { title: type, ...z.toJSONSchema(schema) }]),
  );
}
