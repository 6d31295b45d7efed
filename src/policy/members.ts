/**
 * A group's books: what it knows of each member, and who counts toward its size.
 *
 *   staying   requested … suspect, and nobody told it to leave
 *   leaving   told to leave, or on its way out by itself (draining, drained, deleting, lost), or kept out of
 *             rotation for somebody to look at (quarantined)
 *   gone      failed or deleted: kept for operators only
 *
 * Rules: [GR-2] only staying members count; [GR-3] a replacement is not counted until its
 * predecessor leaves.
 */
import { unreachable } from '../../machines/model/assert.js';
import type { DisruptionSpec, GroupSpec } from '../../machines/model/desired.js';
import type { InstanceId } from '../../machines/model/ids.js';
import type { DrainReason, InstanceState, InstanceSummary } from '../../machines/model/messages.js';
import { oncePer } from './once.js';

export interface Member extends InstanceSummary {
  readonly requestedAtMs: number;
  /** Set when the group decided that it must go, whether or not it has heard of it. */
  readonly leaving?: DrainReason;
}

export type Members = Readonly<Record<InstanceId, Member>>;

/** What the breaker of a group allows; see breaker.ts. */
export type BreakerState = 'closed' | 'open' | 'half-open';

export interface Books {
  /** Now. */
  readonly at: number;
  readonly rules: DisruptionSpec;
  /** What a member created now would be made from. */
  readonly infra: string;
  readonly breaker: BreakerState;
  readonly wanted: number;
  /** Below this the shrink guard has let nobody go yet; absent: it has. */
  readonly floor?: number;
  readonly maxSize: number;
  readonly replace: GroupSpec['replace'];
  /** Creates in a row that never served. */
  readonly failures: number;
  readonly members: readonly Member[];
}

/** Beside the size: made for somebody who asked, and only that one decides how long it stays. */
export function isOnDemand({ onDemand }: Pick<InstanceSummary, 'onDemand'>): boolean {
  return onDemand !== undefined;
}

export type Standing = 'staying' | 'leaving' | 'gone';

export function standingOf(member: Member): Standing {
  const byState = standingOfState(member.state);
  return byState === 'staying' && member.leaving !== undefined ? 'leaving' : byState;
}

export function standingOfState(state: InstanceState): Standing {
  switch (state) {
    case 'requested':
    case 'creating':
    case 'booting':
    case 'registered':
    case 'serving':
    case 'suspect':
      return 'staying';
    case 'quarantined':
    case 'draining':
    case 'drained':
    case 'deleting':
    case 'lost':
      return 'leaving';
    case 'deleted':
    case 'failed':
      return 'gone';
    default:
      return unreachable(state);
  }
}

/** Was up at least once: nobody comes back from there to an earlier state. */
export function hasServed({ state }: Pick<Member, 'state'>): boolean {
  return state === 'serving' || state === 'suspect';
}

/** Told to leave, but still in a state that says it has not heard of it. */
export function isUnheard(member: Member): boolean {
  if (member.leaving === undefined) return false;
  return standingOfState(member.state) === 'staying' || member.state === 'quarantined';
}

export const stayingOf = oncePer((members: readonly Member[]): readonly Member[] =>
  members.filter((member) => standingOf(member) === 'staying'),
);

/** Staying members that count toward the size. */
export const countedOf = oncePer((members: readonly Member[]): readonly Member[] => {
  const staying = stayingOf(members);
  if (!staying.some(({ replaces }) => replaces !== undefined)) return staying;
  const stayingIds = new Set(staying.map((member) => member.id));
  return staying.filter(({ replaces }) => replaces === undefined || !stayingIds.has(replaces));
});
