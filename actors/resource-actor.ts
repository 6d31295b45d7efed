/**
 * The resource actor: the lane of one project or org of the tenant manager, `resource/<tenant>`. Lives on
 * the main thread, beside tenancy.
 */
import { addressOf } from '../machines/model/ids.js';
import type { JsonObject } from '../machines/model/json.js';
import type { Message, TenancyMessage } from '../machines/model/messages.js';
import type { ResourceAccepted, StatusOrder } from '../machines/model/tenancy-messages.js';
import { timestamp } from '../machines/model/time.js';
import { resourceMachine } from '../machines/resource.js';
import type { ResourceMemory } from '../machines/resource-memory.js';
import { type AnswerParams, type IntentParams, viewOf } from '../machines/resource-messages.js';
import {
  type ActorType,
  type CellView,
  durable,
  observed,
  type StoredState,
  type World,
} from '../src/runtime/actor-type.js';

type AnyWorld = World<unknown, unknown>;

const TENANCY = addressOf('tenancy', 'main');
const REPORTER = addressOf('reporter', 'main');

function tellTenant({ to, message }: IntentParams, { scope }: AnyWorld): void {
  if (message !== undefined) scope.tell(to, message);
}

function accept(accepted: ResourceAccepted | undefined, { scope }: AnyWorld): void {
  if (accepted === undefined) return;
  const message: TenancyMessage = { type: 'resource.accepted', accepted };
  scope.tell(TENANCY, message);
}

function askSettings(_none: undefined, { scope }: AnyWorld): void {
  const message: TenancyMessage = { type: 'resource.waits' };
  scope.tell(TENANCY, message);
}

function owe(order: StatusOrder, { scope }: AnyWorld): void {
  const message: Message = { type: 'status.owed', order } as Message;
  scope.tell(REPORTER, message);
}

function answer({ replyTo, body }: AnswerParams, { scope }: AnyWorld): void {
  scope.reply(replyTo, body);
}

/** Version 1 had a place for each pace of being told again, and for having a status to tell. */
function migrate({ value, context, timers }: StoredState): StoredState {
  const { live } = value as { readonly live?: JsonObject };
  if (live === undefined) return { value, context: { ...context, unsettled: false }, timers };
  const { tenant, status, ...rest } = live;
  const now = { ...rest, tenant: 'watched', status: status === 'resting' ? status : 'telling' };
  return {
    value: { live: now },
    context: { ...context, unsettled: tenant === 'pending' },
    // The others are set when it is told that it lives again.
    timers: timers.filter(({ id }) => !/\.(tenant|status)\.(settled|pending|given)$/.test(id)),
  };
}

export const resourceActor: ActorType = {
  kind: 'resource',
  machine: resourceMachine,
  version: 2,
  migrate,
  stored: true,
  implicit: true,
  effects: {
    tellTenant: durable(tellTenant),
    repeatToTenant: observed(tellTenant),
    accept: durable(accept),
    acceptAgain: observed(accept),
    askSettings: observed(askSettings),
    owe: observed(owe),
    agree: observed(answer),
    refuse: observed(answer),
  },
  isShown: ({ context }) => context['known'] !== null,
  view: (cell) => viewOf(cell.context as unknown as ResourceMemory, nextAttemptIn(cell)),
  coalesce: ({ type }) =>
    type === 'resource.settings' || type === 'tenant.status' ? type : undefined,
};

function nextAttemptIn({ timers }: CellView): string | undefined {
  const retry = timers.find(({ id }) => id.includes('.retryDue.'));
  return retry === undefined ? undefined : timestamp(retry.dueAtMs);
}
