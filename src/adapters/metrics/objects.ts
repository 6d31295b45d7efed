/**
 * Gauges of the node's objects, counted from its own answers when somebody asks: nothing is kept, so
 * nothing can go stale. No label carries more than names of objects and words of ours.
 */
import { Gauge, Registry } from 'prom-client';
import type { JsonObject } from '../../../machines/model/json.js';
import type { NodeApi } from '../../ports/node-api.js';
import { METRICS_PREFIX } from './registry.js';

type Labels = Readonly<Record<string, string>>;
type Add = (name: string, value: number, labels?: Labels) => void;

/** Prometheus text. */
export async function objectMetrics(api: Pick<NodeApi, 'status' | 'list'>): Promise<string> {
  const registry = new Registry();
  const add = adderOf(registry);
  const [status, groups, instances, backends, frontends, actors] = await Promise.all([
    api.status(),
    api.list('groups', {}),
    api.list('instances', {}),
    api.list('backends', {}),
    api.list('frontends', {}),
    api.list('actors', {}),
  ]);
  addStatus(status, add);
  for (const group of groups) addGroup(group, add);
  for (const { tenant, group, state } of instances) {
    add('instances', 1, { tenant: word(tenant), group: word(group), state: word(state) });
  }
  for (const { name, state, counter } of backends) {
    add('backend_state', 1, { backend: word(name), state: word(state) });
    add('backend_health', number(counter), { backend: word(name) });
  }
  for (const { name, announced, vip } of frontends) {
    add('vip_announced', announced === true ? 1 : 0, { frontend: word(name) });
    const digest = digestOf((vip ?? {}) as JsonObject);
    if (digest !== undefined) add('vip_table_digest', digest, { frontend: word(name) });
  }
  for (const { address, mailboxDepth, quarantined } of actors) {
    add('actor_mailbox_depth', number(mailboxDepth), { kind: word(address).split('/')[0] ?? '' });
    add('actors_quarantined', quarantined === true ? 1 : 0);
  }
  return registry.metrics();
}

/** Values of the same name and labels are summed. */
function adderOf(registry: Registry): Add {
  const gauges = new Map<string, Gauge>();
  return (name, value, labels = {}) => {
    const gauge =
      gauges.get(name) ??
      new Gauge({
        name: `${METRICS_PREFIX}${name}`,
        help: name.replaceAll('_', ' '),
        labelNames: Object.keys(labels),
        registers: [registry],
      });
    gauges.set(name, gauge);
    gauge.inc(labels, value);
  };
}

function addStatus(status: JsonObject, add: Add): void {
  const part = (name: string): JsonObject => (status[name] ?? {}) as JsonObject;
  const { pending, oldestAgeMs, dead } = part('outbox');
  add('config_generation', number(status['generation']));
  add('lease_held', part('lease')['held'] === true ? 1 : 0);
  add('lease_epoch', number(part('lease')['epoch']));
  add('outbox_pending', number(pending));
  add('outbox_oldest_age_seconds', number(oldestAgeMs) / 1_000);
  add('outbox_dead', number(dead));
  if (status['tenancy'] !== undefined) addTenancy(part('tenancy'), add);
  const conditions = (status['conditions'] ?? []) as readonly JsonObject[];
  for (const { type } of conditions) add('conditions', 1, { type: word(type) });
}

function addTenancy(tenancy: JsonObject, add: Add): void {
  const { cursor, head, parked, unaccepted, resources, statusesOwed } = tenancy;
  add('tenancy_parked', number(parked));
  add('tenancy_cursor', number(cursor));
  add('tenancy_cursor_lag', Math.max(0, number(head) - number(cursor)));
  add('tenancy_events_unaccepted', number(unaccepted));
  add('tenancy_resources', number(resources));
  add('tenancy_statuses_owed', number(statusesOwed));
  add('tenancy_status_failures', number(tenancy['statusesFailed']));
  add('tenancy_replay_seconds', number(tenancy['replayDurationMs']) / 1_000);
  if (typeof tenancy['lastSuccessAgeMs'] !== 'number') return;
  add('tenancy_last_success_age_seconds', tenancy['lastSuccessAgeMs'] / 1_000);
}

function addGroup({ tenant, name, size, serving }: JsonObject, add: Add): void {
  const labels = { tenant: word(tenant), group: word(name) };
  add('group_size', number(size), { ...labels, kind: 'wanted' });
  add('group_size', number(serving), { ...labels, kind: 'serving' });
}

/** A number of 48 bits: equal on nodes whose tables are equal. */
function digestOf({ tableDigest }: JsonObject): number | undefined {
  const digits = /^[0-9a-f]{1,12}/.exec(word(tableDigest))?.[0];
  return digits === undefined ? undefined : Number.parseInt(digits, 16);
}

function number(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}

function word(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
