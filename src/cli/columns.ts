/** Columns of `get KIND`, one table per kind: what an operator looks at first. */
import type { Json, JsonObject } from '../../machines/model/json.js';
import { age, type Column } from './print.js';

const field = (title: string, name = title): Column => ({ title, value: (item) => item[name] });

const nested = (title: string, outer: string, inner: string): Column => ({
  title,
  value: (item) => (item[outer] as JsonObject | undefined)?.[inner],
});

const ageOf = (nowMs: number): Column => ({
  title: 'age',
  value: (item) => age(item['since'], nowMs),
});

/** Replaced by the age of the moment it is printed at. */
const AGE: Column = { title: 'age', value: () => '-' };

const count = (title: string, name = title): Column => ({
  title,
  value: (item) => (item[name] as readonly Json[] | undefined)?.length ?? 0,
});

const OVERRIDES: readonly Column[] = ['object', 'kind', 'value', 'owner', 'reason', 'until'].map(
  (name) => field(name),
);

const COLUMNS: Readonly<Record<string, readonly Column[]>> = {
  tenants: [
    ...['id', 'name', 'kind', 'source', 'state'].map((name) => field(name)),
    count('groups'),
    count('frontends'),
    AGE,
  ],
  'tenant list': [
    ...['id', 'name', 'kind', 'source', 'state'].map((name) => field(name)),
    count('pending'),
    AGE,
    { title: 'reported', value: (item) => reportedOf(item) },
    { title: 'note', value: (item) => noteOf(item) },
  ],
  groups: [
    ...['tenant', 'name', 'size', 'serving', 'booting', 'draining', 'failed'].map((name) =>
      field(name),
    ),
    count('conditions'),
  ],
  instances: [
    ...['id', 'tenant', 'group', 'state', 'address'].map((name) => field(name)),
    AGE,
    nested('probe', 'health', 'probe'),
    field('replaces'),
  ],
  backends: [
    ...['name', 'address', 'state', 'counter'].map((name) => field(name)),
    nested('last', 'lastProbe', 'code'),
    AGE,
  ],
  frontends: [
    ...['name', 'address', 'protocol', 'port', 'state'].map((name) => field(name)),
    field('active pool', 'activePool'),
    field('synced'),
    { title: 'members', value: members },
  ],
  actors: [
    ...['address', 'thread', 'state'].map((name) => field(name)),
    field('mailbox', 'mailboxDepth'),
    field('restarts'),
    field('quarantined'),
  ],
  conditions: ['severity', 'type', 'object', 'message'].map((name) => field(name)),
  guards: [
    field('name'),
    field('limit'),
    field('used'),
    { title: 'held', value: heldBy },
    field('since'),
  ],
  incidents: [
    ...['id', 'kind', 'lostAt', 'detectedAt', 'rebuiltAt', 'ops'].map((name) => field(name)),
    count('frontends'),
  ],
  providers: [
    ...['name', 'driver', 'state', 'instances', 'queued', 'running'].map((name) => field(name)),
    field('error', 'lastError'),
  ],
  orphans: [
    field('provider id', 'providerId'),
    ...['provider', 'why', 'instance', 'address'].map((name) => field(name)),
    AGE,
    field('deleting'),
  ],
  outbox: [
    field('id'),
    field('state'),
    field('type'),
    field('key', 'orderingKey'),
    field('attempts'),
    field('version', 'controlVersion'),
    field('error', 'lastError'),
  ],
};

export function columnsFor(kind: string, nowMs: number): readonly Column[] {
  const columns = COLUMNS[kind] ?? OVERRIDES;
  return columns.map((column) => (column === AGE ? ageOf(nowMs) : column));
}

/** What waits, and how many instances that are. */
function heldBy(item: JsonObject): Json {
  const held = (item['held'] ?? []) as readonly JsonObject[];
  return held.map(({ object, count }) => `${object} (${count})`).join(', ') || '-';
}

/** What the tenant manager has acknowledged. */
function reportedOf({ resource }: JsonObject): Json {
  const { reported } = (resource ?? {}) as JsonObject;
  return ((reported ?? {}) as JsonObject)['status'] ?? '-';
}

function noteOf({ parked, undoUntil, problem }: JsonObject): Json {
  if (parked !== undefined) {
    const { error, nextAttemptAt } = parked as JsonObject;
    return nextAttemptAt === undefined
      ? `parked: ${error}`
      : `parked until ${nextAttemptAt}: ${error}`;
  }
  return undoUntil === undefined ? (problem ?? '') : `undelete possible until ${undoUntil}`;
}

/** `weighted/all` over the pools of a frontend. */
function members(item: JsonObject): Json {
  const pools = (item['pools'] ?? []) as readonly { readonly members?: readonly JsonObject[] }[];
  const all = pools.flatMap((pool) => pool.members ?? []);
  const weighted = all.filter((member) => Number(member['sentWeight'] ?? 0) > 0);
  return `${weighted.length}/${all.length}`;
}
