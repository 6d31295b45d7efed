/** What the outbox is told besides that there are rows: its settings, and what an operator wants. */

/** What an operator may do about rows that have left `pending`; `row`: a dead one, by number or event id. */
export type OutboxAmendment =
  /** It is sent again, as if for the first time. */
  | { readonly verb: 'requeue'; readonly row: string }
  /** Nobody will send it. */
  | { readonly verb: 'discard'; readonly row: string; readonly reason: string }
  /** All that was published since is sent again, with the same ids and bytes. */
  | { readonly verb: 'republish'; readonly sinceMs: number };

export interface OutboxSettings {
  readonly batchSize: number;
  readonly pollIntervalMs: number;
  readonly maxAttempts: number;
  readonly retentionMs: number;
  /** Observed changes of an aggregate within this are told as one; 0: each is. */
  readonly coalesceWindowMs: number;
}
