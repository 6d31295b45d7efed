/**
 * What a backend remembers, and how one event changes it: the context of `machines/backend.ts` as
 * plain data, with one pure function for each change.
 *
 * Input: the memory, an event's facts. Output: the next memory, or what others are told of it.
 * Rules: [HE-7] every change of state is a new episode; [HE-9] at most ten transitions are kept.
 */
import {
  assumedCount,
  type CounterRule,
  DEAD_COUNT,
  type HealthCount,
  unknownCount,
} from '../src/policy/health.js';
import { inForce } from '../src/policy/overrides.js';
import { countHeld, type Doubt, doubted, NO_DOUBT } from './backend-doubt.js';
import { assert } from './model/assert.js';
import type { BackendSpec } from './model/desired.js';
import type { Meta, PublishParams, RecordParams } from './model/effects.js';
import { type Address, addressOf, type BackendName, keyOf } from './model/ids.js';
import type { JsonObject } from './model/json.js';
import type { HealthState, ProbeResult, Verdict } from './model/messages.js';
import { NO_OVERRIDES, type Overrides } from './model/overrides.js';

export interface Transition {
  readonly atMs: number;
  readonly from: HealthState;
  readonly to: HealthState;
  readonly code: string;
  readonly cause: string;
}

export interface LastProbe {
  readonly atMs: number;
  readonly code: string;
  readonly detail: string;
  readonly durationMs: number;
}

export interface BackendMemory {
  readonly name: BackendName;
  readonly spec: BackendSpec | null;
  /** Who besides the frontends is told of verdicts: the instance behind the backend. */
  readonly owner: Address | null;
  readonly count: HealthCount;
  /** As last told; `null` until the first spec. */
  readonly verdict: Verdict | null;
  /** Number of the latest probe; answers to others are stale. */
  readonly probe: number;
  readonly outstanding: boolean;
  /** Nothing was probed since the last start. */
  readonly fresh: boolean;
  readonly lastProbe: LastProbe | null;
  readonly transitions: readonly Transition[];
  /** As the book beside the backend has them. */
  readonly overrides: Overrides;
  /** That book cannot be read: anything may have been ordered. */
  readonly sealed: boolean;
  readonly doubt: Doubt;
}

/** Transitions kept for `show` and the page. */
export const TRANSITIONS_MAX = 10;

/** Counter of a backend that nobody probes: it can only be up, or dead. */
const UNCHECKED: CounterRule = { rise: 1, fall: 1, snap: true };

export function newBackend(address: Address): BackendMemory {
  return {
    name: keyOf(address) as BackendName,
    spec: null,
    owner: null,
    count: unknownCount(UNCHECKED),
    verdict: null,
    probe: 0,
    outstanding: false,
    fresh: true,
    lastProbe: null,
    transitions: [],
    overrides: NO_OVERRIDES,
    sealed: false,
    doubt: NO_DOUBT,
  };
}

export function specOf(memory: BackendMemory): BackendSpec {
  assert(memory.spec !== null, `backend ${memory.name} acts without a spec`);
  return memory.spec;
}

export function verdictOf(memory: BackendMemory): Verdict {
  assert(memory.verdict !== null, `backend ${memory.name} has no verdict yet`);
  return memory.verdict;
}

export function ruleOf(memory: BackendMemory): CounterRule {
  return memory.spec?.probe?.check ?? UNCHECKED;
}

export type Mode = 'live' | 'paused' | 'disabled';

/** What operators and configuration together allow it to be; without a readable book it is merely probed. */
export function modeOf({
  spec,
  overrides,
  sealed,
}: Pick<BackendMemory, 'spec' | 'overrides' | 'sealed'>): Mode {
  if (sealed) return 'live';
  const configured = spec?.enabled ?? true;
  const enabled = inForce(overrides, 'enabled', configured)?.value ?? configured;
  if (enabled !== true) return 'disabled';
  return inForce(overrides, 'pause', false) === undefined ? 'live' : 'paused';
}

/** Takes over the spec; a verdict keeps its age and only learns the address. */
export function adopt(
  memory: BackendMemory,
  spec: BackendSpec,
  owner: Address | undefined,
): BackendMemory {
  const verdict = memory.verdict === null ? null : { ...memory.verdict, address: spec.address };
  return {
    ...memory,
    spec,
    owner: owner ?? memory.owner,
    verdict,
    doubt: { ...memory.doubt, told: null },
  };
}

/** Forgets what was counted: a new backend, a new check, or an operator's release. */
export function startOver(memory: BackendMemory): BackendMemory {
  const rule = ruleOf(memory);
  const probed = memory.spec?.probe !== undefined;
  const count = probed ? unknownCount(rule) : assumedCount(rule);
  const { heldUntilMs } = memory.doubt;
  const doubt = { ...NO_DOUBT, heldUntilMs };
  return { ...memory, count, outstanding: false, fresh: true, doubt };
}

/** Another address, port or check is another backend; frontends and generation are not. */
export function isAnother(memory: BackendMemory, next: BackendSpec): boolean {
  const before = memory.spec;
  if (before === null || before.address !== next.address) return true;
  return JSON.stringify(before.probe) !== JSON.stringify(next.probe);
}

