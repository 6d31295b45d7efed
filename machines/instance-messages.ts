/**
 * What an instance says: records for the journal and the feed, levels for its neighbours, answers for
 * operators, and the shape operators see.
 *
 * Input: its memory. Output: parameters of effects. Each message carries the whole level, so a
 * neighbour that lost one is set right by the next.
 */
import { conditionsOf } from './instance-conditions.js';
import { drainOf } from './instance-drain.js';
import {
  heldBy,
  type InstanceMemory,
  isProbed,
  phaseOf,
  type Quarantine,
  summaryOf,
} from './instance-memory.js';
import type { AgentSpec } from './model/agent.js';
import { assert } from './model/assert.js';
import type { BackendSpec } from './model/desired.js';
import type { Meta, RecordParams } from './model/effects.js';
import type { Refusal } from './model/failures.js';
import {
  type Address,
  addressOf,
  type FrontendName,
  type InstanceId,
  parseBackendName,
} from './model/ids.js';
import type { JsonObject } from './model/json.js';
import type { InstanceSummary, MemberLevel, ProviderMessage } from './model/messages.js';
import { timestamp } from './model/time.js';

// --- records ----------------------------------------------------------------------------------

/** A decision the fleet hears of. */
export function published(memory: InstanceMemory, event: string, rule: string): RecordParams {
  const { id, spec } = memory;
  const aggregate = { aggregateKind: 'instance', aggregateId: id, tenantId: spec.tenant };
  return { ...journaled(memory, event, rule), publish: { ...aggregate, data: viewOf(memory) } };
}

/** A decision only the journal keeps. */
export function journaled(memory: InstanceMemory, event: string, rule: string): RecordParams {
  return { event, rule, numbers: numbersOf(memory) };
}

function numbersOf(memory: InstanceMemory): JsonObject {
  const { spec, drain, quarantine, failures, retryAtMs, problem, verdict, agent } = memory;
  return {
    tenant: spec.tenant,
    ...(drain === null ? {} : { drain: { ...drain } }),
    ...(quarantine === null ? {} : { quarantine: { ...quarantine } }),
    ...(failures === 0 ? {} : { failures, retryAtMs }),
    ...(problem === null ? {} : { problem }),
    ...(verdict === null ? {} : { verdict: verdict.state, code: verdict.code }),
    ...(agent === null ? {} : { agent: agent.state, detail: agent.detail }),
    ...(heldBy(memory).length === 0 ? {} : { heldBy: heldBy(memory) }),
  };
}

/** The instance as operators and the feed see it. */
export function viewOf(memory: InstanceMemory): JsonObject {
  const { spec, verdict, agent, drain, quarantine } = memory;
  const conditions = conditionsOf(memory);
  return {
    id: memory.id,
    tenant: spec.tenant,
    group: spec.name,
    state: memory.state,
    since: timestamp(memory.sinceMs),
    ...(memory.ip === null ? {} : { address: memory.ip }),
    provider: spec.template.provider,
    ...(memory.providerId === null ? {} : { providerId: memory.providerId }),
    onDemand: memory.onDemand,
    ...(memory.key === null ? {} : { key: memory.key }),
    ...(memory.replaces === null ? {} : { replaces: memory.replaces }),
    health: {
      ...(verdict === null ? {} : { probe: verdict.state }),
      ...(agent === null ? {} : { agent: agent.state }),
    },
    ...(drain === null ? {} : { drain: drainView(memory) }),
    ...(quarantine === null ? {} : { quarantine: quarantineView(quarantine) }),
    template: spec.template.name,
    infraHash: spec.template.infraHash,
    token: memory.token,
    ...(memory.problem === null ? {} : { problem: memory.problem }),
    ...(memory.retryAtMs === null ? {} : { retryAt: timestamp(memory.retryAtMs) }),
    cause: memory.cause,
    ...(conditions.length === 0 ? {} : { conditions }),
  };
}

function quarantineView({ owner, reason, sinceMs, untilMs }: Quarantine): JsonObject {
  const until = untilMs === null ? {} : { until: timestamp(untilMs) };
  return { owner, reason, since: timestamp(sinceMs), ...until };
}

function drainView(memory: InstanceMemory): JsonObject {
  const drain = drainOf(memory);
  const holders = heldBy(memory);
  return {
    reason: drain.reason,
    ...(drain.note === '' ? {} : { note: drain.note }),
    startedAt: timestamp(drain.startedAtMs),
    deadline: timestamp(drain.deadlineMs),
    ...(holders.length === 0 ? {} : { heldBy: holders }),
    ...(drain.endedBy === null ? {} : { endedBy: drain.endedBy }),
  };
}

// --- levels -----------------------------------------------------------------------------------

