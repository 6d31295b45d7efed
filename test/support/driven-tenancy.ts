/** Tenancy driven by hand: the events it gets, and what it says, as short words. Projects are numbers. */
import type { RecordParams } from '../../machines/model/effects.js';
import { addressOf } from '../../machines/model/ids.js';
import type { TenancySettings } from '../../machines/model/messages.js';
import { tenancyMachine } from '../../machines/tenancy.js';
import type { TenancyMemory } from '../../machines/tenancy-memory.js';
import type { AskParams, LettersParams } from '../../machines/tenancy-messages.js';
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

export const replay = (
  events: readonly ResourceEvent[],
  lastEventId = 42,
  missing: readonly string[] = [],
) => ({
  type: 'answer.read',
  replay: true,
  events: events.map((one) => ({ ...one, id: 0 })),
  lastEventId,
  missing,
  left: 0,
});
export const page = (events: readonly ResourceEvent[], lastEventId = events.at(-1)?.id ?? 42) => ({
  type: 'answer.read',
  replay: false,
  events,
  lastEventId,
  missing: [],
  left: 0,
});
export const FAILED = {
  type: 'answer.failed',
  code: 'unreachable',
  message: 'connection refused',
};
export const DENIED = { type: 'answer.failed', code: 'unauthorized', message: 'who are you?' };

/** The lane of project `number` has taken event `id`; `how` is why it is parked, if it is. */
export function accepts(
  tenancy: Tenancy,
  number: number,
  id = 0,
  how: { readonly changed?: boolean; readonly problem?: string } = {},
): Tenancy {
  const { era } = tenancy.context;
  const { changed = true, problem = null } = how;
  return tenancy.send({
    type: 'resource.accepted',
    accepted: { tenant: key(number), era, id, changed, problem },
  } as { readonly type: string });
}

export function fresh(): Tenancy {
  const input = { address: addressOf('tenancy', 'main') };
  return drive<TenancyMemory>(tenancyMachine, input).send({ type: 'activated' });
}

export const asking = (change: Partial<TenancySettings> = {}): Tenancy =>
  fresh().send(settings(change));

/** Has replayed, and every lane has taken it. */
export function following(
  numbers: readonly number[] = [],
  change: Partial<TenancySettings> = {},
): Tenancy {
  const created = numbers.map((number) => event(0, 'created', number));
  return numbers.reduce(
    (now, number) => accepts(now, number),
    asking(change).send(replay(created)),
  );
}

export const records = (tenancy: Driven<unknown>): string =>
  tenancy
    .said<RecordParams>('record')
    .map(({ event: name, publish }) => (publish === undefined ? `(${name})` : name))
    .join(' ');

/** `1 created, 2 missing` */
export function told(tenancy: Tenancy): string {
  return tenancy
    .said<LettersParams>('tellLanes')
    .flatMap(({ letters }) => letters)
    .map(({ to, message }) => {
      const what = message.type === 'resource.event' ? message.news.eventType : 'missing';
      return `${Number.parseInt(to.slice(-6), 16)} ${what}`;
    })
    .join(', ');
}

/** Where the pages asked for begin. */
export const askedAfter = (tenancy: Tenancy): readonly (number | undefined)[] =>
  tenancy.said<AskParams>('askPage').map(({ after }) => after);
