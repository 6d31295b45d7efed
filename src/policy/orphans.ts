/**
 * Orphans: what a complete list of a provider says of what we know.
 *
 * Input:  something the provider has with our tags, the row of the instance it is tagged with; the
 *         orphans so far. Output: whose it is; the orphans afterwards, and which of them may be deleted.
 *
 * Rules: [OR-1] only a row that was looked for and is not there, or names another provider id, makes an
 * orphan; [OR-2] what carries the token of a row without a provider id is that row's; [OR-3] what is
 * dead, or was tagged by a later holder of the lease, is nobody's business; [OR-4] an orphan is deleted
 * only when asked for, after it was one in every sweep of its quarantine and in the list just read; a few of
 * them by one sweep.
 */
import type { InstanceState } from '../../machines/model/messages.js';
import type { OrphanReason, Stranger, SweepSettings } from '../../machines/model/orphans.js';

/** What is said of it at the provider. */
export interface Listed {
  readonly providerId: string;
  readonly token: string;
  readonly state: 'running' | 'terminal';
  readonly epoch: number;
}

/** What the store has of the instance it is tagged with. `unreadable`: there is a row. */
export type Claim =
  | 'none'
  | 'unreadable'
  | {
      readonly token: string;
      readonly providerId: string | null;
      readonly state: InstanceState;
    };

export type Belonging = 'ours' | 'unmet' | OrphanReason;

export function belongingOf(listed: Listed, claim: Claim, ownEpoch: number): Belonging {
  if (listed.state === 'terminal' || listed.epoch > ownEpoch) return 'ours';
  if (claim === 'unreadable') return 'ours';
  if (claim === 'none' || claim.token !== listed.token) return 'unknown';
  if (claim.providerId === null) return 'unmet';
  if (claim.providerId !== listed.providerId) return 'duplicate';
  return claim.state === 'deleted' ? 'leftover' : 'ours';
}

export interface Orphan extends Stranger {
  readonly sinceMs: number;
  /** A delete is out since the last sweep. */
  readonly deleting: boolean;
}

export type Orphans = Readonly<Record<string, Orphan>>;

/** Orphans that are kept in mind; of more than that the others are met when these are gone. */
export const ORPHANS_MAX = 1_000;

export function orphansAfter(
  known: Orphans,
  strangers: readonly Stranger[],
  sweptAtMs: number,
): Orphans {
  const kept = strangers.slice(0, ORPHANS_MAX).map((stranger): [string, Orphan] => {
    const before = known[stranger.providerId];
    // Another reason is another orphan: its quarantine begins again.
    const sinceMs = before?.why === stranger.why ? before.sinceMs : sweptAtMs;
    return [stranger.providerId, { ...stranger, sinceMs, deleting: false }];
  });
  return Object.fromEntries(kept);
}

/** Who is in `others` and not in `known`. */
export function newcomers(known: Orphans, others: Orphans): readonly Orphan[] {
  return Object.values(others).filter(({ providerId }) => known[providerId] === undefined);
}

/** Deletes of one sweep: a provider is not flooded with them. */
export const ORPHAN_DELETES_MAX = 32;

export function dueOrphans(
  orphans: Orphans,
  { mode, quarantineMs }: Pick<SweepSettings, 'mode' | 'quarantineMs'>,
  sweptAtMs: number,
): readonly Orphan[] {
  if (mode !== 'delete') return [];
  const all = Object.values(orphans);
  const asked = all.filter(({ deleting }) => deleting).length;
  return all
    .filter(({ sinceMs, deleting }) => !deleting && sinceMs + quarantineMs <= sweptAtMs)
    .slice(0, Math.max(0, ORPHAN_DELETES_MAX - asked));
}
