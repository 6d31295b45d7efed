/**
 * The fleet's log, as one node lives with it: read as it grows, kept in the node's own store, shown to the
 * node's dataplane while somebody else is the holder; and what a new holder does with it.
 *
 *   feed ─► read ─► rows, versions, standing ─► store, with the cursor, in one transaction ─► shown
 *
 * Every node reads all of it, its own events too: what is stored from the log is the log, whoever wrote it.
 *
 * Rules: [FL-5] rows and cursor move together; [FL-11] a log that lost its end, or is another one, is read
 * again from where it is as it was, and somebody is told; [FL-6] what is read is shown while off duty; [FL-7] pending
 * rows of a holder that another has followed are abandoned, never published; [FL-8] who first shares a
 * fleet brings what it has into the log before it begins.
 */
import type { Standing } from '../machines/lease.js';
import { addressOf } from '../machines/model/ids.js';
import type { LostEnd } from '../machines/model/lease.js';
import { fail, ok, type Result } from '../machines/model/result.js';
import { DUTY_KINDS, DUTY_PREFIXES, isDuty, isOfFleet } from '../src/policy/duty.js';
import type { Clock, Ids } from '../src/ports/clock.js';
import type { FleetChange, FleetStore } from '../src/ports/fleet-store.js';
import type { LeaseClaim } from '../src/ports/lease.js';
import type { Decision, PendingRow, Store } from '../src/ports/store.js';
import { rowsRecord } from '../src/runtime/duty.js';
import { type BatchParts, batchOf, standingOf, type Told, untilUnknown } from './fleet-batch.js';
import { createFleetGround } from './fleet-ground.js';
import { lettersOfRow, rowOf, SHOWN_PREFIXES, type ShownLetter } from './fleet-projection.js';

export interface FleetLogOptions extends Omit<BatchParts, 'store'> {
  readonly store: FleetStore &
    Pick<Store, 'load' | 'commit' | 'outboxPending' | 'metaGet' | 'metaSet'>;
  /** Raises the store's epoch above what it has and this. */
  raiseEpoch(observed: number): Promise<Result<number, { readonly message: string }>>;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Names our data directory. */
  readonly writer: string;
  readonly incarnation: number;
  isOnDuty(): boolean;
  show(letter: ShownLetter): void;
  /** What the log has lost; `null`: nothing that is missed. Told again from time to time. */
  tellLost(lost: LostEnd | null): void;
  /** Of the agents' authority here; absent: agents have no door here. */
  readonly agentCa?: string;
  /** The holder whose agents know another one. */
  tellForeignCa(holder: string | null): void;
}

export interface FleetLog {
  /** Reads from now on, for ever. */
  begin(): void;
  /** At the log's end, with a new epoch: how the claimant would stand. */
  prepare(claim: LeaseClaim): Promise<Result<Standing, string>>;
  /** The node's own cells become what the log says at its end. */
  adopt(): Promise<Result<void, string>>;
  /** Everything the dataplane should know is said again. */
  showAll(): Promise<void>;
  stop(): Promise<void>;
}

export const fleetLogLimits = {
  /** Events applied in one transaction. */
  batchEvents: 256,
  /** Rows read, and decisions made, in one go. */
  pageRows: 200,
  /** After a failure. */
  retryMs: 1_000,
  /** Everything is shown again this often, in case something was lost. */
  resyncMs: 30_000,
} as const;

