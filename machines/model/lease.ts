/** Messages of the lease: who wants it, and what the feed has. */

/** To the actor that wants the fleet's lease; only where nodes share one. */
export type LeaseMessage =
  | { readonly type: 'lease.begin'; readonly pollIntervalMs: number }
  /** The feed has every row up to here, but for `lost`, which were refused for good. */
  | { readonly type: 'feed.acknowledged'; readonly upTo: number; readonly lost: readonly number[] };
