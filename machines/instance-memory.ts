/**
 * What an instance remembers, and how one event changes it: the context of `machines/instance.ts` as
 * plain data, with one pure function for each change.
 *
 * Input: the memory and the facts of an event. Output: what changes in the memory.
 *
 * Rules: [IN-1] a deadline is fixed once, as a wall-clock time, and no later event moves it; [IN-2] an
 * acknowledgement counts for exactly the phase it names, and only when it came after the question;
 * [IN-12] it must name the newest level; [IN-13] a frontend that no longer has us is asked to let go,
 * and holds us like the others until it has.
 */
import { backoffMs } from '../src/policy/backoff.js';
import type { AgentVerdict } from './model/agent.js';
import { type GroupSpec, infraOf } from './model/desired.js';
import type { Meta } from './model/effects.js';
import type { ProviderFailure } from './model/failures.js';
import type { Address, FrontendName, InstanceId } from './model/ids.js';
import type {
  DrainReason,
  InstanceState,
  InstanceSummary,
  MemberAck,
  MemberLevel,
  Verdict,
} from './model/messages.js';
import { isSameJson, isSameRecord } from './model/same.js';
import { nextRevision } from './model/time.js';

/**
 * Why a drain ended. `unverified`: a frontend never said that the weight is 0; `forced`: nor did it have to;
 * `provider-deadline`: its host goes.
 */
export type DrainEnd =
  | 'acknowledged'
  | 'deadline'
  | 'died'
  | 'never-served'
  | 'unverified'
  | 'forced'
  | 'provider-deadline';

export interface Drain {
  readonly reason: DrainReason;
  /** In whose words, when somebody gave any. */
  readonly note: string;
  readonly startedAtMs: number;
  /** When its frontends were last asked; the hold counts from here. */
  readonly askedAtMs: number;
  readonly deadlineMs: number;
  readonly lastMayGo: boolean;
  /** The executor of the drain says that nothing is left to wait for. */
  readonly acknowledged: boolean;
  readonly endedBy: DrainEnd | null;
  /** An operator wants it gone at its deadline, whatever a frontend says. */
  readonly forced?: true;
  /** When its host goes, whatever anybody says. */
  readonly providerDeadlineMs?: number;
  /** Of the notice that told of it. */
  readonly notice?: string;
}

/** Out of rotation, kept for somebody to look at. */
export interface Quarantine {
  readonly owner: string;
  readonly reason: string;
  readonly sinceMs: number;
  /** Wall clock; `null`: until it is released. */
  readonly untilMs: number | null;
  readonly lastMayGo: boolean;
}

export interface InstanceMemory {
  readonly id: InstanceId;
  readonly token: string;
  /** As last told by the group, but the template it was created from never changes. */
  readonly spec: GroupSpec;
  readonly replaces: InstanceId | null;
  readonly onDemand: boolean;
  /** Of whoever wanted it on demand: asking again with it makes no other one. */
  readonly key: string | null;
  /** The state an operator sees; the chart's value says the same in more detail. */
  readonly state: InstanceState;
  readonly sinceMs: number;
  readonly cause: string;
  readonly requestedAtMs: number;
  /** Since when it may be expected to serve: its creation, or its release from a quarantine before that. */
  readonly createdAtMs: number | null;
  readonly servedAtMs: number | null;
  readonly providerId: string | null;
  /** IP address of its backend. */
  readonly ip: string | null;
  readonly verdict: Verdict | null;
  /** What its agent is worth; `null`: it has none that we know of. */
  readonly agent: AgentVerdict | null;
  /** Number of the newest level: what it asks of its frontends. */
  readonly level: number;
  /** Frontends it was taken from, which may still have it in VPP. */
  readonly former: readonly FrontendName[];
  /** Latest acknowledgement of each frontend. */
  readonly acks: Readonly<Record<FrontendName, MemberAck>>;
  /** Asks of the current kind (create, delete) that the provider left unanswered or refused. */
  readonly failures: number;
  readonly retryAtMs: number | null;
  readonly problem: string | null;
  /** An operator wants a successor for it, whatever its health. */
  readonly replaceOrdered: boolean;
  /** Down for longer than its group tolerates. */
  readonly overdue: boolean;
  readonly drain: Drain | null;
  readonly quarantine: Quarantine | null;
  readonly dead: boolean;
  /** What its group was last told. */
  readonly told: InstanceSummary | null;
}

