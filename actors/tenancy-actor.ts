/**
 * The tenancy actor: the questions to the tenant manager, and the hand that passes its answers to the
 * lanes of its resources. Runs once, on the main thread.
 */
import { addressOf } from '../machines/model/ids.js';
import type { Json, JsonObject } from '../machines/model/json.js';
import type { Message, ResourceMessage } from '../machines/model/messages.js';
import type { Result } from '../machines/model/result.js';
import { tenancyMachine } from '../machines/tenancy.js';
import type { TenancyMemory } from '../machines/tenancy-memory.js';
import {
  type AskParams,
  type LettersParams,
  type LineParams,
  type SettingsParams,
  viewOf,
} from '../machines/tenancy-messages.js';
import type { TenancyAnswer } from '../machines/tenancy-setup.js';
import { tenantOf } from '../src/policy/tenancy-resource.js';
import type { TenancyApi, TenancyFailure, TenancyPage } from '../src/ports/tenancy-api.js';
import { type ActorType, observed, type World } from '../src/runtime/actor-type.js';

export interface TenancyPorts {
  /** `undefined`: this run has no tenant manager, although an earlier one had. */
  readonly tenancyApi: TenancyApi | undefined;
  /** Tenants of all lanes there are. */
  knownTenants(): readonly string[];
}

type TenancyWorld = World<TenancyPorts, unknown>;

function tell({ letters }: LettersParams, { scope }: TenancyWorld): void {
  for (const { to, message } of letters) scope.tell(to, message);
}

function tellEach({ settings }: SettingsParams, { scope, ports }: TenancyWorld): void {
  const message: ResourceMessage = { type: 'resource.settings', settings };
  for (const tenant of ports.knownTenants()) scope.tell(addressOf('resource', tenant), message);
}

function tellReporter({ messages }: LineParams, { scope }: TenancyWorld): void {
  for (const message of messages) scope.tell(addressOf('reporter', 'main'), message);
}

function ask({ after, limit, timeoutMs, tls }: AskParams, { scope, ports }: TenancyWorld): void {
  const { tenancyApi: api } = ports;
  scope.run(async (): Promise<TenancyAnswer> => {
    if (api === undefined) return { type: 'tenancy.unconfigured' };
    api.secure(tls);
    if (after !== undefined) return answerOf(await api.poll(after, limit, timeoutMs), false, []);
    const read = await api.replay(timeoutMs);
    const missing = read.ok ? missingIn(read.value, ports.knownTenants()) : [];
    return answerOf(read, true, missing);
  });
}

function answerOf(
  read: Result<TenancyPage, TenancyFailure>,
  replay: boolean,
  missing: readonly string[],
): TenancyAnswer {
  if (!read.ok) return { type: 'answer.failed', ...read.failure };
  const { events, lastEventId } = read.value;
  return { type: 'answer.read', replay, events, lastEventId, missing };
}

function missingIn({ events }: TenancyPage, known: readonly string[]): readonly string[] {
  const mentioned = new Set<string | undefined>(events.map((one) => tenantOf(one.resourceId)));
  return known.filter((tenant) => !mentioned.has(tenant));
}

function phaseOf(value: Json): string {
  const active = (value as JsonObject)['active'] as JsonObject | undefined;
  return active === undefined ? 'off' : String(active['events']);
}

/** Levels: a newer one says everything an older one did. */
function coalesce(message: Message): string | undefined {
  return message.type === 'tenancy.settings' ? message.type : undefined;
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
    tellLanes: observed(tell),
    tellSettings: observed(tellEach),
    answerSettings: observed<SettingsParams & { readonly to: ReturnType<typeof addressOf> }>(
      ({ to, settings }, { scope }) =>
        scope.tell(to, { type: 'resource.settings', settings } as Message),
    ),
    tellReporter: observed(tellReporter),
  },
  view: ({ context, value }) => viewOf(context as unknown as TenancyMemory, phaseOf(value)),
  coalesce,
};
