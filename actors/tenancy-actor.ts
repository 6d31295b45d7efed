/**
 * The tenancy actor: one conversation with the tenant manager, and the voice that tells tenants what is
 * wanted of them. Runs once, on the main thread.
 */
import type { Json, JsonObject } from '../machines/model/json.js';
import type { Message } from '../machines/model/messages.js';
import type { Result } from '../machines/model/result.js';
import { tenancyMachine } from '../machines/tenancy.js';
import type { StatusOrder, StatusResult, TenancyMemory } from '../machines/tenancy-memory.js';
import {
  type AskParams,
  type IntentsParams,
  type PushParams,
  viewOf,
} from '../machines/tenancy-messages.js';
import type { TenancyAnswer } from '../machines/tenancy-setup.js';
import type { TenancyApi, TenancyFailure, TenancyPage } from '../src/ports/tenancy-api.js';
import { type ActorType, durable, observed, type World } from '../src/runtime/actor-type.js';

/** `undefined`: this run has no tenant manager, although an earlier one had. */
export interface TenancyPorts {
  readonly tenancyApi: TenancyApi | undefined;
}

type TenancyWorld = World<TenancyPorts, unknown>;

function tell({ letters }: IntentsParams, { scope }: TenancyWorld): void {
  for (const { to, message } of letters) scope.tell(to, message);
}

function ask({ after, limit, timeoutMs }: AskParams, { scope, ports }: TenancyWorld): void {
  const { tenancyApi: api } = ports;
  scope.run(async (): Promise<TenancyAnswer> => {
    if (api === undefined) return { type: 'tenancy.unconfigured' };
    if (after === undefined) return answerOf(await api.replay(timeoutMs), true);
    return answerOf(await api.poll(after, limit, timeoutMs), false);
  });
}

function answerOf(read: Result<TenancyPage, TenancyFailure>, replay: boolean): TenancyAnswer {
  if (!read.ok) return { type: 'answer.failed', message: read.failure.message };
  const { events, lastEventId } = read.value;
  return { type: 'answer.read', replay, events, lastEventId };
}

function push({ orders, timeoutMs }: PushParams, { scope, ports }: TenancyWorld): void {
  const { tenancyApi: api } = ports;
  scope.run(async (): Promise<Message & TenancyAnswer> => {
    if (api === undefined) return { type: 'tenancy.unconfigured' };
    const results = await Promise.all(orders.map((order) => pushOne(api, order, timeoutMs)));
    return { type: 'statuses.pushed', results };
  });
}

async function pushOne(
  api: TenancyApi,
  { tenant, resource, report }: StatusOrder,
  timeoutMs: number,
): Promise<StatusResult> {
  const { status, message } = report;
  const told =
    status === 'deleted'
      ? await api.deleteStatus(resource, timeoutMs)
      : await api.putStatus(resource, status, message, timeoutMs);
  const outcome = told.ok ? 'acknowledged' : outcomeOf(told.failure);
  return { tenant, report, outcome };
}

/** Only silence says that the next one would fail as well. */
function outcomeOf({ code }: TenancyFailure): StatusResult['outcome'] {
  return code === 'unreachable' ? 'unreachable' : 'refused';
}

function phaseOf(value: Json): string {
  const active = (value as JsonObject)['active'] as JsonObject | undefined;
  return active === undefined ? 'off' : String(active['events']);
}

export const tenancyActor: ActorType<TenancyPorts> = {
  kind: 'tenancy',
  machine: tenancyMachine,
  version: 1,
  stored: true,
  implicit: true,
  effects: {
    askReplay: observed(ask),
    askPage: observed(ask),
    tellTenants: durable(tell),
    repeatToTenants: observed(tell),
    pushStatuses: observed(push),
  },
  view: ({ context, value }) => viewOf(context as unknown as TenancyMemory, phaseOf(value)),
};