export function createFleetLog(options: FleetLogOptions): FleetLog {
  const { source, store, clock, log } = options;
  const ending = new AbortController();
  let turn: Promise<unknown> = Promise.resolve();
  let loop: Promise<void> | undefined;
  const ground = createFleetGround(options);

  const inTurn = <T>(work: () => Told<T>): Told<T> => {
    const next = turn.then(work);
    turn = next.catch(() => undefined);
    return next;
  };

  /** One bite; answers how many events it was. */
  const advance = (): Told<number> =>
    inTurn(async () => {
      const cursor = await ground.find();
      if (!cursor.ok) return cursor;
      const items = await source.read(cursor.value, fleetLogLimits.batchEvents);
      if (!items.ok) return fail(items.failure.message);
      if (items.value.length === 0) return ok(0);
      const known = untilUnknown(options, items.value);
      if (!known.ok) return known;
      const batch = await batchOf(options, known.value);
      if (!batch.ok) return batch;
      const passed = ground.passed(known.value, batch.value.standing);
      const applied = await store.fleetApply({ ...batch.value, ground: passed.text });
      if (!applied.ok) return fail(applied.failure.message);
      passed.keep();
      // At once: what can never be published would only stand in the way of what can.
      const followed = await abandonFor(options, batch.value.standing);
      if (!followed.ok) return followed;
      await source.acknowledge(batch.value.cursor);
      const changes = batch.value.events.flatMap((event) => event.changes);
      if (!options.isOnDuty()) showChanges(options, changes);
      return ok(known.value.length);
    });

  const advanceOrDoubt = async (): Told<number> => {
    const advanced = await advance();
    if (!advanced.ok) ground.doubt();
    return advanced;
  };

  /** To where the log ends now. */
  const catchUp = async (): Told<void> => {
    ground.doubt();
    const found = await inTurn(ground.find);
    const head = await source.head();
    if (!found.ok) return found;
    if (!head.ok) return fail(head.failure.message);
    for (;;) {
      const cursor = await store.fleetCursor();
      if (!cursor.ok) return fail(cursor.failure.message);
      if (cursor.value >= head.value) return ok(undefined);
      const advanced = await advanceOrDoubt();
      if (!advanced.ok) return advanced;
    }
  };

  const showAll = async (): Promise<void> => {
    for (const prefix of SHOWN_PREFIXES) {
      for (let after = prefix as string; ; ) {
        const rows = await store.fleetRows(prefix, after, fleetLogLimits.pageRows);
        if (!rows.ok || options.isOnDuty()) return;
        showChanges(options, rows.value);
        const last = rows.value.at(-1);
        if (last === undefined) break;
        after = last.address;
      }
    }
  };

  /** What an operator has put back since: as little to be published as it was then. */
  const abandonStale = (): Told<void> =>
    inTurn(async () => {
      const standing = await standingOf(store);
      if (!standing.ok || standing.value === undefined) return ok(undefined);
      return standing.value.writer === options.writer
        ? ok(undefined)
        : abandonPending(options, standing.value);
    });

  const follow = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      const advanced = await advanceOrDoubt();
      if (!advanced.ok) {
        log.debug({ reason: advanced.failure }, 'the fleet log cannot be read; it is tried again');
        await pause(clock, fleetLogLimits.retryMs, ending.signal);
      } else if (advanced.value === 0) {
        const cursor = await store.fleetCursor();
        await source.wait(cursor.ok ? cursor.value : 0, ending.signal);
        // Whatever befell the broker meanwhile, nobody would have told us.
        ground.doubt();
      }
    }
  };

  const resync = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      ground.tell();
      await compareAuthority(options);
      if (!options.isOnDuty()) {
        await showAll();
        await abandonStale();
      }
      await pause(clock, fleetLogLimits.resyncMs, ending.signal);
    }
  };

  return {
    begin: () => {
      loop ??= Promise.all([follow(), resync()]).then(() => undefined);
      loop.catch((err: unknown) => log.error({ err }, 'the fleet log is not followed any more'));
    },
    prepare: async (claim) => {
      const caughtUp = await catchUp();
      if (!caughtUp.ok) return caughtUp;
      const standing = await standingOf(store);
      if (!standing.ok) return standing;
      const prior = standing.value;
      if (prior === undefined) {
        const brought = await bringOwn(options);
        if (!brought.ok) return brought;
      } else if (prior.writer !== claim.writer) {
        const abandoned = await abandonPending(options, prior);
        if (!abandoned.ok) return abandoned;
      }
      const epoch = await options.raiseEpoch(prior?.epoch ?? 0);
      if (!epoch.ok) return fail(epoch.failure.message);
      return ok({ fleet: prior?.fleet ?? claim.writer, ...claim, epoch: epoch.value });
    },
    adopt: async () => {
      const caughtUp = await catchUp();
      if (!caughtUp.ok) return caughtUp;
      const adopted = await store.fleetAdopt(DUTY_PREFIXES);
      return adopted.ok ? adopted : fail(adopted.failure.message);
    },
    showAll,
    stop: async () => {
      ending.abort();
      await loop;
    },
  };
}