export interface LevelParams {
  readonly frontends: readonly FrontendName[];
  /** These must let go of it, whatever its phase. */
  readonly former: readonly FrontendName[];
  readonly level: MemberLevel;
}

/** To every frontend; to none before there is an address to speak of. */
export function levelOf(memory: InstanceMemory): LevelParams {
  const { id, spec, ip, dead, drain, quarantine, former, level: revision } = memory;
  const phase = phaseOf(memory) ?? 'out';
  const lastMayGo = (drain ?? quarantine)?.lastMayGo ?? false;
  const asked = { address: ip ?? '', phase, dead, lastMayGo };
  const level = { member: id, revision, group: spec.key, ...asked };
  return { frontends: ip === null ? [] : spec.frontends, former, level };
}

export interface BackendParams {
  readonly spec: BackendSpec;
}

/**
 * Undefined when there is nothing to probe: no address yet, dead, or at the provider's mercy; or neither a
 * check nor a frontend, now or of late: what is up for nobody needs no backend.
 */
export function backendOf(memory: InstanceMemory): BackendParams | undefined {
  const { id, spec, ip, dead, former, verdict } = memory;
  const unknown = !isProbed(spec) && verdict === null && former.length === 0;
  if (unknown && spec.frontends.length === 0) return undefined;
  const exists = phaseOf(memory) !== 'out' || memory.state === 'drained';
  if (ip === null || dead || !exists) return undefined;
  const name = parseBackendName(id);
  assert(name !== undefined, `${id} names no backend`);
  const { frontends, generation } = spec;
  const base = { name, address: ip, enabled: true, frontends, generation };
  const { probePort: port, check } = spec.backend ?? {};
  const probed = port !== undefined && check !== undefined;
  return { spec: probed ? { ...base, probe: { port, check } } : base };
}

export interface AgentParams {
  readonly spec: AgentSpec;
}

/** Undefined where nobody listens to it: its group trusts the probe alone, and it has never said a word. */
export function agentOf(memory: InstanceMemory): AgentParams | undefined {
  const { id, spec, providerId, dead, agent } = memory;
  const { source, agentIntervalMs: intervalMs, missedReports } = spec.health;
  if (providerId === null || dead || (source === 'probe' && agent === null)) return undefined;
  const { provider } = spec.template;
  return { spec: { instance: id, provider, providerId, intervalMs, missedReports } };
}

export interface AgentEndParams {
  readonly id: InstanceId;
  /** There is an actor to be told. */
  readonly heard: boolean;
}

export function agentEndOf({ id, spec, agent }: InstanceMemory): AgentEndParams {
  return { id, heard: agent !== null || spec.health.source !== 'probe' };
}

export interface ReportParams {
  readonly to: Address;
  readonly summary: InstanceSummary;
}

export function reportOf(memory: InstanceMemory): ReportParams {
  return { to: addressOf('group', memory.spec.key), summary: summaryOf(memory) };
}

// --- provider ---------------------------------------------------------------------------------

export interface ProviderParams {
  readonly to: Address;
  readonly message: ProviderMessage;
}

function toProvider(memory: InstanceMemory, message: ProviderMessage): ProviderParams {
  return { to: addressOf('provider', memory.spec.template.provider), message };
}

export function createCall(memory: InstanceMemory): ProviderParams {
  const { id, token, spec } = memory;
  const tags = { tenant: spec.tenant, group: spec.key, instance: id };
  const call = { type: 'provider.create', token, template: spec.template, tags } as const;
  // 0: what is probed there has no port, and so nothing has to listen.
  const port = spec.backend?.probePort ?? 0;
  return toProvider(memory, port === 0 ? call : { ...call, port });
}

export function findCall(memory: InstanceMemory): ProviderParams {
  return toProvider(memory, { type: 'provider.find', token: memory.token });
}

export function watchCall(memory: InstanceMemory): ProviderParams {
  return toProvider(memory, { type: 'provider.watch', providerId: providerIdOf(memory) });
}

export function deleteCall(memory: InstanceMemory): ProviderParams {
  return toProvider(memory, { type: 'provider.delete', providerId: providerIdOf(memory) });
}

function providerIdOf({ id, providerId }: InstanceMemory): string {
  assert(providerId !== null, `${id} was never created`);
  return providerId;
}

// --- operators --------------------------------------------------------------------------------

export interface AnswerParams {
  readonly replyTo: string | undefined;
  readonly body: JsonObject;
}

export function agreed(memory: InstanceMemory, { replyTo }: Meta): AnswerParams {
  return { replyTo, body: { ok: true, instance: viewOf(memory) } };
}

export function refused(refusal: Omit<Refusal, 'code'>, { replyTo }: Meta): AnswerParams {
  return { replyTo, body: { ok: false, refusal: { code: 'refused', ...refusal } } };
}
