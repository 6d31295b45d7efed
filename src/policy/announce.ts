/**
 * Whether the world should send a VIP its traffic.
 *
 * Input: what the frontend knows. Output: yes or no with the reason, or `undefined`: it stays as it is.
 *
 * Rules: [AN-1] announced only while the frontend is up and its VIP is verified in VPP; [AN-2] what is
 * unknown (a restart, VPP away, a change under way) changes nothing; [AN-3] a drained node, a frontend that is
 * down, a VIP that VPP lost and the configuration withdraw at once.
 */
import type { AnnounceReason } from '../../machines/model/announce.js';

export interface AnnounceFacts {
  readonly enabled: boolean;
  /** `null`: what operators ordered cannot be read. */
  readonly drained: boolean | null;
  readonly state: 'unknown' | 'up' | 'down';
  /** `undefined`: VPP has not been heard of. */
  readonly exists: boolean | undefined;
  readonly synced: boolean;
}

export interface AnnounceVerdict {
  readonly wanted: boolean;
  readonly reason: AnnounceReason;
}

export function announcement(facts: AnnounceFacts): AnnounceVerdict | undefined {
  const { enabled, drained, state, exists, synced } = facts;
  if (!enabled) return { wanted: false, reason: 'configuration' };
  if (drained) return { wanted: false, reason: 'node-drain' };
  if (state === 'down') return { wanted: false, reason: 'down' };
  if (exists === false) return { wanted: false, reason: 'no-vip' };
  if (drained === null) return undefined;
  return state === 'up' && synced ? { wanted: true, reason: 'up' } : undefined;
}
