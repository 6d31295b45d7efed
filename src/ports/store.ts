/**
 * The store: cells, journal, outbox and ledger in one transactional place, with one writer.
 *
 * Commit protocol: a decision carries version n → n+1 of its cell. The store commits neighbouring
 * decisions as one transaction, and a bad one fails alone. A re-sent decision
 * (same id, version already n+1) is acknowledged again and changes nothing; a decision of an older
 * version is `stale`, one of an older incarnation of its thread is `fenced`. When the row
 * has overtaken a decision, all that its writer sends about that cell is stale until `loadFamily` has
 * told where it stands.
 */
import type { RecordParams } from '../../machines/model/effects.js';
import type { StoreFailure } from '../../machines/model/failures.js';
import type { Address } from '../../machines/model/ids.js';
import type { Json, JsonObject } from '../../machines/model/json.js';
import type { Vip, VipAttributes } from '../../machines/model/lb.js';
import type { OutboxAmendment } from '../../machines/model/messages.js';
import type { Result } from '../../machines/model/result.js';

/** A cell at rest. */
export interface StoredCell {
  readonly address: Address;
  readonly parent: Address | undefined;
  readonly machine: string;
  readonly machineVersion: number;
  /** Hash of the machine's definition: another hash with the same version is refused. */
  readonly machineHash: string;
  readonly version: number;
  readonly incarnation: number;
  readonly value: Json;
  readonly context: JsonObject;
  readonly timers: readonly StoredTimer[];
  /** Only on the way out: why its text cannot be read, and value, context and timers say nothing. */
  readonly damaged?: string;
}

/** What else a timer carries is not stored. */
export interface StoredTimer {
  readonly id: string;
  /** Absolute wall-clock deadline, ms since the epoch. */
  readonly dueAtMs: number;
}

export interface Decision {
  /** Unique; the cause of everything that follows from it. */
  readonly id: string;
  readonly at: number;
  readonly actor: Address;
  readonly cause: string;
  /** Who writes: the decisions of a fenced-off (dead) thread are refused. */
  readonly thread: string;
  readonly incarnation: number;
  /** Absent for actors that are not stored: their records still commit. */
  readonly cell?:
    | (Omit<StoredCell, 'incarnation' | 'parent'> & { readonly parent?: Address | undefined })
    | undefined;
  readonly spawns: readonly Omit<StoredCell, 'incarnation'>[];
  readonly forget: boolean;
  readonly records: readonly RecordParams[];
  readonly configGeneration: number;
}

export interface Committed {
  readonly id: string;
  /** Highest outbox seq appended by this decision; 0 when none. */
  readonly outboxSeq: number;
  readonly journalSeq: number;
}

export interface JournalEntry {
  readonly seq: number;
  readonly id: string;
  readonly at: number;
  readonly actor: Address;
  /** Whom it is about, when that is not the actor itself: a group decides that an instance shall be. */
  readonly subject?: Address;
  readonly event: string;
  readonly rule: string;
  readonly numbers: JsonObject;
  readonly cause: string;
}

/** The envelope of interface.md §4, as published; `controlVersion` is given by the sink. */
export interface FeedEvent {
  readonly eventId: string;
  readonly type: string;
  readonly schema: number;
  readonly node: string;
  readonly epoch: number;
  readonly tenantId?: string;
  readonly aggregateKind: string;
  readonly aggregateId: string;
  readonly aggregateVersion: number;
  readonly orderingKey: string;
  readonly causationId: string;
  readonly correlationId: string;
  readonly configGeneration: number;
  readonly occurredAt: string;
  readonly controlVersion: number;
  /** Empty when the aggregate is in the artifact. */
  readonly data: JsonObject;
  /** `feedHash` of the event before it of the same ordering key; absent: it is the first. */
  readonly previousHash?: string;
  /** Where the whole aggregate lies when it is too large to be inline: `sha256/<hex>`. */
  readonly artifactRef?: string;
  /** Of the artifact's bytes: `sha256:<hex>`. */
  readonly checksum?: string;
}

export interface OutboxRow {
  readonly seq: number;
  readonly event: FeedEvent;
  readonly state: 'pending' | 'published' | 'dead' | 'discarded';
  readonly attempts: number;
  readonly lastError?: string;
  readonly createdAt: number;
  /** It, or its tombstone, was published before: its `previousHash` stands. */
  readonly wasSent?: true;
  /** Its text cannot be read, and `event` says nothing but a lane of its own. */
  readonly damaged?: string;
}

/** An event on its way to the feed (feed-text.ts): its text, and what is asked of it. */
export interface FeedText {
  /** Of the event with a control version of 0, as JSON.stringify makes it. */
  readonly text: string;
  readonly eventId: string;
  readonly type: string;
  readonly node: string;
  readonly epoch: number;
  readonly aggregateKind: string;
  readonly orderingKey: string;
  readonly artifactRef: string | undefined;
}

/** What waits, as it is published: its text, of which only what matters on the way is read. */
export interface PendingRow {
  readonly seq: number;
  readonly attempts: number;
  readonly event: FeedText;
  /** As a row's. */
  readonly wasSent: boolean;
  /** Of the last event of its key in the feed. */
  readonly headHash: string | undefined;
  readonly damaged: string | undefined;
}

export interface OutboxOutcome {
  readonly seq: number;
  /** Set when published. */
  readonly controlVersion?: number;
  /** Set when refused by content; one attempt is counted. */
  readonly error?: string;
  /** With `error`: that was the last attempt, the row becomes `dead`. */
  readonly dead?: true;
  /** What was published names this as the event before it; empty: it is the first of its key. */
  readonly previousHash?: string;
  /** What was published is the last of its key now: the key, and its hash. */
  readonly head?: { readonly key: string; readonly hash: string };
}

