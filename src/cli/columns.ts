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

const count = (title: string, name = title): Column => ({
  title,
  value: (item) => (item[name] as readonly Json[] | undefined)?.length ?? 0,
});

export function columnsFor(kind: string, nowMs: number): readonly Column[] {
  switch (kind) {
    case 'tenants':
      return [
        field('id'),
        field('name'),
        field('kind'),
        field('source'),
        field('state'),
        count('groups'),
        count('frontends'),
        ageOf(nowMs),
      ];
    case 'groups':
      return [
        field('tenant'),
        field('name'),
        field('size'),
        field('serving'),
        field('booting'),
        field('draining'),
        field('failed'),
        count('conditions'),
      ];
    case 'instances':
      return [
        field('id'),
        field('tenant'),
        field('group'),
        field('state'),
        field('address'),
        ageOf(nowMs),
        nested('probe', 'health', 'probe'),
        field('replaces'),
      ];
    case 'backends':
      return [
        field('name'),
        field('address'),
        field('state'),
        field('counter'),
        nested('last', 'lastProbe', 'code'),
        ageOf(nowMs),
      ];
    case 'frontends':
      return [
        field('name'),
        field('address'),
        field('protocol'),
        field('port'),
        field('state'),
        field('active pool', 'activePool'),
        field('synced'),
        { title: 'members', value: members },
      ];
    case 'actors':
      return [
        field('address'),
        field('thread'),
        field('state'),
        field('mailbox', 'mailboxDepth'),
        field('restarts'),
        field('quarantined'),
      ];
    case 'conditions':
      return [field('severity'), field('type'), field('object'), field('message')];
    case 'outbox':
      return [
        field('id'),
        field('state'),
        field('type'),
        field('key', 'orderingKey'),
        field('attempts'),
        field('version', 'controlVersion'),
        field('error', 'lastError'),
      ];
    default:
      return [
        field('object'),
        field('kind'),
        field('value'),
        field('owner'),
        field('reason'),
        field('until'),
      ];
  }
}

/** `weighted/all` over the pools of a frontend. */
function members(item: JsonObject): Json {
  const pools = (item['pools'] ?? []) as readonly { readonly members: readonly JsonObject[] }[];
  const all = pools.flatMap((pool) => pool.members);
  const weighted = all.filter((member) => Number(member['sentWeight'] ?? 0) > 0);
  return `${weighted.length}/${all.length}`;
}
