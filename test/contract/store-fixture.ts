/** What the parts of the store's contract share: how a store is had, and how an answer is taken. */
import assert from 'node:assert/strict';
import type { Result } from '../../machines/model/result.js';
import type { Store } from '../../src/ports/store.js';

export interface StoreFixture {
  readonly store: Store;
  release(): Promise<void>;
}

export type OpenStore = () => Promise<StoreFixture>;

/** A store that is released when the suite ends. */
export type FreshStore = () => Promise<Store>;

export function unwrap<T, F>(result: Result<T, F>): T {
  if (!result.ok) assert.fail(JSON.stringify(result.failure));
  return result.value;
}
