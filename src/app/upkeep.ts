/**
 * Upkeep of the database, where the database is open: what is older than its retention goes, a bounded
 * bite at a time with pauses between, and the write-ahead log is moved away when nothing is written.
 *
 * Rules: [ST-16] upkeep stands back for decisions and leaves nothing pending or dead behind itself.
 */
import type { JsonObject } from '../../machines/model/json.js';
import type { SqliteStore } from '../adapters/sqlite/store.js';
import type { Cancel, Clock } from '../ports/clock.js';
import type { Metrics } from '../ports/metrics.js';
import { countDecisions } from './decision-metrics.js';
import type { Parts } from './parts.js';
import type { BootSettings } from './settings.js';

/** Between two rounds. */
const ROUND_MS = 60_000;

/** Between two bites of one round, and how long nothing must have been written for a checkpoint. */
const PAUSE_MS = 1_000;

/** A store that knows when it was last written. */
export interface MeteredStore extends SqliteStore {
  /** Monotonic. */
  readonly writtenAtMs: number;
}

/** Counts every transaction: how long, how many decisions. */
export function metered(
  store: SqliteStore,
  { clock, metrics }: { readonly clock: Clock; readonly metrics: Metrics },
): MeteredStore {
  let writtenAtMs = clock.monotonic();
  const measured =
    <D, O>(commit: (decisions: readonly D[]) => Promise<O>) =>
    async (decisions: readonly D[]): Promise<O> => {
      const startedAtMs = clock.monotonic();
      const outcomes = await commit(decisions);
      writtenAtMs = clock.monotonic();
      metrics.observe('store_commit_seconds', (writtenAtMs - startedAtMs) / 1_000);
      metrics.observe('store_batch_rows', decisions.length);
      return outcomes;
    };
  const commitPacked = measured(store.commitPacked);
  return {
    ...store,
    commit: measured(store.commit),
    commitPacked: async (decisions) => {
      const outcomes = await commitPacked(decisions);
      countDecisions(
        metrics,
        decisions.filter((_, index) => outcomes[index]?.ok === true),
      );
      return outcomes;
    },
    get writtenAtMs() {
      return writtenAtMs;
    },
  };
}

export interface UpkeepOptions {
  readonly store: MeteredStore;
  readonly boot: Pick<BootSettings, 'retention'>;
  readonly parts: Pick<Parts, 'clock' | 'log'>;
}

export interface Upkeep {
  /** From the next bite on. */
  retain(settings: JsonObject): void;
  stop(): void;
}

export function keepUp({ store, boot, parts }: UpkeepOptions): Upkeep {
  const { clock, log } = parts;
  let retention = boot.retention;
  let stopped = false;
  let cancel: Cancel;

  /** Answers whether there is more to do. */
  const bite = async (): Promise<boolean> => {
    const now = clock.now();
    const { journalMs, journalBytesMax, outboxMs } = retention;
    const pruned = await store.prune({
      journalBeforeMs: now - journalMs,
      outboxBeforeMs: now - outboxMs,
      bytesMax: journalBytesMax,
    });
    if (pruned.ok && pruned.value.more) return true;
    const idle = clock.monotonic() - store.writtenAtMs >= PAUSE_MS;
    const moved = pruned.ok && idle ? await store.checkpoint() : pruned;
    if (!moved.ok) log.warn({ ...moved.failure }, 'upkeep of the store failed; it is tried again');
    return false;
  };

  const round = async (): Promise<void> => {
    const more = await bite();
    if (!stopped) next(more ? PAUSE_MS : ROUND_MS);
  };
  const next = (delayMs: number): void => {
    cancel = clock.after(delayMs, () => void round());
  };

  next(PAUSE_MS);
  return {
    retain: (settings) => {
      retention = { ...retention, ...settings };
    },
    stop: () => {
      stopped = true;
      cancel();
    },
  };
}