export interface InstanceInput {
  readonly address: Address;
  readonly meta?: Meta;
  readonly id: InstanceId;
  readonly token: string;
  readonly spec: GroupSpec;
  readonly replaces?: InstanceId;
  readonly onDemand: boolean;
  readonly key?: string;
}

type Change = Partial<InstanceMemory>;

export function newInstance(input: InstanceInput): InstanceMemory {
  const at = input.meta?.at ?? 0;
  return {
    id: input.id,
    token: input.token,
    spec: input.spec,
    replaces: input.replaces ?? null,
    onDemand: input.onDemand,
    key: input.key ?? null,
    state: 'requested',
    sinceMs: at,
    cause: input.meta?.cause ?? '',
    requestedAtMs: at,
    createdAtMs: null,
    servedAtMs: null,
    providerId: null,
    ip: null,
    verdict: null,
    agent: null,
    level: 0,
    former: [],
    acks: {},
    failures: 0,
    retryAtMs: null,
    problem: null,
    replaceOrdered: false,
    overdue: false,
    drain: null,
    quarantine: null,
    dead: false,
    told: null,
  };
}

// --- changes ----------------------------------------------------------------------------------

/** What frontends acknowledged before they were asked for this phase says nothing about it. */
export function entered(memory: InstanceMemory, state: InstanceState, meta: Meta): Change {
  const next = { state, sinceMs: meta.at, cause: meta.cause, overdue: false };
  const firstService = state === 'serving' && memory.servedAtMs === null;
  const samePhase = phaseOf({ state }) === phaseOf(memory);
  return {
    ...next,
    ...(firstService ? { servedAtMs: meta.at } : {}),
    ...(samePhase ? {} : { acks: {}, ...renumbered(memory, meta) }),
  };
}

/** What was asked before counts no more; after a restart also what was asked and then forgotten. */
export function renumbered({ level }: InstanceMemory, { at }: Meta): Pick<InstanceMemory, 'level'> {
  return { level: nextRevision(level, at) };
}

export function adopted(made: { providerId: string; address: string }, meta: Meta): Change {
  const { providerId, address } = made;
  const calm = { failures: 0, retryAtMs: null, problem: null };
  return { providerId, ip: address, createdAtMs: meta.at, ...calm };
}

/** One more ask came to nothing: when to ask again, and why, for everybody to see. */
export function setBack(memory: InstanceMemory, atLeastMs: number, meta: Meta): Change {
  const failures = memory.failures + 1;
  const waitMs = Math.max(atLeastMs, backoffMs(memory.spec.retry, failures, meta.random));
  const problem = memory.problem ?? 'the provider has not answered';
  return { failures, retryAtMs: meta.at + waitMs, problem };
}

export function problemOf(failure: ProviderFailure): string {
  return `${failure.code}: ${failure.message}`;
}

/** The provider said that it can never work. */
export function isPermanent(problem: string | undefined): boolean {
  return problem?.startsWith(problemOf({ code: 'permanent', message: '' })) === true;
}

/** The newest intent, seen from an instance that was made from its own template. */
export function respecified(memory: InstanceMemory, spec: GroupSpec, meta: Meta): Change {
  const stays = (frontend: string) => (spec.frontends as readonly string[]).includes(frontend);
  const kept = Object.entries(memory.acks).filter(([frontend]) => stays(frontend));
  const known = memory.ip === null ? [] : [...memory.former, ...memory.spec.frontends];
  return {
    spec: pinned(memory, spec),
    acks: Object.fromEntries(kept),
    former: [...new Set(known)].filter((frontend) => !stays(frontend)),
    ...renumbered(memory, meta),
  };
}