export function launched(memory: BackendMemory): BackendMemory {
  return { ...memory, probe: memory.probe + 1, outstanding: true, fresh: false };
}

export function counted(memory: BackendMemory, result: ProbeResult, atMs: number): BackendMemory {
  const { code, detail, durationMs } = result;
  const counting = { result, atMs, rule: ruleOf(memory) };
  const count = countHeld(memory, counting);
  const doubt = doubted(memory, counting);
  const lastProbe = { atMs, code, detail, durationMs };
  return { ...memory, count, doubt, outstanding: false, lastProbe };
}

/** Whatever was counted, the backend is dead; a probe still out speaks of the time before. */
export function buried(memory: BackendMemory): BackendMemory {
  return { ...memory, count: DEAD_COUNT, outstanding: false };
}

export interface Turn {
  readonly to: HealthState;
  readonly code: string;
  readonly positive: boolean;
}

export function turned(memory: BackendMemory, turn: Turn, meta: Meta): BackendMemory {
  const { to, code, positive } = turn;
  const { name, address } = specOf(memory);
  const backend = { backend: name, address };
  const verdict = { ...backend, state: to, positive, episode: meta.id, sinceMs: meta.at, code };
  const from = memory.verdict?.state;
  if (from === undefined) return { ...memory, verdict };
  const latest = { atMs: meta.at, from, to, code, cause: meta.cause };
  const transitions = [...memory.transitions, latest].slice(-TRANSITIONS_MAX);
  return { ...memory, verdict, transitions };
}

/** A silent backend turned out to be dead for sure: same episode, stronger proof. */
export function provenDead(memory: BackendMemory, code: string): BackendMemory {
  return { ...memory, verdict: { ...verdictOf(memory), positive: true, code } };
}

export interface Publication {
  readonly to: readonly Address[];
  readonly verdict: Verdict;
}

export function publicationOf(memory: BackendMemory): Publication {
  const frontends = specOf(memory).frontends.map((name) => addressOf('frontend', name));
  const to = memory.owner === null ? frontends : [memory.owner, ...frontends];
  return { to, verdict: verdictOf(memory) };
}

/** Which rule decided, and the operator's reason when one did. */
export interface Decider {
  readonly rule: string;
  readonly reason?: string;
}

export function stateChanged(memory: BackendMemory, decider: Decider): RecordParams {
  const { rise, fall } = ruleOf(memory);
  const { state, code, positive } = verdictOf(memory);
  const from = memory.transitions.at(-1)?.from;
  const { counter } = memory.count;
  const { rule, reason } = decider;
  return {
    event: 'backend.state_changed',
    rule,
    numbers: { from, to: state, counter, rise, fall, code, positive, reason },
    publish: {
      aggregateKind: 'backend',
      aggregateId: memory.name,
      data: shapeOf(memory),
      // Every restart finds out anew what it knew before.
      level: state,
    },
  };
}

/** To whoever follows the feed, once: a restart begins the same life again. */
export function arrived(memory: BackendMemory): RecordParams {
  const level = memory.verdict?.state ?? 'unknown';
  return came(memory, {
    event: 'backend.added',
    presence: 'arrives',
    level,
    data: shapeOf(memory),
  });
}

export function departed(memory: BackendMemory): RecordParams {
  const data = { ...shapeOf(memory), state: 'removed' };
  return came(memory, { event: 'backend.removed', presence: 'leaves', data });
}

function came(
  { name }: BackendMemory,
  {
    event,
    ...publish
  }: Pick<RecordParams, 'event'> & Omit<PublishParams, 'aggregateKind' | 'aggregateId'>,
): RecordParams {
  const aggregate = { aggregateKind: 'backend', aggregateId: name };
  return { event, rule: 'HE-18', numbers: {}, publish: { ...aggregate, ...publish } };
}

/** The backend as operators and the feed see it. */
export function shapeOf(memory: BackendMemory, nextProbeAtMs?: number): JsonObject {
  const { verdict, lastProbe } = memory;
  const { rise, fall } = ruleOf(memory);
  return {
    name: memory.name,
    address: memory.spec?.address ?? '',
    state: verdict?.state ?? 'unknown',
    since: verdict === null ? undefined : timeText(verdict.sinceMs),
    enabled: verdict?.state !== 'disabled',
    counter: memory.count.counter,
    rise,
    fall,
    lastProbe: lastProbe === null ? undefined : probeShape(lastProbe),
    nextProbeAt: nextProbeAtMs === undefined ? undefined : timeText(nextProbeAtMs),
    frontends: memory.spec?.frontends ?? [],
    transitions: memory.transitions.map(({ atMs, ...rest }) => ({ at: timeText(atMs), ...rest })),
  };
}

function probeShape({ atMs, ...rest }: LastProbe): JsonObject {
  return { at: timeText(atMs), ...rest };
}

function timeText(atMs: number): string {
  return new Date(atMs).toISOString();
}
