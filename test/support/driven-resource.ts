/** The lane of project 1 driven by hand: what it hears, and what it says, as short words. */
import assert from 'node:assert/strict';
import { addressOf } from '../../machines/model/ids.js';
import type {
  ResourceAccepted,
  ResourceNews,
  StatusOrder,
  TenancySettings,
  TenantState,
} from '../../machines/model/messages.js';
import { resourceMachine } from '../../machines/resource.js';
import type { ResourceMemory } from '../../machines/resource-memory.js';
import type { IntentParams } from '../../machines/resource-messages.js';
import { type Driven, drive } from './drive.js';
import { event, key } from './driven-tenancy.js';
import { tenancySettings } from './tenancy-settings.js';

export type Lane = Driven<ResourceMemory>;

export const ADDRESS = addressOf('resource', key(1));

/** `id` 0 is a replay's. */
export function news(id: number, what: 'created' | 'deleted', era = 1): ResourceNews {
  return { ...event(id, what, 1), era, replay: id === 0 };
}

export const told = (one: ResourceNews, change: Partial<TenancySettings> = {}) =>
  ({ type: 'resource.event', news: one, settings: tenancySettings(change) }) as const;
export const settings = (change: Partial<TenancySettings> = {}) =>
  ({ type: 'resource.settings', settings: tenancySettings(change) }) as const;
export const MISSING = { type: 'resource.missing', settings: tenancySettings() } as const;

export const says = (state: TenantState, message = '') => ({
  type: 'tenant.status',
  status: { tenant: key(1), kind: 'project', state, message },
});

export function unknown(): Lane {
  return drive<ResourceMemory>(resourceMachine, { address: ADDRESS }).send({ type: 'activated' });
}

export const created = (change: Partial<TenancySettings> = {}): Lane =>
  unknown().send(told(news(0, 'created'), change));
export const deleted = (): Lane => created().send(told(news(43, 'deleted')));

export const converged = (): Lane => acknowledged(acknowledged(created().send(says('converged'))));

/** What its tenant was told: `desired`, `removed`, `problem`; in brackets when only once more. */
export function intents(lane: Lane): string {
  const words = (effect: string) =>
    lane
      .said<IntentParams>(effect)
      .flatMap(({ message }) => (message === undefined ? [] : [message.type.slice(7)]));
  const again = words('repeatToTenant').map((word) => `(${word})`);
  return [...words('tellTenant'), ...again].join(', ');
}

/** What tenancy was told: the id of the event, `!` when something was decided, why it is parked. */
export function accepted(lane: Lane): string {
  return [
    ...lane.said<ResourceAccepted | undefined>('accept'),
    ...lane.said<ResourceAccepted | undefined>('acceptAgain'),
  ]
    .map((one) =>
      one === undefined
        ? ''
        : `${one.id}${one.changed ? '!' : ''}${one.problem === null ? '' : ' parked'}`,
    )
    .join();
}

/** What the reporter was given. */
export function owed(lane: Lane): string {
  return lane
    .said<StatusOrder>('owe')
    .map(({ report }) => `${report.status}${report.message === '' ? '' : `: ${report.message}`}`)
    .join(', ');
}

export function outcome(lane: Lane, how: 'acknowledged' | 'refused'): Lane {
  const { asked } = lane.context;
  assert.ok(asked !== null, 'nothing was given to the reporter');
  return lane.send({ type: 'status.told', report: asked, outcome: how } as {
    readonly type: string;
  });
}

export const acknowledged = (lane: Lane): Lane => outcome(lane, 'acknowledged');