function showChanges({ show }: FleetLogOptions, changes: readonly FleetChange[]): void {
  for (const { row: text } of changes) {
    const row = rowOf(text);
    if (row !== undefined) for (const letter of lettersOfRow(row)) show(letter);
  }
}

/** Who takes over must be able to tell the fleet's agents: by the authority that they know [ID-40]. */
async function compareAuthority({ store, agentCa, tellForeignCa }: FleetLogOptions): Promise<void> {
  const standing = await standingOf(store);
  if (!standing.ok || standing.value?.agentCa === undefined) return tellForeignCa(null);
  tellForeignCa(standing.value.agentCa === agentCa ? null : standing.value.node);
}

async function abandonFor(options: FleetLogOptions, standing: string | undefined): Told<void> {
  if (standing === undefined) return ok(undefined);
  const by = JSON.parse(standing) as Standing;
  return by.writer === options.writer ? ok(undefined) : abandonPending(options, by);
}

/** What we decided and never published was decided against a state that is no longer the fleet's. */
async function abandonPending({ store, log }: FleetLogOptions, by: Standing): Told<void> {
  for (let after = 0; ; ) {
    const rows = await store.outboxPending(after, fleetLogLimits.pageRows);
    if (!rows.ok) return fail(rows.failure.message);
    const last = rows.value.at(-1);
    if (last === undefined) return ok(undefined);
    after = last.seq;
    const isOld = ({ event }: PendingRow): boolean => isOfFleet(event) && event.epoch <= by.epoch;
    const ours = rows.value.filter(isOld).map(({ seq }) => seq);
    if (ours.length === 0) continue;
    const reason = `${by.node} has gone on without it in epoch ${by.epoch}`;
    const done = await store.outboxAbandon(ours, reason);
    if (!done.ok) return fail(done.failure.message);
    log.warn(
      { rows: ours.length, reason },
      'decisions that the fleet never heard of are abandoned',
    );
  }
}

/** Rows from before this node shared a fleet: each is said once, as if it had just been decided. */
async function bringOwn({ store, ids, clock, incarnation }: FleetLogOptions): Told<void> {
  const loaded = await store.load([...DUTY_KINDS]);
  if (!loaded.ok) return fail(loaded.failure.message);
  const own = loaded.value.filter(({ address, damaged }) => isDuty(address) && !damaged);
  for (let from = 0; from < own.length; from += fleetLogLimits.pageRows) {
    const decisions = own.slice(from, from + fleetLogLimits.pageRows).map(
      (cell): Decision => ({
        id: ids.next(),
        at: clock.now(),
        actor: cell.address,
        cause: 'fleet:joined',
        thread: 'main',
        incarnation,
        cell: undefined,
        spawns: [],
        forget: false,
        records: [rowsRecord({ actor: cell.address, cell, spawns: [], forget: false })],
        configGeneration: 0,
      }),
    );
    const committed = await store.commit(decisions);
    const failed = committed.find(({ ok: done }) => !done);
    if (failed !== undefined && !failed.ok) return fail(failed.failure.message);
  }
  return ok(undefined);
}

function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(delayMs, done);
    signal.addEventListener('abort', done, { once: true });
  });
}

export const LEASE_ACTOR = addressOf('lease', 'main');
