/** Tenancy driven by hand: the events it gets, and what it says, as short words. Projects are numbers. */
import assert from 'node:assert/strict';
import type { RecordParams } from '../../machines/model/effects.js';
import { addressOf } from '../../machines/model/ids.js';
import type { TenancySettings, TenantState } from '../../machines/model/messages.js';
import { tenancyMachine } from '../../machines/tenancy.js';
import type { StatusResult, TenancyMemory } from '../../machines/tenancy-memory.js';
import type { IntentsParams, PushParams } from '../../machines/tenancy-messages.js';
import type { ResourceEvent } from '../../src/policy/tenancy.js';
import { tenantOf } from '../../src/policy/tenancy-resource.js';
import { type Driven, drive } from './drive.js';
import { uuidOf } from './scripted-tenancy.js';
import { tenancySettings } from './tenancy-settings.js';

export type Tenancy = Driven<TenancyMemory>;

export const settings = (change: Partial<TenancySettings> = {}) => ({
  type: 'tenancy.settings',
  settings: tenancySettings(change),
});

export const key = (number: number): string => tenantOf(uuidOf(number)) ?? '';

export function event(id: number, what: 'created' | 'deleted', number: number): ResourceEvent {
  const name = `p${number}`;
  return {
    id,
    eventType: what,
    resourceType: 'project',
    resourceId: uuidOf(number),
    resourceName: name,
  };
}

export const replay = (events: readonly ResourceEvent[], lastEventId = 42) => ({
  type: 'answer.read',
  replay: true,
  events: events.map((one) => ({ ...one, id: 0 })),
  lastEventId,
});
export const page = (events: readonly ResourceEvent[], lastEventId = events.at(-1)?.id ?? 42) => ({
  type: 'answer.read',
  replay: false,
  events,
  lastEventId,
});
export const FAILED = { type: 'answer.failed', message: 'connection refused' };

export const tenantSays = (number: number, state: TenantState) => ({
  type: 'tenant.status',
  status: { tenant: key(number), kind: 'project', state, message: '' },
});

export function fresh(): Tenancy {
  const input = { address: addressOf('tenancy', 'main') };
  return drive<TenancyMemory>(tenancyMachine, input).send({ type: 'activated' });
}

export const asking = (change: Partial<TenancySettings> = {}): Tenancy =>
  fresh().send(settings(change));
export const following = (
  numbers: readonly number[] = [],
  change: Partial<TenancySettings> = {},
): Tenancy => asking(change).send(replay(numbers.map((number) => event(0, 'created', number))));

export const records = (tenancy: Tenancy): string =>
  tenancy
    .said<RecordParams>('record')
    .map(({ event: name, publish }) => (publish === undefined ? `(${name})` : name))
    .join(' ');

export function told(tenancy: Tenancy, effect = 'tellTenants'): string {
  return tenancy
    .said<IntentsParams>(effect)
    .flatMap(({ letters }) => letters)
    .map(({ to, message }) => `${Number.parseInt(to.slice(-6), 16)} ${message.type.slice(7)}`)
    .join(', ');
}

export function pushed(tenancy: Tenancy): string {
  return tenancy
    .said<PushParams>('pushStatuses')
    .flatMap(({ orders }) => orders)
    .map(({ resource, report }) => `${Number.parseInt(resource.id.slice(-6), 16)} ${report.status}`)
    .join(', ');
}

export function outcome(tenancy: Tenancy, how: StatusResult['outcome']): Tenancy {
  const [push] = tenancy.said<PushParams>('pushStatuses');
  assert.ok(push !== undefined, 'nothing was pushed');
  const results = push.orders.map(({ tenant, report }) => ({ tenant, report, outcome: how }));
  return tenancy.send(pushedAnswer(results));
}

export function pushedAnswer(results: readonly StatusResult[]): { readonly type: string } {
  return { type: 'statuses.pushed', results } as { readonly type: string };
}

export const acknowledged = (tenancy: Tenancy) => outcome(tenancy, 'acknowledged');

/** A project the store has never heard of, already deleted, whose tenant says that it is gone. */
export function deletion(): Tenancy {
  return asking()
    .send(replay([event(0, 'deleted', 1)]))
    .send(tenantSays(1, 'removed'));
}
