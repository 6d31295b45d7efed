/**
 * The `Store` port over one open SQLite database. Every call runs to its end before it answers: the
 * promise is the port's, there is no concurrency behind it. What SQLite refuses comes back as a
 * failure; a call after `close` is `unavailable`.
 */
import type Database from 'better-sqlite3';
import type { StoreFailure } from '../../../machines/model/failures.js';
import type { Address } from '../../../machines/model/ids.js';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import type { Failpoints } from '../../ports/failpoints.js';
import type { FleetStore } from '../../ports/fleet-store.js';
import {
  type PackedCell,
  type PackedDecision,
  type PackedStore,
  packEach,
  unpackCell,
} from '../../ports/packed.js';
import type { OutboxClaim, OutboxClaimed, OutboxCounts, Store } from '../../ports/store.js';
import { createArtifacts } from './artifacts.js';
import { type Cells, createCells } from './cells.js';
import { createClaim } from './claim.js';
import { type Commit, createCommit, type Outcome } from './commit.js';
import { EPOCH_KEY, epochOf } from './epoch.js';
import { failureOf, unavailable } from './failures.js';
import { createFleet } from './fleet.js';
import { createJournal } from './journal.js';
import { COMMIT_DECISIONS_MAX } from './limits.js';
import { createOutbox } from './outbox.js';
import { createPrune, type Pruned, type Retention } from './prune.js';
import { createFences, createLedger, createMeta } from './registers.js';

export interface SqliteStoreOptions {
  /** Stamped on every feed event. */
  readonly node: string;
  /** Least epoch of feed events; the stored one counts when it is higher. */
  readonly epoch?: number;
  readonly failpoints: Failpoints;
  /** Wall clock of `published_at`, of claims and of what is held back to be coalesced. */
  readonly clock: { now(): number };
  /** Names this life of the daemon: a re-opened store thread keeps the fences of its own run. */
  readonly run?: string;
  /** Until a publisher says another one: observed changes within this are one event. Default 0: none are. */
  readonly coalesceWindowMs?: number;
}

export interface SqliteStore extends PackedStore {
  /** One bounded pass of retention; call again soon while `more`. */
  prune(retention: Retention): Promise<Result<Pruned, StoreFailure>>;
  /** Moves the write-ahead log into the database file; for idle moments. */
  checkpoint(): Promise<Result<void, StoreFailure>>;
}

type Attempt = <T>(body: () => T) => Promise<Result<T, StoreFailure>>;

const CLOSED = unavailable('the store is closed');

function attemptOn(db: Database.Database): Attempt {
  return async (body) => {
    if (!db.open) return fail(CLOSED);
    try {
      return ok(body());
    } catch (error) {
      return fail(failureOf(error));
    }
  };
}

/** Over a database that `open` has checked and migrated. */
export function createSqliteStore(db: Database.Database, options: SqliteStoreOptions): SqliteStore {
  const attempt = attemptOn(db);
  const { clock } = options;
  const meta = createMeta(db);
  let epoch = Math.max(options.epoch ?? 0, epochOf(meta.get(EPOCH_KEY)));
  const fences = createFences(db, options.run ?? '');
  const cells = createCells(db);
  const origin = { node: options.node, epoch: () => epoch };
  const { failpoints } = options;
  const nowMs = (): number => clock.now();
  const commit = createCommit({ db, cells, origin, fenceOf: fences.of, failpoints, nowMs });
  commit.coalescer.setWindow(options.coalesceWindowMs ?? 0);
  const commitPacked = async (packed: readonly PackedDecision[]): Promise<readonly Outcome[]> =>
    db.open ? commit(packed) : packed.map(() => fail(CLOSED));
  const family = (address: Address): readonly PackedCell[] => {
    const rows = cells.loadFamily(address);
    commit.readAgain(address);
    return rows;
  };
  const prune = createPrune(db);

  const metaSet = (key: string, value: string): void => {
    meta.set(key, value);
    if (key === EPOCH_KEY) epoch = Math.max(epoch, epochOf(value));
  };

  return {
    load: (kinds) => attempt(() => [...pagesOf(cells, kinds)].map(unpackCell)),
    loadFamily: (address) => attempt(() => family(address).map(unpackCell)),
    loadPage: (kinds, after) => attempt(() => cells.page(kinds, after)),
    loadLines: (kinds, after) => attempt(() => cells.lines(kinds, after)),
    loadFamilyPacked: (address) => attempt(() => family(address)),
    commit: (decisions) => packEach(decisions, (packed) => inTransactions(packed, commitPacked)),
    commitPacked,
    fence: (thread, incarnation) => attempt(() => fences.raise(thread, incarnation)),
    ...outboxCalls(db, attempt, {
      ...{ clock, commit, claim: createClaim(meta, fences) },
    }),
    ...readCalls(db, attempt),
    ...artifactCalls(db, attempt),
    ...fleetCalls(db, attempt, commit.forget),
    metaGet: (key) => attempt(() => meta.get(key)),
    metaSet: (key, value) => attempt(() => metaSet(key, value)),
    prune: (retention) => attempt(() => prune(retention)),
    checkpoint: () => attempt(() => void db.pragma('wal_checkpoint(TRUNCATE)')),
    close: async () => void db.close(),
  };
}

