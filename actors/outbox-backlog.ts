/** What the outbox works with: its ports, its bounds, and what a pass leaves for the next one. */
import type { OutboxSettings } from '../machines/model/messages.js';
import type { Result } from '../machines/model/result.js';
import type { Lost } from '../machines/outbox.js';
import type { Clock } from '../src/ports/clock.js';
import type { Failpoints } from '../src/ports/failpoints.js';
import type { Metrics } from '../src/ports/metrics.js';
import type { Sink } from '../src/ports/sink.js';
import type { OutboxClaim, Store } from '../src/ports/store.js';
import type { Lane } from './outbox-lanes.js';

export interface Rule {
  readonly settings: OutboxSettings;
  readonly clock: Clock;
}

export interface OutboxPorts {
  readonly store: Pick<
    Store,
    | 'artifactGet'
    | 'outboxAmend'
    | 'outboxClaim'
    | 'outboxCounts'
    | 'outboxPending'
    | 'outboxWriteBack'
  >;
  /** Several nodes share a fleet: what the feed has is told. */
  readonly fleetStore?: Pick<Store, 'outboxList'>;
  readonly sink: Sink;
  readonly failpoints: Failpoints;
  readonly metrics?: Metrics;
  /** Who publishes: one at a time may. */
  readonly publisher: Publisher;
  /** Told what the actor works with, for `finish`. */
  readonly onBacklog?: (backlog: Backlog) => void;
}

export type Publisher = Pick<OutboxClaim, 'thread' | 'incarnation' | 'epoch'>;

/** What a pass leaves for the next one. */
export interface Backlog {
  /** Rows up to here are done, or wait in a blocked lane. */
  doneSeq: number;
  readonly lanes: Map<string, Lane>;
  /** Monotonic: the claim is renewed before. */
  claimedUntilMs: number;
  /** The sink knows where the feed stands. */
  resumed: boolean;
  /** The feed had at least this; unknown until the outbox is claimed. */
  lastControlVersion?: number;
  lost?: Lost | undefined;
  /** Rows before `doneSeq` may be pending again. */
  rescan: boolean;
  /** Passes in a row that left something. */
  fullPasses: number;
  /** The next page, asked for while the last pass was sent. */
  ahead?: Ahead | undefined;
  /** Of the last pass. */
  settings?: OutboxSettings;
  running: Promise<unknown>;
  /** What the last pass had to write back, under way while the next one is sent; its heads. */
  writing?: { readonly written: Promise<Written>; readonly heads: Ahead['heads'] } | undefined;
}

export type Written = Result<void, { readonly message: string }>;

/** A page of rows, asked for before it is needed. */
export interface Ahead {
  readonly afterSeq: number;
  readonly max: number;
  readonly page: ReturnType<Store['outboxPending']>;
  /** Of keys that were published since, or are being written back: newer than what the page says. */
  heads: ReadonlyMap<string, string>;
}

export function emptyBacklog(): Backlog {
  return {
    ...{ doneSeq: 0, lanes: new Map(), running: Promise.resolve() },
    ...{ claimedUntilMs: Number.NEGATIVE_INFINITY, resumed: false, rescan: false },
    fullPasses: 0,
  };
}

export const passLimits = {
  /** Full passes of the configured size before they grow, and how large they may become. */
  plainPasses: 4,
  batchMax: 1_024,
  /** Pages read in one pass while all their rows wait in blocked lanes. */
  pagesMax: 16,
  /** So many lanes failing at once is not the fault of their events: the sink is taken for down. */
  lanesMax: 1_000,
  /** A claim lasts so long, and is renewed when half of it is over. */
  claimMs: 60_000,
  /** What a stop leaves for the last passes. */
  finishMs: 3_000,
} as const;
