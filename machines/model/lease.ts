/** Messages of the lease: who wants it, and what the feed has. */

/** To the actor that wants the fleet's lease; only where nodes share one. */
export type LeaseMessage =
  | { readonly type: 'lease.begin'; readonly pollIntervalMs: number }
  /** The fleet's log ends before what was read of it, or is another one; `null`: it has all that was read. */
  | { readonly type: 'fleet.lost'; readonly lost: LostEnd | null }
  /** The holder whose agents know another authority than this node's; `null`: they know this one, or none. */
  | { readonly type: 'fleet.authority'; readonly foreignTo: string | null }
  /** An event of the fleet was met that this release does not know. */
  | { readonly type: 'fleet.unknownType'; readonly unknown: UnknownType }
  /** The feed has every row up to here, but for `lost`, which were refused for good. */
  | { readonly type: 'feed.acknowledged'; readonly upTo: number; readonly lost: readonly number[] };

/** What the fleet's log had, and has no more. */
export interface LostEnd {
  /** The last event that was read before it was missed. */
  readonly eventId: string;
  /** Control versions: read up to here, and there again only up to `to`. */
  readonly from: number;
  readonly to: number;
  readonly atMs: number;
  /** Of the holder at that time. */
  readonly epoch: number;
}

export interface UnknownType {
  readonly type: string;
  /** Who said it. */
  readonly node: string;
  /** The log is not read beyond it. */
  readonly halted: boolean;
}