function* pagesOf(cells: Cells, kinds: readonly string[]): Generator<PackedCell> {
  for (let after: string | undefined = ''; after !== undefined; ) {
    const page = cells.page(kinds, after);
    yield* page;
    after = page.at(-1)?.[0];
  }
}

/** Once one transaction is unavailable, all that is behind it is: the order holds when it is sent again. */
async function inTransactions(
  decisions: readonly PackedDecision[],
  commit: (some: readonly PackedDecision[]) => Promise<readonly Outcome[]>,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  while (outcomes.length < decisions.length) {
    const from = outcomes.length;
    const some = await commit(decisions.slice(from, from + COMMIT_DECISIONS_MAX));
    outcomes.push(...some);
    const away = some.find(isUnavailable);
    while (away !== undefined && outcomes.length < decisions.length) outcomes.push(away);
  }
  return outcomes;
}

function isUnavailable(outcome: Outcome): boolean {
  return !outcome.ok && outcome.failure.code === 'unavailable';
}

interface OutboxParts {
  readonly clock: { now(): number };
  readonly commit: Commit;
  readonly claim: ReturnType<typeof createClaim>;
}

function outboxCalls(db: Database.Database, attempt: Attempt, parts: OutboxParts) {
  const { claim, clock, commit } = parts;
  const outbox = createOutbox(db);
  const claimed = (wanted: OutboxClaim): OutboxClaimed => {
    const granted = claim(wanted, clock.now());
    if (granted.granted) commit.coalescer.setWindow(wanted.coalesceWindowMs);
    return { ...granted, lastControlVersion: outbox.lastControlVersion() };
  };
  const counts = (): OutboxCounts => {
    const lookAgainInMs = commit.coalescer.dueInMs(clock.now());
    return { ...outbox.counts(), ...(lookAgainInMs === undefined ? {} : { lookAgainInMs }) };
  };
  const upToDate = <T>(read: () => T): T => {
    commit.appendDue();
    return read();
  };
  return {
    outboxClaim: (wanted) => attempt(() => claimed(wanted)),
    outboxPending: (afterSeq, max) => attempt(() => upToDate(() => outbox.pending(afterSeq, max))),
    outboxTexts: (afterSeq, max) =>
      attempt(() => upToDate(() => outbox.pendingTexts(afterSeq, max))),
    outboxWriteBack: (outcomes) => attempt(() => outbox.writeBack(outcomes, clock.now())),
    outboxList: (filter) => attempt(() => outbox.list(filter)),
    outboxCounts: () => attempt(counts),
    outboxAmend: (amendment) => attempt(() => outbox.amend(amendment)),
  } satisfies Partial<PackedStore>;
}

function artifactCalls(db: Database.Database, attempt: Attempt) {
  const artifacts = createArtifacts(db);
  return {
    artifactPut: (part) => attempt(() => artifacts.put(part)),
    artifactGet: (kind, hash, part) => attempt(() => artifacts.get(kind, hash, part)),
    artifactsKeep: (kind, hashes) => attempt(() => artifacts.keep(kind, hashes)),
  } satisfies Partial<Store>;
}

function fleetCalls(db: Database.Database, attempt: Attempt, forget: () => void): FleetStore {
  const fleet = createFleet(db, forget);
  return {
    fleetApply: (batch) => attempt(() => fleet.apply(batch)),
    fleetCursor: () => attempt(fleet.cursor),
    fleetGround: () => attempt(fleet.ground),
    fleetStanding: () => attempt(fleet.standing),
    fleetRows: (prefix, after, max) => attempt(() => fleet.rows(prefix, after, max)),
    fleetAdopt: (prefixes) => attempt(() => fleet.adopt(prefixes)),
    outboxAbandon: (seqs, reason) => attempt(() => fleet.abandon(seqs, reason)),
  };
}

function readCalls(db: Database.Database, attempt: Attempt) {
  const journal = createJournal(db);
  const ledger = createLedger(db);
  return {
    journal: (afterSeq, max) => attempt(() => journal.after(afterSeq, max)),
    journalHead: () => attempt(() => journal.head()),
    journalOf: (actor, max) => attempt(() => journal.of(actor, max)),
    journalById: (id) => attempt(() => journal.byId(id)),
    ledger: () => attempt(() => ledger.all()),
    ledgerPut: (entry) => attempt(() => ledger.put(entry)),
    ledgerRemove: (vipKey) => attempt(() => ledger.remove(vipKey)),
  } satisfies Partial<Store>;
}
