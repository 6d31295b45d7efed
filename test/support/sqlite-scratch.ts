/** Scratch databases for tests: each in a directory of its own, removed with the release. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type OpenOptions, openSqliteStore } from '../../src/adapters/sqlite/open.js';
import type { SqliteStore } from '../../src/adapters/sqlite/store.js';
import { systemClock } from '../../src/adapters/system/clock.js';

export const NO_FAILPOINTS = { hit: () => undefined };

/** Of a store in which nothing fails, on the time there is. */
export const PLAIN = { failpoints: NO_FAILPOINTS, clock: systemClock() };

export interface Scratch {
  readonly folder: string;
  readonly file: string;
  remove(): void;
}

export function scratch(): Scratch {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-store-'));
  return {
    folder,
    file: join(folder, 'switchyard.db'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export function optionsFor(file: string, more: Partial<OpenOptions> = {}): OpenOptions {
  return {
    file,
    durability: 'normal',
    node: 'edge-1',
    epoch: 5,
    ...PLAIN,
    busyTimeoutMs: 50,
    ...more,
  };
}

export function openOrThrow(file: string, more: Partial<OpenOptions> = {}): SqliteStore {
  const opened = openSqliteStore(optionsFor(file, more));
  if (!opened.ok) throw new Error(opened.failure.message);
  return opened.value;
}
