/**
 * Where a group has come to since its last step, as the feed hears of it: all wanted members serve, or
 * creates were given up for now. A member that is out of service for a moment changes nothing of it.
 *
 * Rule: [GR-32] converged and stalled are told once, when they come to be, and again only after another step.
 */
import { CREATE_FAILURES_MAX } from '../src/policy/scale.js';
import { changesSpec, type GroupMemory } from './group-memory.js';
import { published, statusOf } from './group-messages.js';
import { removalGivenUp } from './group-shrink.js';
import type { GroupSpec } from './model/desired.js';
import type { Meta, RecordParams } from './model/effects.js';

function reachedBy(memory: GroupMemory): GroupMemory['reached'] {
  if (memory.spec === null || memory.leaving !== null) return null;
  if ((memory.trouble?.failures ?? 0) >= CREATE_FAILURES_MAX) return 'stalled';
  return statusOf(memory).converged ? 'converged' : null;
}

/** The intent, and that a removal which waited is given up; where it has come stands when nothing changes. */
export function withSpec(memory: GroupMemory, spec: GroupSpec, atMs: number): Partial<GroupMemory> {
  const adopted = { spec, leaving: null, shrink: removalGivenUp(memory) };
  return changesSpec(memory, spec)
    ? { ...adopted, reached: null, ...moving(memory, atMs) }
    : adopted;
}

/** On its way again: since the first step after its last rest. */
export function moving(
  { movingSinceMs }: GroupMemory,
  atMs: number,
): Pick<GroupMemory, 'movingSinceMs'> {
  return { movingSinceMs: movingSinceMs ?? atMs };
}

export function isReached(memory: GroupMemory): boolean {
  const now = reachedBy(memory);
  return now !== null && now !== memory.reached;
}

export function withReached(memory: GroupMemory): Pick<GroupMemory, 'reached' | 'movingSinceMs'> {
  const reached = reachedBy(memory);
  // Given up for now, it is still on its way to what is wanted.
  return { reached, movingSinceMs: reached === 'converged' ? null : memory.movingSinceMs };
}

interface Judged {
  readonly context: GroupMemory;
  readonly event: { readonly meta: Meta };
}

export const recordsReached = {
  type: 'record',
  params: ({ context, event: { meta } }: Judged): RecordParams => {
    const { size, serving, problem } = statusOf(context);
    const { movingSinceMs } = context;
    const took = movingSinceMs === null ? {} : { tookMs: meta.at - movingSinceMs };
    const numbers = { desired: size, actual: serving, ...took, ...(problem && { problem }) };
    const event = reachedBy(context) === 'stalled' ? 'group.stalled' : 'group.converged';
    return published(context, { event, rule: 'GR-32', numbers });
  },
} as const;
