/**
 * The tenancy actor: the questions to the tenant manager, and the hand that passes its answers to the
 * lanes of its resources. Runs once, on the main thread.
 *
 * A replay may list more than a machine should have in its context: it stays here, and is handed over part
 * by part as the machine asks.
 */
import { addressOf } from '../machines/model/ids.js';
import type { Json, JsonObject } from '../machines/model/json.js';
import type { Message, ResourceMessage } from '../machines/model/messages.js';
import type { Result } from '../machines/model/result.js';
import { tenancyMachine } from '../machines/tenancy.js';
import { type TenancyMemory, woken } from '../machines/tenancy-memory.js';
import {
  type AskParams,
  type LettersParams,
  type LineParams,
  type RestParams,
  type SettingsParams,
  viewOf,
} from '../machines/tenancy-messages.js';
import type { TenancyAnswer } from '../machines/tenancy-setup.js';
import { latestEvents, type ResourceEvent } from '../src/policy/tenancy.js';
import { tenantOf } from '../src/policy/tenancy-resource.js';
import { PART_MAX, type Part } from '../src/policy/tenancy-route.js';
import type { TenancyApi, TenancyFailure, TenancyPage } from '../src/ports/tenancy-api.js';
import {
  type ActorType,
  observed,
  type StoredState,
  type World,
} from '../src/runtime/actor-type.js';

export interface TenancyPorts {
  /** `undefined`: this run has no tenant manager, although an earlier one had. */
  readonly tenancyApi: TenancyApi | undefined;
  /** Tenants of all lanes there are. */
  knownTenants(): readonly string[];
}

/** The last replay. */
interface Hand {
  missing: readonly string[];
  events: readonly ResourceEvent[];
}

type TenancyWorld = World<TenancyPorts, Hand>;

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

function ask(params: AskParams, { scope, ports, companion: hand }: TenancyWorld): void {
  const { after, limit, timeoutMs, tls } = params;
  const { tenancyApi: api } = ports;
  scope.run(async (): Promise<TenancyAnswer> => {
    if (api === undefined) return { type: 'tenancy.unconfigured' };
    api.secure(tls);
    // Pages follow when all of a replay has been handed over.
    Object.assign(hand, newHand());
    if (after !== undefined) return answerOf(await api.poll(after, limit, timeoutMs));
    const read = await api.replay(timeoutMs);
    if (!read.ok) return answerOf(read);
    const { events, lastEventId } = read.value;
    hand.missing = missingIn(read.value, ports.knownTenants());
    hand.events = latestEvents(events);
    return { type: 'answer.read', replay: true, lastEventId, ...partOf(hand, 0) };
  });
}

function answerOf(read: Result<TenancyPage, TenancyFailure>): TenancyAnswer {
  if (!read.ok) return { type: 'answer.failed', ...read.failure };
  return { type: 'answer.read', replay: false, ...read.value, missing: [], left: 0 };
}

function missingIn({ events }: TenancyPage, known: readonly string[]): readonly string[] {
  const mentioned = new Set<string | undefined>(events.map((one) => tenantOf(one.resourceId)));
  return known.filter((tenant) => !mentioned.has(tenant));
}

/** First who is missing, then who is there. */
function partOf({ missing, events }: Hand, from: number): Part {
  const gone = missing.slice(from, from + PART_MAX);
  const start = Math.max(0, from - missing.length);
  const there = events.slice(start, start + PART_MAX - gone.length);
  const left = missing.length + events.length - from - gone.length - there.length;
  return { missing: gone, events: there, left };
}

function handOver({ from }: RestParams, { scope, companion: hand }: TenancyWorld): void {
  scope.run(async (): Promise<TenancyAnswer> => {
    return { type: 'answer.continued', from, ...partOf(hand, from) };
  });
}

function newHand(): Hand {
  return { missing: [], events: [] };
}

function phaseOf(value: Json): string {
  const active = (value as JsonObject)['active'] as JsonObject | undefined;
  return active === undefined ? 'off' : String(active['events']);
}

/** Levels: a newer one says everything an older one did. */
function coalesce(message: Message): string | undefined {
  return message.type === 'tenancy.settings' ? message.type : undefined;
}

/** What was on its way in version 1 is told anew by the replay that every start begins with. */
function migrate({ value, context, timers }: StoredState): StoredState {
  return { value, timers, context: { ...context, ...woken() } as unknown as JsonObject };
}

export const tenancyActor: ActorType<TenancyPorts, Hand> = {
  kind: 'tenancy',
  machine: tenancyMachine,
  version: 2,
  migrate,
  stored: true,
  implicit: true,
  effects: {
    askReplay: observed(ask),
    askPage: observed(ask),
    askRest: observed(handOver),
    tellLanes: observed(tell),
    tellSettings: observed(tellEach),
    answerSettings: observed<SettingsParams & { readonly to: ReturnType<typeof addressOf> }>(
      ({ to, settings }, { scope }) =>
        scope.tell(to, { type: 'resource.settings', settings } as Message),
    ),
    tellReporter: observed(tellReporter),
  },
  companion: newHand,
  view: ({ context, value }) => viewOf(context as unknown as TenancyMemory, phaseOf(value)),
  coalesce,
};
