/**
 * Failures of the outside world, as values with stable codes. One function per family owns the
 * meaning of each code; it lives beside the actor that reacts.
 */

/** Provider failures. `unavailable` and `timeout` say nothing about what happened: ignorance. */
export type ProviderFailure =
  | { readonly code: 'not-found'; readonly message: string }
  | { readonly code: 'already-exists'; readonly message: string }
  | { readonly code: 'quota'; readonly message: string }
  | { readonly code: 'unavailable'; readonly message: string }
  | { readonly code: 'permanent'; readonly message: string };

/** Dataplane failures, VPP's return values translated once by the client. */
export type LbFailure =
  | { readonly code: 'LB_EXISTS'; readonly message: string }
  | { readonly code: 'LB_NO_SUCH_ENTRY'; readonly message: string }
  | { readonly code: 'LB_REFUSED'; readonly retval: number; readonly message: string }
  | { readonly code: 'LB_INVALID_REQUEST'; readonly message: string }
  | { readonly code: 'LB_UNREACHABLE'; readonly message: string }
  | { readonly code: 'LB_TIMEOUT'; readonly message: string }
  | { readonly code: 'LB_INCOMPATIBLE'; readonly message: string };

/** Sink failures: `content` condemns the event, `unavailable` condemns nothing. */
export type SinkFailure =
  | { readonly code: 'content'; readonly message: string }
  | { readonly code: 'fenced'; readonly message: string }
  | { readonly code: 'unavailable'; readonly message: string };

/** Failures of who reads a feed: `missing` is an artifact that is not there. */
export type FeedFailure =
  | { readonly code: 'missing'; readonly message: string }
  | { readonly code: 'unavailable'; readonly message: string };

/**
 * Store failures: `fenced` says that the thread has a successor, `stale` that the row has moved on and
 * the actor has to be read again, `unavailable` is the disk.
 */
export type StoreFailure =
  | { readonly code: 'fenced'; readonly message: string }
  | { readonly code: 'stale'; readonly message: string }
  | { readonly code: 'rejected'; readonly message: string }
  | { readonly code: 'unavailable'; readonly message: string };

/** A refusal told to an operator: the rule that refused, and what to do about it. */
export interface Refusal {
  readonly code: 'not-found' | 'refused';
  readonly rule: string;
  readonly message: string;
}

/** Lease failures: `lost` says that somebody else may have it by now, `unavailable` says nothing. */
export type LeaseFailure =
  | { readonly code: 'held'; readonly message: string }
  | { readonly code: 'lost'; readonly message: string }
  | { readonly code: 'unavailable'; readonly message: string };
