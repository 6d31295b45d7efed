/**
 * The drain of an instance: its window, what holds it, and why it ends.
 *
 * Input:  the memory and the facts of an event. Output: what changes in the memory, times.
 *
 * Rules: [IN-1] a deadline is fixed once; only a notice that its host goes sooner brings it forward; [IN-15] nobody is
 * waited for beyond the moment at which its host goes, or at which an operator wants it gone by force.
 */
import { LAST_CALL_MS } from './instance-limits.js';
import {
  type Drain,
  type DrainEnd,
  heldBy,
  type InstanceMemory,
  renumbered,
} from './instance-memory.js';
import type { TerminationNotice } from './model/agent.js';
import { assert } from './model/assert.js';
import type { Meta } from './model/effects.js';
import type { DrainReason } from './model/messages.js';

type Change = Partial<InstanceMemory>;

export interface DrainOrder {
  readonly reason: DrainReason;
  readonly note: string;
  readonly lastMayGo: boolean;
  /** Absent: as long as the group's spec allows. */
  readonly timeoutMs?: number;
  readonly forced?: true;
  readonly providerDeadlineMs?: number;
  readonly notice?: string;
}

export function drainPlanned(memory: InstanceMemory, order: DrainOrder, meta: Meta): Change {
  const { timeoutMs = memory.spec.drain.timeoutMs, ...rest } = order;
  const hostGoesMs = order.providerDeadlineMs ?? Number.POSITIVE_INFINITY;
  const deadlineMs = Math.min(meta.at + timeoutMs, hostGoesMs);
  const window = { startedAtMs: meta.at, askedAtMs: meta.at, deadlineMs };
  return { quarantine: null, drain: { ...rest, ...window, acknowledged: false, endedBy: null } };
}

export function drainOf(memory: InstanceMemory): Drain {
  assert(memory.drain !== null, `${memory.id} is not draining`);
  return memory.drain;
}

/** Asks its frontends once more: what they said before counts no longer. */
export function askedAgain(memory: InstanceMemory, meta: Meta): Change {
  const drain = { ...drainOf(memory), askedAtMs: meta.at };
  return { ...renumbered(memory, meta), acks: {}, drain };
}

/** A hold that ran out stays on record, whatever else ended the drain. */
export function drainEnded(memory: InstanceMemory, by: DrainEnd): Change {
  const drain = drainOf(memory);
  const unproven = by === 'unverified' || by === 'forced' || by === 'provider-deadline';
  const endedBy = unproven ? by : (drain.endedBy ?? by);
  return { drain: { ...drain, endedBy } };
}

// --- notices and force --------------------------------------------------------------------------

/** Its host goes before its drain would end, and nobody knew. */
export function bringsForward(
  { drain }: InstanceMemory,
  { deadlineMs }: TerminationNotice,
): boolean {
  if (drain === null || deadlineMs === undefined) return false;
  return deadlineMs < (drain.providerDeadlineMs ?? Number.POSITIVE_INFINITY);
}

/** The one thing that moves a deadline, and only to an earlier time. */
export function hastened(memory: InstanceMemory, { id, deadlineMs }: TerminationNotice): Change {
  const drain = drainOf(memory);
  if (deadlineMs === undefined) return {};
  const sooner = { deadlineMs: Math.min(drain.deadlineMs, deadlineMs) };
  return { drain: { ...drain, ...sooner, providerDeadlineMs: deadlineMs, notice: id } };
}

/** An operator may force a drain that others ordered; its deadline stays what it is. */
export function mayBeForced({ drain }: InstanceMemory): boolean {
  return drain !== null && drain.forced !== true;
}

export function forcedNow(memory: InstanceMemory, meta: Meta): Change {
  const drain = { ...drainOf(memory), forced: true, lastMayGo: true } as const;
  return { drain, ...renumbered(memory, meta) };
}

/** From here on no frontend is waited for: its host is gone, or an operator wants it so. */
function endsAnywayMs({ state, sinceMs, drain }: InstanceMemory): number {
  const byHost = drain?.providerDeadlineMs ?? Number.POSITIVE_INFINITY;
  const byForce = drain?.forced === true ? drain.deadlineMs : Number.POSITIVE_INFINITY;
  const endsMs = Math.min(byHost, byForce);
  return state === 'drained' ? Math.max(endsMs, sinceMs + LAST_CALL_MS) : endsMs;
}

/** A frontend may take so long to answer. */
export function holdEndsMs(memory: InstanceMemory): number {
  const { state, sinceMs, drain, spec } = memory;
  const askedAtMs = state === 'draining' ? (drain?.askedAtMs ?? sinceMs) : sinceMs;
  return Math.min(askedAtMs + spec.drain.holdMaxMs, endsAnywayMs(memory));
}

/** Why a hold ends that nobody lifted. */
export function holdEndOf(memory: InstanceMemory, { at }: Meta): DrainEnd {
  if (at < endsAnywayMs(memory)) return 'unverified';
  return (memory.drain?.providerDeadlineMs ?? at + 1) <= at ? 'provider-deadline' : 'forced';
}

/** A frontend says that it still gives it flows (nobody else there could take them), or is frozen. */
export function isKept(memory: InstanceMemory, { at }: Meta): boolean {
  if (at >= endsAnywayMs(memory)) return false;
  return heldBy(memory).some((frontend) => {
    const ack = memory.acks[frontend];
    return (ack?.weight ?? 0) > 0 || ack?.frozen === true;
  });
}
