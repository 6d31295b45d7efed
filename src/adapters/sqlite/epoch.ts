/**
 * The epoch: a number that grows with every holder of the node's duties. It is kept in the store's
 * meta table, is stamped on every feed event, and is only ever raised.
 */
import type { StoreFailure } from '../../../machines/model/failures.js';
import { ok, type Result } from '../../../machines/model/result.js';
import type { Store } from '../../ports/store.js';

export const EPOCH_KEY = 'epoch';

/** A stored or given epoch as a number; anything else than a count is 0. */
export function epochOf(text: string | undefined): number {
  const epoch = Number(text);
  return Number.isSafeInteger(epoch) && epoch > 0 ? epoch : 0;
}

/**
 * Raises the epoch above the stored and the observed one and answers it. Works through any `Store`;
 * one caller at a time, the lease.
 */
export async function nextEpoch(
  store: Pick<Store, 'metaGet' | 'metaSet'>,
  observed = 0,
): Promise<Result<number, StoreFailure>> {
  const stored = await store.metaGet(EPOCH_KEY);
  if (!stored.ok) return stored;
  const epoch = Math.max(epochOf(stored.value), observed) + 1;
  const written = await store.metaSet(EPOCH_KEY, String(epoch));
  return written.ok ? ok(epoch) : written;
}