/** Who wants to publish, and until when it alone may. */
export interface OutboxClaim {
  readonly thread: string;
  readonly incarnation: number;
  readonly epoch: number;
  readonly leaseMs: number;
  /** Observed changes within this are told as one; 0: none are. */
  readonly coalesceWindowMs: number;
}

export interface OutboxClaimed {
  readonly granted: boolean;
  /** Granted: until then. Not: until the other one's claim ends. */
  readonly forMs: number;
  /** Of the newest published row; 0 when there is none. */
  readonly lastControlVersion: number;
}

export interface OutboxCounts {
  readonly pending: number;
  readonly dead: number;
  readonly oldestPendingAt?: number;
  /** Until changes that wait to be told as one may be rows. */
  readonly lookAgainInMs?: number;
}

export interface LedgerEntry {
  readonly frontend: string;
  readonly vip: Vip;
  readonly attributes: VipAttributes;
}

/** One part of an artifact: what is too large for a row, kept by the digest of its content. */
export interface ArtifactPart {
  /** Whose it is, e.g. `config`: kinds are kept and dropped apart. */
  readonly kind: string;
  readonly hash: string;
  /** From 0, below `parts`. */
  readonly part: number;
  readonly parts: number;
  /** Base64: it crosses threads as text. */
  readonly bytes: string;
}

/** Characters of base64 in one part: a put never holds the writer for long. */
export const ARTIFACT_PART_CHARACTERS_MAX = 262_144;

/** The kind of artifacts that hold the data of feed events, by its SHA-256 in hex. */
export const EVENT_ARTIFACTS = 'event';

export interface Store {
  /**
   * All cells of these kinds, ascending by address; one whose text is damaged says so itself. With `take`
   * those that come earlier may be handed to it as they come, and the answer has the rest; what comes
   * from afar may come twice, and some of a load that fails may have come.
   */
  load(
    kinds: readonly string[],
    take?: (cells: readonly StoredCell[]) => void,
  ): Promise<Result<readonly StoredCell[], StoreFailure>>;
  /** One cell and the cells whose parent it is. */
  loadFamily(address: Address): Promise<Result<readonly StoredCell[], StoreFailure>>;
  /**
   * Commits decisions in order, in transactions of bounded size; results in the same order. Rejects
   * never: an unwritable disk is `unavailable` for each of a transaction, and for all behind it.
   */
  commit(decisions: readonly Decision[]): Promise<readonly Result<Committed, StoreFailure>[]>;
  /** From now on decisions of `thread` with an older incarnation are `fenced`. */
  fence(thread: string, incarnation: number): Promise<Result<void, StoreFailure>>;

  /**
   * Claims the outbox for one publisher, or renews its claim: until it ends, or its thread is fenced, or a
   * higher epoch claims, nobody else is granted one.
   */
  outboxClaim(claim: OutboxClaim): Promise<Result<OutboxClaimed, StoreFailure>>;
  /** Rows behind `afterSeq`, oldest first. */
  outboxPending(
    afterSeq: number,
    max: number,
  ): Promise<Result<readonly PendingRow[], StoreFailure>>;
  /** One statement for the whole pass. Unknown or already published seqs are left alone. */
  outboxWriteBack(outcomes: readonly OutboxOutcome[]): Promise<Result<void, StoreFailure>>;
  /** Newest first. */
  outboxList(filter: {
    readonly dead?: boolean;
    readonly limit: number;
  }): Promise<Result<readonly OutboxRow[], StoreFailure>>;
  outboxCounts(): Promise<Result<OutboxCounts, StoreFailure>>;
  /** The rows it changed, oldest first; none: there is no such row, or it is not dead. */
  outboxAmend(
    amendment: OutboxAmendment,
  ): Promise<Result<{ readonly rows: number; readonly eventId?: string }, StoreFailure>>;

  /** Entries after `afterSeq`, oldest first. */
  journal(afterSeq: number, max: number): Promise<Result<readonly JournalEntry[], StoreFailure>>;
  /** Sequence of the newest entry; 0 when there is none. */
  journalHead(): Promise<Result<number, StoreFailure>>;
  /** Entries by or about an actor, newest first. */
  journalOf(actor: Address, max: number): Promise<Result<readonly JournalEntry[], StoreFailure>>;
  /** The entries of one decision id. */
  journalById(id: string): Promise<Result<readonly JournalEntry[], StoreFailure>>;

  ledger(): Promise<Result<readonly LedgerEntry[], StoreFailure>>;
  ledgerPut(entry: LedgerEntry): Promise<Result<void, StoreFailure>>;
  ledgerRemove(vipKey: string): Promise<Result<void, StoreFailure>>;

  /** Part by part, in any order; the same again changes nothing. */
  artifactPut(part: ArtifactPart): Promise<Result<void, StoreFailure>>;
  /** One part, as base64; `undefined` unless all parts of the artifact are there. */
  artifactGet(
    kind: string,
    hash: string,
    part: number,
  ): Promise<Result<string | undefined, StoreFailure>>;
  /** From now on these are all there are of the kind; half-written ones go as well. */
  artifactsKeep(kind: string, hashes: readonly string[]): Promise<Result<void, StoreFailure>>;

  metaGet(key: string): Promise<Result<string | undefined, StoreFailure>>;
  metaSet(key: string, value: string): Promise<Result<void, StoreFailure>>;
  close(): Promise<void>;
}
