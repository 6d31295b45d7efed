/**
 * Orphans: what exists at a provider with our tags while no instance of ours knows it.
 *
 *   reload ─ sweep.settings ─► sweep/<provider> ─ provider.sweep ─► provider/<provider>
 *   provider ─ orphans.listed | orphans.unlisted ─► sweep            provider ─ provider.found ─► instance
 */
import type { ProviderFailure } from './failures.js';
import type { GroupKey, InstanceId, TenantId } from './ids.js';

/** Why nobody owns it: no row; another thing has its row's token too; its row says that it is deleted. */
export type OrphanReason = 'unknown' | 'duplicate' | 'leftover';

/** Something at the provider that nobody owns. */
export interface Stranger {
  readonly providerId: string;
  readonly token: string;
  readonly tenant: TenantId;
  readonly group: GroupKey;
  readonly instance: InstanceId;
  readonly address: string;
  readonly why: OrphanReason;
}

export interface SweepSettings {
  readonly provider: string;
  readonly mode: 'report' | 'delete';
  readonly intervalMs: number;
  /** From the first sweep that saw an orphan to its deletion, with `mode: delete`. */
  readonly quarantineMs: number;
}

export type SweepMessage =
  | { readonly type: 'sweep.settings'; readonly settings: SweepSettings }
  /** At once: somebody wants to know, and is answered when the list was compared. */
  | { readonly type: 'operator.sweep' }
  /** The whole list was read and compared. */
  | {
      readonly type: 'orphans.listed';
      readonly strangers: readonly Stranger[];
      /** Instances of ours at the provider. */
      readonly listed: number;
      /** Told to their instances, which did not know them yet. */
      readonly adopted: number;
    }
  /** The list, or the comparison, could not be completed: nothing is known. */
  | { readonly type: 'orphans.unlisted'; readonly failure: ProviderFailure }
  | { readonly type: 'provider.deleted'; readonly providerId: string }
  | {
      readonly type: 'provider.deleteFailed';
      readonly providerId: string;
      readonly failure: ProviderFailure;
    };