export function changesSpec(memory: InstanceMemory, spec: GroupSpec): boolean {
  if (spec.generation < memory.spec.generation) return false;
  const next = { ...pinned(memory, spec), generation: memory.spec.generation };
  return !isSameJson(next, memory.spec);
}

function pinned(memory: InstanceMemory, spec: GroupSpec): GroupSpec {
  return { ...spec, template: memory.spec.template };
}

export function heard(memory: InstanceMemory, ack: MemberAck): Change {
  if (!memory.former.includes(ack.frontend)) {
    return { acks: { ...memory.acks, [ack.frontend]: ack } };
  }
  const letGo = ack.phase === 'out';
  return letGo ? { former: memory.former.filter((name) => name !== ack.frontend) } : {};
}

/** It answers what we ask now, and comes from a frontend we ask. */
export function isAnswer({ id, level, spec, former }: InstanceMemory, ack: MemberAck): boolean {
  if (ack.member !== id || ack.level !== level) return false;
  return spec.frontends.includes(ack.frontend) || former.includes(ack.frontend);
}

// --- what follows from the memory ---------------------------------------------------------------

/** What its frontends must make of it; undefined: they need not know of it. */
export function phaseOf({
  state,
}: Pick<InstanceMemory, 'state'>): MemberLevel['phase'] | undefined {
  switch (state) {
    case 'requested':
    case 'creating':
      return undefined;
    case 'booting':
    case 'registered':
    case 'serving':
    case 'suspect':
      return 'in';
    case 'quarantined':
    case 'draining':
      return 'drain';
    case 'drained':
    case 'lost':
    case 'deleting':
    case 'deleted':
    case 'failed':
      return 'out';
  }
}

/** Frontends that have not yet acknowledged what this state asks of them. */
export function heldBy(memory: InstanceMemory): readonly FrontendName[] {
  const phase = phaseOf(memory);
  if (phase === undefined || memory.ip === null) return [];
  const held = memory.spec.frontends.filter((name) => !satisfies(memory.acks[name], phase));
  return phase === 'in' ? held : [...held, ...memory.former];
}

function satisfies(ack: MemberAck | undefined, phase: MemberLevel['phase']): boolean {
  if (ack === undefined) return false;
  // An AS that is gone has no weight either.
  if (phase === 'drain') return ack.phase === 'out' || (ack.phase === 'drain' && ack.weight === 0);
  return ack.phase === phase;
}

export function isInService(memory: InstanceMemory): boolean {
  return memory.state === 'serving' && heldBy(memory).length === 0;
}

/** Silent while its probe passes: not worth replacing it, but worth knowing. */
export function isAgentMissed({ spec, state, agent }: InstanceMemory): boolean {
  const present = state === 'serving' || state === 'suspect';
  return present && spec.health.source === 'both' && isProbed(spec) && agent?.state === 'silent';
}

/** Without a check there is no verdict to wait for. */
export function isProbed(spec: GroupSpec): boolean {
  return spec.backend?.check !== undefined;
}

export function summaryOf(memory: InstanceMemory): InstanceSummary {
  return {
    id: memory.id,
    state: memory.state,
    sinceMs: memory.sinceMs,
    inService: isInService(memory),
    replaceWanted: memory.replaceOrdered || memory.overdue,
    ...(memory.replaceOrdered ? { replaceOrdered: true as const } : {}),
    infra: infraOf(memory.spec.template),
    ...(memory.onDemand ? { onDemand: memory.key ?? memory.id } : {}),
    ...(memory.replaces === null ? {} : { replaces: memory.replaces }),
    ...(isAgentMissed(memory) ? { agentMissed: true as const } : {}),
    ...(memory.drain?.reason === 'termination-notice' ? { drains: memory.drain.reason } : {}),
    ...(memory.ip === null ? {} : { address: memory.ip }),
    ...(memory.problem === null ? {} : { problem: memory.problem }),
  };
}

/** The group knows without being told that what it asked for is asked of the provider. */
export function isNews(memory: InstanceMemory): boolean {
  const { state, told, problem } = memory;
  if (told === null) return !(state === 'requested' || (state === 'creating' && problem === null));
  return !isSameRecord(summaryOf(memory), told);
}
